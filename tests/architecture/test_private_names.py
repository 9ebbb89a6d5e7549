"""The SDK and the plugins use only what the framework shows: no private module, name or attribute.

import-linter sees imports between modules; this looks at the source, so that it also finds what is
imported within a function or for types, a module that is named by a string, and attributes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FRAMEWORK = "flex_tokenstore"
PACKAGES = sorted(
    path.parent
    for path in [
        ROOT / "src" / "flex_integration_sdk" / "__init__.py",
        *ROOT.glob("plugins/*/src/*/__init__.py"),
        *(ROOT / "src" / "flex_integration_sdk" / "cli").glob("_skeleton/src/*/__init__.py"),
    ]
)


BY_NAME = ("getattr", "setattr", "hasattr", "delattr")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def is_shown(module: str, name: str = "") -> bool:
    """Whether a stranger may import the module of the framework, or that name of it."""
    if any(map(is_private, [*module.split("."), name])):
        return False
    shown = getattr(import_module(module), "__all__", None)
    return not name or shown is None or name in shown or _is_module(f"{module}.{name}")


def _is_module(name: str) -> bool:
    try:
        import_module(name)
    except ImportError:
        return False
    return True


def of_framework(module: str) -> bool:
    return module.split(".")[0] == FRAMEWORK


def named_modules(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The modules, each with a name in it or "", that one node of a program names."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
        yield from ((node.module or "", alias.name) for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        path = node.value.partition(":")[0]
        if all(part.isidentifier() for part in path.split(".")):
            yield path, ""
    elif isinstance(node, ast.Attribute):
        yield ast.unparse(node), ""
    elif isinstance(node, ast.Call):  # import_module("._values", "flex_tokenstore")
        texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
        if len(texts) == 2 and all(isinstance(text, str) for text in texts):
            yield "".join(map(str, reversed(texts))), ""


def private_imports(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        for module, name in named_modules(node):
            path = module.split(".")
            if not of_framework(module):
                continue
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                bad = not is_shown(module, name)
            else:
                bad = any(map(is_private, path))
            if bad:
                line = getattr(node, "lineno", 0)
                found.append(f"line {line}: {module} {name}".rstrip())
    return found


def defined(tree: ast.AST) -> set[str]:
    """The private attributes that the classes of a module give to their objects."""
    found: set[str] = set()
    for cls in ast.walk(tree):
        if not isinstance(cls, ast.ClassDef):
            continue
        for node in ast.walk(cls):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
                    found.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__slots__":
                texts = (e.value for e in ast.walk(node.value) if isinstance(e, ast.Constant))
                found.update(text for text in texts if isinstance(text, str))
    return set(filter(is_private, found))


def used(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The private attributes that a module reads or writes, also by name with ``getattr``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in BY_NAME:
            texts = (each.value for each in node.args if isinstance(each, ast.Constant))
            yield from ((node.lineno, text) for text in texts if isinstance(text, str))


def private_attributes(package: Path, of_theirs: set[str]) -> list[str]:
    """Where it uses attributes that classes of the framework define, and none of its own folder.

    Types are not known here: an attribute whose name both have passes.
    """
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in package.rglob("*.py")}
    own: dict[Path, set[str]] = {}
    for path, tree in trees.items():
        own.setdefault(path.parent, set()).update(defined(tree))
    return [
        f"{path.relative_to(package)} line {line}: {name}"
        for path, tree in trees.items()
        for line, name in used(tree)
        if name in of_theirs - own[path.parent]
    ]


@pytest.fixture(scope="module")
def theirs() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "src" / FRAMEWORK).rglob("*.py"):
        found |= defined(ast.parse(path.read_text(encoding="utf-8")))
    return found


def test_there_are_packages() -> None:
    names = {package.name for package in PACKAGES}
    assert names >= {"flex_integration_sdk", "flex_tokenstore_redis", "flex_tokenstore_skeleton"}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_it_imports_nothing_private_of_the_framework(package: Path) -> None:
    found = {
        str(path.relative_to(package)): lines
        for path in package.rglob("*.py")
        if (lines := private_imports(path.read_text(encoding="utf-8")))
    }
    assert not found


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_it_uses_no_private_attribute_of_the_framework(package: Path, theirs: set[str]) -> None:
    assert not private_attributes(package, theirs)


@pytest.mark.parametrize(
    "source",
    [
        "from flex_tokenstore._values.token import Token",
        "import flex_tokenstore._values.token",
        "from flex_tokenstore import _values",
        "from flex_tokenstore.errors import logging",
        "from flex_tokenstore.embedding import import_module",
        "def f():\n    from flex_tokenstore._values.token import Token",
        "if TYPE_CHECKING:\n    from flex_tokenstore._values.token import Token",
        'import_module("flex_tokenstore._values.token")',
        'import_module("._values.token", "flex_tokenstore")',
        'LAZY = {"Token": "flex_tokenstore._values.token"}',
        "import flex_tokenstore\nflex_tokenstore._values.token.Token",
    ],
)
def test_a_private_import_is_found(source: str) -> None:
    assert len(private_imports(source)) >= 1


def test_a_public_import_is_none() -> None:
    source = """
from flex_tokenstore import Secret, __version__, errors, hookspecs
from flex_tokenstore.embedding import strip_value
from flex_tokenstore.errors import GrantError
import flex_tokenstore.testing
from ._values import exact
LAZY = {"file_store": "flex_tokenstore"}
flex_tokenstore.open_store("file")
"""
    assert not private_imports(source)


def test_a_private_attribute_is_found(tmp_path: Path, theirs: set[str]) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.py").write_text(
        "class Mine:\n    def __init__(self):\n"
        "        self._opened = 1\n        self._only_here._state, getattr(self, '_binding')\n"
        "        self._only_here, self._opened\n"
    )
    (tmp_path / "other.py").write_text("store._opened.close()\n")
    assert sorted(private_attributes(tmp_path, theirs)) == [
        "other.py line 1: _opened",
        "own/mine.py line 4: _binding",
        "own/mine.py line 4: _state",
    ]
