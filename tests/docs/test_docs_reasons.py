"""The pages that explain the code: decisions, architecture, glossary, contributing."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType, ModuleType

import pytest
import time_machine

from flex_integration_sdk import create_instance
from flex_integration_sdk.sandbox import RunningSandbox
from flex_tokenstore import TokenIdentity, open_store
from tests.docs.test_docs import ROOT

DOCS = ROOT / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
HEADINGS = ["Context", "Decision", "Measurement", "What would change it"]
TESTS = {path.name for part in ("tests", "plugins") for path in (ROOT / part).rglob("test_*.py")}


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem[:3])
def test_a_decision_has_its_four_parts(page: Path) -> None:
    title, *_ = read(page).splitlines()
    assert re.fullmatch(rf"# {page.stem[:3]}: \S.+", title)
    parts = re.split(r"^## (.+)$", read(page), flags=re.MULTILINE)[1:]
    assert parts[::2] == HEADINGS
    assert all(part.strip() for part in parts[1::2]), "a part is empty"


def test_the_decisions_are_numbered_without_a_gap() -> None:
    assert len(DECISIONS) >= 12
    assert [page.stem[:3] for page in DECISIONS] == [
        f"{number:03}" for number in range(1, len(DECISIONS) + 1)
    ]


def test_the_index_has_each_decision_with_its_title() -> None:
    rows = re.findall(
        r"^\| \[(\d+)\]\((\S+)\) \| (.+) \|$", read(DOCS / "decisions/index.md"), re.M
    )
    titles = [read(page).splitlines()[0].partition(": ")[2] for page in DECISIONS]
    assert rows == [
        (page.stem[:3], page.name, title) for page, title in zip(DECISIONS, titles, strict=True)
    ]


@pytest.mark.parametrize("page", [*DECISIONS, DOCS / "architecture.md"], ids=lambda page: page.stem)
def test_a_test_that_is_named_exists(page: Path) -> None:
    named = {Path(name).name for name in re.findall(r"`([\w/…-]*test_\w+\.py)`", read(page))}
    assert named <= TESTS


# The architecture: the picture is of these imports, and the journeys pass these files.

SRC = ROOT / "src"
PAGE = DOCS / "architecture.md"
PICTURE = "architecture.txt"
PACKAGES = {
    "flex_tokenstore": "",
    "flex_integration_sdk": "sdk/",
}  # and their prefix in the picture
# Modules that stand with a folder in the picture; what a package itself gives comes from its top.
BESIDE = {
    "flex_tokenstore": {},
    "flex_integration_sdk": {
        "": "_client",
        "config": "_settings",
        "demo": "cli",
        "errors": "_values",
        "names": "_vocabulary",
        "testing": "cli",
        "types": "_values",
    },
}


def load_tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def folders(package: str) -> set[str]:
    return {path.parent.name for path in (SRC / package).glob("*/__init__.py")}


def folder_of(package: str, parts: Sequence[str]) -> str:
    """The folder that a module of the package stands in, or with; "" for none."""
    first = parts[0] if parts else ""
    if first in folders(package):
        return first
    beside = BESIDE[package]
    return beside.get(first) or (
        "" if (SRC / package / f"{first}.py").exists() else beside.get("", "")
    )


def imported(package: str, path: Path) -> Iterator[str]:
    """The folders of its package that a module imports from."""
    above = path.relative_to(SRC).parts[:-1]
    for node in ast.walk(ast.parse(read(path))):
        if isinstance(node, ast.ImportFrom):
            base = above[: len(above) - node.level + 1] if node.level else ()
            parts = [*base, *(node.module.split(".") if node.module else ())]
            if parts[:1] == [package]:
                names = [parts[1:]] if parts[1:] else [[alias.name] for alias in node.names]
                yield from (folder_of(package, each) for each in names)


def imports_of_folders(package: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {folder: set() for folder in folders(package)}
    for path in (SRC / package).rglob("*.py"):
        inside = path.relative_to(SRC / package).with_suffix("").parts
        folder = folder_of(package, inside) if inside != ("__init__",) else ""
        if folder and "_skeleton" not in inside:
            found[folder] |= {*imported(package, path)} - {folder, ""}
    return found


def beyond(start: str, arrows: dict[str, set[str]]) -> set[str]:
    """What an arrow, or several in a row, lead to."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        new = arrows.get(ahead.pop(), set()) - found
        found |= new
        ahead += new
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_the_arrows_of_the_picture_are_the_imports(package: str) -> None:
    plan = load_tool("picture").read(read(DOCS / PICTURE))
    prefix = PACKAGES[package]
    boxes = {folder: f"{prefix}{folder}" for folder in folders(package)}
    assert {*boxes.values()} <= {*plan.things}, "a folder is not in the picture"
    drawn = {
        folder: {b for b in boxes if ("imports", boxes[folder], boxes[b]) in plan.arrows}
        for folder in boxes
    }
    for folder, real in imports_of_folders(package).items():
        assert real <= beyond(folder, drawn), f"{folder} imports more than is drawn"
        assert drawn[folder] <= real, f"{folder} has an arrow without an import"
        assert folder not in beyond(folder, drawn), f"{folder} is in a circle"


def test_no_arrow_runs_back() -> None:
    plan = load_tool("picture").read(read(DOCS / PICTURE))
    for kind, start, end in plan.arrows:
        a, b = plan.things[start], plan.things[end]
        if kind == "imports" and not b.is_frame:
            assert (a.row, a.column) < (b.row, b.column), f"{start} to {end}"


def test_the_picture_is_drawn_from_its_text() -> None:
    assert load_tool("picture").main(["--check"]) == 0


def test_each_folder_is_in_the_table() -> None:
    named = {*re.findall(r"^\| `(\w+)(?:\.py)?` \|", read(PAGE), re.MULTILINE)}
    for package in PACKAGES:
        assert folders(package) <= named


def journey(title: str) -> list[str]:
    section = read(PAGE).partition(f"## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| \d+ \| `(\S+)` \|", section, re.MULTILINE)


def test_what_the_page_names_is_there() -> None:
    for name in re.findall(r"`(flex_\w+/[\w/]+\.py)`", read(PAGE)):
        assert (SRC / name).exists(), name
    for name in re.findall(r"`(\w+(?:\.py)?)`[,|]? ", read(PAGE).partition("## A call")[0]):
        if name.endswith(".py"):
            assert [*SRC.rglob(name)], name


def passed(work: Callable[[], object]) -> set[str]:
    """The files in which functions were called, in this thread and those that it starts."""
    found: set[str] = set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        found.add(frame.f_code.co_filename)

    before = sys.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
        threading.setprofile(before)
    return {Path(name).relative_to(SRC).as_posix() for name in found if name.startswith(f"{SRC}")}


def test_the_journeys_pass_the_files_of_the_page(flex_sandbox: RunningSandbox) -> None:
    client = (flex_sandbox.client_id, flex_sandbox.client_secret)
    with create_instance(*client, base_url=flex_sandbox.base_url, token_store="file") as sdk:

        def query() -> None:
            sdk.users.query(per_page=1)

        query()
        ran = {"A call with a valid token": passed(query)}
        assert flex_sandbox.stats()["refresh_token"] == 0
        with time_machine.travel(time.time() + 7200):
            ran["A call with an expired token"] = passed(query)
        assert flex_sandbox.stats()["refresh_token"] == 1

    def open_by_name() -> None:
        config = {"name": "redis", "url": "redis://127.0.0.1"}
        open_store(config, TokenIdentity(flex_sandbox.base_url, "a-client")).close()

    ran["Opening a store by name"] = passed(open_by_name)
    for title, files in ran.items():
        assert len(journey(title)) > 8
        assert [name for name in journey(title) if name not in files] == [], title


def test_the_glossary_is_in_order() -> None:
    lines = [line for line in read(DOCS / "glossary.md").splitlines() if line.startswith("| ")]
    words = [line.split("|")[1].strip() for line in lines[1:]]
    assert len(words) > 50
    assert words == sorted(words, key=str.lower)
    assert len({*words}) == len(words)


# Contributing: each step is a command or a file that is there.

GUIDE = read(ROOT / "CONTRIBUTING.md")


def test_the_files_of_the_guide_are_there() -> None:
    named = re.findall(r"`([\w./-]+)`", GUIDE) + re.findall(r"(?:pytest|python) ([\w./-]+)", GUIDE)
    paths = {name for name in named if "/" in name and "NAME" not in name}
    assert len(paths) > 15
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_the_jobs_of_the_guide_are_jobs() -> None:
    source = read(ROOT / "dev.py")
    jobs = {*re.findall(r"python3 dev\.py (\w+)", GUIDE)}
    assert len(jobs) > 5
    assert [job for job in sorted(jobs) if f'"{job}": ' not in source] == []
