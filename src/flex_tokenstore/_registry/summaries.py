"""What a store says of itself, read from its source: listing the stores imports none of them."""

from __future__ import annotations

import ast
import inspect
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

# How often a class may be imported from one module into the next, up to the one of the entry point.
_HOPS = 8
_LONGEST = 1_000_000  # bytes of a module; a generated one may take seconds to parse


class _Module(NamedTuple):
    package: str
    body: ast.Module


def summary_of_class(value: str, folders: Iterable[str]) -> str:
    """The first paragraph of the docstring of ``package.module:Class``, on one line.

    Args:
        value: What an entry point names.
        folders: Where to look for its module; such as the absolute entries of ``sys.path``.

    Returns:
        "" if the class has no docstring, or its source cannot be found or read.
    """
    name, _, attribute = value.partition(":")
    first, *nested = attribute.split(".")
    folders = tuple(folders)
    for _ in range(_HOPS):
        module = _module(name, folders)
        if module is None:
            return ""
        found = _class(module.body, first)
        if found is not None:
            for part in nested:
                found = None if found is None else _class(found, part)
            return "" if found is None else first_paragraph(ast.get_docstring(found))
        source = _imported_from(module, first)
        if source is None:
            return ""
        name, first = source
    return ""


def first_paragraph(doc: object) -> str:
    """The first paragraph of a docstring, on one line; "" for what is not one."""
    if not isinstance(doc, str):
        return ""  # a stranger's class may have anything there
    return " ".join(inspect.cleandoc(doc).split("\n\n", 1)[0].split())


def _module(name: str, folders: tuple[str, ...]) -> _Module | None:
    parts = name.split(".")
    for folder in folders:
        base = Path(folder, *parts)
        for path, package in (
            (base / "__init__.py", name),
            (base.with_name(f"{parts[-1]}.py"), name.rpartition(".")[0]),
        ):
            try:
                if path.stat().st_size > _LONGEST:
                    return None
                content = path.read_bytes()
            except (OSError, ValueError):
                continue
            parsed = _parsed(content)
            return None if parsed is None else _Module(package, parsed)
    return None


def _parsed(content: bytes) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a stranger's escapes, such as "\d"
            return ast.parse(content)
    except Exception:  # noqa: BLE001 - a stranger's file; an import of it would say what is wrong
        return None


def _class(body: ast.Module | ast.ClassDef, name: str) -> ast.ClassDef | None:
    for node in _statements(body):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node
    return None


def _imported_from(module: _Module, name: str) -> tuple[str, str] | None:
    """From which module a name is imported, and what it is called there."""
    for node in _statements(module.body):
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            if (alias.asname or alias.name) == name:
                parents = module.package.split(".")
                # One dot is the package itself.
                kept = parents[: len(parents) - node.level + 1] if node.level else []
                return ".".join([*kept, *([node.module] if node.module else [])]), alias.name
    return None


def _statements(body: ast.AST) -> Iterator[ast.AST]:
    """Those that run when it is imported, also within ``if TYPE_CHECKING`` and ``try``."""
    for node in ast.iter_child_nodes(body):
        yield node
        if isinstance(node, (ast.If, ast.Try, ast.With, ast.ExceptHandler)):
            yield from _statements(node)
