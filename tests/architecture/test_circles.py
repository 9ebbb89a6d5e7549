"""No module imports, in the end, itself; imports for types and those inside functions count too."""

from __future__ import annotations

from functools import cache
from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

PACKAGES = ("flex_tokenstore", "flex_integration_sdk")


@cache
def imports() -> dict[str, set[str]]:
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=False)
    return {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """The names along one circle; none: []."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def folder_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_each_other(package: str) -> None:
    # A package's public face imports what is below it; nothing below needs to import the face.
    own = {name: {to for to in found if to != package} for name, found in imports().items()}
    assert circle({name: to for name, to in own.items() if name.startswith(package)}) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folders_import_each_other(package: str) -> None:
    folders: dict[str, set[str]] = {}
    for name, found in imports().items():
        if not name.startswith(f"{package}."):
            continue
        mine = folder_of(name)
        others = {folder_of(to) for to in found if to.startswith(f"{package}.")}
        folders.setdefault(mine, set()).update(others - {mine})
    assert circle(folders) == []
