"""The package can be installed, without a network and without anything but pip."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest

from daemon import HERE


class Install(unittest.TestCase):
    @unittest.skipUnless(importlib.util.find_spec("pip"), "this Python has no pip")
    @unittest.skipIf(os.environ.get("KBUS_TEST_PIP") == "no", "pip is tried with one Python only")
    def test_pip(self):
        with tempfile.TemporaryDirectory() as target:
            environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
            subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-index", "--disable-pip-version-check",
                            "--no-compile", "--root-user-action=ignore", "--target", target, str(HERE.parent)], check=True,
                           env=environment, stderr=subprocess.PIPE)
            there = {f.relative_to(target).as_posix() for f in pathlib.Path(target, "kbus").rglob("*") if f.is_file()}
            here = {f.relative_to(HERE.parent).as_posix() for f in (HERE.parent / "kbus").rglob("*.[pt]*")}
            self.assertEqual({f for f in here if "__pycache__" not in f} - there, set())
            self.assertIn("kbus/py.typed", there)
            program = "import kbus, kbus.aio, kbus.limpet, kbus.serving; print(kbus.__file__)"
            said = subprocess.run([sys.executable, "-c", program], env={**environment, "PYTHONPATH": target}, cwd=target,
                                  check=True, stdout=subprocess.PIPE).stdout.decode()
            self.assertEqual(said.strip(), os.path.join(target, "kbus", "__init__.py"))

    def test_sdist(self):
        found = importlib.util.spec_from_file_location("backend", HERE.parent / "backend.py")
        backend = importlib.util.module_from_spec(found)
        found.loader.exec_module(backend)
        with tempfile.TemporaryDirectory() as target:
            with tarfile.open(os.path.join(target, backend.build_sdist(target))) as archive:
                names = archive.getnames()
        self.assertIn(backend.STEM + "/pyproject.toml", names)
        self.assertIn(backend.STEM + "/kbus/aio/ksock.py", names)


if __name__ == "__main__":
    unittest.main()
