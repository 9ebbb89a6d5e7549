"""Texts from the environment: what is taken off a value, and forms that nothing expands.

A shell takes quotes off and puts ``$HOME`` in; ``docker --env-file``, systemd's ``Environment=``
and a Kubernetes manifest do not, and the text arrives as it was written.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from pathlib import PurePath

# Python counts neither as a blank; editors and Windows tools put them at the start of a file.
_INVISIBLE = "\ufeff\u200b\u2060"
# The curly ones too: word processors and chats replace the straight ones.
_QUOTES = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019"}
# ${NAME} and $NAME of shells, $(NAME) of Kubernetes, {{ of templates, %NAME% of Windows, and %h of
# systemd, which is a whole part of a path.
_UNEXPANDED = re.compile(
    r"\$\{\w+\}|\$\(\w+\)|\$[A-Za-z_]\w*|\{\{|%\w+%|(?:(?<=[/\\])|^)%[A-Za-z](?=[/\\]|$)"
)
# Two letters at least: one letter and a colon are a drive of Windows.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|file:")
_DISTANCE = 2  # letters that may be wrong in a name, for it to count as a misspelt one

_warned: set[str] = set()


def strip_value(text: str) -> str:
    """Removes what editors, shells and orchestrators put around a value.

    Args:
        text: A value as it arrived from the environment, a file or an argument.

    Returns:
        ``text`` without blanks, line ends and byte order marks around it.
    """
    before = None
    # Again until nothing changes: a mark may stand outside of blanks, or between them.
    while before != text:
        before, text = text, text.strip().strip(_INVISIBLE)
    return text


def is_quoted(text: str) -> bool:
    """Tells whether a value is in quotes, which a shell would have taken off.

    Args:
        text: A value after :func:`strip_value`.
    """
    return len(text) > 1 and _QUOTES.get(text[0]) == text[-1]


def expand_path(path: str) -> str:
    """Replaces ``~`` at the start of a path by the home folder.

    Args:
        path: A local path.

    Returns:
        The path; unchanged if it has no ``~``, or if that user or a home folder does not exist.
    """
    return os.path.expanduser(path)  # noqa: PTH111 - it keeps the name of an unknown user; Path raises


def problem_of_path(path: str, *, relative: bool) -> str:
    """Tells what is wrong with the form of a local path. It does not look at the file system.

    Args:
        path: A path after :func:`strip_value`.
        relative: True: accept a path that is relative to the current directory.

    Returns:
        The end of a sentence whose subject is the variable: ``"is a relative path, …"``; "" if
        nothing is wrong. It quotes the wrong part only, since a secret may be in its place.
    """
    if any(quote in path[:1] + path[-1:] for quote in "\"'`\u201c\u201d\u2018\u2019"):
        return "is in quotes, which count as part of it: write it without them"
    # A lone surrogate stands for a byte of a file name that is not UTF-8 (PEP 383).
    if any(not letter.isprintable() and not "\ud800" <= letter <= "\udfff" for letter in path):
        return "contains a control character, such as a line end: write one path, on one line"
    if found := _URL.match(path):
        return f"starts with {found[0]}, but it takes a path, not a URL: write only the full path"
    if found := _UNEXPANDED.search(path):
        return (
            f"contains {found[0]}, which nothing expands here: write the full path (a ~ at its "
            "start is expanded)"
        )
    full = expand_path(path)
    if full.startswith("~"):
        user = re.split(r"[/\\]", path[1:], maxsplit=1)[0]
        who = f"there is no user {user!r}" if user else "this user has no home folder"
        return f"starts with ~, and {who}: write the full path"
    if not relative and not PurePath(full).is_absolute():
        return (
            "is a relative path, which depends on the current directory of the program: write the "
            "full path"
        )
    return ""


def misspelt(name: str, known: Iterable[str]) -> str | None:
    """Finds the known name that a misspelt one was likely meant to be.

    Args:
        name: Name of a variable that somebody set.
        known: The names that mean something, in upper case.

    Returns:
        The known name from which at most two letters differ; None if ``name`` is known, if it
        resembles none, or if it is a known name and more, such as ``…_PROFILE_2``.
    """
    known = tuple(known)
    if name in known:
        return None
    for each in known:
        # Such as …_PROFILE_2, a name of the program's own.
        extended = name.upper().startswith(f"{each}_")
        if not extended and _within(name.upper(), each, _DISTANCE):
            return each
    return None


def _within(one: str, other: str, limit: int) -> bool:
    """At most ``limit`` letters are wrong, missing, too many, or two of them swapped."""
    if abs(len(one) - len(other)) > limit:
        return False
    # Optimal string alignment: Levenshtein's distance, with a swap of neighbours as one mistake.
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1] <= limit


def warn_once(logger: logging.Logger, text: str) -> None:
    """Logs a warning, unless this process has logged the same one before.

    A program may make hundreds of objects with the same settings.

    Args:
        logger: Where to log it.
        text: The whole message; it is not formatted.
    """
    if text not in _warned:
        _warned.add(text)
        logger.warning("%s", text)
