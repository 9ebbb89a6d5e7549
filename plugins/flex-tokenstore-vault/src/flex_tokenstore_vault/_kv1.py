"""The token in KV version 1, which has no check-and-set: one value, replaced whole."""

from __future__ import annotations

from typing import Any

from flex_tokenstore import Secret, TokenIdentity

from ._aside import Aside
from ._content import Content, encode, read_data
from ._kv2 import corrupt, foreign
from ._rights import prove
from ._server import Server
from ._steps import Steps


class Plain:
    """The secret of one identity and what is done with it."""

    def __init__(self, server: Server, identity: TokenIdentity) -> None:
        self._server = server
        self._identity = identity
        self._path = f"{server.options.prefix}/{identity.key}"
        self._url = f"{server.options.mount}/{self._path}"
        self._aside = Aside(server, self._path, versioned=False)

    def get(self) -> Steps[dict[str, Any] | None]:
        """The stored token."""
        content = yield from self._read()
        if content.problem:
            raise corrupt(self._server, self._identity, content)
        return None if content.token is None else content.token.to_dict()

    def set(self, token: dict[str, Any]) -> Steps[None]:
        """Replaces what is there."""
        # Version 1 keeps no older versions: what is overwritten is lost.
        yield from self._make_way()
        yield from self._server.ask("POST", self._url, encode(token))
        self._aside.forget()

    def prepare(self, expected: str | None) -> Steps[None]:
        """Fails if the policies of the Vault token do not let it be written."""
        yield from prove(self._server, "", self._path, expected)

    def remove(self) -> Steps[None]:
        """Removes what is there."""
        if (yield from self._make_way()):
            yield from self._server.ask("DELETE", self._url)
            self._aside.forget()

    def _make_way(self) -> Steps[bool]:
        """Moves content aside that is not a token; returns whether anything is stored."""
        found = yield from self._read()
        if found.token is not None and found.token.identity_key != self._identity.key:
            raise foreign(self._server, self._identity)
        if found.newer:
            raise corrupt(self._server, self._identity, found)
        if found.problem:
            yield from self._aside.keep(found)
        return found.revision is not None

    def _read(self) -> Steps[Content]:
        answer = yield from self._server.ask("GET", self._url)
        if answer.status == 404:
            yield from self._server.check_mount()
        return read_data(_fields(answer.body), 0)


def _fields(body: Secret[dict[str, Any]]) -> Secret[Any]:
    return Secret(body.reveal().get("data"))
