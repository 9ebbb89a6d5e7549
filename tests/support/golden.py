"""What the last version of each plugin writes: recorded, and compared with the present one.

A plugin's golden file, ``tests/data/last_version.json``, holds what the server held after each deed
of the last version. ``tools/golden.py`` made it, with :func:`record`; its tests are in
:mod:`tests.support.golden_tests`. All goes through hooks and the own client of the server, so that
the same functions run the code of the last version and the present one.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from flex_tokenstore import Token, TokenCorruptError
from tests.support.handles import IDENTITY, Handle, opener

Snapshot = dict[str, Any]
"""All that the server holds for the store, in a form that JSON can hold."""

LEASE = 60.0  # seconds, of the locks that are recorded
TIME = 1_700_000_000.0  # Unix time in seconds


def _token(_: Mapping[str, Any] = {}, /, **fields: Any) -> dict[str, Any]:
    tag = {"format": 1, "identity": IDENTITY.key, "obtained_at": TIME, "expires_at": TIME + 3600}
    return {"access_token": "access-a", **fields, "flex_tokenstore": {**tag, **_}}


FULL = {"refresh_token": "refresh-a", "token_type": "bearer", "expires_in": 3600, "scope": "integ"}
WRAPPED = "revision of a wrapper"
TOKENS: dict[str, dict[str, Any]] = {
    "full": _token(**FULL, extra={"kept": [1, 1.5, True, None, 2**80, "\ud800", "ü"]}),
    "only an access token": _token({"expires_at": None}),
    "without refresh_token": _token(**{**FULL, "refresh_token": None}),
    "refresh_token": _token(refresh_token="refresh a+/=%~"),
    "token_type": _token(token_type="Bearer"),
    "expires_in": _token(expires_in=3600),
    "scope": _token(scope="integ user:read"),
    "scope of other letters": _token(**{**FULL, "scope": "integ päivä 日本語 😀"}),
    "scope as a list": _token(scope=["integ", "user"]),
    "sign_ins": _token({"sign_ins": [TIME - 2.5, TIME]}, **FULL),
    WRAPPED: _token({"revision": "00ff"}, **FULL),
    "fractions of a second": _token({"obtained_at": TIME + 0.25, "expires_at": TIME + 0.125}),
    "4 KB": _token(refresh_token="r" * 4096),
}
"""Tokens by what is special about them."""
NEXT = Token(_token(access_token="access-b", refresh_token="refresh-b"))

# What is random or a time in what is stored.
_NORMAL = (
    (re.compile(r"corrupt-\d{8}T\d{6}Z-[0-9a-f]{6}\b"), "corrupt-<time>-<6 hex>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<32 hex>"),
    (re.compile(r'"until": \d{10}\.0\b'), '"until": <time>'),
)
HOLDER = "0123456789abcdef" * 2
"""Stands for ``<32 hex>`` where a golden lock is put into a store."""


class Vessel(Protocol):
    """A store's server, by its own client."""

    name: str
    """Of the section in the golden file."""
    corrupt: Mapping[str, Any]
    """Contents that are not a token, by what they are; in a form that :meth:`plant` takes."""
    has_lease: bool
    """Its lock ends with its lease, not with its holder."""

    config: dict[str, Any]
    """The store's."""

    def empty(self) -> None:
        """Removes all that any store has written."""

    def look(self) -> Snapshot:
        """What is there, with :func:`normal` applied to names and contents."""

    def put(self, golden: Snapshot) -> None:
        """Makes that so, as far as it is about tokens and what is put aside."""

    def plant(self, content: Any) -> None:
        """Puts this in the token's location."""

    def hold(self, golden: Snapshot, lease: float) -> Held:
        """Takes the lock as the last version does."""


class Held(Protocol):
    """A lock of the last version."""

    def release(self) -> None:
        """Frees it as the last version does."""

    def die(self) -> None:
        """Ends without a word: as a killed process leaves it."""


def normal(text: str) -> str:
    """The text with what is random, or a time, replaced by what it is."""
    for pattern, name in _NORMAL:
        text = pattern.sub(name, text)
    return text


def filled(golden: Snapshot) -> Snapshot:
    """The snapshot with a random value or a time where :func:`normal` took one out."""
    text = json.dumps(golden).replace("corrupt-<time>-<6 hex>", "corrupt-20260102T030405Z-0a1b2c")
    found: Snapshot = json.loads(text.replace("<32 hex>", HOLDER))
    return found


def load(folder: Path) -> dict[str, Any]:
    """The golden file of the plugin whose tests are in this folder."""
    found: dict[str, Any] = json.loads((folder / "data" / "last_version.json").read_text())
    return found


def record(vessel: Vessel, kind: str = "sync") -> dict[str, Any]:
    """All sections."""
    return {name: section(vessel, kind) for name, section in SECTIONS.items()}


def _hand_on(store: Any, data: dict[str, Any]) -> None:
    """As a wrapper does, past the handle, which refuses what is no token."""
    hook = getattr(store, "_store", store)._opened.binding.set_token
    result = hook.function(**hook.keywords(token=dict(data), expected=None))
    if inspect.isawaitable(result):
        store._run(result)


def _tokens(vessel: Vessel, kind: str) -> dict[str, Snapshot]:
    found = {}
    with _opened(vessel, kind) as store:
        for name, data in TOKENS.items():
            vessel.empty()
            if name == WRAPPED:
                _hand_on(store, data)
            else:
                store.set_token(Token(data), None)
            found[name] = vessel.look()
    return found


def _replaced(vessel: Vessel, kind: str) -> Snapshot:
    def deed(store: Handle) -> None:
        first = Token(TOKENS["full"])
        store.set_token(first, None)
        store.set_token(NEXT, first.revision)

    return _after(vessel, kind, deed)


def _removed(vessel: Vessel, kind: str) -> Snapshot:
    def deed(store: Handle) -> None:
        first = Token(TOKENS["full"])
        store.set_token(first, None)
        store.remove_token(first.revision)

    return _after(vessel, kind, deed)


def _held(vessel: Vessel, kind: str) -> Snapshot:
    with _opened(vessel, kind) as store, store.token_lock(0, LEASE):
        return vessel.look()


def _released(vessel: Vessel, kind: str) -> Snapshot:
    def deed(store: Handle) -> None:
        with store.token_lock(0, LEASE):
            pass

    return _after(vessel, kind, deed)


def _aside(vessel: Vessel, kind: str) -> dict[str, Snapshot]:
    """After a token was written over corrupt content, as a session does it."""
    found = {}
    with _opened(vessel, kind) as store:
        for name, content in vessel.corrupt.items():
            vessel.empty()
            assert store.get_token() is None
            vessel.plant(content)
            with pytest.raises(TokenCorruptError) as raised:
                store.get_token()
            store.set_token(NEXT, raised.value.revision)
            found[name] = vessel.look()
    return found


SECTIONS: dict[str, Callable[[Vessel, str], Any]] = {
    "tokens": _tokens,
    "replaced": _replaced,
    "removed": _removed,
    "held": _held,
    "released": _released,
    "aside": _aside,
}


def _after(vessel: Vessel, kind: str, deed: Callable[[Handle], None]) -> Snapshot:
    with _opened(vessel, kind) as store:
        deed(store)
        return vessel.look()


@contextmanager
def _opened(vessel: Vessel, kind: str) -> Iterator[Handle]:
    vessel.empty()
    with opener(kind) as within:
        yield within(vessel.config)
