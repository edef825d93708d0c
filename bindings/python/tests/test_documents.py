"""What is written for people is true: the introduction in both manners, and the programs of docs/python.md."""

import doctest
import pathlib
import re
import unittest

from daemon import HERE, ROOT, WithDaemon


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
        """Every program of the page runs as it stands; those after each other know of each other."""
        page = pathlib.Path(ROOT / "docs" / "python.md").read_text(encoding="utf-8")
        programs = re.findall(r"```python\n(.*?)```", page, re.S)
        self.assertGreater(len(programs), 3)
        known = {"print": lambda *words: None}
        for program in programs:
            exec(compile(program, "docs/python.md", "exec"), known)


if __name__ == "__main__":
    unittest.main()
