"""Which keychain is used: one that encrypts, made anew for each use.

Not ``keyring.get_keyring()``: it remembers for ever what it found first, and that may be a file
that asks for a passphrase, because the desktop's keychain could not be reached at that moment.
"""

from __future__ import annotations

import configparser
import importlib
import os
import sys
from pathlib import Path
from typing import Any

_SECRET_SERVICE = "keyring.backends.SecretService.Keyring"  # noqa: S105 - the name of a class
_KWALLET = "keyring.backends.kwallet.DBusKeyring"
_MACOS = "keyring.backends.macOS.Keyring"
_WINDOWS = "keyring.backends.Windows.WinVaultKeyring"
_LIBSECRET = "keyring.backends.libsecret.Keyring"

ENCRYPTED = {
    _MACOS: "the macOS Keychain",
    _WINDOWS: "the Windows Credential Manager",
    _SECRET_SERVICE: "the Secret Service",
    _LIBSECRET: "the Secret Service, by libsecret",
    _KWALLET: "KWallet",
    "keyring.backends.kwallet.DBusKeyringKWallet4": "KWallet 4",
    "keyrings.alt.file.EncryptedKeyring": "an encrypted file of keyrings.alt",
    "keyrings.cryptfile.cryptfile.CryptFileKeyring": "an encrypted file of keyrings.cryptfile",
}
"""Backends that keep what they hold encrypted. The others keep it as it is, drop it, or are for
something else, such as the passwords of package indexes."""

# It asks one backend after the other, and could end at one that does not encrypt.
_OPEN = ("", "keyring.backends.chainer.ChainerBackend")
_VARIABLE = "PYTHON_KEYRING_BACKEND"
_ELSE = "on a server use key_file or key_command"


class NoBackendError(Exception):
    """No keychain can be used; the text says why."""

    def __init__(self, text: str, *, later: bool = False) -> None:
        super().__init__(text)
        self.later = later
        """It may be used later, without a change of the options or of keyring's."""


def backend() -> Any:
    """The keychain to use now: the one that is named for keyring, or else the system's own.

    Raises:
        NoBackendError: There is none.
    """
    try:
        from keyring.util import platform_
    except ImportError:
        raise NoBackendError(
            "needs the package keyring, which is not installed; from the root of a clone of the "
            "project: python -m pip install . './plugins/flex-tokenstore-encrypted[keychain]'"
        ) from None
    name, by = _named(Path(platform_.config_root(), "keyringrc.cfg"))
    if name in _OPEN:
        names = _of_system()
    elif name in ENCRYPTED:
        names = (name,)
    else:
        raise NoBackendError(
            f"needs a keychain that encrypts, and {by} names {name}, which is not known to do so. "
            f"Remove that, to use the system's own; {_ELSE}"
        )
    for each in names:
        found = _made(each)
        if found is not None:
            return found
    which = f"{ENCRYPTED[name]} ({name}), which {by} names" if name in ENCRYPTED else "the keychain"
    raise NoBackendError(f"cannot reach {which}: {_why_none()}; {_ELSE}", later=True)


def label_of(keychain: object) -> str:
    """What people call it, with its name."""
    name = _path(type(keychain))
    return f"{ENCRYPTED[name]} ({name})" if name in ENCRYPTED else name


def _named(file: Path) -> tuple[str, str]:
    """What keyring's variable or file names, as keyring reads them, and which of the two."""
    variable = os.environ.get(_VARIABLE, "").strip()
    if variable:
        return variable, f"the variable {_VARIABLE}"
    config = configparser.RawConfigParser()
    try:
        config.read(file, encoding="utf-8")  # reads nothing if there is no such file
    except (OSError, ValueError, configparser.Error) as error:
        problem = type(error).__name__
    else:
        folder = config.get("backend", "keyring-path", fallback="").strip()
        if folder and (path := str(Path(folder).expanduser())) not in sys.path:
            sys.path.insert(0, path)
        return config.get("backend", "default-keyring", fallback="").strip(), f"the file {file}"
    raise NoBackendError(f"cannot be used: keyring's file {file} cannot be read ({problem})")


def _of_system() -> tuple[str, ...]:
    """In the order of their priorities, which put KWallet first on KDE."""
    if sys.platform == "darwin":
        return (_MACOS,)
    if sys.platform == "win32":
        return (_WINDOWS,)
    if "KDE" in os.environ.get("XDG_CURRENT_DESKTOP", "").split(":"):
        return _KWALLET, _SECRET_SERVICE, _LIBSECRET
    return _SECRET_SERVICE, _KWALLET, _LIBSECRET


def _made(name: str) -> Any:
    """The backend; None: it cannot be used here, now."""
    module, _, cls_name = name.rpartition(".")
    try:
        cls = getattr(importlib.import_module(module), cls_name)
        # It raises if it cannot be used; most look whether their service answers.
        cls.priority  # noqa: B018
        found = cls()
        found.set_properties_from_env()  # keyrings.alt's EncryptedKeyring does not do it itself
    except Exception:  # noqa: BLE001 - of any backend; what is missing is told without its words
        return None
    return found


def _why_none() -> str:
    if sys.platform in ("darwin", "win32"):
        return "keyring cannot use it here (see `keyring diagnose`)"
    if not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return (
            "there is no D-Bus session (DBUS_SESSION_BUS_ADDRESS is not set), as in cron, in a "
            "service or over ssh. Run the program in the session of the desktop"
        )
    return (
        "no Secret Service, such as gnome-keyring, and no KWallet answers on the D-Bus session. "
        "Start one"
    )


def _path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
