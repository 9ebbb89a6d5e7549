"""Which stores are installed, read from the metadata of distributions only."""

from __future__ import annotations

import os
import re
import site
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..hookspecs import PROJECT as GROUP
from .names import problem_of_store_name
from .rules import Rules, normal_name

__all__ = [
    "BUILT_IN",
    "NO_NAME",
    "OURS",
    "Candidate",
    "candidates",
    "left_out",
    "normal_name",
    "search_path",
]

OURS = "flex-integration-sdk"
NO_NAME = "?"  # where the metadata does not tell
BUILT_IN = {
    "memory": "flex_tokenstore.stores.memory:MemoryStore",
    "file": "flex_tokenstore.stores.file:FileStore",
    "fallback": "flex_tokenstore.stores.fallback:FallbackStore",
    "read-only": "flex_tokenstore.stores.read_only:ReadOnlyStore",
}

_REFERENCE = re.compile(r"(?!\d)\w+(\.(?!\d)\w+)*:(?!\d)\w+(\.(?!\d)\w+)*")


class Candidate(NamedTuple):
    """One entry point of the group, a class that the program registered (``cls``), or (``problem``)
    a distribution that cannot be read."""

    name: str
    value: str
    distribution: str
    version: str
    summary: str
    problem: str = ""
    incompatible: str = ""
    cls: type | None = None

    @property
    def ours(self) -> bool:
        """Whether the store comes with this package; its distribution's name does not prove it."""
        return normal_name(self.distribution) == OURS and BUILT_IN.get(self.name) == self.value

    @property
    def blocked(self) -> bool:
        """Whether the user's environment excludes this store; a built-in one only by its name.

        Raises:
            StoreOptionsError: See ``Rules``.
        """
        rules = Rules()
        return rules.keep_out(self.name, self.distribution, built_in=self.ours)


def candidates() -> list[Candidate]:
    """All entry points of the group ``flex_tokenstore``; imports no plugin.

    Metadata found through the current directory is not used, however it came onto ``sys.path``:
    the interpreter turns the relative entries of ``PYTHONPATH`` into absolute ones.
    """
    return _scan(search_path())


def search_path() -> list[str]:
    """The entries of ``sys.path`` in which plugins are looked for."""
    return [entry for entry in _absolute() if not _is_working_folder(entry)]


def left_out() -> list[Candidate]:
    """What :func:`candidates` omits; for messages only, never to be loaded."""
    return _scan([str(Path.cwd())]) if _working_folder() is not None else []


def _scan(path: list[str]) -> list[Candidate]:
    # Imported late: it costs about 50 ms, and a built-in name needs no scan (docs/decisions/017).
    import importlib_metadata

    found: list[Candidate] = []
    seen: set[str] = set()
    for distribution in importlib_metadata.distributions(path=path):
        # Nothing is parsed of most distributions: docs/decisions/007.
        if not _mentions_us(distribution):
            continue
        metadata = _metadata(distribution)
        name = None if metadata is None else metadata["Name"] or None
        if name is not None:
            if normal_name(name) in seen or _is_shadowed(distribution, name, path):
                continue
            seen.add(normal_name(name))
        found += _entries(distribution, name, metadata)
    return found


def _entries(distribution: Any, name: str | None, metadata: Any) -> Iterator[Candidate]:
    problem = "" if name else _leftover(distribution)
    version, summary, unmet = "", "", ""
    try:
        if name:
            version = metadata["Version"] or ""
            summary = metadata.get("Summary") or ""
            # distribution.requires would parse the metadata again; it is for eggs, which have
            # their requirements in another file.
            unmet = _unmet(metadata.get_all("Requires-Dist") or distribution.requires or ())
        points = [point for point in distribution.entry_points if point.group == GROUP]
    except Exception as error:  # noqa: BLE001 - shown in the list, whatever it is
        what = f"its metadata {_where(distribution)} cannot be read ({type(error).__name__})"
        yield Candidate(NO_NAME, "", name or NO_NAME, version, summary, problem or what)
        return
    counts = Counter(point.name for point in points)
    for point in {point.name: point for point in points}.values():
        value = re.sub(r"\s*\[[^\]]*\]$", "", point.value.strip())  # extras mean nothing here
        wrong = problem
        if counts[point.name] > 1:
            wrong = wrong or "its entry points list this name twice"
        if not _REFERENCE.fullmatch(value):
            wrong = wrong or "its entry point is not of the form package.module:Class"
        wrong = wrong or _problem_of_name(point.name)
        if name and normal_name(name) == OURS and BUILT_IN.get(point.name) != value:
            wrong = wrong or f"its distribution has the name of {OURS}, which has no such store"
        yield Candidate(point.name, value, name or NO_NAME, version, summary, wrong, unmet)


def _problem_of_name(name: str) -> str:
    if name in BUILT_IN:
        return ""  # of ours, or a reserved name, which the list tells
    if name.lower() in BUILT_IN:
        return f"{name!r} differs from the name of a store of {OURS} only in upper and lower case"
    problem = problem_of_store_name(name)
    return f"its name {name!r:.80} {problem}" if problem else ""


def _unmet(requires: Iterable[str]) -> str:
    """Why the plugin does not work with the installed version; "" if it does."""
    from packaging.requirements import InvalidRequirement, Requirement

    from .._version import __version__

    for text in requires:
        named = re.match(r"\s*([\w.-]+)", text)
        if named is None or normal_name(named[1]) != OURS:
            continue  # before it is parsed, which takes longer
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue  # the installer's business, unless it is about us, which nobody can tell
        # packaging cannot evaluate a marker that names an extra without a value for it.
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        # A specifier does not match pre-releases by default, and one may be installed.
        if not requirement.specifier.contains(__version__, prereleases=True):
            return (
                f"it needs {OURS}{requirement.specifier}, but {__version__} is installed; install "
                f"a version of the plugin that works with {__version__}, or the {OURS} it needs"
            )
    return ""


def _mentions_us(distribution: Any) -> bool:
    try:
        text = distribution.read_text("entry_points.txt")
    except UnicodeDecodeError as error:
        # Damaged, and perhaps ours: it is listed as broken, not passed over.
        return GROUP.encode() in error.object
    except Exception:  # noqa: BLE001 - unreadable, so there is nothing in it to choose by name
        return False
    return bool(text) and GROUP in text


def _metadata(distribution: Any) -> Any:
    """What its metadata says, parsed once: each look at ``metadata`` parses the file again."""
    if _path_of(distribution).name.startswith("~"):
        return None  # pip renames so what it is about to remove
    try:
        metadata = distribution.metadata
        metadata["Name"]  # it may be missing
        return metadata
    except Exception:  # noqa: BLE001 - a stranger's broken metadata is not our user's problem
        return None


def _is_shadowed(distribution: Any, name: str, path: list[str]) -> bool:
    """Whether an earlier entry of ``sys.path`` has a distribution of that name, which is used."""
    import importlib_metadata

    first = next(iter(importlib_metadata.distributions(name=name, path=path)), None)
    return first is not None and _where(first) != _where(distribution)


def _leftover(distribution: Any) -> str:
    path = _path_of(distribution)
    where = str(path) if path.name else _where(distribution)
    if _is_closed(path):
        return f"its metadata {where} cannot be read by this user: permission denied"
    return (
        f"the metadata {where} has no name: an interrupted or damaged installation left it; remove "
        "it"
    )


def _is_closed(path: Path) -> bool:
    """Whether this user may not read the metadata, which importlib.metadata passes over."""
    try:
        (path / "METADATA").open("rb").close()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _path_of(distribution: Any) -> Path:
    """The folder of the metadata; an empty path where a finder does not tell."""
    path = getattr(distribution, "_path", None)  # importlib.metadata has no public name for it
    try:
        return Path(str(path)) if path is not None else Path()
    except Exception:  # noqa: BLE001 - a finder of a stranger's
        return Path()


def _where(distribution: Any) -> str:
    try:
        return f"in {distribution.locate_file('')}"
    except Exception:  # noqa: BLE001 - a finder of a stranger's need not know
        return "in an unknown location"


def _absolute() -> list[str]:
    return list(dict.fromkeys(e for e in sys.path if isinstance(e, str) and Path(e).is_absolute()))


def _is_working_folder(entry: str) -> bool:
    working = _working_folder()
    if working is None or not _is_same(entry, working):
        return False
    # Somebody may stand in site-packages; what is installed there was installed on purpose.
    installed = (*site.getsitepackages(), site.getusersitepackages())
    return working not in map(os.path.realpath, installed)


def _is_same(entry: str, folder: str) -> bool:
    """Whether both are one folder: macOS and Windows have many spellings of one name."""
    try:
        return Path(entry).samefile(folder)
    except OSError:  # the entry does not exist
        return os.path.realpath(entry) == folder


def _working_folder() -> str | None:
    try:
        return os.path.realpath(Path.cwd())
    except OSError:  # it was removed
        return None
