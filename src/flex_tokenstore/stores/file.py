"""The built-in store that keeps the token in a private file."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from flex_tokenstore._folders import config_folder, javascript_folder
from flex_tokenstore._host_lock import HostLock
from flex_tokenstore._identity import TokenIdentity
from flex_tokenstore._token import (
    ANY_REVISION,
    FORMAT,
    TAG,
    TokenObject,
    check_token_object,
    revision_of,
)
from flex_tokenstore.errors import (
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenUnavailableError,
)
from flex_tokenstore.hookspecs import hookimpl
from flex_tokenstore.stores._files import LIMIT, Permissions, PrivateFiles, Signature

STEM = "file-store-token"
MAIN = f"{STEM}.json"
OWNER = f"{STEM}.owner"
WRITE_WAIT = 10.0  # seconds; a write takes milliseconds
RACY = 0.1  # seconds within which a file system may give two writes one time stamp


class FileStore:
    """Keeps the token in a file that only this user can read, replaced whole at each save."""

    @dataclass(kw_only=True)
    class Options:
        """Where the file is, and how strict the store is about it."""

        path: str | None = field(
            default=None,
            metadata={"doc": "the file; by default one in ~/.config/flex-integration-sdk"},
        )
        share_with_js: bool = field(
            default=False,
            metadata={"doc": "use the JavaScript SDK's file; it is this client's alone then"},
        )
        permissions: Permissions = field(
            default="strict",
            metadata={"doc": "what to do about a file or folder that others may touch"},
        )

    def __init__(self, options: Options, identity: TokenIdentity) -> None:
        self._key = identity.key
        self._shared = options.share_with_js
        self._name: str | None = None
        if options.path is not None:
            path = Path(options.path).expanduser().absolute()
            folder, self._name = path.parent, path.name
        elif self._shared:
            folder, self._name = javascript_folder(), MAIN
        else:
            folder = config_folder()
        self._sibling = f"{STEM}.{self._key}.json"
        self._files = PrivateFiles(folder, options.permissions, tighten=options.path is None)
        self._lock_path = folder / f"{self._key}.lock"
        self._locked = False
        self._cache: tuple[str, Signature, TokenObject] | None = None

    @property
    def place(self) -> str:
        """Path of the token file."""
        return str(self._files.folder / self._file())

    @hookimpl
    def get_token(self) -> dict[str, Any] | None:
        name = self._file()
        before = self._files.signature(name)
        if before is None:
            return None
        cached = self._cache
        if cached is not None and cached[:2] == (name, before) and not self._locked:
            return TokenObject(cached[2])
        token = self._read(name)
        # A file replaced twice within one tick of the clock may show the same signature.
        old = time.time() - before[2] / 1e9 > RACY
        self._cache = (name, before, TokenObject(token)) if token is not None and old else None
        return token

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        name = self._claim()
        with self._writing(name):
            self._expect(name, expected)
            data = json.dumps(token, separators=(",", ":")).encode()
            self._files.replace(name, data)

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        name = self._file()
        if self._files.signature(name) is None and expected in (None, ANY_REVISION):
            return
        with self._writing(name):
            self._expect(name, expected)
            self._files.remove(name)

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[None]:
        with HostLock(self._lock_path).hold(wait):
            self._locked = True
            try:
                yield None
            finally:
                self._locked = False

    @hookimpl
    def lock_id(self) -> str:
        return f"file:{self._lock_path}"

    def _file(self) -> str:
        """The file to read: the documented name is its owner's, everyone else has a sibling."""
        if self._name is not None:
            return self._name
        return MAIN if self._owner() == self._key else self._sibling

    def _claim(self) -> str:
        """The file to write; the first identity to save in the folder owns the documented name."""
        if self._name is not None:
            return self._name
        if self._owner() is None and self._files.signature(self._sibling) is None:
            main = self._files.read(MAIN)
            if main is None or _owner_of(main) == self._key:
                self._files.publish(OWNER, self._key.encode())
        return self._file()

    def _owner(self) -> str | None:
        try:
            return (self._files.folder / OWNER).read_text(encoding="ascii", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self._files.fail("read", self._files.folder / OWNER, error)

    def _read(self, name: str) -> TokenObject | None:
        data = self._files.read(name)
        if data is None:
            return None
        try:
            if len(data) > LIMIT:
                raise ValueError("it is larger than 1 MiB")
            token = check_token_object(_parse(data))
        except ValueError as error:
            self._corrupt(name, str(error), None if self._shared else _revision_of_bytes(data))
        tag = token.get(TAG)
        if tag is not None and (tag.get("format") or 0) > FORMAT:
            self._corrupt(name, "a newer version of this package wrote it: upgrade", None)
        if self._shared and (tag is None or tag.get("identity") is None):
            token[TAG] = {"format": FORMAT, "identity": self._key}
        self._check_owner(name, token)
        return token

    def _check_owner(self, name: str, token: TokenObject) -> None:
        tag = token.get(TAG) or {}
        owner = tag.get("identity")
        if owner == self._key:
            return
        path = self._files.folder / name
        whose = f"the token of {owner}" if owner else "a token that another program stored"
        raise TokenIdentityError(
            f"{path} holds {whose}, not one of {self._key}; it is neither used nor overwritten. "
            "Choose another path, remove the file, or set share_with_js if it is the JavaScript "
            "SDK's file for this very client",
            store="file",
            place=str(path),
        )

    def _expect(self, name: str, expected: str | None) -> None:
        """Under the write lock: what is stored must have this revision."""
        try:
            token = self._read(name)
            stored = None if token is None else revision_of(token)
        except TokenCorruptError as error:
            data = self._files.read(name)
            if data is None:
                return
            if expected not in (ANY_REVISION, _revision_of_bytes(data)):
                raise TokenConflictError(
                    f"{error}; nothing was changed", store="file", place=error.place
                ) from None
            self._files.move_aside(name)
            return
        if expected not in (ANY_REVISION, stored):
            place = str(self._files.folder / name)
            raise TokenConflictError(
                f"another token was saved in {place} meanwhile; nothing was changed",
                store="file",
                place=place,
            )

    @contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        self._files.prepare_folder()
        lock = HostLock(self._files.folder / f"{name}.write.lock")
        holding = lock.hold(WRITE_WAIT)
        try:
            holding.__enter__()
        except TokenLockTimeoutError:
            raise TokenUnavailableError(
                f"{lock.path} has been held by another process for {WRITE_WAIT:g} s; a write takes "
                "milliseconds, so that process hangs: end it",
                store="file",
                place=str(lock.path),
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _corrupt(self, name: str, why: str, revision: str | None) -> NoReturn:
        path = os.fspath(self._files.folder / name)
        raise TokenCorruptError(
            f"{path} holds no token: {why}", revision=revision, store="file", place=path
        )


def _parse(data: bytes) -> Any:
    try:
        return json.loads(data.decode())
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except (json.JSONDecodeError, RecursionError):
        raise ValueError("it is empty" if not data else "it is not JSON") from None


def _owner_of(data: bytes) -> str | None:
    try:
        token = check_token_object(_parse(data))
    except ValueError:
        return None
    tag = token.get(TAG) or {}
    owner = tag.get("identity")
    return owner if isinstance(owner, str) else None


def _revision_of_bytes(data: bytes) -> str:
    return f"corrupt:{hashlib.sha256(data).hexdigest()}"
