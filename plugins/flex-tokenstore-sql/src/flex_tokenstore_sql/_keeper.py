"""What the store does, as generators of statements: the sync and the async store only send them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Generator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from flex_tokenstore import (
    ANY_REVISION,
    Secret,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentity,
    TokenIdentityError,
    TokenUnavailableError,
    revision_of,
)

from ._content import Content, encode, read_content
from ._options import STORE, Options

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.sql import Executable

ROUNDS = 20  # tries to replace a row that others change each time

T = TypeVar("T")


class Refused(Enum):
    """An answer that the flow knows how to go on from."""

    EXISTS = "a row with that identity is there"
    NO_TABLE = "the table is missing"
    LOCK_TIMEOUT = "the lock was not had in time"


class Statement(NamedTuple):
    """A statement and its parameters, of which a ``Secret`` is revealed when it is sent."""

    sql: Executable
    params: Mapping[str, Any] = {}


class Answer(NamedTuple):
    """Rows, or how many rows a statement met."""

    rows: Secret[list[tuple[Any, ...]]]
    count: int


Steps = Generator[Statement, Answer | Refused, T]


class Keeper:
    """The row of one identity and what is done with it."""

    def __init__(self, options: Options, identity: TokenIdentity, place: str) -> None:
        import sqlalchemy as sa

        self._options = options
        self._identity = identity
        self.place = f"{place}, identity {identity.key}"
        self.table = table_of(options)
        row = self.table.c.identity == identity.key
        same = row & (self.table.c.revision == sa.bindparam("expected"))
        self._select = sa.select(self.table.c.token).where(row)
        values = {"token": sa.bindparam("new"), "revision": sa.bindparam("made")}
        self._insert = self.table.insert().values(identity=identity.key, **values)
        self._update = self.table.update().where(row).values(**values)
        self._update_same = self.table.update().where(same).values(**values)
        self._delete = self.table.delete().where(row)
        self._delete_same = self.table.delete().where(same)
        is_text = self.table.c.token == sa.bindparam("text")
        self._aside = (
            self.table.update().where(row & is_text).values(identity=sa.bindparam("aside"))
        )

    def get(self) -> Steps[dict[str, Any] | None]:
        """The stored token."""
        content = yield from self._content()
        if content is None:
            return None
        if content.token is None:
            raise TokenCorruptError(
                f"{self.place} holds no token: {content.problem}; `flex-sdk token remove` moves "
                "it aside",
                revision=content.revision,
                store=STORE,
                place=self.place,
            )
        return content.token.to_dict()

    def put(self, token: dict[str, Any], expected: str | None) -> Steps[None]:
        """Replaces what has the expected revision, in one statement."""
        new = {"new": encode(token), "made": revision_of(token)}
        for _ in range(ROUNDS):
            if expected is None:
                statement = Statement(self._insert, new)
            elif expected == ANY_REVISION:
                statement = Statement(self._update, new)
            else:
                statement = Statement(self._update_same, {**new, "expected": expected})
            done = yield statement
            if isinstance(done, Answer) and done.count:
                return
            if expected == ANY_REVISION and (yield from self._added(new)):
                return
            if not (yield from self._moved(expected)):
                raise self._conflict()
            if expected != ANY_REVISION:
                expected = None  # what was expected is aside now, and nothing is stored
        raise TokenUnavailableError(
            f"{self.place} was changed by others at each of {ROUNDS} tries; nothing was written: "
            "find out what writes there",
            store=STORE,
            place=self.place,
        )

    def remove(self, expected: str | None) -> Steps[None]:
        """Removes what has the expected revision; corrupt content is put aside instead."""
        if expected is None or expected.startswith("corrupt:") or expected == ANY_REVISION:
            content = yield from self._content()
            if content is None:
                if expected in (None, ANY_REVISION):
                    return
                raise self._conflict()
            if content.token is None and expected in (content.revision, ANY_REVISION):
                yield from self._moved(content.revision)
                return
            if expected != ANY_REVISION:
                raise self._conflict()
            yield Statement(self._delete)
            return
        done = yield Statement(self._delete_same, {"expected": expected})
        if isinstance(done, Answer) and not done.count:
            raise self._conflict()

    def _added(self, new: Mapping[str, Any]) -> Steps[bool]:
        done = yield Statement(self._insert, new)
        return isinstance(done, Answer)

    def _moved(self, expected: str | None) -> Steps[bool]:
        """Puts corrupt content with that revision aside; True if the caller may go on.

        The column ``revision`` is of the token that was there: it does not tell corrupt content.
        """
        content = yield from self._content()
        if content is None:
            return expected == ANY_REVISION
        if content.token is not None:
            if content.token.identity_key != self._identity.key:
                raise self._foreign()
            return expected == ANY_REVISION
        if expected not in (content.revision, ANY_REVISION):
            return False
        stamp = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(3)}"
        found = yield Statement(self._select)
        assert isinstance(found, Answer)
        texts = found.rows.reveal()
        if texts:
            name = f"{self._identity.key}:corrupt-{stamp}"
            yield Statement(self._aside, {"text": Secret(texts[0][0]), "aside": name})
        return True

    def _content(self) -> Steps[Content | None]:
        found = yield Statement(self._select)
        if isinstance(found, Refused):
            return None
        rows = found.rows
        return read_content(Secret(rows.reveal()[0][0])) if rows.reveal() else None

    def _conflict(self) -> TokenConflictError:
        return TokenConflictError(
            f"{self.place} was changed by another process meanwhile; nothing was written: read "
            "again",
            store=STORE,
            place=self.place,
        )

    def _foreign(self) -> TokenIdentityError:
        return TokenIdentityError(
            f"{self.place} holds a token that is not one of {self._identity.key}; it is neither "
            "used nor overwritten: remove that row, or choose another table",
            store=STORE,
            place=self.place,
        )


def table_of(options: Options) -> Table:
    """The one table. A row put aside has ``:corrupt-<time>`` behind its identity."""
    import sqlalchemy as sa
    from sqlalchemy.dialects import mysql

    return sa.Table(
        options.table,
        sa.MetaData(schema=options.schema),
        sa.Column("identity", sa.String(100), primary_key=True),
        sa.Column("revision", sa.String(100), nullable=False),
        sa.Column("token", sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb"), nullable=False),
    )


def ddl_of(table: Table, dialect: Any) -> str:
    """The statement that makes the table."""
    from sqlalchemy.schema import CreateTable

    return " ".join(str(CreateTable(table).compile(dialect=dialect)).split())
