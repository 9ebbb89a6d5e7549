"""What docs/versions.md says of hooks, versions and bounds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import flex_integration_sdk
from flex_tokenstore import hookimpl, hookspecs, open_store
from tests.support.fakes import IDENTITY

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")


def test_each_hook_is_listed_with_the_version_it_came_in() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+\.\d+) \|$", PAGE, re.MULTILINE)
    assert [name for name, _ in rows] == list(hookspecs.HOOKS)
    present = tuple(map(int, flex_integration_sdk.__version__.split(".")[:2]))
    assert all(tuple(map(int, since.split("."))) <= present for _, since in rows)


def test_the_bound_on_the_page_is_that_of_the_plugins() -> None:
    (bound,) = re.findall(r'^dependencies = \["(.+)"\]$', PAGE, re.MULTILINE)
    pages = [PAGE, (ROOT / "docs" / "write-a-store.md").read_text(encoding="utf-8")]
    assert all(bound in page for page in pages)
    for path in (
        *ROOT.glob("plugins/*/pyproject.toml"),
        *(ROOT / "src").rglob("_skeleton/pyproject.toml"),
    ):
        assert bound in tomllib.loads(path.read_text())["project"]["dependencies"], path


def test_opening_a_store_with_a_deprecated_hook_warns_and_names_its_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Store:
        @hookimpl
        def get_token(self) -> None: ...

        @hookimpl
        def set_token(self, token: dict[str, Any]) -> None: ...

        @hookimpl
        def remove_token(self) -> None: ...

        @hookimpl
        def close(self) -> None: ...

    @hookspecs.hookspec(
        firstresult=True, warn_on_impl=DeprecationWarning("close: write finish instead")
    )
    def close() -> None: ...

    monkeypatch.setattr(hookspecs, "close", close)
    with (
        pytest.warns(DeprecationWarning, match="write finish instead") as caught,
        open_store(Store(), IDENTITY) as store,
    ):
        assert store.get_token() is None
    assert {Path(each.filename) for each in caught} == {Path(__file__)}
