"""A store with a programming error: the error names the mistake, the method and the class."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import (
    StoreInfo,
    StoreLoadError,
    TokenCorruptError,
    TokenStore,
    TokenStoreError,
    TokenUnavailableError,
    list_stores,
    open_store,
)
from tests.support.fakes import IDENTITY
from tests.support.hostile import silent
from tests.support.kinds import Kind, issued, program
from tests.support.plugins import GOOD, install

KINDS: tuple[Kind, ...] = ("sync", "async")
SECRET = "SENTINEL-secret-of-the-row"
OUTAGE = "Check that it is up and reachable"


class Plain:
    """The three methods, each as the test has it."""

    def __init__(self, **hooks: Callable[..., Any]) -> None:
        self.hooks = hooks

    def get_token(self) -> Any:
        return self.hooks.get("get_token", lambda: None)()

    def set_token(self, token: dict[str, Any]) -> Any:
        return self.hooks.get("set_token", lambda: None)()

    def remove_token(self) -> Any:
        return self.hooks.get("remove_token", lambda: None)()

    def prepare_save(self) -> Any:
        return self.hooks.get("prepare_save", lambda: None)()

    def close(self) -> Any:
        return self.hooks.get("close", lambda: None)()


class Async:
    """The same, with coroutines."""

    def __init__(self, **hooks: Callable[..., Any]) -> None:
        self.hooks = hooks

    async def get_token(self) -> Any:
        return self.hooks.get("get_token", lambda: None)()

    async def set_token(self, token: dict[str, Any]) -> Any:
        return self.hooks.get("set_token", lambda: None)()

    async def remove_token(self) -> Any:
        return self.hooks.get("remove_token", lambda: None)()

    async def prepare_save(self) -> Any:
        return self.hooks.get("prepare_save", lambda: None)()

    async def close(self) -> Any:
        return self.hooks.get("close", lambda: None)()


def raising(error: Callable[[], BaseException]) -> Callable[[], Any]:
    def hook() -> Any:
        raise error()

    return hook


def _close(store: Any) -> None:
    if isinstance(store, TokenStore):
        store.close()
    else:
        asyncio.run(store.aclose())


CALLS: dict[str, Callable[[Any], object]] = {
    "get_token": lambda p: p.get(),
    "set_token": lambda p: p.set(issued()),
    "remove_token": lambda p: p.remove(),
    "prepare_save": lambda p: p.prepare(),
    "close": lambda p: _close(p.store),
}
BUGS: dict[str, Callable[[], BaseException]] = {
    "KeyError": lambda: KeyError(SECRET),
    "IndexError": lambda: IndexError(SECRET),
    "AttributeError": lambda: AttributeError(SECRET, name=SECRET),
    "TypeError": lambda: TypeError(SECRET),
    "NameError": lambda: NameError(SECRET, name=SECRET),
    "UnboundLocalError": lambda: UnboundLocalError(SECRET),
    "AssertionError": lambda: AssertionError(SECRET),
    "ZeroDivisionError": lambda: ZeroDivisionError(SECRET),
    "NotImplementedError": lambda: NotImplementedError(SECRET),
    "RecursionError": lambda: RecursionError(SECRET),
}


class DriverError(Exception):
    """What a driver calls its own."""


class DriverKeyError(KeyError):
    """A driver's own too: of a class that is not Python's."""


OUTAGES: dict[str, Callable[[], BaseException]] = {
    "OSError": lambda: OSError(errno.EIO, SECRET),
    "ConnectionRefusedError": lambda: ConnectionRefusedError(errno.ECONNREFUSED, SECRET),
    "TimeoutError": lambda: TimeoutError(SECRET),
    "EOFError": lambda: EOFError(SECRET),
    "DriverError": lambda: DriverError(SECRET),
    "DriverKeyError": lambda: DriverKeyError(SECRET),
}


@pytest.mark.each_value
@pytest.mark.parametrize("make", [Plain, Async])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hook", CALLS)
@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_told_with_its_method_and_class(
    make: type[Any], kind: Kind, hook: str, bug: str
) -> None:
    store = make(**{hook: raising(BUGS[bug])})
    with program(kind, store) as p:
        with pytest.raises(TokenUnavailableError) as caught:
            CALLS[hook](p)
        store.hooks.clear()
    said = str(caught.value)
    assert f"the store has a bug: {bug} in {hook} of class {make.__name__} (module " in said
    assert "test_store_mistakes.py:" in said
    assert OUTAGE not in said
    assert ("must return None" in said) == (
        hook == "get_token" and bug in ("KeyError", "IndexError")
    )
    silent(caught.value)


@pytest.mark.parametrize("make", [Plain, Async])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_stays_an_outage(make: type[Any], kind: Kind, outage: str) -> None:
    store = make(get_token=raising(OUTAGES[outage]))
    with program(kind, store) as p, pytest.raises(TokenUnavailableError, match=OUTAGE) as caught:
        p.get()
    assert "bug" not in str(caught.value)
    silent(caught.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", [RuntimeError, ValueError])
def test_what_may_be_either_says_both(kind: Kind, error: type[Exception]) -> None:
    store = Plain(get_token=raising(lambda: error(SECRET)))
    with program(kind, store) as p, pytest.raises(TokenUnavailableError, match=OUTAGE) as caught:
        p.get()
    assert "If it is, the store has a bug" in str(caught.value)


def test_an_error_within_an_installed_library_may_be_an_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "flexdriver.py").write_text("def read():\n    return None.recv(5)\n")
    monkeypatch.syspath_prepend(str(folder))
    import flexdriver  # type: ignore[import-not-found]  # made above

    with pytest.raises(TokenUnavailableError) as caught:
        open_store(Plain(get_token=flexdriver.read), IDENTITY).get_token()
    said = str(caught.value)
    assert "AttributeError within the library 'flexdriver'. " + OUTAGE in said
    assert "If it is, 'flexdriver' or get_token of class Plain" in said


def test_a_module_that_a_hook_needs_is_named() -> None:
    def hook() -> Any:
        import no_such_driver  # type: ignore[import-not-found]  # noqa: F401

    with pytest.raises(TokenUnavailableError, match="needs the module 'no_such_driver', which"):
        open_store(Plain(get_token=hook), IDENTITY).get_token()


def test_a_missing_table_is_told() -> None:
    def hook() -> Any:
        database = sqlite3.connect(":memory:")
        try:
            return database.execute("SELECT token FROM tokens").fetchone()
        finally:
            database.close()

    with pytest.raises(TokenUnavailableError, match="a table or column is missing") as caught:
        open_store(Plain(get_token=hook), IDENTITY).get_token()
    assert "get_token of class Plain" in str(caught.value)
    assert OUTAGE not in str(caught.value)


class ProgrammingError(Exception):
    """As each driver of PEP 249 has it."""


class Refused(Exception):
    """As psycopg and asyncpg tell the server's code."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(SECRET)
        self.sqlstate = sqlstate


class Wrapped(Exception):
    """As SQLAlchemy wraps a driver's error."""

    def __init__(self, orig: Exception) -> None:
        super().__init__(SECRET)
        self.orig = orig


@pytest.mark.parametrize(
    ("error", "bug"),
    [
        (ProgrammingError(SECRET), True),
        (Refused("42P01"), True),
        (Refused("42703"), True),
        (Refused("42501"), False),  # insufficient privilege
        (Refused("08006"), False),  # connection failure
        (Wrapped(Refused("42P01")), True),
        (Wrapped(Refused("57014")), False),
    ],
    ids=str,
)
def test_a_statement_that_the_database_refuses(error: Exception, bug: bool) -> None:
    with pytest.raises(TokenUnavailableError) as caught:
        open_store(Plain(get_token=raising(lambda: error)), IDENTITY).get_token()
    assert ("a table or column is missing" in str(caught.value)) == bug
    assert (OUTAGE in str(caught.value)) != bug


@pytest.mark.parametrize("make", [Plain, Async])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given", ['{"access_token": "x"}', b"x", 5, True, ["x"], object()])
def test_get_token_of_a_wrong_type(make: type[Any], kind: Kind, given: Any) -> None:
    store = make(get_token=lambda: given)
    with program(kind, store) as p, pytest.raises(TokenCorruptError) as caught:
        p.get()
    said = f"the store has a bug: get_token of class {make.__name__} (module "
    assert said in str(caught.value)
    assert f"returned {type(given).__name__}; it must return the token as a dict, or None" in str(
        caught.value
    )
    assert "token remove" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given", [{}, {"token": "x"}, {"access_token": None}])
def test_a_dict_that_is_not_a_token(kind: Kind, given: Any) -> None:
    store = Plain(get_token=lambda: given)
    with program(kind, store) as p, pytest.raises(TokenCorruptError, match="access_t") as caught:
        p.get()
    assert "get_token of token store 'Plain'" in str(caught.value)
    assert "the store (class Plain (module " in str(caught.value)


@pytest.mark.parametrize("make", [Plain, Async])
@pytest.mark.parametrize("kind", KINDS)
def test_a_save_that_returns_false_did_not_save(make: type[Any], kind: Kind) -> None:
    says = r"set_token .* returned False.*must raise"
    store = make(set_token=lambda: False)
    with program(kind, store) as p, pytest.raises(TokenUnavailableError, match=says):
        p.set(issued())


def _generator(self: Any, wait: float, lease: float) -> Iterator[None]:
    yield None


async def _async_generator(self: Any, wait: float, lease: float) -> AsyncIterator[None]:
    yield None


class _HalfALock:
    def __enter__(self) -> None:
        """It is never left."""


LOAD_MISTAKES: dict[str, tuple[Any, str]] = {
    "no decorator": (_generator, "mark it with @contextmanager"),
    "no decorator, async": (_async_generator, "mark it with @asynccontextmanager"),
    "the other decorator": (contextmanager(_async_generator), "@asynccontextmanager, not @con"),  # type: ignore[arg-type]  # the mistake
    "the other one, async": (asynccontextmanager(_generator), "@contextmanager, not @async"),  # type: ignore[arg-type]  # the mistake
    "no arguments": (lambda self: None, "must take the argument lease and wait"),
    "other names": (lambda self, timeout, ttl: None, "takes .*ttl.*, which is not passed"),
    "keyword only": (lambda self, *, wait, lease: None, "not keyword only"),
    "stars": (lambda self, *arguments: None, r"not \*args"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mistake", LOAD_MISTAKES)
def test_a_lock_of_a_wrong_form_is_refused_when_it_is_opened(kind: Kind, mistake: str) -> None:
    lock, says = LOAD_MISTAKES[mistake]
    store = type("Own", (Plain,), {"token_lock": lock})()
    with pytest.raises(StoreLoadError, match=rf"token_lock.*{says}|{says}"), program(kind, store):
        pytest.fail("it was opened")


@contextmanager
def _never(self: Any, wait: float, lease: float) -> Iterator[None]:
    if lease < 0:
        yield None


@asynccontextmanager
async def _never_async(self: Any, wait: float, lease: float) -> AsyncIterator[None]:
    if lease < 0:
        yield None


@contextmanager
def _no_generator(self: Any, wait: float, lease: float) -> Any:
    """Its ``yield`` was forgotten."""


LOCK_MISTAKES: dict[str, tuple[Any, str]] = {
    "never yields": (_never, "the store has a bug: token_lock of class Own .* never yields"),
    "never yields, async": (_never_async, "the store has a bug: token_lock of .* never yields"),
    "no yield": (_no_generator, "the store has a bug: token_lock of class Own .* never yields"),
    "None": (lambda self, wait, lease: None, "must return a context manager, got NoneType"),
    "True": (lambda self, wait, lease: True, "must return a context manager, got bool"),
    "half a lock": (lambda self, wait, lease: _HalfALock(), "must return a context manager, got _"),
    "KeyError": (
        lambda self, wait, lease: LOAD_MISTAKES["missing"],
        "the store has a bug: KeyError in token_lock",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mistake", LOCK_MISTAKES)
def test_a_lock_that_does_not_lock_is_told(kind: Kind, mistake: str) -> None:
    lock, says = LOCK_MISTAKES[mistake]
    store = type("Own", (Plain,), {"token_lock": lock})()
    with program(kind, store) as p:
        lock = p.lock()
        with pytest.raises(TokenStoreError, match=says) as caught, lock:
            pytest.fail("it was held")
    assert OUTAGE not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_lock_that_yields_twice_is_logged(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    class Own(Plain):
        @contextmanager
        def token_lock(self, wait: float, lease: float) -> Iterator[None]:
            yield None
            yield None

    with program(kind, Own()) as p, p.lock():
        pass
    assert "could not release its lock: the store has a bug: token_lock of class Own" in caplog.text
    assert "yields more than once" in caplog.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lock", ["def", "async def"])
def test_coroutines_and_plain_functions_may_be_mixed(kind: Kind, lock: str) -> None:
    """``async def`` in a sync class, and the other way round, is no mistake."""

    class Mixed:
        token: Any = None

        async def get_token(self) -> Any:
            return self.token

        def set_token(self, token: dict[str, Any]) -> None:
            self.token = token

        async def remove_token(self) -> None:
            self.token = None

    class Sync(Mixed):
        @contextmanager
        def token_lock(self, wait: float, lease: float) -> Iterator[None]:
            yield None

    class Coroutines(Mixed):
        @asynccontextmanager
        async def token_lock(self, wait: float, lease: float) -> AsyncIterator[None]:
            yield None

    with program(kind, Sync() if lock == "def" else Coroutines()) as p:
        with p.lock():
            p.set(issued())
        assert p.get() == issued()


HEAD = GOOD.replace("    @hookimpl\n    def get_token(self):\n        return self.token\n", "{}")
CLASSES: dict[str, tuple[str, str]] = {
    "no mark": (
        "    def get_token(self): ...\n",
        "a method get_token that is not marked with @hookimpl",
    ),
    "another's mark": (
        "    @__import__('pluggy').HookimplMarker('other')\n    def get_token(self): ...\n",
        "a method get_token that is not marked with @hookimpl of flex_tokenstore",
    ),
    "a yield": ("    @hookimpl\n    def get_token(self):\n        yield None\n", "has a `yield`"),
    "an async yield": (
        "    @hookimpl\n    async def get_token(self):\n        yield None\n",
        "has a `yield`",
    ),
    "an argument": (
        "    @hookimpl\n    def get_token(self, key): ...\n",
        "takes 'key', which is not",
    ),
    "a keyword": (
        "    @hookimpl\n    def get_token(self, *, key): ...\n",
        "takes `key` as keyword only; it is not passed",
    ),
    "a misspelt lock": (
        "    @hookimpl\n    def get_token(self): ...\n"
        "    @hookimpl\n    def tokenlock(self, wait, lease): ...\n",
        "there is no hook of that name; did you mean token_lock?",
    ),
    "a lock without its decorator": (
        "    @hookimpl\n    def get_token(self): ...\n"
        "    @hookimpl\n    def token_lock(self, wait, lease):\n        yield\n",
        "mark it with @contextmanager",
    ),
    "a lock id that is a coroutine": (
        "    @hookimpl\n    def get_token(self): ...\n"
        "    @hookimpl\n    async def lock_id(self):\n        return 'x'\n",
        "must return a string, got coroutine",
    ),
    "an async class that is none": (
        "    @hookimpl\n    def get_token(self): ...\n    async_class = 'Other'\n",
        "async_class of token store 'broken' must be a class, got str",
    ),
    "an async class of another form": (
        "    @hookimpl\n    def get_token(self): ...\n"
        "    class async_class:\n        def __init__(self, url): ...\n",
        "the class async_class of token store 'broken' must take two arguments",
    ),
    "an async class that is not a store": (
        "    @hookimpl\n    def get_token(self): ...\n"
        "    class async_class:\n        def __init__(self, options, identity): ...\n",
        "'broken' is not a token store: it has no get_token",
    ),
}


def plugin(
    folder: Path, source: str, monkeypatch: pytest.MonkeyPatch, value: str = "Store"
) -> None:
    name = f"flexmistake_{abs(hash((str(folder), source, value)))}"
    install(
        folder, "flex-broken", f"broken = {name}{':' if value else ''}{value}", **{name: source}
    )
    monkeypatch.syspath_prepend(str(folder))


def check() -> StoreInfo:
    (found,) = [info for info in list_stores(check=True) if info.name == "broken"]
    return found


@pytest.mark.parametrize("mistake", CLASSES)
def test_a_check_finds_the_mistake_that_opening_finds(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, says = CLASSES[mistake]
    plugin(tmp_path, HEAD.replace("{}", source), monkeypatch)
    found = check()
    assert found.status == "broken"
    assert says in found.reason
    kind: Kind = "async" if "async class" in mistake else "sync"
    with pytest.raises(StoreLoadError) as caught, program(kind, "broken"):
        pytest.fail("it was opened")
    assert caught.value.store == "broken"


def test_an_abstract_class_is_found_by_a_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "import abc\n" + GOOD.replace("class Store:", "class Store(abc.ABC):")
    source += "\n    @abc.abstractmethod\n    def connect(self): ...\n"
    plugin(tmp_path, source, monkeypatch)
    assert "Store of token store 'broken' is abstract: it does not define connect" in check().reason
    with pytest.raises(StoreLoadError, match="is abstract"):
        open_store("broken", IDENTITY)


@pytest.mark.parametrize("init", ["self", "self, options", "self, url, *, key", "self, *, options"])
def test_a_constructor_of_another_form_is_found_by_a_check(
    init: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path, GOOD.replace("self, options, identity", init), monkeypatch)
    found = check()
    assert found.status == "broken"
    assert "give it __init__(self, options, identity)" in found.reason
    with pytest.raises(StoreLoadError, match="__init__"):
        open_store("broken", IDENTITY)


@pytest.mark.parametrize(
    ("value", "source", "says"),
    [
        ("Missing", GOOD, "has no 'Missing'"),
        ("make", GOOD + "\ndef make(): ...\n", "is not a class but of type function"),
        ("store", GOOD + "\nstore = Store(None, None)\n", "is not a class but of type Store"),
        ("sub", GOOD + "\nimport json as sub\n", "is not a class but a module"),
        ("", GOOD, "not of the form package.module:Class"),
        ("Store", "import no_such_driver\n" + GOOD, "needs the module 'no_such_driver'"),
        ("Store", "def broken(:\n", "raised SyntaxError at line 1"),
    ],
)
def test_an_entry_point_that_names_no_class(
    value: str, source: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path, source, monkeypatch, value)
    assert says in check().reason
    with pytest.raises(StoreLoadError, match=says):
        open_store("broken", IDENTITY)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["__init__", "get_token"])
def test_the_distribution_of_a_plugin_is_named(
    kind: Kind, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "self.token = None\n" if method == "__init__" else "return self.token\n"
    source = GOOD.replace(line, f"{{}}['{SECRET}']\n", 1)
    plugin(tmp_path, source, monkeypatch)
    with pytest.raises(TokenUnavailableError) as caught, program(kind, "broken") as p:
        p.get()
    said = f"the store has a bug: KeyError in {method} of class Store (distribution flex-broken)"
    assert said in str(caught.value)
    silent(caught.value)


def test_a_driver_that_cannot_be_reached_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising = "raise ConnectionRefusedError(111, 'no')\n"
    plugin(tmp_path, GOOD.replace("self.token = None\n", raising, 1), monkeypatch)
    with pytest.raises(TokenUnavailableError, match="could not be opened: Conn") as caught:
        open_store("broken", IDENTITY)
    assert "bug" not in str(caught.value)


def test_of_a_wrapper_and_its_inner_store_the_one_with_the_bug_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = '''
from dataclasses import dataclass
from flex_tokenstore import WrapperStore

class Wrapping(WrapperStore):
    """Wraps."""

    @dataclass(kw_only=True)
    class Options:
        inner: object  #: what it wraps
'''
    plugin(tmp_path, wrapper, monkeypatch, "Wrapping")
    inner = Plain(get_token=raising(lambda: KeyError(SECRET)))
    with pytest.raises(TokenUnavailableError, match="KeyError in get_token of class Plain"):
        open_store({"name": "broken", "inner": inner}, IDENTITY).get_token()
