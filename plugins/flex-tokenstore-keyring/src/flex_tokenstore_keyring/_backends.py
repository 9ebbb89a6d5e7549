"""Which backend of keyring is used, and why.

Not ``keyring.get_keyring()``: it takes the backend of the highest priority, which may be one that
looks up passwords of one program and keeps none, it remembers for ever that there was none, and it
chooses for the whole process.
"""

from __future__ import annotations

import configparser
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from keyring.backend import KeyringBackend
from keyring.util import platform_

from ._known import (
    KEEPS_NOTHING,
    KNOWN,
    KWALLET,
    LIBSECRET,
    MACOS,
    SECRET_SERVICE,
    UNNAMED,
    WINDOWS,
    how_to_allow,
)
from ._problems import SERVER, Failed, Problem, close_connections

VARIABLE = "PYTHON_KEYRING_BACKEND"


class Named(NamedTuple):
    """A backend that somebody chose."""

    name: str
    by: str
    """Where."""
    path: str = ""
    """A folder that keyring's file names, to import the backend from."""


class Backend(NamedTuple):
    """A backend that can be used."""

    keyring: Any
    name: str
    """The full name of its class."""
    why: str
    """Who chose it."""
    encrypts: bool
    """It is known to encrypt."""

    @property
    def label(self) -> str:
        """What people call it, with its name."""
        known = KNOWN.get(self.name)
        return f"{known.label} ({self.name})" if known else self.name

    @property
    def largest(self) -> int | None:
        """Characters of the largest item that it takes; None: as many as any token has."""
        known = KNOWN.get(self.name)
        return known.largest if known else None


def choose(option: str | None, *, allow_plaintext: bool) -> Backend:
    """The backend to use now.

    Args:
        option: The one that the store's options name.
        allow_plaintext: Whether one that is not known to encrypt may be used, if it is named.

    Raises:
        Failed: There is none, or it is refused.
    """
    named = Named(option, "the option backend") if option else _configured()
    if named is None or named.name in UNNAMED:
        return _of_system(named)
    why = f"{named.by} names it"
    if named.name in KEEPS_NOTHING:
        raise _keeps_nothing(named, named.name)
    if named.name not in KNOWN and not allow_plaintext:
        raise _refused(named, f"which {how_to_allow()}")
    cls = _imported(named)
    # The class may have been imported from another module than its own.
    name = f"{cls.__module__}.{cls.__qualname__}"
    if name in KEEPS_NOTHING:
        raise _keeps_nothing(named, name)
    if name not in KNOWN and not allow_plaintext:
        raise _refused(named, f"which {how_to_allow()}")
    keyring = _made(cls)
    if keyring is None:
        raise Failed(Problem(f"{named.name} cannot be used here, and {why}. {_reason(name)}"))
    return Backend(keyring, name, why, name in KNOWN)


def _configured() -> Named | None:
    """What keyring's variable or file names, as keyring reads them."""
    variable = os.environ.get(VARIABLE, "").strip()
    if variable:
        return Named(variable, f"the variable {VARIABLE}")
    file = Path(platform_.config_root(), "keyringrc.cfg")
    config = configparser.RawConfigParser()
    broken = False
    try:
        config.read(file, encoding="utf-8")  # reads nothing if there is no such file
    except (OSError, ValueError, configparser.Error):
        broken = True
    if broken:
        raise Failed(Problem(f"keyring's file {file} cannot be read. Correct it or remove it"))
    name = config.get("backend", "default-keyring", fallback="").strip()
    path = config.get("backend", "keyring-path", fallback="").strip()
    return Named(name, f"keyring's file {file}", path) if name else None


def _of_system(named: Named | None) -> Backend:
    """The first backend that can be used, of those that keyring would take here."""
    why = "it is the system's own" if named is None else f"{named.by} leaves the choice open"
    for name in _candidates():
        cls = None
        with suppress(Failed):
            cls = _imported(Named(name, ""))
        keyring = None if cls is None else _made(cls)
        if keyring is not None:
            return Backend(keyring, name, why, encrypts=True)
    raise Failed(Problem(f"this system has none that can be used: {_why_none()}. {SERVER}"))


def _candidates() -> Iterator[str]:
    """In the order of their priorities, which put KWallet first on KDE."""
    if sys.platform == "darwin":
        yield MACOS
    elif sys.platform == "win32":
        yield WINDOWS
    else:
        on_kde = "KDE" in os.environ.get("XDG_CURRENT_DESKTOP", "").split(":")
        yield from (KWALLET, SECRET_SERVICE) if on_kde else (SECRET_SERVICE, KWALLET)
        yield LIBSECRET


def _imported(named: Named) -> Any:
    """The class.

    Raises:
        Failed: There is none.
    """
    if named.path and (folder := str(Path(named.path).expanduser())) not in sys.path:
        sys.path.insert(0, folder)  # as keyring does, for backends that are not installed
    module, _, name = named.name.rpartition(".")
    found = None
    with suppress(Exception):  # what a stranger's module raises
        found = getattr(importlib.import_module(module), name, None)
    if isinstance(found, type):
        return found
    raise Failed(
        Problem(f"{named.name} cannot be imported, and {named.by} names it. {_reason(named.name)}")
    )


def _made(cls: Any) -> Any:
    """The backend; None: it cannot be used here, now."""
    try:
        cls.priority  # noqa: B018 - it raises, if so; most look whether their service answers
        keyring = cls()
        if isinstance(keyring, KeyringBackend):
            # KeyringBackend.__init__ does it too, but keyrings.alt's EncryptedKeyring omits that.
            keyring.set_properties_from_env()
        return keyring
    except Exception as error:  # noqa: BLE001 - the reason is found without its words
        close_connections(error)
        return None


def _refused(named: Named, problem: str) -> Failed:
    return Failed(Problem(f"{named.by} names {named.name}, {problem}"))


def _keeps_nothing(named: Named, name: str) -> Failed:
    remedy = "Remove that, or name another backend with the option backend"
    return _refused(named, f"{KEEPS_NOTHING[name]}. {remedy}")


def _reason(name: str) -> str:
    known = KNOWN.get(name)
    if name in (SECRET_SERVICE, LIBSECRET, KWALLET):
        return f"{_why_none()[0].upper()}{_why_none()[1:]}. {SERVER}"
    if known and known.install:
        return f"Is it installed? python -m pip install {known.install}"
    return (
        "Check its name, and that it is installed; `keyring --list-backends` lists those that are"
    )


def _why_none() -> str:
    if sys.platform in ("darwin", "win32"):
        return "keyring cannot use the one of the system here (see `keyring diagnose`)"
    if not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return "there is no D-Bus session (DBUS_SESSION_BUS_ADDRESS is not set)"
    return (
        "no Secret Service (such as gnome-keyring or KeePassXC) and no KWallet answers on the "
        "D-Bus session, and none can be started"
    )
