"""Who runs this: the user, the home folder, and what ``sudo`` made of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from flex_tokenstore.embedding import owner_named

from .checks import check
from .finding import Outcome, ok, warning
from .ground import Ground

_SAME_USER = "Run it as the user whose token it is, without sudo; or set HOME to the home folder of"


@check("user")
def user(ground: Ground) -> Iterator[Outcome]:
    """Whether the home folder, where files go by default, is this user's own."""
    if not hasattr(os, "geteuid"):
        yield ok("On this system the user and the home folder are not compared.")
        return
    me, home = owner_named(os.geteuid()), os.environ.get("HOME", "")
    if not home:
        yield _without_home(me)
        return
    try:
        owner = Path(home).stat().st_uid
    except OSError as failed:
        yield warning(
            f"This runs as {me}, whose home folder {home} (HOME) cannot be used: {failed.strerror}",
            "Set HOME to a folder of this user, or choose where the files go with XDG_CONFIG_HOME "
            "and XDG_STATE_HOME",
        )
        return
    if owner != os.geteuid() and (os.geteuid() == 0 or owner != 0):
        yield warning(
            f"This runs as {me}, and the home folder {home} (HOME) belongs to "
            f"{owner_named(owner)}, who could not use the files that are made now",
            f"{_SAME_USER} {me}, as `sudo -H` does",
        )
    elif os.geteuid() == 0 and (caller := os.environ.get("SUDO_USER", "root")) != "root":
        yield warning(
            f"This runs as {me} by sudo from {caller!r}, with the home folder {home}: it looks at "
            f"the files of {me}, not at those of {caller!r}",
            f"Run it without sudo, unless the program that uses the token runs as {me} too",
        )
    else:
        yield ok(f"This runs as {me}, with the home folder {home}")


def _without_home(me: str) -> Outcome:
    if home := _home_in_database():
        return ok(f"This runs as {me}; HOME is not set, so the home folder is {home}")
    return warning(
        f"This runs as {me}, who has no home folder: HOME is not set",
        "Set HOME, or name the token file with FLEX_INTEGRATION_TOKEN_STORE__PATH",
    )


def _home_in_database() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a container's user often has no entry
        return ""


CHECKS = (user,)
