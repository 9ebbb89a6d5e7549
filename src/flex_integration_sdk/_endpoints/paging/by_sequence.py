"""Events, each page after the last sequence id of the one before."""

from __future__ import annotations

from itertools import pairwise

from flex_integration_sdk._endpoints.param_types import OwnText

from .by_moment import Unordered
from .page import MOST, Ask, Plan, Row
from .position import Start


def by_sequence(base: Ask, start: Start) -> Plan:
    """The events of a query after ``start``.

    Args:
        base: The query.
        start: The last event that the program got.

    Raises:
        Unordered: The sequence ids of a page do not go on from those before.
    """
    last, rows = start.sequence, list[Row]()
    while True:
        page = yield rows, _after(base, last)
        assert page is not None  # a first page is never too deep
        rows = page.rows
        sequences = [-1 if last is None else last]
        sequences += [-1 if row.sequence is None else row.sequence for row in rows]
        if any(one >= other for one, other in pairwise(sequences)):
            raise Unordered
        # As the documentation of the API has it: after a full page there is more.
        if len(rows) < (page.size or MOST):
            return rows
        last = sequences[-1]


def _after(base: Ask, last: int | None) -> Ask:
    if last is None:
        return base
    # The API takes one of both.
    asked = {name: value for name, value in base.items() if name != "createdAtStart"}
    return {**asked, "startAfterSequenceId": OwnText(last)}
