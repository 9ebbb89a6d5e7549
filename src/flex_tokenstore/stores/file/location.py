"""Where the token file is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from flex_tokenstore._config.env_text import expand_path
from flex_tokenstore._host.paths import CONFIG, config_folder, javascript_folder
from flex_tokenstore._values.host_program import HostProgram
from flex_tokenstore.errors import StoreOptionsError, TokenUnavailableError
from flex_tokenstore.stores.file.naming import MAIN


class Location(NamedTuple):
    """Where the file is."""

    folder: Path
    name: str | None = None
    """The file's name, if that is fixed."""
    is_ours: bool = False
    """It is the default folder, which no other program uses."""
    problem: str = ""
    """Why there is no such folder."""


def location_of(path: str | None, program: HostProgram, *, share_with_js: bool) -> Location:
    """The location that the store's options name.

    Raises:
        StoreOptionsError: The option ``path`` names no file.
    """
    if path is None:
        return _default_location(program, share_with_js)
    full = Path(expand_path(path)).absolute()
    if not path.strip() or not full.name or "\0" in path:
        raise StoreOptionsError(
            f"option path of the store 'file' must name a file, got {path!r}; omit it for the "
            "default location",
            option="path",
            store="file",
        )
    return Location(full.parent, full.name)


def _default_location(program: HostProgram, share_with_js: bool) -> Location:
    name = MAIN if share_with_js else None
    try:
        folder = javascript_folder(program) if share_with_js else config_folder(program)
    except TokenUnavailableError as error:
        # Raised when it is needed: a program may do without its store (on_store_error="memory").
        return Location(Path(CONFIG, program.folder), name, problem=error.message)
    return Location(folder, name, is_ours=not share_with_js or folder == config_folder(program))
