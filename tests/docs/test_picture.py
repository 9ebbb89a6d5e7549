"""docs/architecture.svg: no arrow runs through a box, or on another arrow."""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

from tests.docs.test_docs_reasons import DOCS, PICTURE, load_tool, read

picture = load_tool("picture")
PLAN = picture.read(read(DOCS / PICTURE))


class Line(NamedTuple):
    """A straight part of an arrow; its ends in order."""

    left: int
    top: int
    right: int
    bottom: int


def lines_of(path: str) -> list[Line]:
    found: list[Line] = []
    x = y = 0
    for letter, first, second in re.findall(r"([MHV]) (\d+)(?: (\d+))?", path):
        before = x, y
        if letter == "M":
            x, y = int(first), int(second)
            continue
        x, y = (int(first), y) if letter == "H" else (x, int(first))
        (left, right), (top, bottom) = sorted((before[0], x)), sorted((before[1], y))
        found.append(Line(left, top, right, bottom))
    return found


ARROWS = [
    (f"{start} to {end}", {start, end}, lines_of(path))
    for (_, start, end), path in zip(
        PLAN.arrows, re.findall(r' d="(.+?)"', "".join(picture._arrows(PLAN))), strict=True
    )
]


def test_no_arrow_runs_through_a_box() -> None:
    boxes = {name: box for name, box in PLAN.things.items() if not box.is_frame}
    through = [
        f"{arrow}: {name}"
        for arrow, ends, lines in ARROWS
        for line, (name, box) in itertools.product(lines, boxes.items())
        if name not in ends
        and line.left < box.x + box.width
        and line.right > box.x
        and line.top < box.y + box.height
        and line.bottom > box.y
    ]
    assert not through, "move a box in architecture.txt"


def test_no_arrow_runs_on_another() -> None:
    on = [
        f"{first[0]} and {second[0]}"
        for first, second in itertools.combinations(ARROWS, 2)
        for a, b in itertools.product(first[2], second[2])
        if (a.left == a.right == b.left == b.right and min(a.bottom, b.bottom) > max(a.top, b.top))
        or (a.top == a.bottom == b.top == b.bottom and min(a.right, b.right) > max(a.left, b.left))
    ]
    assert not on, "move a box in architecture.txt"
