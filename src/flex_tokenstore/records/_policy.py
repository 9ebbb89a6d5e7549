"""What a store of records does with the token: compare-and-set, corrupt content, owners.

Generators of calls to primitives; the sync and the async store only carry them out.
"""

from __future__ import annotations

import secrets
import time
from enum import Enum
from typing import Any, NamedTuple

from .._values.token import ANY_REVISION, TokenObject
from ..errors import (
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenPermissionError,
    TokenUnavailableError,
)
from ._content import NOTHING, Content, encode, read_content
from ._record import ANY_VERSION, Record, Steps
from ._where import Where

ROUNDS = 100  # comparisons before a record that always changes is given up
UNCOMPARED = 4  # of a save that may replace anything, each so many turns one does not compare
REMEMBERED = 60.0  # seconds for which a version that was seen saves a write its first read


class _Seen(NamedTuple):
    """What was last read or written."""

    found: Content
    until: float  # by the monotonic clock


class Aside(Enum):
    """What became of corrupt content."""

    MOVED = "it has another name"
    COPIED = "a copy has another name, and was read back: the original may be written over"
    CHANGED = "another program was quicker: something else is stored"


class Policy:
    """The token of one identity.

    Args:
        where: The record.
        key: The name of the record.
        separator: Put between that and a suffix.
        moves: The store has ``put_aside``.
        overwrites: ``write`` takes ``ANY_VERSION``.
    """

    def __init__(
        self, where: Where, key: str, *, separator: str, moves: bool, overwrites: bool
    ) -> None:
        self._where = where
        self._key = key
        self._separator = separator
        self._moves = moves
        self._overwrites = overwrites
        self._seen: _Seen | None = None
        self._parsed = NOTHING  # by the last read
        # A try whose answer was lost may have made the copy: the next one names the same.
        self._aside: tuple[str | None, str] = (None, "")

    def get(self) -> Steps[dict[str, Any] | None]:
        """The stored token."""
        found = yield from self._read()
        if found.problem:
            self._seen = None  # what this handle wrote is not to be replaced unseen
            raise self._corrupt(found)
        if found.token is None:
            return None
        if not self._is_foreign(found):  # else the next save must look at it, and refuse
            self._remember(found)
        return found.token.copied()  # what is kept is not to be changed

    def prove(self, expected: str | None) -> Steps[None]:
        """Fails if this user, or this server, may not write; no other error is let out."""
        try:
            yield from self._where.call("prove", self._key, expected)
        except TokenPermissionError:
            raise
        except TokenUnavailableError:
            return  # a full disk or an outage may be over when the token comes

    def put(self, token: dict[str, Any] | None, expected: str | None) -> Steps[None]:
        """Replaces or, with no token, removes what has the expected revision."""
        data = None if token is None else encode(token)
        new = NOTHING if token is None else Content(Record(data), TokenObject(token))
        found = self._first_guess(new, expected)
        for turn in range(1, ROUNDS + 1):
            if found is None:
                found = yield from self._read()
            # Nothing can be lost by removing nothing, whatever was expected.
            nothing = data is None and found.record.data is None
            if not nothing:
                self._check(found, expected)
            if found.problem:
                aside = yield from self._put_aside(found)
                if aside is not Aside.COPIED:
                    if aside is Aside.MOVED and expected != ANY_REVISION:
                        expected = None  # it has another name now, so nothing is stored here
                    found = None
                    continue
            if nothing and found.record.version is None:
                return
            # Among many who write at once, one who compares may lose for ever.
            blind = self._overwrites and expected == ANY_REVISION and not turn % UNCOMPARED
            version = ANY_VERSION if blind and found.token else found.record.version
            if data is None:
                answer = yield from self._where.call("delete", self._key, version)
            else:
                answer = yield from self._where.call("write", self._key, data, version)
            if not answer.changed:
                self._aside = (None, "")
                self._remember(new._replace(record=Record(data, answer.value)))
                return
            found = None if answer.value is None else read_content(answer.value)
            if answer.again:
                found = found or (yield from self._read())
                if found.record.data == data:
                    return  # the first of the two was done; its answer was lost
        raise TokenUnavailableError(
            f"{self._where.place} was changed by other programs at each of {ROUNDS} tries; nothing "
            "was written: find out which program writes there",
            **self._where.about,
        )

    def _first_guess(self, new: Content, expected: str | None) -> Content | None:
        """What may be stored: it saves a look, for the write compares."""
        seen = self._seen
        if seen is not None and time.monotonic() < seen.until:
            # To be removed is what there is now: if that is nothing, no write will show it.
            known = expected in (ANY_REVISION, seen.found.revision)
            if known and (new is not NOTHING or seen.found.record.data is not None):
                return seen.found._replace(token=None, named=expected)  # not to name it once more
        return NOTHING if expected is None and new is not NOTHING else None

    def _read(self) -> Steps[Content]:
        answer = yield from self._where.call("read", self._key)
        if answer.value is None:
            return NOTHING
        self._parsed = read_content(answer.value, self._parsed)
        return self._parsed

    def _remember(self, found: Content) -> None:
        self._seen = _Seen(found, time.monotonic() + REMEMBERED)

    def _put_aside(self, found: Content) -> Steps[Aside]:
        """Gives corrupt content another name."""
        revision, name = self._aside
        if revision != found.revision:
            now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            # Two programs may do it in one second.
            name = self._separator.join((self._key, f"corrupt-{now}-{secrets.token_hex(3)}"))
            self._aside = (found.revision, name)
        try:
            if self._moves:
                answer = yield from self._where.call("put_aside", self._key, name, found.record)
                if not answer.changed:
                    return Aside.COPIED if answer.value is False else Aside.MOVED
                # The first of two may have done it; its answer was lost.
                done = answer.again and (yield from self._is_there(name, found))
                return Aside.MOVED if done else Aside.CHANGED
            yield from self._where.call("write", name, found.record.data, None)
            if not (yield from self._is_there(name, found)):
                raise self._where.unavailable(f"{name} does not hold what was written to it")
        except TokenUnavailableError as error:
            error.message += (
                f". The {self._where.words.record} holds content that is not a token; it could not "
                "be moved aside, so nothing was removed or overwritten"
            )
            raise
        return Aside.COPIED

    def _is_there(self, name: str, found: Content) -> Steps[bool]:
        answer = yield from self._where.call("read", name)
        return answer.value is not None and answer.value.data == found.record.data

    def _check(self, found: Content, expected: str | None) -> None:
        place = self._where.place
        # Before the comparison: ANY_REVISION would match a foreign token too.
        if self._is_foreign(found):
            record, elsewhere = self._where.words
            raise TokenIdentityError(
                f"{place} holds a token that does not belong to {self._where.identity.key}; it is "
                f"neither used nor overwritten: remove that {record}, or choose another "
                f"{elsewhere}",
                **self._where.about,
            )
        if found.newer:
            raise self._corrupt(found)
        if expected not in (ANY_REVISION, found.revision):
            raise TokenConflictError(
                f"{place} was changed by another process since it was read; nothing was written: "
                "read it again",
                **self._where.about,
            )

    def _is_foreign(self, found: Content) -> bool:
        return found.token is not None and found.owner != self._where.identity.key

    def _corrupt(self, found: Content) -> TokenCorruptError:
        remedy = "" if found.newer else f"; {self._where.identity.program.removal} moves it aside"
        return TokenCorruptError(
            f"{self._where.place} does not hold a token: {found.problem}{remedy}",
            revision=found.revision,
            **self._where.about,
        )
