"""``require_encrypted``: which stores and chains pass, and which are refused, before and after they
are made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import MagicMock

import pytest

from flex_tokenstore import (
    StoreOptionsError,
    TokenIdentity,
    WrapperStore,
    describe_store,
    hookimpl,
    list_stores,
    open_async_store,
    open_store,
    register_store,
)
from flex_tokenstore._registry import registered
from flex_tokenstore.embedding import async_store
from flex_tokenstore.stores.memory import MemoryStore
from tests.support.fakes import IDENTITY, DictStore


class Sealing(WrapperStore):
    """Encrypts, unless told otherwise."""

    encrypted_at_rest: ClassVar[bool] = True
    made: ClassVar[int] = 0

    @dataclass(kw_only=True)
    class Options:
        inner: Any
        migrate: bool = False

    def __init__(self, options: Options, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        type(self).made += 1
        if options.migrate:
            self.encrypted_at_rest = False  # type: ignore[misc]  # of this one


class Telling(Sealing):
    """And names the option."""

    encrypted_at_rest: ClassVar[bool] = True
    plaintext_option: ClassVar[str] = "migrate"


class OnDisk(MemoryStore):
    """Inherits the word of a store that keeps nothing, and is of another package."""

    async_class = None  # type: ignore[assignment]  # else that of the store that keeps nothing


class Halfway(MemoryStore):
    """Encrypts in sync programs only."""

    encrypted_at_rest: ClassVar[bool] = True

    @dataclass(kw_only=True)
    class Options(MemoryStore.Options):
        """It has none."""


class AsyncHalfway(MemoryStore):
    """And not in those of asyncio."""


Halfway.async_class = AsyncHalfway


class Vaulted(DictStore):
    encrypted_at_rest = True


class Watched(MemoryStore):
    """Counts what is done to it."""

    encrypted_at_rest: ClassVar[bool] = True
    async_class = None  # type: ignore[assignment]  # else that one is made
    made: ClassVar[list[Watched]]

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        self.reads = self.closed = 0
        self.made.append(self)

    @hookimpl
    def get_token(self) -> Any:
        self.reads += 1
        return super().get_token()

    @hookimpl
    def close(self) -> None:
        self.closed += 1


class Asked(DictStore):
    @property
    def encrypted_at_rest(self) -> bool:
        raise AssertionError("a property of the user's own was run")


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "_registered", {})
    monkeypatch.setattr(Sealing, "made", 0)
    register_store("sealing", Sealing)
    register_store("telling", Telling)
    register_store("on-disk", OnDisk)
    register_store("halfway", Halfway)


def _sync(config: Any, **options: Any) -> None:
    open_store(config, IDENTITY, **options).close()


def _async(config: Any, **options: Any) -> None:
    async def main() -> None:
        await (await open_async_store(config, IDENTITY, **options)).aclose()

    asyncio.run(main())


def _from_plain(config: Any, **options: Any) -> None:
    store = async_store(config, IDENTITY, **options)
    asyncio.run(store.aclose())


@pytest.fixture(params=[_sync, _async, _from_plain], ids=["sync", "async", "from a function"])
def opens(request: pytest.FixtureRequest) -> Callable[..., None]:
    found: Callable[..., None] = request.param
    return found


def test_what_encrypts_passes_wherever_it_is_in_the_chain(opens: Any, tmp_path: Path) -> None:
    file = {"name": "file", "path": str(tmp_path / "t.json")}
    for config in (
        "memory",
        Vaulted(),
        {"name": "sealing", "inner": file},
        {"name": "read-only", "inner": {"name": "sealing", "inner": file}},
        {"name": "read-only", "inner": Vaulted()},
        {"name": "sealing", "inner": {"name": "read-only", "inner": file}},
    ):
        opens(config, require_encrypted=True)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ("file", "file"),
        ("on-disk", "on-disk"),
        ({"name": "read-only", "inner": "file"}, "file"),
        (DictStore(), "DictStore"),
        (Asked(), "Asked"),
        (MagicMock(spec=DictStore, encrypted_at_rest=True), "MagicMock"),
        ({"name": "read-only", "inner": Asked()}, "Asked"),
    ],
    ids=["file", "inherited", "wrapped", "own", "property", "mock", "own within"],
)
def test_what_would_keep_plain_text_is_refused_by_name(opens: Any, config: Any, named: str) -> None:
    with pytest.raises(
        StoreOptionsError, match=f"'{named}' would keep the token as plain"
    ) as caught:
        opens(config, require_encrypted=True)
    assert (caught.value.store, caught.value.option) == (named, "require_encrypted")
    assert "'encrypted'" in str(caught.value)
    assert "'keyring'" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sealing", "with these options .*: change the option that allows it"),
        ("telling", "its option 'migrate' .*: change the option 'migrate' of .* 'telling'"),
    ],
)
def test_an_option_that_lowers_it_is_named_and_not_another_store(
    opens: Any, name: str, words: str
) -> None:
    lowered = {"name": name, "migrate": True, "inner": "file"}
    for config in (lowered, {"name": "read-only", "inner": lowered}):
        with pytest.raises(StoreOptionsError, match=f"'{name}' would keep .*{words}") as caught:
            opens(config, require_encrypted=True)
        assert (caught.value.store, caught.value.option) == (name, "require_encrypted")
        assert "choose" not in str(caught.value), "it is the right store"


def test_one_of_a_list_must_not_be_lowered(opens: Any) -> None:
    """It will be chosen on another day, when the one before it is down."""
    lowered = {"name": "telling", "migrate": True, "inner": "file"}
    for listed, entry in (
        (["memory", lowered], "'stores.2' .*'telling'"),
        (["memory", {"name": "fallback", "stores": [Vaulted(), lowered]}], "'stores.2' .*stores.2"),
    ):
        config = {"name": "fallback", "stores": listed}
        with pytest.raises(StoreOptionsError, match=f"{entry}.*its option 'migrate'"):
            opens(config, require_encrypted=True)
        opens(config, require_encrypted=False)
    around = {**lowered, "inner": {"name": "fallback", "stores": ["memory", "file"]}}
    with pytest.raises(StoreOptionsError, match=r"'stores\.2' \('file'\).*its option 'migrate'"):
        opens(around, require_encrypted=True)
    around["inner"] = {"name": "fallback", "stores": ["memory", Vaulted()]}
    opens(around, require_encrypted=True)


def test_what_is_made_for_a_look_is_closed_and_nothing_is_read(
    opens: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Watched] = []
    monkeypatch.setattr(Watched, "made", made, raising=False)
    register_store("watched", Watched)
    opens({"name": "fallback", "stores": ["memory", "watched"]}, require_encrypted=True)
    assert [(each.reads, each.closed) for each in made] == [(0, 1)]


def test_the_class_that_is_really_made_is_looked_at() -> None:
    _sync("halfway", require_encrypted=True)
    for opens in (_async, _from_plain):
        with pytest.raises(StoreOptionsError, match="'halfway' would keep"):
            opens("halfway", require_encrypted=True)


def test_it_is_refused_before_it_is_made(tmp_path: Path) -> None:
    config = {"name": "sealing", "inner": {"name": "sealing", "inner": "file"}}
    Sealing.encrypted_at_rest = False
    try:
        with pytest.raises(StoreOptionsError):
            _sync(config, require_encrypted=True)
    finally:
        Sealing.encrypted_at_rest = True
    assert Sealing.made == 0


def test_without_it_each_store_opens(opens: Any, tmp_path: Path) -> None:
    opens({"name": "file", "path": str(tmp_path / "t.json")}, require_encrypted=False)
    for wrong in ("yes", 1, None):
        with pytest.raises(TypeError, match="require_encrypted must be True or False"):
            opens("memory", require_encrypted=wrong)


def test_the_list_of_stores_tells_which_encrypt() -> None:
    infos = {info.name: info for info in list_stores(check=True)}
    found = {name: infos[name].encrypted_at_rest for name in infos}
    assert found["memory"] is True
    assert found["file"] is False
    assert found["sealing"] is True
    assert found["read-only"] is None, "it depends on the store within"
    assert found["halfway"] is False
    assert found["vault"] is found["vault-kv1"] is True
    assert found["redis"] is found["sql"] is False
    assert describe_store("memory").encrypted_at_rest is True
    assert list_stores()[0].encrypted_at_rest is None
