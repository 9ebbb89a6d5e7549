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

from flex_tokenstore import StoreOptionsError

from ._known import (
    KEEPS_NOTHING,
    KNOWN,
    KWALLET,
    LIBSECRET,
    MACOS,
    ON_DBUS,
    SECRET_SERVICE,
    UNNAMED,
    WINDOWS,
    how_to_allow,
)
from ._options import wrong
from ._problems import SERVER, Failed, Problem, close_connections

VARIABLE = "PYTHON_KEYRING_BACKEND"
_OPTION = "the option backend"


class Named(NamedTuple):
    """What somebody chose, in one of the three places where one may."""

    name: str
    by: str
    """Where."""
    cls: Any
    """The backend's class; None: any that encrypts, as the system has it."""


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


def named(option: str | None, *, allow_plaintext: bool) -> Named | None:
    """The backend that somebody chose, if it may be used; it connects to nothing.

    What is wrong here is a slip or a decision, no outage: ``fallback`` must not pass over it.

    Args:
        option: The one that the store's options name.
        allow_plaintext: Whether one that is not known to encrypt may be used.

    Raises:
        StoreOptionsError: It is refused, or cannot be imported.
    """
    name, by, folder = (option, _OPTION, "") if option else _configured()
    if not name:
        return None
    if name in UNNAMED:
        return Named(name, by, None)
    _check(name, by, allow_plaintext=allow_plaintext)
    cls = _imported(name, folder)
    if cls is None:
        raise _wrong(by, f"names {name}, which cannot be imported. {_reason(name)}")
    # It may have been imported from another module than its own.
    name = f"{cls.__module__}.{cls.__qualname__}"
    _check(name, by, allow_plaintext=allow_plaintext)
    return Named(name, by, cls)


def choose(named: Named | None) -> Backend:
    """The backend to use now.

    Raises:
        Failed: There is none that can be used.
    """
    if named is None:
        return _of_system("it is the system's own")
    name, by, cls = named
    if cls is None:
        return _of_system(f"{by} leaves the choice open")
    keyring = _made(cls)
    if keyring is None:
        # Those that connect to nothing lack an installation, or are another system's.
        denied = name in KNOWN and name not in ON_DBUS
        text = f"{name} cannot be used here, and {by} names it. {_reason(name)}"
        raise Failed(Problem(text, denied=denied))
    return Backend(keyring, name, f"{by} names it", name in KNOWN)


def _check(name: str, by: str, *, allow_plaintext: bool) -> None:
    if name in KEEPS_NOTHING:
        raise _wrong(
            by,
            f"names {name}, {KEEPS_NOTHING[name]}. To use a keyring all the same, name another "
            "backend with the option backend",
        )
    if name not in KNOWN and not allow_plaintext:
        raise _wrong(by, f"names {name}, which {how_to_allow(name)}")


def _wrong(by: str, problem: str) -> StoreOptionsError:
    return wrong("backend" if by == _OPTION else None, f"{by} {problem}")


def _configured() -> tuple[str, str, str]:
    """What keyring's variable or file names, as keyring reads them: the name, or nothing; where;
    and a folder to import it from."""
    variable = os.environ.get(VARIABLE, "").strip()
    if variable:
        return variable, f"the variable {VARIABLE}", ""
    file = Path(platform_.config_root(), "keyringrc.cfg")
    by = f"keyring's file {file}"
    config = configparser.RawConfigParser()
    broken = ""
    try:
        config.read_string(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return "", by, ""
    except OSError as error:
        broken = f" ({os.strerror(error.errno)})" if error.errno else ""
        broken = f"cannot be read{broken}"
    except (ValueError, configparser.Error):
        broken = "is not as keyring writes it"
    if broken:  # it may name another backend than the system's: not passed over
        raise _wrong(by, f"{broken}. Correct it or remove it, or set the option backend")
    name = config.get("backend", "default-keyring", fallback="").strip()
    return name, by, config.get("backend", "keyring-path", fallback="").strip()


def _of_system(why: str) -> Backend:
    """The first backend that can be used, of those that keyring would take here."""
    for name in _candidates():
        cls = _imported(name)
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


def _imported(full_name: str, folder: str = "") -> Any:
    """The class; None: there is none.

    Args:
        full_name: Its name, with that of its module.
        folder: One that keyring's file names, for backends that are not installed.
    """
    module, _, name = full_name.rpartition(".")
    found = None
    with suppress(Exception):  # what a stranger's module raises
        if folder and (path := str(Path(folder).expanduser())) not in sys.path:
            sys.path.insert(0, path)  # as keyring does
        found = getattr(importlib.import_module(module), name, None)
    return found if isinstance(found, type) else None


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


def _reason(name: str) -> str:
    known = KNOWN.get(name)
    if name in ON_DBUS:
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
