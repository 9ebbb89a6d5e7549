"""``docs/how-to/diagnose.md`` lists the findings that there are."""

from __future__ import annotations

import re
from pathlib import Path

from flex_integration_sdk._doctor.examine import CHECKS

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "diagnose.md"


def test_the_page_lists_each_id_once() -> None:
    listed = re.findall(r"^\| `([a-z_]+(?:\.[a-z_]+)?)` \| ", PAGE.read_text("utf-8"), re.MULTILINE)
    statuses = {"ok", "warning", "error", "skipped"}
    assert sorted(each for each in listed if each not in statuses) == sorted(
        check.id for check in CHECKS
    )


def test_ids_are_dotted_words() -> None:
    ids = [check.id for check in CHECKS]
    assert len({*ids}) == len(ids)
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", id) for id in ids)
