"""The store ``fallback``: what it takes, what it passes over and what it refuses to pass over."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx2
import pytest

from flex_tokenstore import (
    StoreOptionsError,
    TokenIdentity,
    TokenPermissionError,
    TokenStoreError,
    TokenUnavailableError,
    UnknownStoreError,
    WrapperStore,
    file_store,
    hookimpl,
    open_async_store,
    open_store,
    register_store,
    store_config_from_env,
)
from flex_tokenstore._registry import packages, registered
from flex_tokenstore._store import fallback
from flex_tokenstore.embedding import async_store, complete_store_config
from flex_tokenstore.stores.memory import MemoryStore
from tests.support.fakes import IDENTITY, DictStore
from tests.support.kinds import Kind, issued, program

KINDS: tuple[Kind, ...] = ("sync", "async")
TOKEN = issued(1)


class Shaky:
    """Keeps the token in memory, and fails as it is told to."""

    @dataclass(kw_only=True)
    class Options:
        error: str = ""
        level: int = 1

        def __post_init__(self) -> None:
            if self.level > 9:
                raise StoreOptionsError("level must be at most 9", option="level")

    place = "a shaky place"
    reads: ClassVar[int] = 0
    closed: ClassVar[int] = 0
    release: ClassVar[threading.Event] = threading.Event()
    errors: ClassVar[dict[str, Callable[[], Exception]]] = {
        "down": lambda: TokenUnavailableError("the server is down"),
        "driver": lambda: ConnectionRefusedError("no"),
        "not private": lambda: TokenPermissionError("others may read it"),
        "bug": lambda: AttributeError("no such thing"),
    }
    refusals: ClassVar[dict[str, Callable[[], Any]]] = {
        "no number": lambda: int("ten"),
        "no json": lambda: json.loads("{"),
        "no address": lambda: httpx2.URL(5),  # type: ignore[arg-type]  # in a library
    }

    def __init__(self, options: Options, identity: TokenIdentity) -> None:
        self._error = options.error
        if self._error in self.refusals:
            self.refusals[self._error]()
        self._store = DictStore()

    def get_token(self) -> Any:
        type(self).reads += 1
        if self._error == "hangs":
            self.release.wait(20)
        if self._error in self.errors:
            raise self.errors[self._error]()
        return self._store.get_token()

    def set_token(self, token: Any) -> None:
        self._store.set_token(token)

    def remove_token(self) -> None:
        self._store.remove_token()

    def close(self) -> None:
        type(self).closed += 1


class Sealing(WrapperStore):
    """Stands for an encrypting wrapper."""

    encrypted_at_rest: ClassVar[bool] = True

    @dataclass(kw_only=True)
    class Options:
        inner: Any


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("get_token", "set_token", "remove_token", "close"):
        hookimpl(vars(Shaky)[name])
    monkeypatch.setattr(registered, "_registered", {})
    for name in ("reads", "closed"):
        monkeypatch.setattr(Shaky, name, 0)
    monkeypatch.setattr(Shaky, "release", threading.Event())
    monkeypatch.setattr(fallback, "PATIENCE", 20.0)
    monkeypatch.setattr(fallback, "PATIENCE_IN_ALL", 40.0)
    register_store("shaky", Shaky)
    register_store("sealing", Sealing)
    yield
    Shaky.release.set()


def fails(how: str) -> dict[str, Any]:
    return {"name": "shaky", "error": how}


def over(*stores: Any) -> dict[str, Any]:
    return {"name": "fallback", "stores": list(stores)}


@pytest.mark.parametrize("kind", KINDS)
def test_it_takes_the_first_that_answers_and_keeps_to_it(
    kind: Kind, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="flex_tokenstore")
    path = tmp_path / "folder" / "t.json"
    with program(kind, over(file_store(path=str(path)), fails("down"))) as p:
        assert not path.parent.exists(), "a look makes no folder"
        assert p.store.layers == ("fallback", "file")
        assert p.store.place == str(path)
        assert p.store.abilities.compare_and_set
        p.set(TOKEN, None)
        with p.lock():
            assert p.get() == TOKEN
    assert path.exists()
    assert Shaky.reads == 0, "the others are not asked"
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert record.getMessage() == f"token store 'fallback' uses 'file' at {path}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["down", "driver"])
def test_an_outage_leads_to_the_next_and_is_told(
    kind: Kind, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    with program(kind, over(fails(how), "memory")) as p:
        assert p.store.layers == ("fallback", "memory")
        p.set(TOKEN)
        assert p.get() == TOKEN
        assert Shaky.reads == 1, "asked once, at opening"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    said = record.getMessage()
    assert "uses 'memory' at memory of this process: 'shaky' cannot be opened: " in said
    assert "have another token" in said
    assert Shaky.closed == 1


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (fails("not private"), TokenPermissionError, "others may read it"),
        (fails("bug"), TokenUnavailableError, "the store has a bug"),
        (fails("no number"), TokenUnavailableError, "an option is wrong, .*: ValueError in"),
        (fails("no json"), TokenUnavailableError, "an option is wrong, .*: JSONDecodeError in"),
        (fails("no address"), TokenUnavailableError, "an option is wrong, .*: TypeError in"),
        ({"name": "shaky", "level": 10}, StoreOptionsError, "level must be at most 9"),
        ({"name": "shaky", "levle": 1}, StoreOptionsError, "did you mean 'level'"),
        ("shakey", UnknownStoreError, "did you mean 'shaky'"),
        ({"level": 1}, StoreOptionsError, "needs the key 'name'"),
        ({"name": "sealing", "inner": "shakey"}, UnknownStoreError, "did you mean 'shaky'"),
    ],
    ids=[
        *("permission", "bug", "refused", "a kind of refusal", "within a library"),
        *("value", "option", "name", "no name", "inner"),
    ],
)
def test_what_the_user_must_correct_is_raised_with_its_place_in_the_list(
    wrong: Any, error: type[TokenStoreError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        open_store(over(fails("down"), wrong, "memory"), IDENTITY)
    name = wrong if isinstance(wrong, str) else wrong.get("name")
    shown = f" ({name!r})" if name else ""
    assert f"option 'stores.2'{shown} of token store 'fallback': " in str(caught.value)
    if isinstance(caught.value, StoreOptionsError):
        assert (caught.value.option or "").startswith("stores.2")


@pytest.mark.parametrize(
    "wrong",
    ["memry", None, 5, {"level": 1}, {"name": "shaky", "levle": 1}, over("shakey")],
    ids=str,
)
def test_a_slip_in_an_entry_is_told_also_while_the_one_before_it_answers(wrong: Any) -> None:
    for config in (over("memory", wrong), over(over("memory", wrong), "shaky")):
        with pytest.raises((UnknownStoreError, StoreOptionsError), match=r"stores\.2'"):
            open_store(config, IDENTITY)
    assert Shaky.reads == 0
    within = {"name": "sealing", "inner": over("memory", wrong)}
    with pytest.raises((UnknownStoreError, StoreOptionsError), match=r"'inner' .*stores\.2'"):
        open_store(within, IDENTITY)


def test_a_plugin_of_ours_that_is_missing_or_blocked_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FLEX_TOKENSTORE_BLOCK", "redis")
    monkeypatch.setitem(packages.PACKAGES, "lockbox", packages.PACKAGES["redis"])
    redis = {"name": "redis", "url": "redis://:hunter2@127.0.0.1:1/0"}
    with open_store(over(redis, "lockbox", "memory"), IDENTITY) as store:
        assert store.layers == ("fallback", "memory")
    said = caplog.text
    assert "FLEX_TOKENSTORE_BLOCK" in said
    assert "no token store is named 'lockbox'" in said
    assert "hunter2" not in said


def test_none_can_be_opened() -> None:
    with pytest.raises(TokenUnavailableError) as caught:
        open_store(over(fails("down"), {"name": "shaky", "error": "driver"}), IDENTITY)
    said = str(caught.value)
    assert said.count("'shaky' cannot be opened") == 2
    assert "the server is down" in said
    assert "ConnectionRefusedError" in said
    assert caught.value.store == "fallback"


def test_one_that_does_not_answer_is_passed_over_and_not_taken_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fallback, "PATIENCE", 0.1)
    with open_store(over(fails("hangs"), "memory"), IDENTITY) as store:
        Shaky.release.set()
        assert store.layers == ("fallback", "memory")
        assert "did not answer within" in caplog.text


def hanging(number: int) -> list[Any]:
    return [{**fails("hangs"), "level": level} for level in range(number)]


@pytest.mark.parametrize("nested", [False, True])
def test_the_last_one_is_asked_too_however_many_hang(
    monkeypatch: pytest.MonkeyPatch, nested: bool
) -> None:
    monkeypatch.setattr(fallback, "PATIENCE_IN_ALL", 1.0)
    listed = over(over(*hanging(2)), "memory") if nested else over(*hanging(2), "memory")
    with open_store(listed, IDENTITY) as store:
        assert store.layers == ("fallback", "memory")


def test_it_never_takes_longer_than_told_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback, "PATIENCE_IN_ALL", 0.3)
    before = time.monotonic()
    with pytest.raises(TokenUnavailableError):
        open_store(over(over(*hanging(4)), *hanging(8)), IDENTITY)
    assert time.monotonic() - before < 4, "the rest is the machine's"


def test_once_the_time_is_over_the_rest_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback, "PATIENCE_IN_ALL", 0.0)
    with pytest.raises(TokenUnavailableError) as caught:
        open_store(over("memory", "shaky"), IDENTITY)
    assert str(caught.value).count("it was not asked") == 2
    assert Shaky.reads == 0


def test_corrupt_content_and_another_identity_are_answers(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text("{broken")
    path.chmod(0o600)
    with open_store(over(file_store(path=str(path)), "memory"), IDENTITY) as store:
        assert store.layers == ("fallback", "file")
    assert path.read_text() == "{broken"


def test_in_a_running_loop_the_loop_waits_for_no_longer_than_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        async with await open_async_store(over(fails("down"), DictStore()), IDENTITY) as store:
            assert store.layers == ("fallback", "DictStore")
            await store.set_token(TOKEN)
            assert await store.get_token() == TOKEN
        monkeypatch.setattr(fallback, "PATIENCE", 0.1)
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0.005)

        beating = asyncio.create_task(beat())
        async with await open_async_store(over(fails("hangs"), "memory"), IDENTITY):
            assert beats > 3, "open_async_store leaves the loop free"
        beating.cancel()
        Shaky.release.clear()
        async with async_store(over(fails("hangs"), "memory"), IDENTITY) as store:
            assert store.layers == ("fallback", "memory")

    asyncio.run(main())


class Own:
    """An object of the user's own whose clients belong to one loop."""

    def __init__(self) -> None:
        self.loop: object = None
        self.token: dict[str, Any] | None = None

    async def get_token(self) -> dict[str, Any] | None:
        self.loop = self.loop or asyncio.get_running_loop()
        assert self.loop is asyncio.get_running_loop()
        return self.token

    async def set_token(self, token: dict[str, Any]) -> None:
        self.token = token

    async def remove_token(self) -> None:
        self.token = None


def test_an_object_of_the_users_own_is_not_closed_by_the_look() -> None:
    class Closing(DictStore):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    own = Closing()
    with open_store(over(own), IDENTITY):
        assert (own.reads, own.closed) == (1, 0)
    assert own.closed == 1


class Coroutines:
    """A plugin with coroutines only; each object counts where it was used and closed."""

    made: ClassVar[list[Coroutines]] = []

    def __init__(self, options: None, identity: TokenIdentity) -> None:
        self.loops: set[int] = set()
        self.closed = 0
        self.made.append(self)

    @hookimpl
    async def get_token(self) -> None:
        self.loops.add(id(asyncio.get_running_loop()))

    @hookimpl
    async def set_token(self, token: dict[str, Any]) -> None:
        raise AssertionError

    @hookimpl
    async def remove_token(self) -> None:
        raise AssertionError

    @hookimpl
    async def close(self) -> None:
        self.loops.add(id(asyncio.get_running_loop()))
        self.closed += 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_plugin_of_coroutines_is_looked_at_in_a_loop_of_its_own(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Coroutines, "made", [])
    register_store("coroutines", Coroutines)
    with program(kind, over("coroutines")) as p:
        assert p.get() is None
    looked, used = Coroutines.made
    assert (looked.closed, used.closed) == (1, 1)
    assert len(looked.loops) == len(used.loops) == 1, "no object meets two loops"


def test_coroutines_of_an_object_of_the_users_own_run_in_his_loop_only() -> None:
    async def main() -> None:
        async with await open_async_store(over(Own()), IDENTITY) as store:
            assert await store.get_token() is None

    asyncio.run(main())


def test_the_class_for_asyncio_programs_is_taken() -> None:
    async def main() -> None:
        async with await open_async_store(over("memory"), IDENTITY) as store:
            inner = store._opened.binding.innermost.plugin
            assert type(inner) is MemoryStore.async_class

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_it_nests_in_both_ways(kind: Kind) -> None:
    within = {"name": "sealing", "inner": over(fails("down"), "memory")}
    with program(kind, within) as p:
        assert p.store.layers == ("sealing", "fallback", "memory")
    around = over({"name": "sealing", "inner": fails("down")}, over(fails("down")), "memory")
    with program(kind, around) as p:
        assert p.store.layers == ("fallback", "memory")
    with program(kind, {"name": "read-only", "inner": over(over("memory"))}) as p:
        assert p.store.layers == ("read-only", "fallback", "fallback", "memory")
        assert p.store.abilities.read_only


def test_each_of_the_list_must_encrypt_where_that_is_required(tmp_path: Path) -> None:
    file = file_store(path=str(tmp_path / "t.json"))
    sealed = {"name": "sealing", "inner": file}
    for good in (
        over("memory", sealed),
        {"name": "sealing", "inner": over("memory", file)},
        over("memory", over(sealed)),
    ):
        open_store(good, IDENTITY, require_encrypted=True).close()
    for bad, entry in ((over("memory", file), "2"), (over(sealed, over("memory", file)), "2")):
        with pytest.raises(StoreOptionsError, match=f"'stores.{entry}' .*'file' would keep"):
            open_store(bad, IDENTITY, require_encrypted=True)


@pytest.mark.parametrize(
    "stores",
    [
        "memory",
        "shaky, memory",
        " shaky ,memory,",
        ("shaky", "memory"),
        {1: "shaky", 2: "memory"},
    ],
    ids=["one", "names", "blanks", "tuple", "mapping"],
)
def test_the_forms_of_the_list(stores: Any) -> None:
    first = "memory" if stores == "memory" else "shaky"
    with open_store({"name": "fallback", "stores": stores}, IDENTITY) as store:
        assert store.layers == ("fallback", first)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "needs the option 'stores'"),
        ({"stores": ""}, "is empty"),
        ({"stores": []}, "is empty"),
        ({"stores": {}}, "is empty"),
        ({"stores": 3}, "must be a list"),
        ({"stores": {"name": "memory"}}, "must be a list"),
        ({"stores": {"1": "memory", "01": "file"}}, "must be a list"),
        ({"stores": ["memory", "file", "memory"]}, "twice .* number 3"),
        ({"stores": ["memory", {"name": "memory"}]}, "twice"),
        ({"stores": ["memory"], "inner": "file"}, "no option 'inner'"),
        ({"stores": "redis://:hunter2@host"}, "got an address"),
    ],
    ids=str,
)
def test_a_wrong_list(options: Any, words: str) -> None:
    with pytest.raises(StoreOptionsError, match=words) as caught:
        open_store({"name": "fallback", **options}, IDENTITY)
    assert "hunter2" not in str(caught.value)


ADDRESS = "redis://:hunter2@127.0.0.1:1/0"
REDIS = {"name": "redis", "url": ADDRESS, "timeout": "0.1"}


@pytest.mark.parametrize(
    "stores",
    [
        ADDRESS,
        f"memory-, {ADDRESS}",
        [ADDRESS],
        [REDIS, REDIS],
        [REDIS, "mispelt"],
        [{**REDIS, "level": 1}],
        {**REDIS},
        {"1": REDIS, "x": "memory"},
        {"1": REDIS, "2": {"name": "shaky", "level": 10}},
        [REDIS, fails("down")],
        [{"name": "sealing", "inner": REDIS}, fails("bug")],
    ],
    ids=range(11),
)
def test_no_message_and_no_frame_shows_a_password(
    stores: Any, caplog: pytest.LogCaptureFixture
) -> None:
    config = {"name": "fallback", "stores": stores}
    with pytest.raises(TokenStoreError) as caught:
        open_store(config, IDENTITY)
    error = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    said = [str(frame.locals) for frame in error.stack if frame.filename != __file__]
    assert "hunter2" not in "".join([*said, str(caught.value), repr(caught.value), caplog.text])


def test_the_list_in_the_environment(tmp_path: Path) -> None:
    environ = {
        "ACME_STORE": "fallback",
        "ACME_STORE__STORES__10": "memory",
        "ACME_STORE__STORES__2__NAME": "shaky",
        "ACME_STORE__STORES__2__ERROR": "down",
    }
    config = store_config_from_env("ACME_STORE", environ)
    assert config is not None
    with open_store(config, IDENTITY) as store:
        assert store.layers == ("fallback", "memory"), "2 was asked before 10"
    assert Shaky.reads == 1
    environ["ACME_STORE__STORES__2__LEVEL"] = "10"
    config = store_config_from_env("ACME_STORE", environ)
    assert config is not None
    with pytest.raises(StoreOptionsError, match="ACME_STORE__STORES__2__LEVEL") as caught:
        open_store(config, IDENTITY)
    assert caught.value.option == "stores.2.level"
    del environ["ACME_STORE__STORES__2__LEVEL"]
    with pytest.raises(StoreOptionsError, match="both set"):
        store_config_from_env("ACME_STORE", {**environ, "ACME_STORE__STORES": "memory"})
    given, notes = complete_store_config(over("memory"), "ACME_STORE", environ)
    assert given["stores"] == ["memory"]
    assert len(notes) == 3
    assert all("is not used: the program sets the option 'stores' itself" in each for each in notes)
