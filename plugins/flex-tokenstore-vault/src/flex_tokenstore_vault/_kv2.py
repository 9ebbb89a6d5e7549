"""The token in KV version 2, with check-and-set."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from flex_tokenstore import (
    ANY_REVISION,
    Secret,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentity,
    TokenIdentityError,
    revision_of,
)

from ._aside import Aside
from ._content import TOMBSTONE, Content, encode, read_versioned
from ._problems import is_conflict, needs_version
from ._rights import prove
from ._server import Server
from ._steps import Steps

ROUNDS = 100  # comparisons before a secret that always changes is given up
COMPARED = 4  # each such turn, a save that may replace anything does so without comparing
REMEMBERED = 60.0  # seconds for which a version that was seen saves a write its first read


class Seen(NamedTuple):
    """What was last read or written."""

    version: int
    revision: str | None
    until: float  # by the monotonic clock


class Versioned:
    """The secret of one identity and what is done with it."""

    def __init__(self, server: Server, identity: TokenIdentity) -> None:
        self._server = server
        self._identity = identity
        self.path = f"{server.options.prefix}/{identity.key}"
        self._aside = Aside(server, f"data/{self.path}", versioned=True)
        self._seen: Seen | None = None

    def get(self) -> Steps[dict[str, Any] | None]:
        """The stored token."""
        content = yield from self._read()
        if content.problem:
            self._seen = None  # what this handle wrote is not to be replaced unseen
            raise corrupt(self._server, self._identity, content)
        if content.token is None:
            return None
        return content.token.to_dict()

    def put(self, token: dict[str, Any] | None, expected: str | None) -> Steps[None]:
        """Replaces or, with no token, removes what has the expected revision."""
        value = TOMBSTONE if token is None else encode(token)
        revision = None if token is None else revision_of(token)
        found = self._remembered(expected)
        if found is not None and token is None and found.revision is None:
            found = None  # to be removed is what there is now: no write will show it
        for turn in range(1, ROUNDS + 1):
            if found is None:
                found = yield from self._read()
            self._check(found, expected)
            if token is None and found.revision is None:
                yield from self._destroy(found.version)
                return
            if found.problem:
                yield from self._aside.keep(found)
            # Among many who write at once, one who compares may lose for ever. What is replaced
            # uncompared is still there as an older version.
            blind = turn % COMPARED == 0 and token is not None and expected == ANY_REVISION
            written = yield from self.write(self.path, value, None if blind else found.version)
            if written is not None:
                self._aside.forget()
                self._remember(written, revision)
                if token is None:
                    # Vault destroys without a comparison, so the tombstone is written first, with
                    # one. If the program dies in between, readers find nothing stored.
                    yield from self._destroy(written)
                return
            found = None
        raise self._server.unavailable(
            f"it was changed by other programs at each of {ROUNDS} tries; nothing was written: "
            "find out which program writes there"
        )

    def prepare(self, expected: str | None) -> Steps[None]:
        """Fails if the policies of the Vault token do not let it be written."""
        yield from prove(self._server, "data", self.path, expected)

    def read(self, path: str) -> Steps[Secret[dict[str, Any]]]:
        """The server's response for the secret at ``path``."""
        answer = yield from self._server.ask("GET", f"{self._server.options.mount}/data/{path}")
        body: Secret[dict[str, Any]] = answer.body
        return body

    def write(
        self, path: str, value: Secret[dict[str, Any]], version: int | None
    ) -> Steps[int | None]:
        """Writes if the secret has this version; returns the new version, or None if the secret has
        another one.

        With None it writes over any version, where the engine takes that; else it writes nothing.
        """
        options = {} if version is None else {"cas": version}
        body = Secret({"options": options, "data": value.reveal()})
        url = f"{self._server.options.mount}/data/{path}"
        expects = needs_version if version is None else is_conflict
        answer = yield from self._server.ask("POST", url, body, expects=expects)
        if expects(answer):
            return None
        written = (answer.body.reveal().get("data") or {}).get("version")
        # KV version 1 accepts the same request, and replies without a version.
        if not isinstance(written, int):
            raise self._not_versioned()
        return written

    def _read(self) -> Steps[Content]:
        body = yield from self.read(self.path)
        content = read_versioned(body)
        if content is None:
            raise self._not_versioned()
        # Only then: a wrong mount and an empty one give the same reply.
        if content.version == 0:
            yield from self._server.check_mount()
        if not content.problem and not self._is_foreign(content):
            self._remember(content.version, content.revision)
        return content

    def _destroy(self, version: int) -> Steps[None]:
        """Destroys that version, a tombstone, and all before it: never one written meanwhile."""
        if version == 0:
            return
        mount = self._server.options.mount
        answer = yield from self._server.ask("GET", f"{mount}/metadata/{self.path}")
        versions = (answer.body.reveal().get("data") or {}).get("versions") or {}
        left = [
            int(number)
            for number, about in versions.items()
            if int(number) <= version and not about.get("destroyed")
        ]
        if left:
            body: Secret[dict[str, Any]] = Secret({"versions": left})
            yield from self._server.ask("PUT", f"{mount}/destroy/{self.path}", body)

    def _remembered(self, expected: str | None) -> Content | None:
        seen = self._seen
        if seen is None or seen.until < time.monotonic():
            return None
        if expected not in (seen.revision, ANY_REVISION):
            return None
        return Content(seen.version, None, seen.revision)

    def _remember(self, version: int, revision: str | None) -> None:
        self._seen = Seen(version, revision, time.monotonic() + REMEMBERED)

    def _check(self, found: Content, expected: str | None) -> None:
        # Before the comparison: ANY_REVISION would match a foreign token too.
        if self._is_foreign(found):
            raise foreign(self._server, self._identity)
        if found.newer:
            raise corrupt(self._server, self._identity, found)
        if expected not in (found.revision, ANY_REVISION):
            raise TokenConflictError(
                f"{self._server.place} was changed by another process since it was read; nothing "
                "was written: read it again",
                store=self._server.store,
                place=self._server.place,
            )

    def _is_foreign(self, found: Content) -> bool:
        return found.token is not None and found.token.identity_key != self._identity.key

    def _not_versioned(self) -> Exception:
        return self._server.unavailable(
            f"{self._server.options.mount}/ does not behave like KV version 2: check the option "
            "mount, or use the store vault-kv1"
        )


def corrupt(server: Server, identity: TokenIdentity, found: Content) -> TokenCorruptError:
    """The error to raise."""
    remedy = "" if found.newer else f"; {identity.program.removal} moves it aside"
    return TokenCorruptError(
        f"{server.place} does not hold a token: {found.problem}{remedy}",
        revision=found.revision,
        store=server.store,
        place=server.place,
    )


def foreign(server: Server, identity: TokenIdentity) -> TokenIdentityError:
    """The error to raise."""
    return TokenIdentityError(
        f"{server.place} holds a token that does not belong to {identity.key}; it is neither used "
        "nor overwritten: remove that secret, or choose another prefix",
        store=server.store,
        place=server.place,
    )
