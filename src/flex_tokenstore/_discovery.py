"""Which stores are installed, told from the metadata of distributions alone."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

GROUP = "flex_tokenstore"
OURS = "flex-integration-sdk"


class Candidate(NamedTuple):
    """One entry point of the group, or (``problem``) a distribution that cannot be read."""

    name: str
    value: str
    distribution: str
    version: str
    summary: str
    problem: str = ""
    incompatible: str = ""

    @property
    def blocked(self) -> bool:
        """The user's environment keeps this distribution out."""
        name = normal_name(self.distribution)
        if name == OURS:
            return False
        allow = _names("FLEX_TOKENSTORE_ALLOW")
        return name in (_names("FLEX_TOKENSTORE_BLOCK") or ()) or (
            allow is not None and name not in allow
        )


def candidates() -> list[Candidate]:
    """All entry points of the group ``flex_tokenstore``; imports no plugin."""
    found: list[Candidate] = []
    seen: set[str] = set()
    for distribution in _distributions():
        try:
            name = distribution.metadata["Name"]
        except Exception:  # noqa: BLE001 - another's broken metadata is not our user's problem
            name = None
        where = Path(str(getattr(distribution, "_path", ""))).name or "a distribution"
        if not name:
            if _mentions_us(distribution):
                found.append(
                    Candidate("?", "", where, "", "", f"the metadata of {where} cannot be read")
                )
            continue
        if normal_name(name) in seen:
            continue  # shadowed by an earlier one on sys.path
        seen.add(normal_name(name))
        found += _of(distribution, name)
    return found


def normal_name(name: str) -> str:
    """A distribution name in its normal form (packaging.python.org, name normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _of(distribution: Any, name: str) -> Iterator[Candidate]:
    if not _mentions_us(distribution):
        return
    version, summary = "", ""
    try:
        version = distribution.version or ""
        summary = distribution.metadata["Summary"] or ""
        points = [point for point in distribution.entry_points if point.group == GROUP]
    except Exception as error:  # noqa: BLE001 - shown in the list, whatever it is
        yield Candidate(
            "?", "", name, version, summary, f"its metadata cannot be read: {type(error).__name__}"
        )
        return
    unmet = _unmet(distribution)
    for point in points:
        problem = ""
        if not re.fullmatch(r"[\w.]+:[\w.]+", point.value.strip()):
            problem = "its entry point is not of the form package.module:Class"
        yield Candidate(point.name, point.value.strip(), name, version, summary, problem, unmet)


def _unmet(distribution: Any) -> str:
    """Why it does not work with this version of ours; "" if it does."""
    from packaging.requirements import InvalidRequirement, Requirement

    from ._version import __version__

    for text in distribution.requires or ():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if normal_name(requirement.name) == OURS and not requirement.specifier.contains(
            __version__, prereleases=True
        ):
            return f"it needs {OURS}{requirement.specifier}, and {__version__} is installed"
    return ""


def _mentions_us(distribution: Any) -> bool:
    try:
        text = distribution.read_text("entry_points.txt")
    except Exception:  # noqa: BLE001 - unreadable: it cannot be one of ours
        return False
    return bool(text) and GROUP in text


def _distributions() -> Iterator[Any]:
    import importlib_metadata

    # A working folder must not be able to plant a store, however it got onto the path.
    working = Path.cwd().resolve()
    path = [
        entry
        for entry in sys.path
        if Path(entry).is_absolute() and Path(entry).resolve() != working
    ]
    return iter(importlib_metadata.distributions(path=path))


def _names(variable: str) -> set[str] | None:
    text = os.environ.get(variable)
    if text is None:
        return None
    return {normal_name(name.strip()) for name in text.split(",") if name.strip()}
