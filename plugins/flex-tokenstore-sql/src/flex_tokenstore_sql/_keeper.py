"""What the store does, as generators of statements: the sync and the async store only send them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from flex_tokenstore import (
    ANY_REVISION,
    Secret,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentity,
    TokenIdentityError,
    TokenUnavailableError,
)

from ._content import NOTHING, Content, encode, read_content
from ._options import STORE, Options

if TYPE_CHECKING:
    from sqlalchemy.sql import Executable

ROUNDS = 100  # comparisons before a row that always changes is given up
UNCOMPARED = 4  # of a save that may replace anything, each so many tries one does not compare

T = TypeVar("T")


class Statement(NamedTuple):
    """A statement and its parameters; what is secret among them is a ``Secret``."""

    sql: Executable
    params: Mapping[str, Any] = {}
    first: bool = True
    """It needs nothing that was sent before it: on a dead connection it is sent once more."""


class Answer(NamedTuple):
    """What a statement met. One that a constraint or the lock's limit refused met nothing."""

    rows: tuple[Any, ...] = ()
    met: int = 0
    again: bool = False
    """It was sent twice: the first one may have been done."""


Steps = Generator[Statement, Answer, T]


class Keeper:
    """The row of one identity and what is done with it."""

    def __init__(self, options: Options, identity: TokenIdentity, backend: str, place: str) -> None:
        from ._table import Row

        self._identity = identity
        self._is_file = backend == "sqlite"
        self._row = Row(options, identity.key, backend)
        self.lock_row = Row(options, f"{identity.key}:lock", backend)
        self._seen = NOTHING  # what was last read or written: saves a set its first look
        self.table = self._row.table
        self.place = f"{place}, identity {identity.key}"

    def get(self) -> Steps[dict[str, Any] | None]:
        """The stored token."""
        content = yield from self._content()
        if content.problem:
            raise self._corrupt(content)
        if content.token is None:
            return None
        if content.token.identity_key == self._identity.key:
            self._seen = content
        return content.token.to_dict()

    def forget(self) -> Steps[None]:
        """Empties SQLite's write-ahead log: what was removed could still be read in it.

        A reader that is at work meanwhile keeps it for now; the next removal, or the last program
        that closes the database, empties it then.
        """
        if self._is_file:
            import sqlalchemy as sa

            yield Statement(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))

    def put(self, token: dict[str, Any] | None, expected: str | None) -> Steps[None]:
        """Replaces or, with no token, removes what has the expected revision."""
        new = NOTHING if token is None else read_content(encode(token))
        there = self._seen
        if there is NOTHING or expected not in (there.revision, ANY_REVISION):
            # A first save needs no look: its INSERT fails if there is a row.
            saves_on_nothing = expected is None and token is not None
            there = NOTHING if saves_on_nothing else (yield from self._content())
        for attempt in range(1, ROUNDS + 1):
            self._check(there, expected)
            if there.problem and (yield from self._put_aside(there)):
                # The corrupt row has another name now, so this identity has none.
                there = NOTHING
                expected = ANY_REVISION if expected == ANY_REVISION else None
            if not there.problem:
                # Where many others write tokens of ours no comparison would ever be won.
                blindly = expected == ANY_REVISION and not attempt % UNCOMPARED
                done = yield from self._swap(there, new, blindly=blindly)
                # Only the row count tells: the database raises nothing for a row that another
                # program has changed.
                if done.met:
                    self._seen = new
                    return
                there = yield from self._content()
                if done.again and there.revision == new.revision:
                    return  # the first of the two was done; its answer was lost
            else:
                there = yield from self._content()
        raise TokenUnavailableError(
            f"{self.place} was changed by other programs at each of {ROUNDS} tries; nothing was "
            "written: find out which program writes there",
            store=STORE,
            place=self.place,
        )

    def _corrupt(self, there: Content) -> TokenCorruptError:
        remedy = "" if there.newer else f"; {self._identity.program.removal} moves it aside"
        return TokenCorruptError(
            f"{self.place} does not hold a token: {there.problem}{remedy}",
            revision=there.revision,
            store=STORE,
            place=self.place,
        )

    def prepare(self, expected: str | None) -> Steps[None]:
        """Fails if this user, or this server, may not write."""
        if self._is_file:
            yield Statement(self._row.begin)
            yield Statement(self._row.scratch, first=False)
            yield Statement(self._row.back, first=False)
        else:
            yield Statement(self._row.prove_insert if expected is None else self._row.prove_update)

    def _check(self, there: Content, expected: str | None) -> None:
        # Before the comparison: ANY_REVISION would match a foreign token too.
        if there.token is not None and there.token.identity_key != self._identity.key:
            raise TokenIdentityError(
                f"{self.place} holds a token that does not belong to {self._identity.key}; it is "
                "neither used nor overwritten: remove that row, or choose another table",
                store=STORE,
                place=self.place,
            )
        if there.newer:
            raise self._corrupt(there)
        if expected not in (there.revision, ANY_REVISION):
            raise TokenConflictError(
                f"{self.place} was changed by another process since it was read; nothing was "
                "written: read it again",
                store=STORE,
                place=self.place,
            )

    def _swap(self, there: Content, new: Content, *, blindly: bool) -> Steps[Answer]:
        if there is NOTHING:
            if new is NOTHING:
                return Answer(met=1)
            return (yield Statement(self._row.insert, {"new": new.raw}))
        if blindly and new is NOTHING:
            return (yield Statement(self._row.clear))
        if blindly:
            return (yield Statement(self._row.replace, {"new": new.raw}))
        if new is NOTHING:
            return (yield Statement(self._row.delete, {"seen": there.raw}))
        return (yield Statement(self._row.update, {"seen": there.raw, "new": new.raw}))

    def _put_aside(self, there: Content) -> Steps[bool]:
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        name = f"{self._identity.key}:corrupt-{now}-{secrets.token_hex(3)}"
        done = yield Statement(self._row.aside, {"seen": there.raw, "aside": name})
        # Sent twice, the first may have been done; if not, what follows meets what is there.
        return done.met > 0 or done.again

    def _content(self) -> Steps[Content]:
        found = yield Statement(self._row.select)
        raw: Secret[Any] | None = found.rows[0][0] if found.rows else None
        return NOTHING if raw is None else read_content(raw)
