"""Every public module, class, function and method says what it is."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [path for package in ("fsrcnn_np", "piqe_np") for path in sorted((ROOT / package).rglob("*.py"))]
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in FILES}
#: class → its methods that have a docstring: whoever inherits one need not repeat it
DOCUMENTED = {
    node.name: {m.name for m in node.body if isinstance(m, ast.FunctionDef) and ast.get_docstring(m)}
    for tree in TREES.values()
    for node in tree.body
    if isinstance(node, ast.ClassDef)
}


def silent(body, prefix="", inherited=frozenset()):
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        setter = any(isinstance(d, ast.Attribute) and d.attr == "setter" for d in node.decorator_list)
        if not ast.get_docstring(node) and node.name not in inherited and not setter:
            yield f"{prefix}{node.name}"
        if isinstance(node, ast.ClassDef):
            bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
            yield from silent(node.body, f"{node.name}.", frozenset().union(*(DOCUMENTED.get(b, ()) for b in bases)))


@pytest.mark.parametrize("path", TREES)
def test_everything_public_has_a_docstring(path):
    assert ast.get_docstring(TREES[path]) or not TREES[path].body, "the module"
    assert list(silent(TREES[path].body)) == []


def test_a_missing_one_is_found():
    tree = ast.parse("class A:\n    def f(self):\n        pass\n    def _g(self):\n        pass\ndef h(): pass")
    assert list(silent(tree.body)) == ["A", "A.f", "h"]
