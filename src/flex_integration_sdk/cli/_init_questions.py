"""Questions of ``flex-sdk init`` on a terminal."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable

import click

from ._notices import tell


def ask(question: str, problem_of: Callable[[str], str], default: str | None) -> str:
    """Asks until the answer is right.

    Args:
        question: Without a colon.
        problem_of: Given the answer, what is wrong with it, or "".
        default: The answer to Enter; "": it may be empty, None: it may not.

    Raises:
        Abort: The user pressed Ctrl-C or Ctrl-D.
    """
    # The answer to Enter is shown behind the question, in brackets.
    text = fitted(question, f" [{default}]" if default else "")
    while True:
        answer = str(click.prompt(text, default=default, err=True, show_default=bool(default)))
        problem = problem_of(answer.strip())
        if not problem:
            return answer.strip()
        tell(problem)


def fitted(question: str, after: str = "") -> str:
    """A question in lines of the terminal's width, of whole words.

    Args:
        question: Without a colon.
        after: What is shown behind it, before the colon.
    """
    width = max(20, shutil.get_terminal_size().columns - 1)
    # One long word, so that it is wrapped with the rest; the colon and a blank follow.
    mark = "\0" * (len(after) + 2)
    lines = textwrap.wrap(question + mark, width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).rstrip("\0")
