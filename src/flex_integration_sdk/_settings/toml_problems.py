"""What is wrong with a TOML file, for a person who wrote it by hand."""

from __future__ import annotations

import re

from flex_tokenstore import Secret

_CURLY = re.compile("[\u201c\u201d\u2018\u2019\u201e]")
# Of what tomllib says, and what to do. In this order; it may quote a part of a secret.
_ADVICE = (
    (r"twice|overwrite|mutate", "a section or a key is there twice", "remove one of the two"),
    (
        r"hex|[Ee]scape|Unescaped|Illegal character '\\\\",
        "a backslash in double quotes",
        "write such a value in single quotes, as in 'C:\\Users\\me'",
    ),
    (
        r"Unterminated|Illegal character '\\\\n|Expected \"'\"|Expected '\"'",
        "a quote is missing",
        "put a quote at the end of the value, too",
    ),
    (r"Unclosed|inline table|Expected newline", "something is missing, or too much", "look there"),
    (r"Expected '='|Invalid statement", "a line that is not KEY = VALUE", "write it in that form"),
    (
        r"Invalid value",
        "a value that is not one",
        "put quotes around a string; true and false have none",
    ),
)


def explain(said: str, text: Secret[str]) -> str:
    """The end of a sentence whose subject is the file.

    Args:
        said: What tomllib said. Its own words may quote a part of a secret.
        text: The content.
    """
    place = re.search(r"\(at (?:(line (\d+), column \d+)|end of document)\)", said)
    where = "" if place is None else f" in {place[1]}" if place[1] else " at its end"
    if place and place[2] and _CURLY.search(text.reveal().split("\n")[int(place[2]) - 1]):
        return f'is not TOML: curly quotes{where}. Type straight quotes, "…"'
    for pattern, what, advice in _ADVICE:
        if re.search(pattern, said):
            return f"is not TOML: {what}{where}: {advice}"
    return f"is not TOML{where}: a string needs quotes around it, and a list needs brackets"
