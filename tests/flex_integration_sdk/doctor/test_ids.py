"""The ids of the findings: the page lists all of them, in the order in which they are looked at."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from flex_integration_sdk._doctor import Status
from flex_integration_sdk._doctor.examine import CHECKS

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "diagnose.md"


def listed() -> list[str]:
    """Ids in the tables of the page."""
    found = re.findall(r"^\| `([a-z_.]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [each for each in found if each not in get_args(Status)]


def test_the_page_lists_all_ids_and_no_others() -> None:
    assert listed() == [each.id for each in CHECKS]


def test_no_id_is_there_twice() -> None:
    ids = [each.id for each in CHECKS]
    assert len(set(ids)) == len(ids)
