"""Exceptions and stores that say a secret, for the tests that no error of ours passes it on."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ssl
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from flex_integration_sdk.errors import FlexError
from flex_tokenstore import TokenStoreError, TokenUnavailableError

SENTINEL = "SENTINEL-secret-of-the-row"
OUR_TREES = (TokenStoreError, FlexError)


class Mute(Exception):
    """Has no text: asking for it raises."""

    def __str__(self) -> str:
        raise RuntimeError(SENTINEL)

    __repr__ = __str__


class Stubborn(TokenUnavailableError):
    """Of our tree, by a plugin whose author did not think of copies, and with its own text."""

    def __init__(self, row: str, needed: int) -> None:
        super().__init__("the row is wrong")
        self.row = row
        self.hidden = [row]

    def __str__(self) -> str:
        return f"wrong row {self.row}"


class Slotted(OSError):
    """Keeps what it says where ``vars`` does not look."""

    __slots__ = ("row",)

    def __init__(self) -> None:
        super().__init__(errno.EIO, f"disk of {SENTINEL}", f"/{SENTINEL}")
        self.row = SENTINEL


def _noted() -> Exception:
    error = RuntimeError("the driver failed")
    error.add_note(f"row: {SENTINEL}")
    return error


def _chained() -> Exception:
    error = ConnectionError("the driver failed")
    error.__cause__ = RuntimeError(f"SELECT gave {SENTINEL}")
    error.__cause__.__cause__ = error  # a circle
    return error


def _in_context() -> Exception:
    error = ConnectionError("the driver failed")
    error.__context__ = RuntimeError(f"SELECT gave {SENTINEL}")
    return error


def _ours() -> Exception:
    error = TokenUnavailableError(f"row {SENTINEL}", place=f"db://me:{SENTINEL}@host")
    error.add_note(f"row: {SENTINEL}")
    error.row = SENTINEL  # type: ignore[attr-defined]  # as a plugin may do
    error.rows = [(SENTINEL,)]  # type: ignore[attr-defined]  # as a plugin may do
    error.__cause__ = RuntimeError(f"SELECT gave {SENTINEL}")
    return error


FOREIGN: dict[str, Callable[[], Exception]] = {
    "RuntimeError": lambda: RuntimeError(SENTINEL),
    "KeyError": lambda: KeyError(SENTINEL),
    "IndexError": lambda: IndexError(SENTINEL),
    "ValueError": lambda: ValueError("row", {"token": SENTINEL}),
    "TypeError": lambda: TypeError(SENTINEL),
    "AttributeError": lambda: AttributeError(SENTINEL, name=SENTINEL, obj=SENTINEL),
    "NameError": lambda: NameError(SENTINEL, name=SENTINEL),
    "ImportError": lambda: ImportError(SENTINEL, name=SENTINEL, path=SENTINEL),
    "SyntaxError": lambda: SyntaxError(SENTINEL, (SENTINEL, 1, 1, SENTINEL)),
    "AssertionError": lambda: AssertionError(SENTINEL),
    "RecursionError": lambda: RecursionError(SENTINEL),
    "MemoryError": lambda: MemoryError(SENTINEL),
    "NotImplementedError": lambda: NotImplementedError(SENTINEL),
    "ZeroDivisionError": lambda: ZeroDivisionError(SENTINEL),
    "StopIteration": lambda: StopIteration(SENTINEL),
    "StopAsyncIteration": lambda: StopAsyncIteration(SENTINEL),
    "EOFError": lambda: EOFError(SENTINEL),
    "OSError": lambda: OSError(errno.ENOSPC, SENTINEL, SENTINEL),
    "odd errno": lambda: OSError(10**12, SENTINEL),
    "errno of text": lambda: OSError(SENTINEL, SENTINEL),
    "slots": Slotted,
    "ConnectionResetError": lambda: ConnectionResetError(errno.ECONNRESET, SENTINEL),
    "SSLError": lambda: ssl.SSLError(1, SENTINEL),
    "UnicodeDecodeError": lambda: UnicodeDecodeError("utf-8", SENTINEL.encode(), 0, 1, SENTINEL),
    "UnicodeEncodeError": lambda: UnicodeEncodeError("utf-8", SENTINEL, 0, 1, SENTINEL),
    "TimeoutError": lambda: TimeoutError(SENTINEL),
    "a group": lambda: ExceptionGroup(SENTINEL, [ValueError(SENTINEL), _chained()]),
    "a group in a group": lambda: ExceptionGroup("", [ExceptionGroup("", [KeyError(SENTINEL)])]),
    "a mute one": Mute,
    "with a note": _noted,
    "with a cause": _chained,
    "with a context": _in_context,
}
"""Makes one exception of each kind that a driver may raise."""

OURS: dict[str, Callable[[], Exception]] = {
    "ours": _ours,
    "ours, with a text of its own": lambda: Stubborn(SENTINEL, 1),
}
"""Of our tree, raised by a plugin."""

UNTOUCHED: dict[str, Callable[[], BaseException]] = {
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": lambda: SystemExit(3),
    "CancelledError": asyncio.CancelledError,
}
"""What ends a program or a task, and is nobody's to change."""


class Fails:
    """When a store fails, and with what."""

    def __init__(self, when: str, make: Callable[[], BaseException], token: Any = None) -> None:
        self.when, self.make, self.token = when, make, token

    def at(self, when: str) -> None:
        if when == self.when:
            password = SENTINEL  # noqa: F841 - a local of a driver's frame
            raise self.make()


class SyncStore:
    """Fails as it is told; of the user's own."""

    def __init__(self, fails: Fails) -> None:
        self.fails = fails
        self.token = fails.token

    def get_token(self) -> Any:
        self.fails.at("get")
        return self.token

    def set_token(self, token: Any) -> None:
        self.fails.at("set")
        self.token = token

    def remove_token(self) -> None:
        self.fails.at("remove")
        self.token = None

    def close(self) -> None:
        self.fails.at("close")

    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[None]:
        self.fails.at("lock")
        yield None
        self.fails.at("unlock")

    def lock_id(self) -> str:
        self.fails.at("lock_id")
        return f"hostile {id(self.fails)}"


class AsyncStore(SyncStore):
    """Its twin for asyncio."""

    async def get_token(self) -> Any:
        return super().get_token()

    async def set_token(self, token: Any) -> None:  # type: ignore[override]  # a twin
        super().set_token(token)

    async def remove_token(self) -> None:  # type: ignore[override]  # a twin
        super().remove_token()

    async def close(self) -> None:  # type: ignore[override]  # a twin
        super().close()

    @asynccontextmanager
    async def token_lock(  # type: ignore[override]  # a twin
        self, wait: float, lease: float
    ) -> AsyncIterator[None]:
        self.fails.at("lock")
        yield None
        self.fails.at("unlock")


def silent(error: BaseException, secret: str = SENTINEL) -> None:
    """Fails if the error, one below it, or a frame of ours that it went through says a secret."""
    queue: list[BaseException | None] = [error]
    seen: set[int] = set()
    while queue:
        each = queue.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        shown = [str(each), repr(each), repr(each.args), repr(vars(each))]
        for name in ("filename", "strerror", "name", "object", "reason", "obj", "msg", "text"):
            shown.append(repr(getattr(each, name, None)))
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if "/tests/" not in frame.f_code.co_filename:
                for value in frame.f_locals.values():
                    with contextlib.suppress(AttributeError):  # of one that is not whole yet
                        shown.append(repr(value))
        assert secret not in "".join(shown), f"{type(each).__name__} says it"
        queue += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
    assert secret not in "".join(traceback.format_exception(error))


def id_of(value: object) -> str:
    """Of a parameter; the same in each of pytest's processes, which an address is not."""
    return repr(value).partition(" at 0x")[0]
