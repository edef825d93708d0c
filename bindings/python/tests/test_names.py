"""Which binding a name reaches, and which of several answers."""

import pathlib
import re
import unittest

from kbus import conditions, names, wire

PROTOCOL = pathlib.Path(__file__).resolve().parents[3] / "docs" / "protocol.md"


class Names(unittest.TestCase):
    def test_matches(self):
        for binding, name, want in (
                ("$.A", "$.A", True), ("$.A", "$.A.B", False), ("$.*", "$.A", True), ("$.*", "$.A.B", True),
                ("$.%", "$.A", True), ("$.%", "$.A.B", False), ("$.A.*", "$.A", False), ("$.A.%", "$.A.B", True),
                ("$.A.*", "$.AB", False), ("$.A.*", "$.A.", False)):
            self.assertEqual(names.matches(binding, name), want, (binding, name))

    def test_best(self):
        self.assertEqual(names.best(["$.*", "$.A.*", "$.A.%", "$.A.B"], "$.A.B"), "$.A.B")
        self.assertEqual(names.best(["$.*", "$.A.*", "$.A.%"], "$.A.B"), "$.A.%")
        self.assertEqual(names.best(["$.A.*", "$.*"], "$.A.B"), "$.A.*")
        self.assertIsNone(names.best(["$.B"], "$.A"))


class Protocol(unittest.TestCase):
    """The numbers of the package are those of the page."""

    def test_conditions(self):
        page = PROTOCOL.read_text(encoding="utf-8").split("\n## 12. ")[1].split("\n## ")[0]
        rows = re.findall(r"(?m)^\| (\d+) \| (\w+) \| (?:E\w+ )?(\d+) \| (.*) \|$", page)
        self.assertEqual([(str(i), name, str(number), text) for i, (name, number, text)
                          in enumerate(conditions.CONDITIONS)], rows)

    def test_operations(self):
        page = PROTOCOL.read_text(encoding="utf-8").split("\n## 6. ")[1].split("\n## ")[0]
        for number, name in re.findall(r"(?m)^\| (\d+) \| ([A-Z]\w+) \|", page):
            constant = re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()
            self.assertEqual(getattr(wire, constant), int(number), constant)


if __name__ == "__main__":
    unittest.main()
