"""Where files go, for this user."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .._config.env_text import problem_of_path, strip_value, warn_once
from .._values.host_program import NOBODY, HostProgram, current
from ..errors import TokenUnavailableError
from . import windows

if TYPE_CHECKING:
    from platformdirs.api import PlatformDirsABC

logger = logging.getLogger("flex_tokenstore")

CONFIG = "~/.config"
_NO_FSYNC = {errno.EINVAL, errno.ENOTSUP}  # file systems that cannot do it for folders


def config_folder(program: HostProgram = NOBODY) -> Path:
    """The program's folder in ``~/.config``, on macOS too; on Windows in ``%LOCALAPPDATA%``.

    Not the roaming folder: it is copied between machines at sign-in and sign-out, and would bring
    back refresh tokens that were used up elsewhere, and lock files.

    ``XDG_CONFIG_HOME`` replaces ``~/.config`` if it is absolute; the XDG Base Directory
    Specification has relative values ignored.

    Args:
        program: The program.

    Raises:
        TokenUnavailableError: This user has no home folder.
    """
    return _config_folder(program.folder, program)


def state_folder(program: HostProgram = NOBODY) -> Path:
    """That in ``~/.local/state``; ``XDG_STATE_HOME`` as in :func:`config_folder`.

    Raises:
        TokenUnavailableError: This user has no home folder.
    """
    name = program.folder
    dirs = _dirs(name)
    return _absolute(
        lambda: dirs.user_state_dir,
        "~/.local/state",
        name,
        "XDG_STATE_HOME",
        lambda: 'work without a lock between processes: host_lock="off"',
    )


def javascript_folder(program: HostProgram = NOBODY) -> Path:
    """Where the JavaScript SDK's file store writes (version 1.14.1, its ``src/file_store.js``).

    Its documentation names :func:`config_folder`, but env-paths adds ``-nodejs`` to that,
    except on macOS, where it does not use env-paths.

    Raises:
        TokenUnavailableError: This user has no home folder.
    """
    name = program.folder if sys.platform == "darwin" else f"{program.folder}-nodejs"
    folder = _config_folder(name, program, roaming=True)  # as env-paths has it
    return folder / "Config" if sys.platform == "win32" else folder


def user_folder() -> Path | None:
    """The user's own folder; None if there is none."""
    with suppress(RuntimeError):
        return Path.home()
    return None


def make_private_folder(folder: Path) -> None:
    """Makes the folder with mode 0700, and so each parent that is missing; keeps what exists.

    Raises:
        OSError: The file system refuses.
    """
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        # A root that is not there, such as a drive of Windows: mkdir below says so.
        if folder.parent == folder:
            break
        folder = folder.parent
    for path in reversed(missing):
        # Another process may be making it too. On Windows a folder inherits its parent's rights.
        # There, mode 0700 (Python 3.12.4 and newer) gives it to administrators only, if one made
        # it: the same user could not open it later without elevation.
        if windows.WINDOWS:
            path.mkdir(exist_ok=True)
        else:
            path.mkdir(mode=0o700, exist_ok=True)
        # A new folder is an entry of its parent: without this, a power cut may take it away.
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Syncs the folder: what was made, renamed or removed in it outlasts a power cut.

    Windows offers no such call, and a folder that this user may not list cannot be opened for it:
    there it does nothing.

    Raises:
        OSError: The file system refuses.
    """
    if os.name == "nt":
        return
    try:
        fd = os.open(folder, os.O_RDONLY)
    except PermissionError:  # mode 0300: what was done in it is done
        return
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _NO_FSYNC:
            raise
    finally:
        os.close(fd)


def elsewhere(path: Path) -> str:
    """What the user can do if the token cannot be kept at ``path``."""
    program = current.get()
    advice = f"choose another location with {program.path_option}"
    # By its name: to look the folder up needs imports, which may fail where an error is told.
    default = program.folder in path.parts
    return f"{advice}, or another folder for it with XDG_CONFIG_HOME" if default else advice


def _config_folder(name: str, program: HostProgram, *, roaming: bool = False) -> Path:
    dirs = _dirs(name, roaming=roaming)
    return _absolute(
        lambda: dirs.user_config_dir,
        CONFIG,
        name,
        "XDG_CONFIG_HOME",
        lambda: f"name the file with {program.path_option}",
    )


def _dirs(name: str, *, roaming: bool = False) -> PlatformDirsABC:
    if sys.platform == "win32":
        from platformdirs.windows import Windows

        # appauthor: platformdirs would else repeat the name, as the folder of an author.
        return Windows(name, appauthor=False, roaming=roaming)
    # On macOS too: ~/.config is documented there, not ~/Library/Application Support.
    from platformdirs.unix import Unix

    return Unix(name, appauthor=False)


def _of_variable(variable: str, name: str) -> Path | None:
    """The folder that an XDG variable names; None where the platform decides.

    The value may have a line end or quotes around it, where no shell took them off.
    """
    value = os.environ.get(variable, "")
    if sys.platform == "win32" or not value or not (value := strip_value(value)):
        return None
    problem = problem_of_path(value, relative=False)
    if value.startswith("~") and not problem:
        problem = "starts with ~, which nothing expands here: write the full path"
    if not problem:
        return Path(value) / name
    warn_once(logger, f"{variable} is not used: its value {value[:80]!r} {problem}")
    return None


def _absolute(
    find: Callable[[], str], default: str, name: str, variable: str, instead: Callable[[], str]
) -> Path:
    """The folder.

    Args:
        find: Gives it; raises RuntimeError where no home folder is known.
        default: The folder that it is in, unless ``variable`` names another.
        name: Its own name.
        variable: Of the environment.
        instead: Gives what else this user can do.
    """
    path = Path()
    with suppress(RuntimeError):
        path = _of_variable(variable, name) or Path(find())
    if path.is_absolute():
        return path
    # A relative folder would be in the current directory: others choose what is in there.
    try:
        home_based = Path(default).expanduser() / name
    except RuntimeError:
        home_based = path
    if home_based.is_absolute():
        return home_based
    raise TokenUnavailableError(
        f"this user has no home folder to keep files in; set HOME or {variable} to a full path, or "
        f"{instead()}"
    )
