"""Keyrings for tests, which several processes share: each item is a file in one folder.

That of Windows and that of macOS are keyring's own code over what the system would do: the limits
and the errors of ``win32cred`` and of Apple's Security framework, as keyring 25.7 uses them.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import types
from contextlib import suppress
from pathlib import Path
from typing import Any

FOLDER = "FLEX_TEST_KEYRING"
"""The variable with the folder; children inherit it."""

CRED_MAX_CREDENTIAL_BLOB_SIZE = 5 * 512  # wincred.h


class Folder:
    """Items by name, each replaced in one step; of any process."""

    def _path(self, name: str) -> Path:
        digest = hashlib.sha256(name.encode()).hexdigest()[:32]
        return Path(os.environ[FOLDER], digest)

    def get(self, name: str) -> Any:
        try:
            return json.loads(self._path(name).read_bytes())["value"]
        except FileNotFoundError:
            return None

    def put(self, name: str, value: Any) -> None:
        path = self._path(name)
        path.parent.mkdir(exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps({"name": name, "value": value}))
        os.replace(temporary, path)

    def drop(self, name: str) -> bool:
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            return False
        return True

    def names(self) -> list[str]:
        """All that is kept."""
        files = [*Path(os.environ[FOLDER]).glob("*")] if Path(os.environ[FOLDER]).is_dir() else []
        found = []
        for path in files:
            with suppress(FileNotFoundError):
                found.append(json.loads(path.read_bytes())["name"])
        return sorted(found)


class FolderKeyring:
    """A backend as anybody may write one; it is not known to encrypt."""

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        found = Folder().get(f"{service}:{username}")
        return None if found is None else str(found)

    def set_password(self, service: str, username: str, password: str) -> None:
        Folder().put(f"{service}:{username}", password)

    def delete_password(self, service: str, username: str) -> None:
        from keyring.errors import PasswordDeleteError

        if not Folder().drop(f"{service}:{username}"):
            raise PasswordDeleteError("not found")


class WindowsError_(Exception):
    """``pywintypes.error``."""

    def __init__(self, winerror: int, funcname: str, strerror: str) -> None:
        super().__init__(winerror, funcname, strerror)
        self.winerror, self.funcname, self.strerror = winerror, funcname, strerror


def _cred_read(Type: int, TargetName: str) -> dict[str, Any]:
    found = Folder().get(TargetName)
    if found is None:
        raise WindowsError_(1168, "CredRead", "Element not found.")
    return {"UserName": found["user"], "CredentialBlob": bytes.fromhex(found["blob"])}


def _cred_write(credential: dict[str, Any], flags: int) -> None:
    # win32ctypes encodes a str so; "utf-16" in keyring's decode() takes the system's order.
    blob = credential["CredentialBlob"].encode("utf-16-le")
    if len(blob) > CRED_MAX_CREDENTIAL_BLOB_SIZE:
        raise WindowsError_(1783, "CredWrite", "The stub received bad data.")
    Folder().put(credential["TargetName"], {"user": credential["UserName"], "blob": blob.hex()})


def _cred_delete(Type: int, TargetName: str) -> None:
    if not Folder().drop(TargetName):
        raise WindowsError_(1168, "CredDelete", "Element not found.")


def install_windows() -> Any:
    """Lets keyring's backend for Windows work here; returns its module."""
    module: Any = importlib.import_module("keyring.backends.Windows")
    module.win32cred = types.SimpleNamespace(
        CRED_TYPE_GENERIC=1,
        CRED_PERSIST_ENTERPRISE=3,
        CredRead=_cred_read,
        CredWrite=_cred_write,
        CredDelete=_cred_delete,
    )
    module.pywintypes = types.SimpleNamespace(error=WindowsError_)
    module.missing_deps = None
    return module


class ApiError(Exception):
    """``keyring.backends.macOS.api.Error``, which says its status first."""


class NotFound(ApiError):
    """Status -25300."""


class KeychainDenied(ApiError):
    """Status -128."""


for _class in (ApiError, NotFound, KeychainDenied):
    _class.__module__ = "keyring.backends.macOS.api"


def _find(keychain: Any, service: str, username: str) -> str:
    found = Folder().get(f"{service}:{username}")
    if found is None:
        raise NotFound(-25300, "Item not found")
    return str(found)


def _set(keychain: Any, service: str, username: str, password: str) -> None:
    # As keyring does it: there is a moment without the item.
    with suppress(NotFound):
        _delete(keychain, service, username)
    Folder().put(f"{service}:{username}", password)


def _delete(keychain: Any, service: str, username: str) -> None:
    if not Folder().drop(f"{service}:{username}"):
        raise NotFound(-25300, "Item not found")


def install_macos() -> Any:
    """Lets keyring's backend for macOS work here; returns its module."""
    module: Any = importlib.import_module("keyring.backends.macOS")
    module.api = types.SimpleNamespace(
        Error=ApiError,
        NotFound=NotFound,
        KeychainDenied=KeychainDenied,
        find_generic_password=_find,
        set_generic_password=_set,
        delete_generic_password=_delete,
    )
    module.platform = types.SimpleNamespace(system=lambda: "Darwin")
    return module


def folder_config(**options: Any) -> dict[str, Any]:
    """A config over :class:`FolderKeyring`, with items as small as they may be."""
    backend = f"{__name__}.FolderKeyring"
    given = {"name": "keyring", "backend": backend, "allow_plaintext": True, "chunk": 256}
    return {**given, **options}


def windows_config() -> dict[str, Any]:
    """A config for the kit, whose child processes call this too."""
    install_windows()
    return {"name": "keyring", "backend": "keyring.backends.Windows.WinVaultKeyring"}


def macos_config() -> dict[str, Any]:
    """The same."""
    install_macos()
    return {"name": "keyring", "backend": "keyring.backends.macOS.Keyring"}
