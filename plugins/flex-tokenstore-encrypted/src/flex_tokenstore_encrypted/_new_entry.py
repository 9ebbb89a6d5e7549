"""A new key in the system's keychain, where to replace an entry may be to remove it first."""

from __future__ import annotations

import sys
from typing import Any

from flex_tokenstore import Secret

from ._key_text import from_text, to_line
from ._keychain import parts_of

_SPARE = ".before"  # the entry that has the old keys while those of the other one are replaced

Place = tuple[str, str]


def put_key(keychain: Any, entry: str, key: Secret[bytes], *, first: bool) -> str:
    """Saves the key, and reads it back; returns what is wrong.

    Whenever this is interrupted, the keys that were there are in the entry or in the spare one.

    Args:
        keychain: The backend.
        entry: ``service/username``.
        key: The new one.
        first: The entry exists: put the key before those in it.

    Raises:
        Exception: The keychain cannot be read.
    """
    place = parts_of(entry)
    spare = (place[0], place[1] + _SPARE)
    there, left = _read(keychain, place), _read(keychain, spare)
    old = left if there is None else there
    line = Secret(to_line(key).reveal().decode().strip())
    if old is None:
        if first:
            return f"the keychain has no entry {entry!r}. Without --first a new one is made"
        return _not_saved(entry, _save(keychain, place, line))
    if not first:
        name = entry if there is not None else "/".join(spare)
        return (
            f"the keychain has an entry {name!r}. Tokens may be encrypted with the keys in it: use "
            "--first to put the new key before them, or choose another entry"
        )
    keys, told = from_text(old)
    if told:
        return f"the entry {entry!r} {told}"
    if left is not None and not set(from_text(left)[0]) <= set(keys):
        return (
            f"the entry {'/'.join(spare)!r}, which a run that was interrupted has left, holds keys "
            f"that {entry!r} does not have: add them to it, or remove that entry"
        )
    return _replaced(keychain, entry, old, Secret(f"{line.reveal()}\n{old.reveal()}"))


def _replaced(keychain: Any, entry: str, old: Secret[str], new: Secret[str]) -> str:
    place = parts_of(entry)
    spare = (place[0], place[1] + _SPARE)
    problem = _save(keychain, spare, old)
    if problem:
        return (
            f"the keys of {entry!r} are not replaced, since the keychain keeps no copy of them: "
            f"{problem}. Nothing was changed. Make the key in another entry, without --first"
        )
    problem = _save(keychain, place, new)
    if problem and _save(keychain, place, old):
        return (
            f"{_not_saved(entry, problem)}. The old keys could not be put back either: they are in "
            f"the entry {'/'.join(spare)!r}. Unlock the keychain and run this command again, or "
            "set key_keychain to that entry"
        )
    try:
        keychain.delete_password(*spare)
    except Exception as error:  # noqa: BLE001 - of any backend
        sys.stderr.write(
            f"note: the old keys are also in the entry {'/'.join(spare)!r}, which could not be "
            f"removed ({type(error).__name__})\n"
        )
    return f"{_not_saved(entry, problem)}. It has its old keys" if problem else ""


def _not_saved(entry: str, problem: str) -> str:
    return problem and f"the key was not saved in the entry {entry!r}: {problem}"


def _read(keychain: Any, place: Place) -> Secret[str] | None:
    found = Secret(keychain.get_password(*place))
    return None if found.reveal() is None else found


def _save(keychain: Any, place: Place, text: Secret[str]) -> str:
    """Saves the text and reads it back; returns what is wrong."""
    problem = "the keychain does not keep what it is given"
    try:
        keychain.set_password(*place, text.reveal())
    except Exception as error:  # noqa: BLE001 - of any backend; its text may hold the key
        problem = f"the keychain refused it ({type(error).__name__}), perhaps since it is locked"
    try:
        return "" if _read(keychain, place) == text else problem
    except Exception as error:  # noqa: BLE001 - of any backend
        return f"the keychain could not be read ({type(error).__name__})"
