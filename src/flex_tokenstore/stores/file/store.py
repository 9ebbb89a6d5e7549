"""The built-in store that keeps the token in a private file.

A save is whole or absent for every reader and after a crash, and outlasts a power cut once it
has returned, as far as the system's ``fsync`` does; ``docs/file-store.md`` has the system calls
from which this follows.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flex_tokenstore._host.host_lock import Holding, HostLock
from flex_tokenstore._host.patience import Patience
from flex_tokenstore._values.identity import TokenIdentity
from flex_tokenstore._values.token import (
    ANY_REVISION,
    FORMAT,
    TAG,
    TokenObject,
    revision_of,
)
from flex_tokenstore._values.token_form import shown_identity
from flex_tokenstore.errors import (
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenUnavailableError,
)
from flex_tokenstore.hookspecs import hookimpl
from flex_tokenstore.stores.file.format import Content, encode, read_content
from flex_tokenstore.stores.file.location import location_of
from flex_tokenstore.stores.file.locks import Renewing, WriteLock
from flex_tokenstore.stores.file.naming import MAIN, OWNER, FileNames
from flex_tokenstore.stores.file.private_files import Permissions, PrivateFiles, Signature, logger
from flex_tokenstore.stores.file.raw import LIMIT
from flex_tokenstore.stores.file.reasons import lasts
from flex_tokenstore.stores.file.rights import check_replaceable

WRITE_WAIT = 10.0  # seconds; a write takes milliseconds
RACY = 100_000_000  # nanoseconds within which a file system may stamp two writes alike
VERY_RACY = 2_100_000_000  # the same for one that knows whole seconds, or only even ones


class FileStore:
    """Keeps the token in a file that only this user can read, replaced whole at each save."""

    @dataclass(kw_only=True)
    class Options:
        """Where the file is, and how strict the store is about it."""

        path: str | None = field(
            default=None,
            metadata={
                "doc": "the file; by default one in the program's folder in ~/.config",
                "path": True,
            },
        )
        share_with_js: bool = field(
            default=False,
            metadata={"doc": "use the JavaScript SDK's file; no other client may use that file"},
        )
        permissions: Permissions = field(
            default="strict",
            metadata={"doc": "what to do about a file or folder that other users can access"},
        )

    def __init__(self, options: Options, identity: TokenIdentity) -> None:
        self._key = identity.key
        self._program = program = identity.program
        self._shared = options.share_with_js
        self._where = where = location_of(
            options.path, program, share_with_js=options.share_with_js
        )
        self._files = PrivateFiles(
            where.folder,
            options.permissions,
            tighten=where.is_ours,
            problem=where.problem,
            emptied=options.share_with_js,
        )
        self._names = FileNames(self._files, self._key, fixed=where.name)
        self._locked = False  # the token file itself is read then, whatever the cache has
        self._patience = Patience()
        self._cache: tuple[str, Signature, TokenObject] | None = None

    @property
    def place(self) -> str:
        """Path of the token file."""
        try:
            name = self._names.likely()
        except TokenUnavailableError:
            name = MAIN  # it is wanted for a message about just that
        return str(self._where.folder / name)

    @property
    def token_file(self) -> str | None:
        """Path of the token file; None: this user has no folder for it."""
        return None if self._where.problem else self.place

    @property
    def lock_file(self) -> str | None:
        """Path of the file that :meth:`token_lock` locks."""
        return None if self._where.problem else str(self._where.folder / f"{self._key}.lock")

    @hookimpl
    def get_token(self) -> dict[str, Any] | None:
        # Before the read: one that takes long must not make a young file look old.
        now = time.time_ns()
        name = self._names.current()
        cached = self._cache
        if cached is not None and cached[0] == name and not self._locked:
            if cached[1] == self._files.signature(name):
                return cached[2].copied()
            self._cache = None
        found = self._files.read(self._files.resolve(name))
        if found is None:
            return None
        token = self._token_in(name, read_content(*found))
        # A file changed twice within one tick of the clock may show the same signature.
        changed = max(found[1][2:])
        if now - changed > (RACY if changed % 10**9 else VERY_RACY):
            # A copy: the caller may change what it gets.
            self._cache = (name, found[1], token.copied())
        return token

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        name = self._names.current()
        owned = self._tagged(name, TokenObject(token))
        path = self._to_write(name)
        with self._writing(path):
            if name == self._names.sibling and self._names.may_claim():
                main = self._to_write(MAIN)
                # Always in this order, so that no two writers wait for each other.
                with self._writing(main):
                    if self._names.claim():
                        self._save(main, owned, expected)
                        return
            self._save(path, owned, expected)

    @hookimpl
    def prepare_save(self) -> None:
        try:
            self._check_save()
        except TokenUnavailableError as error:
            if lasts(error):
                raise

    def _check_save(self) -> None:
        """What :meth:`set_token` does, as far as that changes nothing."""
        self._files.check_folder()
        if not self._locked:
            self._renewal_lock().check()
        name = self._names.current()
        names = [name]
        if name == self._names.sibling and self._names.may_claim():
            # A save looks whether it may have the documented name, which takes its lock.
            WriteLock(self._files.resolve(MAIN)).check()
            if self._names.is_free():
                names = [MAIN, OWNER]
        for each in names:
            path = self._files.resolve(each)
            check_replaceable(path, functools.partial(self._files.privacy.look_at_new, path))
            self._files.check(path)
        WriteLock(self._files.resolve(name)).check()

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        name = self._names.current()
        if self._files.is_clean(self._files.resolve(name)):
            # Where nothing is stored, neither the folder nor a lock file is made.
            self._expect(self._files.folder / name, None, expected)
            return
        path = self._to_write(name)
        with self._writing(path):
            content = self._content(path)
            if content is not None and content.token is None:
                if content.newer:
                    raise self._corrupt(path, content)
                self._move_aside(path, content, expected)
                return
            self._expect(path, content, expected)
            self._files.remove(path)

    @hookimpl
    def token_lock(self, wait: float, lease: float) -> Renewing:
        return Renewing(self._renewal_lock(), wait, lease, self._note_lock)

    @hookimpl
    def lock_id(self) -> str:
        return f"file:{self._where.folder / self._key}.lock"

    def _save(self, path: Path, token: TokenObject, expected: str | None) -> None:
        """Under the write lock: replaces what has the expected revision."""
        data = encode(token)
        if len(data.reveal()) > LIMIT:
            raise TokenUnavailableError(
                f"the token was not written to {path}: it is larger than 1 MiB, which would not be "
                "read back",
                store="file",
                place=str(path),
            )
        content = self._content(path)
        if content is not None and content.token is None:
            # The JavaScript SDK empties the file before it writes: this may be that moment.
            if content.newer or self._shared:
                raise self._corrupt(path, content)
            self._move_aside(path, content, expected)
        else:
            self._expect(path, content, expected)
        self._files.replace(path, data)

    def _content(self, path: Path) -> Content | None:
        """Under the write lock: what is stored, if it is not another's; None: nothing."""
        found = self._files.read(path, folder_is_checked=True)
        if found is None:
            return None
        content = read_content(*found)
        untagged = content.identity is None and (self._shared or content.token is None)
        if content.identity != self._key and not untagged:
            raise self._foreign(path, content.identity)
        return content

    def _token_in(self, name: str, content: Content) -> TokenObject:
        location = self._files.folder / name
        if content.identity not in (self._key, None):
            raise self._foreign(location, content.identity)
        if content.token is None:
            raise self._corrupt(location, content)
        return self._tagged(name, content.token)

    def _tagged(self, name: str, token: TokenObject) -> TokenObject:
        """The token with this identity's tag, which only ``share_with_js`` may add."""
        tag = token.get(TAG) or {}
        owner = tag.get("identity")
        if owner is None and self._shared:
            return TokenObject({**token, TAG: {**tag, "format": FORMAT, "identity": self._key}})
        if owner != self._key:
            raise self._foreign(self._files.folder / name, owner)
        return token

    def _expect(self, path: Path, content: Content | None, expected: str | None) -> None:
        stored = None if content is None or content.token is None else revision_of(content.token)
        if expected not in (ANY_REVISION, stored):
            raise self._conflict(path)

    def _move_aside(self, path: Path, content: Content, expected: str | None) -> None:
        if expected not in (ANY_REVISION, content.revision):
            raise self._conflict(path)

        def unchanged(at: Path) -> bool:
            found = self._files.read(at, folder_is_checked=True)
            return found is None or read_content(*found).revision == content.revision

        aside = self._files.move_aside(path, unchanged)
        if aside is None:  # somebody writes without our lock, into the file itself
            raise self._conflict(path)
        logger.warning("%s did not hold a token and was moved to %s", path, aside)

    def _renewal_lock(self) -> HostLock:
        path = self._files.folder / f"{self._key}.lock"
        mode = self._files.privacy.mode_in(path.parent)
        return HostLock(path, store="file", patience=self._patience, mode=mode)

    def _note_lock(self, until: float | None) -> None:
        self._locked = until is not None
        self._files.until = until

    def _to_write(self, name: str) -> Path:
        """The file's own path, in a folder that is there."""
        self._files.prepare_folder()
        return self._files.resolve(name)

    def _writing(self, path: Path) -> Holding:
        """Holds the write lock of the file."""
        return WriteLock(path, self._files.privacy.mode_in(path.parent)).hold(WRITE_WAIT)

    def _conflict(self, path: Path) -> TokenConflictError:
        location = str(path)
        return TokenConflictError(
            f"{location} was changed by another process since it was read; nothing was written: "
            "read it again",
            store="file",
            place=location,
        )

    def _corrupt(self, path: Path, content: Content) -> TokenCorruptError:
        location = str(path)
        left_alone = content.newer or self._shared
        remedy = "" if content.newer else f"; {self._program.removal} moves it aside"
        return TokenCorruptError(
            f"{location} does not hold a token: {content.problem}{remedy}",
            revision=None if left_alone else content.revision,
            store="file",
            place=location,
        )

    def _foreign(self, path: Path, owner: str | None) -> TokenIdentityError:
        location = str(path)
        whose = (
            f"the token of {shown_identity(owner)}"
            if owner
            else "a token that is not tagged with its owner"
        )
        return TokenIdentityError(
            f"{location} holds, or was to hold, {whose}, not a token of {self._key}; it is neither "
            "used nor overwritten. Choose another path or profile, move the file away, or, if it "
            "is the JavaScript SDK's file of this client, set share_with_js",
            store="file",
            place=location,
        )
