"""``flex-sdk stores new``: a plugin package, copied from the one in ``_skeleton``.

The skeleton is a package that works, so it is formatted, typed and tested like all code here. What
is in its folder ``simple`` takes the place of the files of the same name with ``--simple``.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

import click

from ._group import Command
from ._progress import waiting_for

_PREFIX = "flex-tokenstore-"
_SIMPLE = "simple"


@click.command("new", cls=Command, short_help="Write a plugin package with a store of your own.")
@click.argument("name")
@click.option(
    "--folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Folder to write it to; must be new or empty. Default: ./flex-tokenstore-NAME.",
)
@click.option(
    "--simple",
    is_flag=True,
    help="For a backend that cannot write on a condition: three methods, and no base.",
)
def new(name: str, folder: Path | None, simple: bool) -> None:
    """Write a plugin package with a store of your own, called NAME.

    The package can be installed as it is, and passes the conformance kit. It keeps tokens in an
    SQLite database (with --simple in a JSON file); change it to keep them where you want.
    """
    with waiting_for("the list of installed stores"):
        _check_name(name)
    shown = folder or Path(f"{_PREFIX}{name}")
    target = shown.resolve()
    if target.exists() and not _is_empty(target):
        raise click.UsageError(f"{target} exists and is not an empty folder: pass another --folder")
    try:
        with waiting_for(f"{target} to be written"):
            _write(_package(name, simple=simple), target)
    except OSError as error:
        raise click.ClickException(
            f"{target} cannot be written: {error.strerror or error}"
        ) from None
    click.echo(_next_steps(name, shown, simple=simple))


def _is_empty(folder: Path) -> bool:
    """Whether it is a folder with nothing in it but what ``git init`` makes."""
    return folder.is_dir() and all(entry.name == ".git" for entry in folder.iterdir())


def _check_name(name: str) -> None:
    from flex_tokenstore import list_stores
    from flex_tokenstore.embedding import problem_of_store_name

    short = name.removeprefix(_PREFIX)
    if short != name:
        raise click.UsageError(
            f"NAME is the name of the store, without {_PREFIX!r}: {short!r} would be valid"
        )
    if problem := problem_of_store_name(name):
        raise click.UsageError(f"{name!r} {problem}")
    for info in list_stores():
        if info.name == name:
            remedy = "" if info.origin == "built-in" else ", or uninstall that one"
            raise click.UsageError(
                f"{name!r} is the name of an installed store, of {info.distribution}; two stores "
                f"with the same name cannot be used: choose another name{remedy}"
            )


def _write(package: Iterable[tuple[PurePosixPath, str]], target: Path) -> None:
    """Writes the whole package, or nothing.

    Raises:
        OSError: The file system refuses.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target: a rename works within one file system only.
    made = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    moved: list[Path] = []
    try:
        for relative, text in package:
            path = made / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        if not target.exists():
            made.rename(target)
            return
        # An empty folder of the user's, who may be standing in it, stays the same folder.
        for entry in made.iterdir():
            moved.append(target / entry.name)
            entry.rename(moved[-1])
    except BaseException:
        for path in moved:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(made, ignore_errors=True)  # not there if all went well


def _package(name: str, *, simple: bool) -> Iterator[tuple[PurePosixPath, str]]:
    """The files of the skeleton under the new name: path and text of each."""
    module = name.replace("-", "_")
    names = {
        "flex_tokenstore_skeleton": f"flex_tokenstore_{module}",
        "test_skeleton_store": f"test_{module}_store",
        "SkeletonStore": "".join(map(str.capitalize, name.split("-"))) + "Store",
        "skeleton": name,
    }
    pattern = re.compile("|".join(names))
    found = dict(_files(files("flex_integration_sdk.cli") / "_skeleton", PurePosixPath()))
    others = {path: found.pop(path) for path in list(found) if path.parts[0] == _SIMPLE}
    if simple:
        found |= {path.relative_to(_SIMPLE): file for path, file in others.items()}
    for path, file in found.items():
        renamed = pattern.sub(lambda match: names[match[0]], str(path))
        # Tools would take `.gitignore` and `.github` of the skeleton for this repository's own.
        renamed = re.sub(r"^dot-", ".", renamed)
        text = file.read_text(encoding="utf-8")
        yield PurePosixPath(renamed), pattern.sub(lambda match: names[match[0]], text)


def _files(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for entry in folder.iterdir():
        if entry.name.startswith((".", "__pycache__")):
            continue  # what tools left there
        if entry.is_file():
            yield path / entry.name, entry
        else:
            yield from _files(entry, path / entry.name)


def _next_steps(name: str, folder: Path, *, simple: bool) -> str:
    module = name.replace("-", "_")
    steps = [
        ["cd", str(folder)],
        [_python(), "-m", "pip", "install", "-e", ".[test]"],
        ["flex-sdk", "stores", "show", name],
        [_python(), "-m", "pytest", "-m", "not slow"],
    ]
    if folder.resolve() == Path.cwd():
        del steps[0]
    lines = "\n".join(f"  {_quoted(step)}" for step in steps)
    keeps = "one JSON file" if simple else "an SQLite database"
    return (
        f"{folder}: the package {_PREFIX}{name}, with a store that keeps tokens in {keeps}.\n\n"
        f"Install it, and run the conformance kit on it:\n\n{lines}\n\nThen change "
        f"src/flex_tokenstore_{module}/_store.py to keep tokens where you want, replace the "
        f"fixtures in tests/test_{module}_store.py, and run the kit again."
    )


def _python() -> str:
    """How to type this Python: a plugin must be installed in its environment."""
    found = shutil.which("python")
    if found is not None and Path(found).absolute() == Path(sys.executable).absolute():
        return "python"
    return sys.executable


def _quoted(words: list[str]) -> str:
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
