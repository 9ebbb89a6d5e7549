"""Whether the policies of the Vault token let a secret be written, asked without writing it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flex_tokenstore import Secret, TokenPermissionError, TokenUnavailableError

from ._problems import policy
from ._server import Server
from ._steps import Steps


@contextmanager
def only_refusals() -> Iterator[None]:
    """Lets no other error out: an outage, or a policy that does not allow the question."""
    try:
        yield
    except TokenPermissionError:
        raise
    except TokenUnavailableError:
        pass


def prove(server: Server, kind: str, path: str, expected: str | None) -> Steps[None]:
    """One request. Only a clear no counts: see :func:`only_refusals` for all other answers.

    Args:
        server: The server.
        kind: ``"data"`` for KV version 2, empty for version 1.
        path: Of the secret, below the mount and the kind.
        expected: As for ``prepare_save``.

    Raises:
        TokenPermissionError: The policies do not let it be written.
    """
    full = "/".join(part for part in (server.options.mount, kind, path) if part)
    body: Secret[dict[str, Any]] = Secret({"paths": [full]})
    answer = yield from server.ask("POST", "sys/capabilities-self", body)
    data = answer.body.reveal().get("data")
    found = data.get(full) if isinstance(data, dict) else None
    # A reply that does not say is not a refusal; the save itself will show.
    if not isinstance(found, list):
        return
    # What is stored is updated; what is not, or may have been removed, is created or updated.
    enough = {"root", "update"} if expected is not None else {"root", "update", "create"}
    if not enough & {each for each in found if isinstance(each, str)}:
        raise TokenPermissionError(
            f"token store {server.store!r} at {server.place}: a token could not be saved: the "
            f"policy of its Vault token needs: {policy(kind, server.options)}",
            store=server.store,
            place=server.place,
        )
