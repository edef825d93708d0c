"""The modules of the package stand on each other in one direction only."""

import ast
import pathlib
import unittest

from daemon import HERE

PACKAGE = HERE.parent / "kbus"


def imports(path):
    """The modules of the package that a module imports, anywhere in it."""
    module = path.relative_to(PACKAGE.parent).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = module[:len(module) - node.level] + tuple((node.module or "").split(".") if node.module else ())
            for alias in node.names:
                for name in (base + (alias.name,), base):
                    found = PACKAGE.parent.joinpath(*name)
                    if found.with_suffix(".py").exists():
                        yield found.with_suffix(".py")
                        break
                    if (found / "__init__.py").exists() and name != ("kbus",):
                        yield found / "__init__.py"
                        break


class Modules(unittest.TestCase):
    def test_no_circles(self):
        graph = {path: set(imports(path)) for path in PACKAGE.rglob("*.py")}
        self.assertGreater(sum(map(len, graph.values())), 50)
        while graph:
            free = [path for path, needs in graph.items() if not needs & set(graph)]
            self.assertTrue(free, sorted(str(pathlib.Path(p).relative_to(PACKAGE)) for p in graph))
            for path in free:
                del graph[path]

    def test_the_core_does_nothing(self):
        """No I/O, clock or lock in what holds the rules."""
        for name in "core", "books", "query", "sending", "receiving", "asking", "frames", "asked", "wire", "layout":
            for node in ast.walk(ast.parse((PACKAGE / (name + ".py")).read_text(encoding="utf-8"))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                self.assertEqual(set(names) & {"os", "socket", "select", "time", "threading", "asyncio"}, set(), name)


if __name__ == "__main__":
    unittest.main()
