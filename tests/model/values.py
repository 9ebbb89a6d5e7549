"""Plain data of the model: tokens by name, what steps are answered with, and exact snapshots."""

from __future__ import annotations

import types
from functools import cache
from typing import Any, NamedTuple

from flex_tokenstore import GrantError, Secret, Token
from flex_tokenstore.errors import (
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenPermissionError,
    TokenUnavailableError,
)

from .shipped import WALL, Raised, Wait

LIFETIME = 100.0  # seconds an access token lives: the margin is 10
CORRUPT_REVISION = "corrupt"


class Rec(NamedTuple):
    """A token, by the names of its parts."""

    owner: str
    access: str
    refresh: str | None
    obtained_at: float
    sign_ins: tuple[float, ...] = ()

    def __str__(self) -> str:
        return f"{self.access}/{self.refresh}"


class Corrupt(NamedTuple):
    """Content of the store that is no token."""

    movable: bool = True


class Error(NamedTuple):
    """An answer that is an exception."""

    kind: str


class Granted(NamedTuple):
    """A token answer; ``refresh`` None: it brings no refresh token."""

    access: str
    refresh: str | None


class Ends(NamedTuple):
    """The lock is had; the time at which the lease ends."""

    at: float | None


Answer = Rec | Error | Granted | Ends | bool | str | None


@cache
def token_of(rec: Rec) -> Token:
    answer = {"access_token": rec.access, "token_type": "bearer", "expires_in": LIFETIME}
    if rec.refresh is not None:
        answer["refresh_token"] = rec.refresh
    return Token.issued(
        answer,
        identity_key=rec.owner,
        obtained_at=WALL + rec.obtained_at,
        sign_ins=[WALL + at for at in rec.sign_ins],
    )


def rec_of(token: Token) -> Rec:
    data = token._data
    obtained = data["flex_tokenstore"]["obtained_at"]
    return Rec(
        data["flex_tokenstore"]["identity"],
        data["access_token"],
        data.get("refresh_token"),
        obtained - WALL,
        tuple(at - WALL for at in token.sign_ins),
    )


@cache
def revision_of(rec: Rec | None) -> str | None:
    return None if rec is None else token_of(rec).revision


ERRORS: dict[str, Any] = {
    "unavailable": lambda: TokenUnavailableError("the store is down"),
    "corrupt": lambda: TokenCorruptError("it is no token", revision=CORRUPT_REVISION),
    "corrupt, not ours": lambda: TokenCorruptError("it is no token"),
    "identity": lambda: TokenIdentityError("another identity's token"),
    "conflict": lambda: TokenConflictError("it has changed"),
    "busy": lambda: TokenLockTimeoutError("the lock was not had"),
    "rejected": lambda: GrantError("rejected", reason="rejected"),
    "transient": lambda: GrantError("no answer", reason="transient"),
    "failed": lambda: GrantError("invalid_client", reason="failed"),
    "doubtful": lambda: GrantError("a page of a gateway's", reason="doubtful"),
    "wait": lambda: _asks_to_wait(),
    "denied": lambda: TokenPermissionError("it may not be written"),
}


def _asks_to_wait() -> GrantError:
    error = GrantError("busy, come back later", reason="transient")
    error.retry_after = 20.0
    return error


def real(answer: Answer) -> Any:
    """What the shipped code is given for ``answer``."""
    if isinstance(answer, Error):
        return Raised(ERRORS[answer.kind]())
    if isinstance(answer, Rec):
        return token_of(answer)
    if isinstance(answer, Ends):
        return answer.at
    if isinstance(answer, Granted):
        data: dict[str, Any] = {
            "access_token": answer.access,
            "token_type": "bearer",
            "expires_in": LIFETIME,
        }
        if answer.refresh is not None:
            data["refresh_token"] = answer.refresh
        return data
    return answer


_FRAMES = (types.CoroutineType, types.GeneratorType)
_PLAIN = (str, int, float, bool, type(None))  # by exact type first: it is what there is most of
_BY_NAME = (type, types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType)
_WRAPPERS = ("coroutine_wrapper",)


def snapshot(thing: Any, names: dict[int, str]) -> Any:
    """``thing`` as plain, hashable data: equal for two that will behave alike.

    Args:
        thing: A task, an object of the shipped code, a value.
        names: Objects that stand for themselves, by ``id``; what is in them is looked at elsewhere.
    """
    if type(thing) in _PLAIN:
        return thing
    name = names.get(id(thing))
    if name is not None:
        return name
    if isinstance(thing, _PLAIN):
        return thing
    if isinstance(thing, _FRAMES):
        return _frames(thing, names)
    if isinstance(thing, Token):
        return rec_of(thing)
    if isinstance(thing, Secret):
        return thing.reveal()
    if isinstance(thing, GrantError):
        facts = (thing.reason, thing.sent, thing.retry_after)
        return (type(thing).__name__, str(thing), *facts)
    if isinstance(thing, BaseException):
        return (type(thing).__name__, str(thing))
    if isinstance(thing, Wait):
        return "wait"
    if isinstance(thing, dict):
        return tuple((key, snapshot(value, names)) for key, value in thing.items())
    if isinstance(thing, (tuple, list)):
        return tuple(snapshot(item, names) for item in thing)
    if isinstance(thing, (set, frozenset)):
        return tuple(sorted(str(snapshot(item, names)) for item in thing))
    if isinstance(thing, _BY_NAME):
        return getattr(thing, "__name__", "")
    return _object(thing, names)


def _frames(thing: Any, names: dict[int, str]) -> Any:
    is_coroutine = isinstance(thing, types.CoroutineType)
    frame = thing.cr_frame if is_coroutine else thing.gi_frame
    if frame is None:
        return "ended"
    inner = thing.cr_await if is_coroutine else thing.gi_yieldfrom
    return (
        frame.f_code.co_name,
        frame.f_lasti,
        tuple((key, snapshot(value, names)) for key, value in sorted(frame.f_locals.items())),
        None if inner is None else snapshot(inner, names),
    )


def _object(thing: Any, names: dict[int, str]) -> Any:
    kind = type(thing).__name__
    if kind in _WRAPPERS:
        return kind
    if kind == "AsyncExitStack":
        return (kind, len(thing._exit_callbacks))
    if kind == "Digests":
        return (kind, tuple(sorted(thing._digests)))
    if kind == "Port":  # its methods are those of the store
        fields = {f: value for f, value in vars(thing).items() if not callable(value)}
        return (kind, snapshot(fields, names))
    slots = getattr(type(thing), "__slots__", None)
    if slots is not None or kind in ("Budget", "AsyncTokenCall", "_Hold"):
        fields = thing.__dict__ if slots is None else slots
        return (kind, tuple((f, snapshot(getattr(thing, f), names)) for f in fields))
    raise TypeError(f"the explorer has no snapshot for {kind}: state would go unseen")
