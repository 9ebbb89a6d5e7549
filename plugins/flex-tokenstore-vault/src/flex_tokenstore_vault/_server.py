"""The server as a store sees it: requests with a Vault token, and what they are answered."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import httpx2

from flex_tokenstore import Secret, TokenIdentity, TokenUnavailableError, hookimpl
from flex_tokenstore.records import AsyncRecordStore, Problem, RecordStore, Steps

from ._http import (
    ReadFile,
    abandon,
    arguments,
    async_content,
    content,
    make_client,
    read_answer,
)
from ._options import Options as VaultOptions
from ._problems import (
    Answer,
    Refused,
    Request,
    policy,
    problem,
    problem_of,
    problem_of_error,
)
from ._signin import SignIn


class Vault:
    """What all have in common.

    Its steps yield a :class:`Request` or a :class:`ReadFile`, and are sent an :class:`Answer` or
    a text.
    """

    Options: ClassVar[type[VaultOptions]] = VaultOptions
    encrypted_at_rest: ClassVar[bool] = True  # by Vault's barrier, with its own keys
    record = "secret"
    separator = "/"
    idle = float("inf")  # the HTTP client closes its unused connections by itself
    options: VaultOptions
    identity: TokenIdentity
    version: ClassVar[int]
    """Of the KV secrets engine, 1 or 2."""
    kind: ClassVar[str]
    """What stands between its mount and a path, in paths of secrets."""

    def __init__(self, options: VaultOptions, identity: TokenIdentity) -> None:
        super().__init__(options, identity)  # type: ignore[call-arg]  # the base's
        self._sign_ins: dict[int, SignIn] = {}
        self._mount_checked = False

    def key_of(self, identity: TokenIdentity) -> str:
        return f"{self.options.prefix}/{identity.key}"

    def locate(self, key: str) -> str:
        namespace = f" (namespace {self.options.namespace})" if self.options.namespace else ""
        return f"{self.options.address} {self.options.mount}/{key}{namespace}"

    def describe(self, error: Exception) -> Problem | None:
        return problem_of_error(error, self.options)

    def prove(self, client: Any, key: str, expected: str | None) -> Steps[None]:
        """One request. Only a clear no counts; a policy may not allow the question."""
        path = self._url(self.kind, key)
        body: Secret[dict[str, Any]] = Secret({"paths": [path]})
        answer = yield from self._ask("POST", "sys/capabilities-self", body, expects=_is_denied)
        found = answer.get("data").get(path)
        # A reply that does not say is not a refusal; the save itself will show.
        if not isinstance(found, list):
            return
        # What is stored is updated; what is not, or may have been removed, is created or updated.
        enough = {"root", "update"} if expected is not None else {"root", "update", "create"}
        if not enough & {each for each in found if isinstance(each, str)}:
            raise self._refused("no save", needed=policy(self.kind, self.options))

    def sign_out(self, client: Any) -> Steps[None]:
        """Has the server forget a Vault token that this process signed in for."""
        yield from self._sign_in.end()

    @property
    def _sign_in(self) -> SignIn:
        """That of this process: a forked child signs in by itself."""
        made = self._sign_ins.get(os.getpid())
        return made or self._sign_ins.setdefault(os.getpid(), SignIn(self.options))

    @property
    def _signed_in(self) -> bool:
        return os.getpid() in self._sign_ins

    def _ask(
        self,
        method: str,
        path: str,
        body: Secret[dict[str, Any]] | None = None,
        *,
        expects: Callable[[Answer], bool] | None = None,
    ) -> Steps[Answer]:
        """The answer: 200, 204, 404 for what is not there.

        Args:
            method: Of the request.
            path: Below ``/v1/``.
            body: Its JSON object.
            expects: Recognises another response that the caller can handle.

        Raises:
            Refused: Any other answer.
        """
        token = yield from self._sign_in.token()
        request = Request(method, path, body, token)
        answer: Answer = yield request
        known = True
        if answer.status == 403 and token is not None:
            # The same status for a token that has expired and for a policy that refuses.
            # One more request, and only after a refusal: only a token that is not known must be
            # replaced.
            looked = yield Request("GET", "auth/token/lookup-self", None, token)
            known = looked.status == 200
            other = None if known else (yield from self._sign_in.another(token))
            if other is not None:
                answer = yield request._replace(token=other)
                known = True  # as far as one can tell
        if expects is not None and expects(answer):
            return answer
        found = problem_of(answer, request, self.options, known=known)
        if found is not None:
            raise Refused(found)
        return answer

    def _check_mount(self) -> Steps[None]:
        """Tells a mount of another kind from one in which there is nothing.

        Its answers to a read are the same. Asked once, and only if nothing was found.
        """
        if self._mount_checked:
            return
        mount = self.options.mount
        token = yield from self._sign_in.token()
        answer = yield Request("GET", f"sys/internal/ui/mounts/{mount}", None, token)
        found = answer.get("data")
        if answer.status == 200 and found.get("type") not in ("kv", "generic"):
            raise self._refused("not kv", type=found.get("type"))
        real = int((found.get("options") or {}).get("version") or 1)
        if answer.status == 200 and real != self.version:
            other = "vault" if real == 2 else "vault-kv1"
            raise self._refused("other version", real=real, store=other)
        # Also if a policy forbids the question: it would be refused each time.
        self._mount_checked = True

    def _refused(self, name: str, **about: Any) -> Refused:
        return Refused(problem(name, self.options, **about))

    def _url(self, kind: str, key: str) -> str:
        return "/".join(part for part in (self.options.mount, kind, key) if part)


class SyncVault(Vault, RecordStore):
    """What the stores of a sync program have in common."""

    def connect(self) -> httpx2.Client:
        client: httpx2.Client = make_client(httpx2.Client, self.options)
        return client

    def disconnect(self, client: httpx2.Client) -> None:
        client.close()

    def send(self, client: httpx2.Client, command: Request | ReadFile) -> Any:
        if isinstance(command, ReadFile):
            return command.read(self.options)
        return read_answer(client.request(**arguments(command, content)))

    @hookimpl
    def close(self) -> None:
        if self._signed_in:
            with suppress(TokenUnavailableError):  # the Vault token expires with its lease
                self.call("sign_out")
        super().close()


class AsyncVault(Vault, AsyncRecordStore):
    """What the stores of an asyncio program have in common."""

    abandon = staticmethod(abandon)

    async def connect(self) -> httpx2.AsyncClient:
        if self.options.tls:
            return await asyncio.to_thread(make_client, httpx2.AsyncClient, self.options)
        client: httpx2.AsyncClient = make_client(httpx2.AsyncClient, self.options)
        return client

    async def disconnect(self, client: httpx2.AsyncClient) -> None:
        await client.aclose()

    async def send(self, client: httpx2.AsyncClient, command: Request | ReadFile) -> Any:
        if isinstance(command, ReadFile):  # in a thread: a file on a network may take long
            return await asyncio.to_thread(command.read, self.options)
        return read_answer(await client.request(**arguments(command, async_content)))

    @hookimpl
    async def close(self) -> None:
        if self._signed_in:
            with suppress(TokenUnavailableError):
                await self.call("sign_out")
        await super().close()


def _is_denied(answer: Answer) -> bool:
    return answer.status == 403
