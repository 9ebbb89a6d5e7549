"""Tables for people: they fit the terminal, and break lines at blanks, never inside a word."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

import click

GAP = 2  # blanks between two columns
MANY = 1 / 4  # of the rows; if more of them have a word that is too long, no table is readable
SHORT = 12  # columns of a word that each column has room for
_WORD = re.compile(r"(?:`[^`]+`|\S)+")

Row = Sequence[str]


class Shown(str):
    """A string that says how a table shows it."""

    __slots__ = ("colour", "is_whole")

    colour: str | None
    is_whole: bool

    def __new__(cls, text: str, colour: str | None = None, *, is_whole: bool = False) -> Shown:
        """Makes one.

        Args:
            text: What is shown.
            colour: On a terminal: a colour of ``click.style``, such as ``"green"``.
            is_whole: Do not break it at its blanks, as a path that has some.
        """
        made = super().__new__(cls, text)
        made.colour, made.is_whole = colour, is_whole
        return made


def graded(text: str, good: bool | None) -> Shown:
    """A string in green if that is good, in red if it is bad, in yellow if it is between."""
    return Shown(text, {True: "green", False: "red", None: "yellow"}[good])


def colours_are_wanted() -> bool:
    """Whether standard output is a terminal with colours, and NO_COLOR is not set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain


def room() -> int:
    """The columns of the terminal; 80 in a pipe or a file. COLUMNS overrides both."""
    return shutil.get_terminal_size((80, 24)).columns or 80


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a table; if the window is too narrow for it, the cells of each row as facts.

    Args:
        headers: A name for each column.
        rows: The cells. None is shown as ``-``, True and False as ``yes`` and ``no``; see
            :class:`Shown` for colours and for what is not to be broken.
    """
    cells = [[clean(cell) for cell in row] for row in rows]
    widths = widths_of([list(headers), *cells], room())
    if widths is None:
        for number, row in enumerate(cells):
            if number:
                click.echo()
            print_facts(dict(zip(headers, row, strict=True)))
        return
    bold: Callable[[str, str], str] = lambda text, _: click.style(text, bold=True)  # noqa: E731
    _print(lines_of(headers, widths, room(), bold if colours_are_wanted() else None))
    for row in cells:
        _print(lines_of(row, widths, room(), _styled if colours_are_wanted() else None))


def print_facts(facts: Mapping[str, object]) -> None:
    """Prints names and values, one pair after the other; long values go on below themselves."""
    width = max(map(length, facts), default=0)
    for name, value in facts.items():
        print_row([name, value], [width])


def wrapped(text: str, end: str = "") -> str:
    """A text with line ends at blanks, so that it fits the terminal.

    Args:
        text: The text: a question, say.
        end: What will follow on the last line, such as `` [y/N]: ``.
    """
    lines = "\n".join(_wrapped(clean(text) + "_" * len(end), room()))
    return lines.removesuffix("_" * len(end))


def print_row(cells: Sequence[object], widths: Sequence[int], *, gap: int = GAP) -> None:
    """Prints one row; its last cell has what is left of the line, and goes on below itself.

    Args:
        cells: As those of :func:`print_table`.
        widths: Of each column but the last.
        gap: Blanks between two columns.
    """
    row, style = [clean(cell) for cell in cells], _styled if colours_are_wanted() else None
    left = room() - sum(widths) - gap * len(widths)
    _print(lines_of(row, [*widths, max(left, 1)], room(), style, gap=gap))


def clean(cell: object) -> str:
    """A string without control characters: plugins and servers may have written it."""
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    text = "".join(c if c.isprintable() else " " for c in str(cell))
    return Shown(text, cell.colour, is_whole=cell.is_whole) if isinstance(cell, Shown) else text


def length(text: str) -> int:
    """The columns that a string takes; letters of East Asia and pictures take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, columns: int) -> str:
    """A string of at most so many columns: what is too much of its middle is left out."""
    if length(text) <= columns:
        return text
    head, tail = text[: len(text) // 2], text[len(text) // 2 :]
    while head and length(head) + 1 + length(tail) > columns:
        head, tail = (head[:-1], tail) if length(head) >= length(tail) else (head, tail[1:])
    return f"{head}…{tail}" if head else ""


def widths_of(rows: Sequence[Row], space: int) -> list[int] | None:
    """The widths of the columns, such that few lines are needed and hardly a word is too long.

    Args:
        rows: All rows, the one with the headers first.
        space: The columns of the terminal.

    Returns:
        None if the rows are readable only one below the other.
    """
    columns = list(zip(*rows, strict=True))
    wanted = [max(map(length, column)) for column in columns]
    space -= GAP * (len(columns) - 1)
    if sum(wanted) <= space:
        return wanted
    words = [[_longest(cell) for cell in column] for column in columns]
    for limit in sorted({each for column in words for each in column}, reverse=True):
        too_long = sum(any(each > limit for each in row) for row in zip(*words, strict=True))
        if too_long > MANY * (len(rows) - 1):
            break
        widths = [
            max(column[0], *(each for each in column if each <= limit), 1) for column in words
        ]
        if sum(widths) <= space:
            return _widened(widths, columns, space)
        if limit <= SHORT:
            break
    return None


def _widened(widths: list[int], columns: Sequence[Row], space: int) -> list[int]:
    """Gives what is left to the columns whose cells would have the most lines."""
    wanted = [
        max((length(cell) for cell in column if _longest(cell) <= width), default=width)
        for column, width in zip(columns, widths, strict=True)
    ]
    for _ in range(space - sum(widths)):
        narrow = [index for index, width in enumerate(widths) if width < wanted[index]]
        if not narrow:
            break
        widths[max(narrow, key=lambda index: wanted[index] / widths[index])] += 1
    return [_used(column, width) for column, width in zip(columns, widths, strict=True)]


def _used(column: Row, width: int) -> int:
    """What the lines of a column need of its width, now that they are broken."""
    used = [length(line) for cell in column for line in _wrapped(cell, width)]
    return max((columns for columns in used if columns <= width), default=1)


def lines_of(
    row: Row,
    widths: Sequence[int],
    space: int,
    style: Callable[[str, str], str] | None = None,
    *,
    gap: int = GAP,
) -> Iterator[str]:
    """The lines of one row.

    A word that is longer than its column has the rest of a line for itself, or a line of its own
    that begins further left if it fits there.

    Args:
        row: The cells.
        widths: The widths of the columns.
        space: The columns of the terminal.
        style: Given a piece of a cell and that cell, the piece with its colour; None: none.
        gap: Blanks between two columns.
    """
    left = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    if not any(left):
        yield ""
    while any(left):
        line, used, start = "", 0, 0
        for cell, pieces, width in zip(row, left, widths, strict=True):
            if pieces:
                long = length(pieces[0]) > width
                if long and start + length(pieces[0]) > space >= length(pieces[0]):
                    if used:
                        break  # it gets the next line
                    start = space - length(pieces[0])
                piece = pieces.pop(0)
                line += " " * (start - used) + (style(piece, cell) if style else piece)
                used = start + length(piece)
                if long:
                    break
            start += width + gap
        yield line


def _wrapped(text: str, width: int) -> list[str]:
    """A cell as lines that are broken at blanks only; an empty one has no line."""
    if length(text) <= width:
        return [str(text).rstrip()] if text.strip() else []
    lines: list[str] = []
    used = width + 1
    for word in _words(text):
        columns = length(word)
        if used + 1 + columns <= width:
            lines[-1] += f" {word}"
            used += 1 + columns
        else:
            lines.append(word)
            used = columns
    return lines


def _styled(piece: str, cell: str) -> str:
    colour = cell.colour if isinstance(cell, Shown) else None
    return click.style(piece, fg=colour) if colour else piece


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line)


def _longest(text: str) -> int:
    return max(map(length, _words(text)), default=0)


def _words(text: str) -> list[str]:
    """What is not broken: words, and commands between backquotes, which a user copies."""
    return [text] if isinstance(text, Shown) and text.is_whole else _WORD.findall(text)
