"""The changelog: by version and kind, so that a reader finds what an upgrade changes."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.version import Version

import flex_integration_sdk

CHANGELOG = Path(__file__).resolve().parents[2] / "CHANGELOG.md"
KINDS = ["Added", "Changed", "Fixed", "Security"]
UNSORTED = "Not sorted yet"


def sections(text: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each version with its kinds, and the text of each."""
    found = []
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        version, _, rest = part.partition("\n")
        first, *kinds = re.split(r"^### ", rest, flags=re.MULTILINE)
        assert not first.strip(), f"{version}: entries before the first kind"
        pairs = [each.partition("\n") for each in kinds]
        found.append((version, [(kind, body) for kind, _, body in pairs]))
    return found


VERSIONS = sections(CHANGELOG.read_text(encoding="utf-8"))


def test_unreleased_comes_first_and_then_the_newest_version() -> None:
    assert VERSIONS[0][0] == "Unreleased"
    released = []
    for heading, _ in VERSIONS[1:]:
        match = re.fullmatch(r"(\S+) \((\d{4}-\d\d-\d\d)\)", heading)
        assert match, f"{heading!r} is not a version with its day, as in 0.1.0 (2026-11-30)"
        released.append((Version(match[1]), match[2]))
    assert released == sorted(released, reverse=True)
    assert all(each <= Version(flex_integration_sdk.__version__) for each, _ in released)


def test_each_entry_has_its_kind() -> None:
    for heading, kinds in VERSIONS:
        names = [kind for kind, _ in kinds]
        allowed = [*KINDS, UNSORTED] if heading == "Unreleased" else KINDS
        assert names == [kind for kind in allowed if kind in names], f"{heading}: {names}"
        for kind, body in kinds:
            if kind == "Fixed":
                assert not re.search(r"^- Fixed\b", body, re.MULTILINE), "the heading says so"


def test_new_entries_have_a_location_at_the_end_of_unreleased() -> None:
    """Branches append there and are merged by union, so it must not move or go."""
    assert VERSIONS[0][1][-1][0] == UNSORTED


def test_every_line_is_a_part_of_an_entry() -> None:
    for heading, kinds in VERSIONS:
        for kind, body in kinds:
            lines = [line for line in body.splitlines() if line]
            if kind == UNSORTED:
                assert lines[0].startswith("New entries go to the end")
                lines = lines[1:]
            else:
                assert lines, f"{heading}, {kind}: no entry"
            odd = [line for line in lines if not line.startswith(("- ", "  "))]
            assert not odd, f"{heading}, {kind}: {odd}"
