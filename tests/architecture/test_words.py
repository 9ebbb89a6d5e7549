"""Messages are in plain English: none of the words that readers stumbled over comes back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path for folder in [ROOT / "src", *ROOT.glob("plugins/*/src")] for path in folder.rglob("*.py")
)

# What each should say instead: see the glossary.
BANNED = {
    "is not a": r"(?<!there )\b(is|are) no ",
    "is not one of": r"\bis none\b(?! of)",
    "could not be acquired, obtained": r"\b(had not|not had|(could|can|cannot) be had|was had)\b",
    "again": r"\banew\b",
    "current directory": r"\bworking folder\b",
    "fix": r"\bmend\b",
    "only": r"\balone\b",
    "omit": r"\b(leave|leaves|left)\b[^.;,]* out\b",
    "cannot be": r"\b(is|are) not (pickled|copied)\b",
    "location": r"\b(a|another|the|its) place\b",
}


def messages(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each literal of more than one word that is not a docstring.

    Those are the texts of exceptions, warnings, log records and the command line; a few are SQL.
    """
    tree = ast.parse(source)
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):  # docstrings, of attributes too
            skipped.add(node.value)
        if isinstance(node, ast.JoinedStr):
            skipped.update(node.values)
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = (each.value if isinstance(each, ast.Constant) else "{}" for each in node.values)
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if " " in text:
            yield node.lineno, text


def faults(source: str) -> list[str]:
    return [
        f"line {line}: say {better!r}: {text}"
        for line, text in messages(source)
        for better, pattern in BANNED.items()
        if re.search(pattern, text, re.IGNORECASE)
    ]


def test_no_message_has_a_word_of_our_own() -> None:
    assert FILES
    found = {
        str(path.relative_to(ROOT)): lines
        for path in FILES
        if (lines := faults(path.read_text(encoding="utf-8")))
    }
    assert not found


def test_the_check_finds_them() -> None:
    source = (
        '"""The lock was not had."""\n'
        'raise ValueError(f"{path} is no token")\n'
        'raise ValueError("there is no user {name!r}")\n'
        'log.warning("the lock was "\n'
        '    "not had")\n'
    )
    assert [each.partition(":")[0] for each in faults(source)] == ["line 2", "line 4"]
    assert not faults('"""A file of the working folder."""\n')
