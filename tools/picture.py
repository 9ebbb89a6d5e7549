#!/usr/bin/env python3
"""Draws docs/architecture.svg from docs/architecture.txt, which says what each line means.

python tools/picture.py           draws it
python tools/picture.py --check   exit code 1 if the picture is not what the text gives
"""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
TEXT, PICTURE = DOCS / "architecture.txt", DOCS / "architecture.svg"

WIDTH, HEIGHT = 230, 74  # of a box
COLUMN, ROW = 270, 136  # from one to the next: leaves room for arrows
LEFT, TOP = 40, 52
LANE = 8  # between two arrows that run side by side
LETTERS = 33  # of the smaller text in a box
STYLE = """
text { font-family: -apple-system, "Segoe UI", "DejaVu Sans", Arial, sans-serif; fill: #1f2328 }
.name { font: bold 15px "DejaVu Sans Mono", Menlo, Consolas, monospace }
.text { font-size: 12.5px; fill: #424a53 }
.paper { fill: #ffffff }
.frame { fill: #f6f8fa; stroke: #8c959f }
.box { fill: #ffffff; stroke: #57606a; stroke-width: 1.3 }
.imports, .loads { fill: none; stroke: #0b5cad; stroke-width: 1.6; marker-end: url(#head) }
.loads { stroke: #9a5b00; stroke-dasharray: 6 4; marker-end: url(#loads) }
""".strip()
HEADS = "".join(
    f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
    f'orient="auto"><path d="M 0 1 L 10 5 L 0 9 z" fill="{color}"/></marker>'
    for name, color in (("head", "#0b5cad"), ("loads", "#9a5b00"))
)


@dataclass
class Thing:
    """A box or a frame."""

    column: int
    row: int
    columns: int
    rows: int
    title: str
    text: str = ""

    @property
    def is_frame(self) -> bool:
        return self.rows > 0

    @property
    def x(self) -> int:
        return LEFT + self.column * COLUMN - (20 if self.is_frame else 0)

    @property
    def y(self) -> int:
        return TOP + self.row * ROW - (32 if self.is_frame else 0)

    @property
    def width(self) -> int:
        return (self.columns - 1) * COLUMN + WIDTH + (40 if self.is_frame else 0)

    @property
    def height(self) -> int:
        return (self.rows - 1) * ROW + HEIGHT + 46 if self.is_frame else HEIGHT


@dataclass
class Plan:
    """What the text says."""

    things: dict[str, Thing] = field(default_factory=dict)
    arrows: list[tuple[str, str, str]] = field(default_factory=list)
    """Kind, from, to."""


def read(text: str) -> Plan:
    """The plan; raises ValueError for a line that it does not understand."""
    plan = Plan()
    for line in text.splitlines():
        head, *parts = [part.strip() for part in line.partition("#")[0].split("|")]
        match head.split():
            case []:
                continue
            case ["frame" | "box" as kind, name]:
                column, row, columns, *rows = (int(number) for number in parts[0].split())
                height = rows[0] if kind == "frame" else 0
                plan.things[name] = Thing(column, row, columns, height, *parts[1:])
            case ["imports" | "loads" as kind, start, end] if {start, end} <= {*plan.things}:
                plan.arrows.append((kind, start, end))
            case _:
                raise ValueError(f"{TEXT.name} has a line that is not understood: {line!r}")
    return plan


def draw(plan: Plan) -> str:
    """The picture, as SVG."""
    boxes = list(plan.things.values())
    width = max(box.x + box.width for box in boxes) + 20
    height = max(box.y + box.height for box in boxes) + 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">',
        "<title>The folders, and which imports which</title>",
        f"<!-- Drawn by tools/picture.py from {TEXT.name}: do not edit. -->",
        f"<style>{STYLE}</style><defs>{HEADS}</defs>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
    ]
    lines += [line for box in boxes if box.is_frame for line in _frame(box)]
    lines += _arrows(plan)
    lines += [line for box in boxes if not box.is_frame for line in _box(box)]
    return "\n".join([*lines, *_legend(width), "</svg>"]) + "\n"


def _frame(thing: Thing) -> Iterator[str]:
    yield (
        f'<rect class="frame" x="{thing.x}" y="{thing.y}" width="{thing.width}" '
        f'height="{thing.height}" rx="8"/>'
    )
    yield f'<text class="name" x="{thing.x + 12}" y="{thing.y + 20}">{escape(thing.title)}</text>'


def _box(thing: Thing) -> Iterator[str]:
    yield (
        f'<rect class="box" x="{thing.x}" y="{thing.y}" width="{thing.width}" '
        f'height="{thing.height}" rx="5"/>'
    )
    middle = thing.x + thing.width // 2
    at = f'text-anchor="middle" x="{middle}"'
    yield f'<text class="name" {at} y="{thing.y + 24}">{escape(thing.title)}</text>'
    for number, line in enumerate(textwrap.wrap(thing.text, LETTERS * thing.columns)):
        yield f'<text class="text" {at} y="{thing.y + 44 + 17 * number}">{escape(line)}</text>'


def _arrows(plan: Plan) -> Iterator[str]:
    lanes: Counter[int] = Counter()  # of each gap between two rows: how many arrows run in it
    ends: Counter[str] = Counter()  # of each thing: how many arrows begin or end there
    for kind, start, end in plan.arrows:
        a, b = plan.things[start], plan.things[end]
        beside = b.is_frame and a.column >= b.column + b.columns
        if kind == "loads" or a.row == b.row or beside:
            path = _sideways(a, b, kind)
        else:
            taken = (ends[start + " out"], ends[end + " in"])
            between = _between(plan, a, b)
            path = (_around if between else _down)(a, b, lanes, taken)
            ends[start + " out"] += 1
            ends[end + " in"] += 1
        yield f'<path class="{kind}" d="{path}"/>'


def _sideways(a: Thing, b: Thing, kind: str) -> str:
    if b.is_frame:  # from a box beside it
        y = a.y + 50
        return f"M {a.x} {y} H {b.x + b.width + 2}"
    y = a.y + (24 if kind == "loads" else 37)
    if b.column - a.column == 1:
        return f"M {a.x + a.width} {y} H {b.x - 2}"
    over, x = a.y - 14, b.x + b.width // 2  # over what stands between
    return f"M {a.x + a.width - 14} {a.y} V {over} H {x} V {b.y - 2}"


def _down(a: Thing, b: Thing, lanes: Counter[int], taken: tuple[int, int]) -> str:
    x = a.x + a.width // 2
    if a.column == b.column or b.is_frame or b.columns > 1:
        return f"M {x} {a.y + a.height} V {b.y - 2}"
    side = 1 if b.column > a.column else -1
    x += side * (36 + 24 * taken[0])
    to = b.x + b.width // 2 - side * 24 * (1 + taken[1])
    lane = a.y + a.height + 12 + LANE * lanes[a.row]
    lanes[a.row] += 1
    return f"M {x} {a.y + a.height} V {lane} H {to} V {b.y - 2}"


def _between(plan: Plan, a: Thing, b: Thing) -> bool:
    """Whether a box stands where a straight arrow would go down."""
    if a.is_frame:
        return False
    column = a.column if b.columns > 1 or b.is_frame else b.column
    return any(
        not box.is_frame
        and a.row < box.row < b.row
        and box.column <= column < box.column + box.columns
        for box in plan.things.values()
    )


def _around(a: Thing, b: Thing, lanes: Counter[int], taken: tuple[int, int]) -> str:
    """Down between two columns."""
    x = a.x + a.width // 2 + 36 + 24 * taken[0]
    lane = a.y + a.height + 12 + LANE * lanes[a.row]
    lanes[a.row] += 1
    if b.columns > 1:
        is_last = a.column + 1 == b.column + b.columns
        gap = a.x - 24 if is_last else a.x + a.width + 24
        return f"M {x} {a.y + a.height} V {lane} H {gap} V {b.y - 2}"
    side = 1 if a.column > b.column else -1
    to = b.x + b.width // 2 + side * 24 * (1 + taken[1])
    gap = b.x + b.width + 14 if side > 0 else b.x - 14
    return f"M {x} {a.y + a.height} V {lane} H {gap} V {b.y - 14} H {to} V {b.y - 2}"


def _legend(width: int) -> Iterator[str]:
    x = width - 236
    for kind, y, text in (("imports", 40, "imports"), ("loads", 64, "loads by name")):
        yield f'<path class="{kind}" d="M {x} {y} H {x + 46}"/>'
        yield f'<text class="text" x="{x + 56}" y="{y + 4}">{text}</text>'


def main(arguments: list[str]) -> int:
    """Draws or checks; returns the exit code."""
    picture = draw(read(TEXT.read_text(encoding="utf-8")))
    if arguments != ["--check"]:
        PICTURE.write_text(picture, encoding="utf-8", newline="\n")
    elif not PICTURE.exists() or PICTURE.read_text(encoding="utf-8") != picture:
        print(f"stale: {PICTURE.name}; run python tools/picture.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
