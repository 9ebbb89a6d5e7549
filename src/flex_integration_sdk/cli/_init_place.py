"""Where ``flex-sdk init`` may write: not every folder, and not in place of every file."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from flex_integration_sdk._settings.rights import others_may_replace_in


def refuse_place(path: Path) -> None:
    """Refuses a place for the config file that nothing would read it from, or nobody could use.

    Raises:
        ClickException: What is wrong, and what to do.
    """
    _refuse_hidden_folder(path)
    for each in {path, path.resolve()}:
        _refuse_others_folder(each)
        _refuse_shared_folder(each)
    refuse_mount(path.resolve())


def refuse_git(secret_file: Path) -> None:
    """Refuses to write the client secret into a git work tree.

    Raises:
        ClickException: What is wrong, and what to do.
    """
    folder = secret_file.parent.resolve()
    tree = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)
    if tree is not None:
        raise click.ClickException(
            f"{folder} is in the git work tree {tree}, where the client secret could be committed. "
            "Write the secret into a file elsewhere, and use --client-secret-file FILE"
        )


def refuse_mount(path: Path) -> None:
    """Refuses a file that is mounted by itself, as into a container: it cannot be replaced.

    Raises:
        ClickException: What is wrong, and what to do.
    """
    from flex_integration_sdk._doctor.mountinfo import mount_of

    mount = mount_of(path)
    if mount is not None and mount.point == str(path):
        raise click.ClickException(
            f"{path} is a mount of its own, which no other file can be put in place of. Nothing "
            "was changed. Mount its folder, or run `flex-sdk init` where the file comes from"
        )


def _refuse_hidden_folder(path: Path) -> None:
    """A folder that this user may not look into, as sudo makes them."""
    try:
        path.stat()
    except PermissionError:
        pass
    except OSError:
        return  # it does not exist, or cannot be used for a reason that is told later
    else:
        return
    from flex_tokenstore.embedding import owner_named

    folder = next(each for each in path.parents if _is_seen(each))
    raise click.ClickException(
        f"{path} cannot be looked at: permission denied. The folder {folder} belongs to "
        f"{owner_named(folder.stat().st_uid)}, and this command runs as "
        f"{owner_named(os.geteuid())}. Nothing was changed. Give the folder back (sudo chown -R "
        f"{os.geteuid()} {shlex.quote(str(folder))}), or name another config file with "
        "--config FILE"
    )


def _is_seen(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True


def _refuse_others_folder(path: Path) -> None:
    """With sudo, say: the files would be root's, and the user could not use them."""
    if os.name == "nt":
        return
    from flex_tokenstore.embedding import owner_named

    there = next((each for each in (path, *path.parents) if each.exists()), path)
    owner, me = there.stat().st_uid, os.geteuid()
    if owner in (me, 0) and (owner == me or there != path):
        return
    raise click.ClickException(
        f"{there} belongs to {owner_named(owner)}, and this command runs as {owner_named(me)}. "
        "Run it as that user (without sudo), or name a config file of your own with --config FILE"
    )


def _refuse_shared_folder(path: Path) -> None:
    """No program reads a config file that other users can replace."""
    folder = path.parent
    if folder.is_dir() and others_may_replace_in(folder):
        raise click.ClickException(
            f"other users may write in {folder}, and could replace {path.name}, so that no program "
            f"would read it. Nothing was changed: chmod go-w {folder}"
        )


def absolute(path: str) -> str:
    """A path that works from each folder."""
    return str(Path(path).expanduser().absolute())
