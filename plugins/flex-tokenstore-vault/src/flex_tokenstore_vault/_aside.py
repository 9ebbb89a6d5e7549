"""Content that is not a token is copied to its own path before anything is written over it."""

from __future__ import annotations

import secrets
import time
from typing import Any

from flex_tokenstore import Secret, TokenUnavailableError

from ._content import Content, read_data, read_versioned
from ._problems import is_conflict
from ._server import Server
from ._steps import Steps


class Aside:
    """The copies of one identity's secret.

    Args:
        server: Where they are.
        path: The secret's, with what stands before it in the mount (``data/`` in KV version 2).
        versioned: KV version 2.
    """

    def __init__(self, server: Server, path: str, *, versioned: bool) -> None:
        self._server = server
        self._folder = f"{server.options.mount}/{path}"
        self._versioned = versioned
        self._of: str | None = None  # the revision of what was copied last
        self._url = ""  # where to

    def keep(self, found: Content) -> Steps[None]:
        """Returns when the copy is there, as reading it back has shown.

        Raises:
            TokenUnavailableError: Anything else; the caller must leave the content where it is.
        """
        try:
            # A try whose answer was lost, or after which nothing could be removed, may have made
            # the copy: the next one does not make a second.
            if self._of == found.revision and (yield from self._holds(found)):
                return
            if self._of != found.revision:
                now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
                self._url = f"{self._folder}/corrupt-{now}-{secrets.token_hex(3)}"
                self._of = found.revision
            # A mount may demand a version with each write; 0 says that there is nothing yet.
            yield from self._server.ask("POST", self._url, self._body(found), expects=is_conflict)
            if not (yield from self._holds(found)):
                raise self._server.unavailable(f"{self._url} does not hold what was written to it")
        except TokenUnavailableError as error:
            raise _with_consequence(error) from None

    def forget(self) -> None:
        """The content is gone; should the same come again, it is another find."""
        self._of = None

    def _holds(self, found: Content) -> Steps[bool]:
        answer = yield from self._server.ask("GET", self._url)
        if self._versioned:
            copy = read_versioned(answer.body)
        else:
            copy = read_data(Secret(answer.body.reveal().get("data")), 0)
        return copy is not None and copy.revision == found.revision

    def _body(self, found: Content) -> Secret[dict[str, Any]]:
        # Version 1 takes objects only, and it is where others may be found too.
        if not self._versioned:
            return found.data
        return Secret({"options": {"cas": 0}, "data": found.data.reveal()})


def _with_consequence(error: TokenUnavailableError) -> TokenUnavailableError:
    return TokenUnavailableError(
        f"{error.message}. The secret holds content that is not a token; it could not be moved "
        "aside, so nothing was removed or overwritten",
        store=error.store,
        place=error.place,
    )
