"""What the pages say that a message says is what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flex_integration_sdk._wire.interpret import _ADVICE
from flex_integration_sdk.errors import class_for
from tests.architecture.test_words import BANNED, FILES, messages
from tests.docs.test_docs import PAGES, REFERENCE, ROOT

# Of the words that no message has, those which no page needs either.
NO_PAGE_NEEDS = ("again", "cannot be", "current directory", "is not a", "omit", "only")
OTHERS = [ROOT / "benchmarks/README.md", *ROOT.glob("*.md"), *ROOT.glob("plugins/*/README.md")]
PROSE = sorted({*PAGES, *OTHERS} - {ROOT / "CHANGELOG.md"})
# Several words in quotation marks that are somebody else's.
QUOTED_FROM_OTHERS = {"days to months"}


def prose(page: Path) -> str:
    """A page without its programs and code."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    return re.sub(r"`[^`]*`", "CODE", text)


def quotations(page: Path) -> list[str]:
    """The texts of three words or more that a page of the users quotes."""
    found = (" ".join(text.split()) for text in re.findall(r'"([^"]+)"', prose(page)))
    return [text for text in found if text.count(" ") > 1 and text not in QUOTED_FROM_OTHERS]


def pattern(message: str) -> str:
    """A regular expression for a message: in a page its values are any text, such as N."""
    parts = re.split(r"\{\}|%[a-z]", " ".join(message.split()))
    return ".+?".join(map(re.escape, parts))


def shortened(message: str) -> list[str]:
    """The message and each of its first clauses, as a page may quote it."""
    ends = [each.start() for each in re.finditer(r"[;:,.]( |$)", message)]
    return [message, *(message[:end] for end in ends)]


def quoted_from(quotation: str, message: str) -> bool:
    return any(re.fullmatch(pattern(part), quotation) for part in shortened(message))


def all_messages() -> list[str]:
    return [text for file in FILES for _, text in messages(file.read_text(encoding="utf-8"))]


def test_what_a_page_quotes_is_a_message() -> None:
    found = [
        (page.name, text)
        for page in PAGES
        if "decisions" not in page.parts
        for text in quotations(page)
    ]
    assert found, "the check finds no quotation"
    templates = all_messages()
    wrong = [each for each in found if not any(quoted_from(each[1], text) for text in templates)]
    assert not wrong


@pytest.mark.parametrize(
    ("quotation", "is_quoted"),
    [
        ("saving takes N s", True),
        ("saving takes N s, press Ctrl-C", True),
        ("saving lasts N s", False),
        ("takes N s", False),
    ],
)
def test_a_changed_message_is_noticed(quotation: str, is_quoted: bool) -> None:
    message = "saving takes %g s, press Ctrl-C; or wait"
    assert quoted_from(quotation, message) is is_quoted


@pytest.mark.parametrize("status", _ADVICE)
def test_the_reference_gives_the_advice_of_the_message(status: int) -> None:
    (row,) = re.findall(rf"^\| `{class_for(status).__name__}` .*$", REFERENCE, re.MULTILINE)
    assert f"{status}: {_ADVICE[status]}" in row


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_has_a_word_of_our_own(page: Path) -> None:
    text = prose(page)
    for better in NO_PAGE_NEEDS:
        found = re.search(BANNED[better], text.replace('"there is no token"', ""), re.IGNORECASE)
        assert not found, f"say {better!r}: {text[max(0, found.start() - 40) : found.end() + 40]}"
