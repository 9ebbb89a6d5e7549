"""What a command writes to stderr while it runs: where the token is kept, and warnings."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ._sentences import sentence_of
from ._words import in_cli_words

if TYPE_CHECKING:
    from flex_tokenstore import Event

_OURS = ("flex_tokenstore", "flex_integration_sdk")
_NOT_KEPT = {"store_unavailable", "save_failed"}
_ELSEWHERE = "set FLEX_INTEGRATION_TOKEN_STORE and FLEX_INTEGRATION_TOKEN_STORE__PATH"
_VERBOSE = "flex-sdk.verbose"
_NOTICES = "flex-sdk.notices"
_OWN = "flex-sdk.own"


class _Handler(logging.Handler):
    """Prints warnings as the command's own errors are printed: one line each, and each once.

    Args:
        meta: Of the command's contexts; a thread that logs has none.
    """

    def __init__(self, meta: Mapping[str, Any]) -> None:
        super().__init__(logging.WARNING)
        self._meta = meta
        self._told: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        facts: dict[str, Any] = getattr(record, "flex_tokenstore", {})
        if facts.get("name") in _NOT_KEPT or (facts and _VERBOSE in self._meta):
            return  # told by TokenNotices
        if facts and facts.get("name") in self._meta.get(_OWN, ()):
            return  # told by the command
        if facts:
            self.tell_once(sentence_of(facts))
        elif record.name.startswith(_OURS):
            self.tell_once(in_cli_words(record.getMessage()))
        else:
            # A driver may log what it sends: docs/decisions/018.
            self.tell_once(
                f"the library {record.name} logged a warning; its text is not shown, since it "
                "may contain a secret"
            )

    def show(
        self, message: Warning | str, category: type[Warning], *_where: Any, **_more: Any
    ) -> None:
        """Takes the place of ``warnings.showwarning``."""
        self.tell_once(f"a library warns: {message} ({category.__name__})")

    def tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            tell(text)


def show_warnings() -> None:
    """Prints warnings on stderr as sentences, from here to the end of the current command."""
    ctx = click.get_current_context()
    handler, root = _Handler(ctx.meta), logging.getLogger()
    # Not of its loggers only: what no handler takes, Python prints in a form of its own.
    root.addHandler(handler)
    before, warnings.showwarning = warnings.showwarning, handler.show

    def end() -> None:
        root.removeHandler(handler)
        warnings.showwarning = before

    ctx.call_on_close(end)


def tell(text: str) -> None:
    """Prints one line on stderr, without control characters."""
    click.echo("flex-sdk: " + "".join(c if c.isprintable() else " " for c in text), err=True)


def tells_itself(*events: str) -> None:
    """Says that the current command tells these events as its own error, so that no warning does.

    Args:
        events: Their names, such as ``"refresh_rejected"``.
    """
    click.get_current_context().meta[_OWN] = events


def be_verbose() -> None:
    """Makes the current command tell what it does."""
    click.get_current_context().meta[_VERBOSE] = True


def is_verbose() -> bool:
    """Whether the current command is to tell what it does."""
    ctx = click.get_current_context(silent=True)
    return ctx is not None and _VERBOSE in ctx.meta


class TokenNotices:
    """Says once where the first token is kept, and once why none can be kept.

    With ``--verbose`` it says everything that happens to the token.

    Args:
        chosen: The user named the store, and so knows where the token is.
    """

    def __init__(self, *, chosen: bool) -> None:
        self._chosen = chosen
        self._first = False
        self._told = False
        self.is_kept = True
        """False: the last save failed."""
        if (context := click.get_current_context(silent=True)) is not None:
            context.meta[_NOTICES] = self
        # Events come from a thread of the session, which does not know the command.
        self._verbose = is_verbose()

    def __call__(self, event: Event) -> None:
        """Takes the events of the session, as its ``on_event``."""
        if event.name == "save_failed":
            self.is_kept = False
        elif event.name == "saved":
            self.is_kept = True
        not_kept = event.name in _NOT_KEPT and not self._told
        if self._verbose and not not_kept:
            tell(sentence_of(event.to_dict()))
        if event.name == "signed_in":
            self._first = event.reason == "empty"
        elif event.name == "saved" and self._first and not self._chosen:
            self._first = False
            tell(
                f"the token is kept in {event.place}, so that the next call needs no sign-in "
                "(see `flex-sdk token show`; --store memory keeps none)"
            )
        elif not_kept:
            self._told = True
            why = in_cli_words(event.error or "") or event.error_type
            tell(
                f"the token is kept in memory only, and the next call may sign in again: {why}. "
                f"To keep it elsewhere, {_ELSEWHERE}"
            )


def is_token_kept() -> bool:
    """Whether the store has the token of the current command's instance, as far as is known."""
    notices = click.get_current_context().meta.get(_NOTICES)
    return notices is None or notices.is_kept
