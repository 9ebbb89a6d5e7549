"""The kit passes correct stores in unusual styles; what the framework cannot use, it refuses."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import StoreLoadError, TokenIdentity, hookimpl
from flex_tokenstore._plugin.hooks import check_class
from flex_tokenstore.testing._handles import KINDS, Kind, Setup
from flex_tokenstore.testing._tokens import new_identity, new_token, same

from . import styles
from .styles_suite import FILES, MEMORY, SQLITE, WRAPPERS
from .zoo.full import TwinStore
from .zoo.test_zoo import run

SUITE = "tests/kit/styles_suite.py"
NAMES = [each.__name__ for each in (*FILES, *MEMORY, *SQLITE, *WRAPPERS)]
NAMES += ["OwnObject", "MadeInAFunction", "MadeAtRunTime"]


def config_of(name: str, folder: Path) -> Any:
    if name == "OwnObject":
        return styles.OwnObject(str(folder))
    made = {"MadeInAFunction": styles.made(name), "MadeAtRunTime": styles.dynamic()}
    store = made.get(name) or getattr(styles, name)
    if store in MEMORY:
        return {"name": store}
    if store in SQLITE:
        return {"name": store, "path": str(folder / "tokens.sqlite")}
    if store in WRAPPERS:
        return {"name": store, "inner": {"name": TwinStore, "path": str(folder / "tokens.sqlite")}}
    return {"name": store, "folder": str(folder)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_store_in_an_unusual_style_is_opened_and_used(
    name: str, kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    identity = new_identity()
    handle = Setup(config_of(name, tmp_path)).open(identity, kind)
    token = new_token(identity)
    with handle.lock(5.0, 5.0):
        handle.set(token, None)
        assert same(handle.get(), token)
    handle.remove(token.revision)
    assert handle.get() is None
    handle.close()


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", NAMES)
def test_a_store_in_an_unusual_style_passes_the_fast_kit(name: str, tmp_path: Path) -> None:
    # In one kind of program each: a style that one kind alone trips over has a neighbour.
    kind = ("[sync", "[async")[NAMES.index(name) % 2]
    outcome = run(tmp_path, "-m", "not slow", "-k", kind, f"{SUITE}::Test{name}")
    assert not outcome.failed
    assert len(outcome.passed) > 60


class Hooks:
    @hookimpl
    def get_token(self) -> Any: ...

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None: ...

    @hookimpl
    def remove_token(self) -> None: ...


class KeywordOnly(Hooks):
    def __init__(self, *, options: Any, identity: TokenIdentity) -> None: ...


@dataclass(kw_only=True)
class KeywordOnlyDataClass(Hooks):
    options: Any
    identity: TokenIdentity


class AsyncInit(Hooks):
    async def __init__(self, options: Any, identity: TokenIdentity) -> None: ...  # type: ignore[misc]


class Marked(Hooks):
    get_token = hookimpl(functools.partial(print))

    def __init__(self, options: Any, identity: TokenIdentity) -> None: ...


class Forwards:
    def __getattr__(self, name: str) -> Any:
        return print


REFUSED = {
    "a keyword-only __init__": ({"name": KeywordOnly}, "two arguments, by position"),
    "a keyword-only dataclass": ({"name": KeywordOnlyDataClass}, "two arguments, by position"),
    "a partial function": ({"name": Marked}, "a partial of that name (write a method)"),
    "methods that are only looked up": (Forwards(), "has no get_token"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_framework_cannot_use_is_refused_in_words(case: str) -> None:
    config, words = REFUSED[case]
    with pytest.raises(StoreLoadError) as caught:
        Setup(config).open(new_identity())
    assert words in str(caught.value)


def test_an_async_init_is_refused_when_stores_are_checked() -> None:
    with pytest.raises(StoreLoadError, match="make it a plain `def`"):
        check_class(AsyncInit, "a-store")
