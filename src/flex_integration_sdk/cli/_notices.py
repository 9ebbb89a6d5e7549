"""What a command writes to stderr while it runs: where the token is kept, and warnings."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import click

from ._words import in_cli_words

if TYPE_CHECKING:
    from flex_tokenstore import Event

_LOGGERS = ("flex_tokenstore", "flex_integration_sdk")
_NOT_KEPT = {"store_unavailable", "save_failed"}
_ELSEWHERE = "set FLEX_INTEGRATION_TOKEN_STORE and FLEX_INTEGRATION_TOKEN_STORE__PATH"


class _Handler(logging.Handler):
    """Prints log records as the command's own errors are printed, one line each."""

    def emit(self, record: logging.LogRecord) -> None:
        facts: dict[str, Any] = getattr(record, "flex_tokenstore", {})
        if facts.get("name") in _NOT_KEPT:
            return  # told by TokenNotices, in the words of the command line
        tell(in_cli_words(record.getMessage()))


def show_log() -> None:
    """Prints the SDK's warnings on stderr, from here to the end of the current command."""
    handler = _Handler(logging.WARNING)
    for name in _LOGGERS:
        logging.getLogger(name).addHandler(handler)
        click.get_current_context().call_on_close(
            lambda name=name: logging.getLogger(name).removeHandler(handler)
        )


def tell(text: str) -> None:
    """Prints one line on stderr, without control characters."""
    click.echo("flex-sdk: " + "".join(c if c.isprintable() else " " for c in text), err=True)


class TokenNotices:
    """Says once where the first token is kept, and once why none can be kept.

    Args:
        chosen: The user named the store, and so knows where the token is.
    """

    def __init__(self, *, chosen: bool) -> None:
        self._chosen = chosen
        self._first = False
        self._told = False

    def __call__(self, event: Event) -> None:
        """Takes the events of the session, as its ``on_event``."""
        if event.name == "signed_in":
            self._first = event.reason == "empty"
        elif event.name == "saved" and self._first and not self._chosen:
            self._first = False
            tell(
                f"the token is kept in {event.place}, so that the next call needs no sign-in "
                "(see `flex-sdk token show`; --store memory keeps none)"
            )
        elif event.name in _NOT_KEPT and not self._told:
            self._told = True
            why = in_cli_words(event.error or "") or event.error_type
            tell(
                f"the token is kept in memory only, and the next call may sign in again: {why}. "
                f"To keep it elsewhere, {_ELSEWHERE}"
            )
