"""Stores whose errors, locations, lock ids and log records say a secret: it is shown nowhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from flex_tokenstore import (
    Secret,
    StoreLoadError,
    StoreOptionsError,
    Token,
    TokenStoreError,
    TokenUnavailableError,
    hookimpl,
    open_async_store,
    open_store,
)
from flex_tokenstore._registry import catalogue
from tests.support.handles import IDENTITY
from tests.support.hostile import (
    FOREIGN,
    OURS,
    SENTINEL,
    UNTOUCHED,
    AsyncStore,
    Fails,
    SyncStore,
    id_of,
    silent,
)

WHEN = ("get", "set", "remove", "lock", "unlock", "close", "lock_id")
HANDLES = ("sync", "async")
LOG = logging.getLogger("flex_tokenstore.hostile")


def token(access: str = SENTINEL) -> Token:
    answer = {"access_token": access, "refresh_token": f"{access}-r", "expires_in": 60}
    return Token.issued(answer, identity_key=IDENTITY.key, obtained_at=0.0)


def perform(kind: str, config: Any, when: str) -> None:
    """Calls the method of a handle that has the store fail."""
    if kind == "async":
        asyncio.run(_perform(config, when))
        return
    store = open_store(config, IDENTITY)
    try:
        if when == "set":
            store.set_token(token())
        elif when in ("lock", "unlock"):
            with store.token_lock(0, 5):
                pass
        elif when == "lock_id":
            _ = store.lock_key
        else:
            {"get": store.get_token, "remove": store.remove_token, "close": store.close}[when]()
    finally:
        with contextlib.suppress(BaseException):  # it ends a private loop's thread, too
            store.close()


async def _perform(config: Any, when: str) -> None:
    store = await open_async_store(config, IDENTITY)
    if when == "set":
        await store.set_token(token())
    elif when in ("lock", "unlock"):
        async with store.token_lock(0, 5):
            pass
    elif when == "lock_id":
        _ = store.lock_key
    else:
        calls = {"get": store.get_token, "remove": store.remove_token, "close": store.aclose}
        await calls[when]()


@pytest.mark.each_value
@pytest.mark.parametrize("kind", HANDLES)
@pytest.mark.parametrize("store", [SyncStore, AsyncStore])
@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("fault", FOREIGN)
def test_a_foreign_exception_becomes_one_of_ours_that_says_nothing(
    kind: str,
    store: type[SyncStore],
    when: str,
    fault: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    own = store(Fails(when, FOREIGN[fault]))
    if when == "unlock":
        perform(kind, own, when)  # logged, not raised
        assert "could not release its lock" in caplog.text
    else:
        with pytest.raises(TokenUnavailableError) as caught:
            perform(kind, own, when)
        silent(caught.value)
        assert caught.value.__cause__ is not None
        assert type(caught.value) is TokenUnavailableError
    assert SENTINEL not in caplog.text


@pytest.mark.each_value
@pytest.mark.parametrize("kind", HANDLES)
@pytest.mark.parametrize("store", [SyncStore, AsyncStore])
@pytest.mark.parametrize("when", [when for when in WHEN if when != "unlock"])
@pytest.mark.parametrize("fault", UNTOUCHED)
def test_what_ends_a_program_passes(
    kind: str, store: type[SyncStore], when: str, fault: str
) -> None:
    if fault == "CancelledError" and (kind, store) != ("async", AsyncStore):
        pytest.skip("a task's matter")
    if store is AsyncStore and kind == "sync" and when != "lock_id":
        pytest.skip("it ends the private loop's thread, not the program's")
    if fault != "CancelledError" and kind == "async":
        pytest.skip("asyncio lets these out of the loop by itself")
    made: list[BaseException] = []

    def make() -> BaseException:
        made.append(UNTOUCHED[fault]())
        return made[0]

    with pytest.raises(type(UNTOUCHED[fault]())) as caught:
        perform(kind, store(Fails(when, make)), when)
    assert caught.value is made[0]


def test_what_stands_for_a_drivers_error_helps_to_find_the_fault() -> None:
    class DriverError(ConnectionRefusedError):
        sqlstate = "08006"

    def make() -> Exception:
        return DriverError(111, f"connection of {SENTINEL} refused")

    own = SyncStore(Fails("get", make))
    with pytest.raises(TokenUnavailableError, match="DriverError") as caught:
        open_store(own, IDENTITY).get_token()
    cause = caught.value.__cause__
    assert isinstance(cause, ConnectionRefusedError)
    assert cause.errno == 111
    assert type(cause).__name__ == "DriverError"
    assert type(cause).__module__ == __name__
    said = str(cause)
    assert "Connection refused" in said
    assert "sqlstate 08006" in said
    assert "hostile.py:" in said
    assert "in at" in said


def test_a_group_stands_for_its_members() -> None:
    own = SyncStore(Fails("get", FOREIGN["a group"]))
    with pytest.raises(TokenUnavailableError) as caught:
        open_store(own, IDENTITY).get_token()
    group = caught.value.__cause__
    assert isinstance(group, ExceptionGroup)
    assert [type(each).__name__ for each in group.exceptions] == ["ValueError", "ConnectionError"]


class Plugin:
    """Has a password, and says it."""

    place_of: ClassVar[Callable[[Any], Any]] = lambda self: "memory"
    made: ClassVar[Callable[[str], BaseException] | None] = None

    @dataclass(kw_only=True)
    class Options:
        password: Secret[str]
        url: Secret[str] | None = None
        fails: str = ""
        extra: str = field(default="", metadata={"doc": "nothing"})

        def __post_init__(self) -> None:
            if self.fails == "options":
                raise StoreOptionsError(f"wrong: {self.password.reveal()}", option="password")
            if self.fails == "options, foreign":
                raise ValueError(f"wrong: {self.password.reveal()}")

    def __init__(self, options: Any, identity: Any) -> None:
        self._options = options
        self._secret = options.password.reveal()
        self._at("open")

    def _at(self, when: str) -> None:
        if self._options.fails == when:
            LOG.warning("cannot %s with %s", when, self._secret, extra={"dsn": self._secret})
            LOG.error("wrong", exc_info=RuntimeError(self._secret))
            LOG.error("%d is wrong", self._secret)
            error = TokenUnavailableError(
                f"cannot {when} with {self._secret}", place=f"x://{self._secret}@host"
            )
            error.add_note(self._secret)
            error.dsn = self._secret  # type: ignore[attr-defined]  # as a plugin may do
            raise error from RuntimeError(self._secret)

    @property
    def place(self) -> str:
        return f"db://me:{self._secret}@host" if self._options.fails == "place" else "memory"

    @hookimpl
    def get_token(self) -> None:
        self._at("get")

    @hookimpl
    def set_token(self, token: Any) -> None:
        self._at("set")

    @hookimpl
    def remove_token(self) -> None:
        self._at("remove")

    @hookimpl
    def close(self) -> None:
        self._at("close")

    @hookimpl
    def lock_id(self) -> str:
        self._at("lock_id")
        return f"db://me:{self._secret}@host"

    @hookimpl
    def token_lock(self, wait: float, lease: float) -> Any:
        return _Lock(self)


class _Lock:
    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin

    def __enter__(self) -> None:
        self._plugin._at("lock")

    def __exit__(self, *error: object) -> None:
        self._plugin._at("unlock")


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> type[Plugin]:
    monkeypatch.setattr(catalogue, "load_store_class", lambda name: Plugin)
    return Plugin


def config(fails: str, **options: Any) -> dict[str, Any]:
    return {"name": "hostile", "password": SENTINEL, "fails": fails, **options}


def shown_in(caplog: pytest.LogCaptureFixture) -> str:
    parts = [caplog.text]
    for record in caplog.records:
        parts.append(repr(vars(record)))
    return "".join(parts)


@pytest.mark.parametrize("kind", HANDLES)
@pytest.mark.parametrize("when", [*WHEN, "open"])
def test_an_error_of_a_plugin_does_not_say_its_password(
    kind: str, when: str, plugin: type[Plugin], caplog: pytest.LogCaptureFixture
) -> None:
    if when == "unlock":
        perform(kind, config(when), when)
    else:
        with pytest.raises(TokenUnavailableError, match=f"cannot {when} with \\*") as caught:
            perform(kind, config(when), "get" if when == "open" else when)
        silent(caught.value)
        assert caught.value.place == "x://**********@host"
        assert caught.value.store == "hostile"
    assert len(caplog.records) >= 3
    assert SENTINEL not in shown_in(caplog)
    assert "cannot" in caplog.text


@pytest.mark.parametrize("kind", HANDLES)
@pytest.mark.parametrize("form", ["a b/c@d%é'\"\\", "p@ss", "  secret  ", "s3cr3t-of-the-database"])
def test_a_password_is_masked_however_it_is_written(
    kind: str, form: str, plugin: type[Plugin], monkeypatch: pytest.MonkeyPatch
) -> None:
    from json import dumps
    from urllib.parse import quote, quote_plus

    forms = [form, repr(form), dumps(form), quote(form), quote(form, safe=""), quote_plus(form)]

    def get_token(self: Any) -> None:
        raise TokenUnavailableError(" | ".join(forms), store="hostile")

    monkeypatch.setattr(Plugin, "get_token", hookimpl(get_token))
    with pytest.raises(TokenUnavailableError) as caught:
        perform(kind, {"name": "hostile", "password": form}, "get")
    for each in forms:
        assert each.strip("\"'") not in str(caught.value)


@pytest.mark.parametrize("kind", HANDLES)
def test_the_password_of_a_url_is_masked_alone(
    kind: str, plugin: type[Plugin], monkeypatch: pytest.MonkeyPatch
) -> None:
    def get_token(self: Any) -> None:
        raise TokenUnavailableError("no pg_hba entry for me/pa@ss-word at db.example.com")

    monkeypatch.setattr(Plugin, "get_token", hookimpl(get_token))
    url = "postgresql://me:pa%40ss-word@db.example.com/x"
    with pytest.raises(TokenUnavailableError) as caught:
        perform(kind, config("", url=url), "get")
    assert str(caught.value) == "no pg_hba entry for me/********** at db.example.com"


def test_a_location_and_a_lock_id_do_not_say_the_password(plugin: type[Plugin]) -> None:
    one, two = (open_store(config("place"), IDENTITY) for _ in range(2))
    assert one.place == "db://me:**********@host"
    assert one.lock_key == two.lock_key
    assert SENTINEL not in repr(one.lock_key)
    other = open_store({**config("place"), "password": f"{SENTINEL}-2"}, IDENTITY)
    assert other.lock_key != one.lock_key
    for store in (one, two, other):
        store.close()


@pytest.mark.parametrize("kind", HANDLES)
@pytest.mark.parametrize("fails", ["options", "options, foreign"])
def test_refused_options_do_not_say_the_password(
    kind: str, fails: str, plugin: type[Plugin]
) -> None:
    with pytest.raises(StoreOptionsError) as caught:
        perform(kind, config(fails), "get")
    silent(caught.value)


@pytest.mark.parametrize("kind", HANDLES)
@pytest.mark.parametrize("fault", OURS)
@pytest.mark.parametrize("when", ["get", "remove", "lock", "close"])
def test_an_error_of_our_tree_does_not_say_a_token_that_went_through(
    kind: str, fault: str, when: str
) -> None:
    own = SyncStore(Fails("", OURS[fault], token=token().to_dict()))
    if kind == "sync":
        store = open_store(own, IDENTITY)
        store.get_token()
        own.fails.when = when
        with pytest.raises(TokenStoreError) as caught:
            {"get": store.get_token, "remove": store.remove_token, "close": store.close}.get(
                when, lambda: store.token_lock(0, 1).__enter__()
            )()
    else:

        async def main() -> None:
            store = await open_async_store(own, IDENTITY)
            await store.get_token()
            own.fails.when = when
            await {"get": store.get_token, "remove": store.remove_token, "close": store.aclose}.get(
                when, lambda: store.token_lock(0, 1).__aenter__()
            )()

        with pytest.raises(TokenStoreError) as caught:
            asyncio.run(main())
    silent(caught.value)


def test_a_text_that_was_silent_is_masked_once_a_token_has_made_it_a_secret() -> None:
    """The same words, before the token went through the store and after."""
    saved = token("later")
    words = f"the row {saved.access_token.reveal()} is locked"
    own = SyncStore(Fails("", lambda: TokenUnavailableError(words), token=saved.to_dict()))
    store = open_store(own, IDENTITY)
    said = []
    for when in ("get", "", "get"):
        own.fails.when = when
        try:
            store.get_token()
        except TokenUnavailableError as error:
            said.append(str(error))
    assert said == [words, "the row ********** is locked"]


@pytest.mark.parametrize("kind", HANDLES)
def test_a_token_that_is_cut_short_is_masked(kind: str) -> None:
    whole = "".join(f"{number:02}" for number in range(60))

    def make() -> Exception:
        return TokenUnavailableError(f"INSERT ('{whole[7:60]}…') failed")

    own = SyncStore(Fails("set", make))
    saved = token(whole)
    if kind == "sync":
        with pytest.raises(TokenUnavailableError) as caught:
            open_store(own, IDENTITY).set_token(saved)
    else:

        async def main() -> None:
            await (await open_async_store(own, IDENTITY)).set_token(saved)

        with pytest.raises(TokenUnavailableError) as caught:
            asyncio.run(main())
    assert str(caught.value) == "INSERT ('**********…') failed"


@pytest.mark.parametrize("form", [repr, json.dumps, lambda row: json.dumps(json.dumps(row)), str])
def test_a_row_that_is_quoted_as_it_was_read_is_masked(form: Callable[[Any], str]) -> None:
    row = {"access_token": SENTINEL, "refresh_token": f"{SENTINEL}-r", "scope": "integ"}
    own = SyncStore(Fails("get", lambda: TokenUnavailableError(f"wrong row {form(row)}")))
    with pytest.raises(TokenUnavailableError, match=r"wrong row .*integ") as caught:
        open_store(own, IDENTITY).get_token()
    silent(caught.value)


class _Row(dict[str, Any]):
    """What a driver returns as a row, and fails to decode."""

    def __getitem__(self, name: str) -> Any:
        raise ValueError(f"cannot decode {SENTINEL}")

    def items(self) -> Any:
        raise ValueError(f"cannot decode {SENTINEL}")


@pytest.mark.parametrize("kind", HANDLES)
def test_a_row_that_fails_when_it_is_looked_at_says_nothing(kind: str) -> None:
    own = SyncStore(Fails("", KeyError, token=_Row(access_token="a")))
    with pytest.raises(TokenUnavailableError) as caught:
        perform(kind, own, "get")
    silent(caught.value)


class _Odd:
    """Whatever is asked of it raises."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(SENTINEL)


@pytest.mark.parametrize("end", ["soon", True, float("nan"), object()], ids=id_of)
@pytest.mark.parametrize("kind", HANDLES)
def test_a_lock_that_gives_no_time_is_the_stores_fault_and_is_left(kind: str, end: Any) -> None:
    from contextlib import contextmanager

    left: list[bool] = []

    class Own(SyncStore):
        @contextmanager
        def token_lock(self, wait: float, lease: float) -> Iterator[Any]:
            yield end
            left.append(True)

    with pytest.raises(StoreLoadError, match="must yield None"):
        perform(kind, Own(Fails("", KeyError)), "lock")
    assert left == [True]


@pytest.mark.parametrize("kind", HANDLES)
def test_a_lock_without_its_decorator_is_named(kind: str) -> None:
    class Own(SyncStore):
        def token_lock(self, wait: float, lease: float) -> Any:
            yield None

    with pytest.raises(StoreLoadError, match="mark it with @contextmanager"):
        perform(kind, Own(Fails("", KeyError)), "lock")


@pytest.mark.parametrize("key", [5, None, ["x"]], ids=id_of)
def test_a_lock_id_that_is_no_string_is_named(key: Any) -> None:
    class Own(SyncStore):
        def lock_id(self) -> Any:
            return key

    with pytest.raises(StoreLoadError, match="lock_id of token store 'Own' must return a string"):
        _ = open_store(Own(Fails("", KeyError)), IDENTITY).lock_key


def test_an_object_that_answers_nothing_is_a_typed_error() -> None:
    with pytest.raises(TokenStoreError) as caught:
        open_store(_Odd(), IDENTITY)
    silent(caught.value)
