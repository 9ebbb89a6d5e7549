"""Who may read a file that ``flex-sdk init`` writes in place of another one."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flex_integration_sdk._settings.redacting import is_secret
from flex_integration_sdk._settings.table import PROFILES
from flex_tokenstore import Secret

PRIVATE = 0o600
_OTHERS = 0o077


def take_over(target: Path, temporary: Path, content: Secret[str], *, private: bool) -> list[str]:
    """Gives a new file the rights and the group of the one that it will replace.

    A service that runs as another user may read its profile there. A file that may contain a secret
    stays private, and so does one whose group this user cannot give it.

    Args:
        target: The file that may be there.
        temporary: The new file, which is private.
        content: Of the new file.
        private: It stays private whatever the content looks like.

    Returns:
        What the user should know about it, in sentences.

    Raises:
        OSError: The file system refuses.
    """
    if os.name == "nt" or not target.exists():
        return []
    before = target.stat()
    mode = stat.S_IMODE(before.st_mode)
    if not mode & _OTHERS:
        return []
    why = "a secret is in it" if private or _has_secret(content) else ""
    if not why:
        try:
            os.chown(temporary, -1, before.st_gid)
        except PermissionError:
            why = f"this user is not in its group {before.st_gid}"
    if why:
        return [
            f"only you can read {target} from now on, since {why}. Its mode was {mode:04o}, its "
            f"group {before.st_gid}"
        ]
    shutil.copystat(target, temporary)  # an access control list, too
    os.utime(temporary)
    return []


def _has_secret(content: Secret[str]) -> bool:
    """Whether a config file contains a value that may be secret."""
    import tomllib

    top = Secret(tomllib.loads(content.reveal())).reveal()
    sections = [top, *top.pop(PROFILES, {}).values()]
    return any(found for each in sections for found in _secrets(each, ()))


def _secrets(value: Any, path: tuple[str, ...]) -> Iterator[bool]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _secrets(inner, (*path, key))
        return
    yield bool(value) and is_secret(path, value)
    if isinstance(value, list):
        for each in value:
            yield from _secrets(each, path)
