"""What the errors of keyring and of its backends mean, and what to do about them."""

from __future__ import annotations

import configparser
import os
from typing import Any, NamedTuple

from keyring import errors

SERVER = (
    'On a server without a desktop, use the store "encrypted" over "file"; or run the program in a '
    "D-Bus session of its own that has a keyring: dbus-run-session -- sh -c "
    "'gnome-keyring-daemon --unlock --components=secrets </run/secrets/keyring-password; "
    "exec your-program'"
)
_UNLOCK = (
    "Unlock it (on a desktop by signing in, or with its own program for passwords; in an ssh "
    f"session on macOS with `security unlock-keychain`), and call again. {SERVER}"
)


class Problem(NamedTuple):
    """Why a call failed."""

    text: str
    """Cause and remedy. Never the words of the error: they may quote what is kept."""
    denied: bool = False
    """This user, or this program, may not do it."""
    passing: bool = False
    """Another program may just have been writing: look again when nobody writes."""
    again: bool = False
    """The keyring may say so without a reason: ask once more."""


class Failed(Exception):
    """A call of the keyring failed.

    Args:
        problem: Why.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


LOCKED = Problem(f"it is locked, and was not unlocked when it asked, or it cannot ask. {_UNLOCK}")
_NEVER_MADE = Problem(
    "it has no default keyring that could be opened: none was made yet, or it was never unlocked "
    f"in this session, and it cannot ask. {_UNLOCK}",
    again=True,
)
_GONE = Problem("it does not answer any more. Check that its daemon runs and that D-Bus is up")
_NOBODY_ANSWERS = Problem(
    "it asked for its passphrase at the terminal, and nobody could answer. Set the variable "
    'KEYRING_PROPERTY_KEYRING_KEY to the passphrase, or use the store "encrypted" over "file"'
)

# Status codes of Apple's Security framework (SecBase.h).
_MACOS = {
    -128: LOCKED,  # errSecUserCanceled
    -25293: Problem(
        "this program may not use the item, or the password was wrong. In the program Keychain "
        "Access, allow this Python to use it; a Python that was replaced asks again",
        denied=True,
    ),
    -25308: LOCKED,  # errSecInteractionNotAllowed: in ssh, or in a daemon
    -25307: Problem("this user has no default keychain. Make one in the program Keychain Access"),
    -25291: Problem("there is no keychain in this session, such as that of a daemon. " + SERVER),
    -34018: Problem("this program is not signed so that it may use the keychain", denied=True),
}
# Error codes of Windows (winerror.h).
_WINDOWS = {
    5: Problem("this user may not use it", denied=True),
    8: Problem("it is full, or the item is larger than it takes"),
    1312: Problem(
        "this session has no credentials of its own, such as one that was opened over the network "
        "or a service without a profile. Run the program as a user who has signed in, or use the "
        'store "encrypted" over "file"'
    ),
    1783: Problem("the item is larger than it takes. Set the option chunk to a smaller number"),
}


def explain(error: Exception) -> Problem:
    """What the error of a call means."""
    name = type(error).__name__
    for each in (error, error.__cause__, error.__context__):
        status = _status(each)
        if status in _MACOS:
            return _MACOS[status]
    if isinstance(error, errors.KeyringLocked) or name in _LOCKED:
        return LOCKED
    if isinstance(error, errors.InitError):
        cause = type(error.__cause__).__name__
        return _GONE if cause == "SecretServiceNotAvailableException" else _NEVER_MADE
    if isinstance(error, errors.NoKeyringError):
        return Problem(f"keyring has no backend that works here. {SERVER}")
    if name == "ItemNotFoundException":
        return Problem(
            "an item was removed while it was read, by a program that does not use the same lock",
            passing=True,
            again=True,
        )
    code = getattr(error, "winerror", None)
    if type(code) is int:
        return _WINDOWS.get(code, Problem(f"it says error {code}"))
    if name == "GetPassWarning" or isinstance(error, EOFError):
        return _NOBODY_ANSWERS
    if isinstance(error, _OF_FILES):
        return Problem(
            f"its file cannot be read ({name}): the passphrase is wrong, or the file is damaged",
            passing=True,
        )
    if name in _OUTAGES or isinstance(error, ConnectionError):
        return _GONE
    return Problem(f"{_described(error)}. Check that the keyring works: `keyring diagnose`")


_LOCKED = {"LockedException", "PromptDismissedException"}
_OUTAGES = {
    *("SecretServiceNotAvailableException", "SecretStorageException"),
    *("DBusErrorResponse", "DBusException", "Error"),  # of jeepney, dbus-python and GLib
}
# What the backends raise that keep a file themselves.
_OF_FILES = (ValueError, AssertionError, LookupError, configparser.Error)


def close_connections(error: BaseException) -> None:
    """Closes the D-Bus connection that keyring leaves open when the Secret Service is locked.

    ``SecretService.Keyring.get_preferred_collection`` raises without closing it, and Python warns
    of the socket later, in whatever code then runs.
    """
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_globals.get("__name__") == "keyring.backends.SecretService":
            bus: Any = step.tb_frame.f_locals.get("bus")
            if bus is not None:
                bus.close()
        step = step.tb_next


def _status(error: BaseException | None) -> int:
    """The status code of the macOS keychain, or 0."""
    if error is None or type(error).__module__ != "keyring.backends.macOS.api":
        return 0
    first = error.args[0] if error.args else 0
    return first if type(first) is int else 0


def _described(error: Exception) -> str:
    number = getattr(error, "errno", None)
    said = f" ({os.strerror(number)})" if type(number) is int else ""
    return f"it raised {type(error).__name__}{said}"
