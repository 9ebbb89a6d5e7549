"""What the flow asks for and is answered: the sync and the async store only carry it out."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple, TypeVar

from flex_tokenstore import Secret

T = TypeVar("T")


class Request(NamedTuple):
    """A request to the server."""

    method: str
    path: str
    """Below ``/v1/``."""
    body: Secret[dict[str, Any]] | None = None
    token: Secret[str] | None = None
    """The Vault token to send it with."""


class ReadFile(NamedTuple):
    """A file with a secret to read; answered by its text, without blanks around it."""

    path: str


class Sleep(NamedTuple):
    """A pause; answered by None."""

    seconds: float


class Answer(NamedTuple):
    """The server's answer."""

    status: int
    body: Secret[dict[str, Any]]
    """The JSON object; empty if there is none."""
    understood: bool
    """The body is a JSON object, or there is none."""
    date: float | None
    """Unix time in seconds by the server's clock, in whole seconds."""
    redirect: bool = False

    def says(self, words: str) -> bool:
        """The server returned exactly one error, and it begins with these words.

        Words are compared from their start: an error may quote what somebody stored or typed.
        """
        found = self.body.reveal().get("errors")
        return isinstance(found, list) and len(found) == 1 and str(found[0]).startswith(words)


Steps = Generator[Request | ReadFile | Sleep, Any, T]
