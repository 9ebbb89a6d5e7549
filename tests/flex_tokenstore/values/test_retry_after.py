"""``Retry-After``: both forms, and what is no wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from flex_tokenstore._values.retry_after import LONGEST
from flex_tokenstore.embedding import retry_after


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("301", LONGEST),
        ("9" * 400, LONGEST),  # an infinity as a float
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Sun Nov  6 08:49:37 1994", 0.0),  # the oldest of the three forms; it names no zone
        ("Fri, 31 Dec 2199 23:59:59 GMT", LONGEST),
        ("Fri, 31 Dec 9999 23:59:59 -1200", LONGEST),
        *[
            (nonsense, None)
            for nonsense in (
                "",
                "soon",
                "-5",
                "NaN",
                "inf",
                "1e9",
                "\u0663",
                "5s",
                "12, 13",
                "0x10",
            )
        ],
        ("Fri, 99 Dec 2026 99:99:99 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
    ],
)
def test_retry_after_is_bounded_or_ignored(header: str, expected: float | None) -> None:
    assert retry_after(header) == expected


def test_a_date_ahead_is_counted_from_now() -> None:
    ahead = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 50 < (retry_after(ahead) or 0) <= 60
