"""Who owns a file, for a message."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = 0


def whose(path: Path) -> str:
    """Says which user the file, or the nearest folder above it that can be seen, belongs to.

    Empty if that is this user, or if the system has no such users.
    """
    if not hasattr(os, "geteuid"):
        return ""
    me = os.geteuid()
    for each in (path, *path.parents):
        try:
            owner = each.lstat().st_uid
        except OSError:
            # A folder that this user may not search hides what is in it.
            continue
        # The folders of the system are root's, and not to blame.
        if owner == me or (each != path and each != path.parent and owner == ROOT):
            return ""
        return (
            f"{each} belongs to {owner_named(owner)}, and this program runs as {owner_named(me)}; "
            f"if a run with sudo made it: sudo chown -R {me} {each}"
        )
    return ""


def owner_named(uid: int) -> str:
    """Names a user, for a message about a file.

    Args:
        uid: The user's number.

    Returns:
        Name and number: ``"me (uid 1000)"``; the number alone if the system knows no name for it.
    """
    try:
        import pwd

        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except (ImportError, KeyError):
        # Windows has no pwd; a container's user often has no entry in it.
        return f"uid {uid}"
