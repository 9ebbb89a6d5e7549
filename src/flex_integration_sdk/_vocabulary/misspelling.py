"""Which known name was meant by one that is misspelt."""

from __future__ import annotations

import re
from collections.abc import Iterable

# From so many letters on a name may have two wrong ones. Of shorter names too many others, which
# a newer API may have, are two letters away.
_LONG = 8
# Names with fewer letters must begin rightly, and those with fewer than this have no letter wrong
# but one too many, or two that are exchanged: `ids`, `edn`.
_SHORT, _SHORTEST = 5, 4
# Two letters away, and never meant for each other: a newer API may have `maxStock`.
_OPPOSITES = {"min", "max"}


def near(word: str, known: Iterable[str], *, loosely: bool = False) -> list[str]:
    """The known names that are nearest to a word; empty: none is near.

    Capitals, dashes, underscores and blanks do not count.

    Args:
        word: What was typed.
        known: The names that there are.
        loosely: If none is near, one that is alike.
    """
    typed, names = plain(word), {plain(each): each for each in known}
    # Also one of several, and the thing itself in place of its id.
    for each in (typed, f"{typed}s", f"{typed}id", f"{typed}ids"):
        if typed and each in names:
            return [names[each]]
    distances = {plain: _distance(typed, plain) for plain in names if _may_be(typed, plain)}
    closest = min(distances.values(), default=0)
    found = [names[plain] for plain, d in distances.items() if d == closest <= _most(plain)]
    if found or not loosely:
        return found
    import difflib  # here: a program needs it rarely

    # Not the default of 0.6, by which "state" is near to "title".
    return [names[each] for each in difflib.get_close_matches(typed, names, n=1, cutoff=0.65)]


def plain(name: str) -> str:
    """A name without what people write differently."""
    return re.sub(r"[-_ ]", "", name).lower()


def _most(known: str) -> int:
    """How many letters may be wrong."""
    return 2 if len(known) >= _LONG else 1


def _may_be(typed: str, known: str) -> bool:
    """Whether it is worth to compare them letter by letter."""
    if not (typed and known) or abs(len(typed) - len(known)) > _most(known):
        return False
    if {typed[:3], known[:3]} == _OPPOSITES:
        return False
    if len(known) >= _SHORT or sorted(typed) == sorted(known):
        return True
    return typed[0] == known[0] and (len(known) >= _SHORTEST or len(typed) > len(known))


def _distance(one: str, two: str) -> int:
    """How many letters are wrong, missing or too many, or exchanged with their neighbour.

    Known as the optimal string alignment distance.
    """
    above: list[int] = []
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, letter in enumerate(one, 1):
        above, before, row = before, row, [i]
        for j, other in enumerate(two, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == two[j - 2] and one[i - 2] == other:
                best = min(best, above[j - 2] + 1)
            row.append(best)
    return row[-1]
