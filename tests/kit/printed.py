"""The stores that our pages print, each as a module with its test class, as a reader makes them."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from flex_tokenstore import hookspecs

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md")]
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)

OBJECT = """
    shared_by = "handles"

    @pytest.fixture
    def store_config(self):
        return {name}()
"""
HANDLES = """
    shared_by = "handles"

    @pytest.fixture
    def store_config(self):
        return {{"name": {name}}}
"""
CONFIGS = {
    ("README.md", "DictStore"): HANDLES,
    ("hookspecs.py", "DictStore"): HANDLES.replace('"handles"', '"nobody"'),
    ("docs/conformance-kit.md", "MyStore"): """
    @pytest.fixture
    def store_config(self, tmp_path):
        return {{"name": {name}, "folder": str(tmp_path)}}

    @pytest.fixture
    def plant(self, tmp_path):
        return lambda identity, content: (tmp_path / f"{{identity.key}}.json").write_bytes(content)
""",
    ("docs/how-to/containers.md", "Keeper"): OBJECT,
    ("docs/write-a-store.md", "AsyncStore"): OBJECT,
    ("docs/write-a-store.md", "DictStore"): OBJECT,
    ("docs/write-a-store.md", "Base64Store"): """
    @pytest.fixture
    def store_config(self, tmp_path):
        inner = {{"name": "file", "path": str(tmp_path / "token.json")}}
        return {{"name": {name}, "inner": inner}}

    one_identity = True

    @pytest.fixture
    def plant(self, tmp_path):
        return lambda identity, content: (tmp_path / "token.json").write_bytes(content)
""",
    ("docs/how-to/remote-store.md", "DemoStore"): HANDLES,
}
"""How a reader's test class opens each; without its first line."""


class Printed(NamedTuple):
    """A store class on a page."""

    page: str
    name: str
    code: str
    """The class, and the imports of its block."""

    @property
    def module(self) -> str:
        return f"{re.sub(r'[^a-z]+', '_', self.page.lower())}_{self.name.lower()}"

    def write(self, folder: Path) -> None:
        """Its module, and a test module beside it."""
        (folder / f"{self.module}.py").write_text(self.code, encoding="utf-8")
        (folder / f"test_{self.module}.py").write_text(
            f"import pytest\nfrom {self.module} import {self.name}\n"
            "from flex_tokenstore.testing import TokenStoreContract\n\n\n"
            f"class Test{self.name}(TokenStoreContract):"
            + CONFIGS[self.page, self.name].format(name=self.name),
            encoding="utf-8",
        )


def stores() -> list[Printed]:
    """All of them; a page that prints a new one is found by itself."""
    found = [
        Printed(page.relative_to(ROOT).as_posix(), name, code)
        for page in PAGES
        for block in _BLOCK.findall(page.read_text(encoding="utf-8"))
        for name, code in _store_classes(block)
    ]
    docstring = inspect.cleandoc(hookspecs.__doc__ or "")
    (block,) = re.findall(r"::\n\n((?:    .*\n|\n)+)", docstring)[:1]
    block = (
        "from dataclasses import dataclass\n\nfrom flex_tokenstore import TokenIdentity, hookimpl\n"
        + textwrap.dedent(block)
    )
    return found + [Printed("hookspecs.py", name, code) for name, code in _store_classes(block)]


def _store_classes(block: str) -> Iterator[tuple[str, str]]:
    try:
        tree = ast.parse(block)
    except IndentationError:  # an excerpt of a file, which is tested itself
        return
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and _is_store(node):
            # Not unparsed: the comments beside the options are their descriptions. Of a store of
            # records the whole block: its primitives are in classes and functions beside it.
            whole = [*tree.body] if "RecordStore" in _bases(node) else [*imports, node]
            parts = [ast.get_source_segment(block, each) for each in whole]
            yield node.name, "\n".join(part for part in parts if part) + "\n"


def _is_store(node: ast.ClassDef) -> bool:
    methods = {
        each.name for each in node.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    return "get_token" in methods or bool({"WrapperStore", "RecordStore"} & _bases(node))


def _bases(node: ast.ClassDef) -> set[str]:
    return {ast.unparse(base) for base in node.bases}
