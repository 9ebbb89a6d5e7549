"""The store: ``_locked``, ``_read`` and ``_write`` are the backend, to be replaced by yours.

The fixtures in tests/test_skeleton_store.py reach this backend: replace them too.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flex_tokenstore import (
    ANY_REVISION,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentity,
    TokenUnavailableError,
    hookimpl,
    revision_of,
)


class SkeletonStore:
    """Keeps tokens in one JSON file, an entry for each identity."""

    @dataclass(kw_only=True)
    class Options:
        """What users set; a password would be a ``Secret[str]``."""

        path: Path  #: the JSON file; its folder must exist
        timeout: float = 5.0  #: seconds to wait for another process that uses the file

    def __init__(self, options: Options, identity: TokenIdentity) -> None:
        self._path = options.path
        self._timeout = options.timeout
        self._key = identity.key
        self.place = f"{options.path}, entry {identity.key}"  # for messages: no secret in it

    @hookimpl
    def get_token(self) -> Any:
        """Returns the stored token; None only if nothing is stored. A failure raises."""
        with self._locked():
            return self._read().get(self._key)

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        """Replaces the token, if the stored one is the expected one."""
        with self._locked():
            tokens = self._read()
            self._compare(tokens.get(self._key), expected)
            self._write({**tokens, self._key: token})

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        """Removes the token, if it is the expected one. If nothing is stored, does nothing."""
        with self._locked():
            tokens = self._read()
            self._compare(tokens.pop(self._key, None), expected)
            self._write(tokens)

    # Optional hooks: `prepare_save` (before a token is requested: could it be saved?),
    # `token_lock`, `lock_id`, `close`.

    def _compare(self, stored: Any, expected: str | None) -> None:
        if expected == ANY_REVISION:
            return
        try:
            revision = None if stored is None else revision_of(stored)
        except (AttributeError, KeyError, TypeError):
            revision = "not a token"  # nobody expects this revision
        if revision != expected:
            raise TokenConflictError("the token was changed meanwhile", place=self.place)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """A block in which nobody else reads or writes: comparing and writing is one step.

        SQLite has a lock that works on every system and becomes free when its holder dies.
        """
        file, timeout = f"{self._path}.lock", self._timeout
        try:
            with closing(sqlite3.connect(file, timeout=timeout, isolation_level=None)) as lock:
                lock.execute("BEGIN EXCLUSIVE")
                yield
        except sqlite3.Error as error:  # its text says no more than what SQLite could not do
            raise TokenUnavailableError(
                f"{file} cannot be locked: {error}; its folder must exist, and no other program "
                f"may hold the lock for {timeout:g} s",
                place=self.place,
            ) from None

    def _read(self) -> dict[str, Any]:
        try:
            tokens = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError:
            tokens = None
        if not isinstance(tokens, dict):
            raise TokenCorruptError(
                f"{self._path} does not contain what this store writes: move it away",
                place=self.place,
            )
        return tokens

    def _write(self, tokens: dict[str, Any]) -> None:
        new = self._path.with_name(f"{self._path.name}.new")
        new.touch(mode=0o600)  # before there is a secret in it
        with new.open("w", encoding="utf-8") as file:
            json.dump(tokens, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)  # a crash leaves the old file or the new one, never half of it
