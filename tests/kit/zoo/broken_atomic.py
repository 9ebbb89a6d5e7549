"""Stores that do a call in two steps."""

from __future__ import annotations

import json
import sqlite3
import uuid
from typing import Any

from flex_tokenstore import hookimpl

from .beasts import caught_by
from .forty_lines import FortyLineStore
from .full import FullStore

Connection = sqlite3.Connection
BETWEEN = "test_no_other_write_comes_in_between"
HALF = "test_no_reader_sees_a_call_half_done"
CRASH = "test_a_crash_leaves_all_or_nothing"


@caught_by(BETWEEN, case="remove")
class RemovesInTwoSteps(FullStore):
    """It compares, then deletes in a second transaction."""

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        if self.transact(self.text) is not None:
            self.transact(lambda c: self.check(c, expected))
            self.transact(lambda c: self.delete_row(c))

    def delete_row(self, connection: Connection) -> None:
        connection.execute("DELETE FROM tokens WHERE key = ?", (self._key,))


@caught_by(BETWEEN, case="set")
class SavesInTwoSteps(FullStore):
    """It compares, then writes; nobody comes in between on the author's machine."""

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> Any:
        self.transact(lambda connection: self.check(connection, expected))
        self.transact(lambda connection: self.write(connection, token))


@caught_by(HALF, case="remove")
class EmptiesThenRemoves(FullStore):
    """So that nothing is left on the disk; a reader meanwhile finds an empty text."""

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        def empty(connection: Connection) -> bool:
            found = self.text(connection) is not None
            if found:
                self.check(connection, expected)
                connection.execute("UPDATE tokens SET token = '' WHERE key = ?", (self._key,))
            return found

        if self.transact(empty):
            self.transact(
                lambda connection: connection.execute(
                    "DELETE FROM tokens WHERE key = ?", (self._key,)
                )
            )


@caught_by(CRASH, case="remove")
class OverwritesThenUnlinks(FortyLineStore):
    """Wipes the file first; a process that is killed then leaves corrupt content."""

    @hookimpl
    def remove_token(self) -> None:
        if self._path.exists():
            self._path.write_bytes(b"\0" * 64)
            self._path.unlink(missing_ok=True)


@caught_by(HALF, case="remove")
class RemovesPartByPart(FullStore):
    """One field after the other, as from a hash of Redis."""

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        def without_refresh(connection: Connection) -> None:
            text = self.text(connection)
            if text is not None:
                self.check(connection, expected)
                token = json.loads(text)
                token.pop("refresh_token", None)
                self.write(connection, token)

        self.transact(without_refresh)
        self.transact(lambda connection: self.delete(connection, "*"))


@caught_by(HALF, case="set")
class RemovesThenWrites(FullStore):
    """`DELETE` and `INSERT`, each in a transaction of its own."""

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> Any:
        def remove(connection: Connection) -> None:
            self.check(connection, expected)
            connection.execute("DELETE FROM tokens WHERE key = ?", (self._key,))

        self.transact(remove)
        self.transact(lambda connection: self.write(connection, token))


@caught_by(CRASH, case="set")
class UnlinksThenRenames(FortyLineStore):
    """For Windows, where a rename did not replace once; killed in between, the token is gone."""

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:
        new = self._path.with_name(f"{uuid.uuid4().hex}.tmp")
        new.touch(mode=0o600)
        new.write_text(json.dumps(token), encoding="utf-8")
        self._path.unlink(missing_ok=True)
        new.rename(self._path)
