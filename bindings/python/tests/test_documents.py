"""What is written for people is true: the introduction in both manners, and the programs of docs/python.md."""

import doctest
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from daemon import HERE, PATIENCE, ROOT, WithDaemon


class Documents(WithDaemon):
    def doctest(self, path):
        result = doctest.testfile(str(path), module_relative=False, optionflags=doctest.REPORT_NDIFF)
        self.assertTrue(result.attempted)
        self.assertEqual(result.failed, 0)

    def test_introduction(self):
        self.doctest(HERE / "introduction.txt")

    def test_introduction_modern(self):
        self.doctest(HERE / "introduction_modern.txt")

    def test_page(self):
        """Every program of the page runs when it is copied alone, and prints what it says it prints.

        Each is in a folder of its own: Python looks for modules beside the program first, and what lies in /tmp is not ours.
        """
        page = pathlib.Path(ROOT / "docs" / "python.md").read_text(encoding="utf-8")
        programs = re.findall(r"```python\n(.*?)```", page, re.S)
        self.assertGreater(len(programs), 3)
        for program in programs:
            with tempfile.TemporaryDirectory() as folder:
                file = pathlib.Path(folder) / "program.py"
                file.write_text(program, encoding="utf-8")
                done = subprocess.run([sys.executable, "-W", "error", str(file)], stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, timeout=PATIENCE)
            said = done.stdout.decode()
            self.assertEqual(done.returncode, 0, program + said)
            for line in re.findall(r"(?m)^ *print\(.*\) +# (.*)$", program):
                self.assertIn(line, said.splitlines(), program)


if __name__ == "__main__":
    unittest.main()
