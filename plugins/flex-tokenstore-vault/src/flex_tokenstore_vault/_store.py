"""The stores, for sync and for asyncio programs; they differ only by ``await``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, TypeVar

import httpx2

from flex_tokenstore import (
    Secret,
    TokenIdentity,
    TokenUnavailableError,
    hookimpl,
    read_secret_file,
)

from ._http import AsyncContent, Content, arguments, let_go
from ._kv1 import Plain
from ._kv2 import Versioned
from ._lock import Lock
from ._loops import Key, here, is_over, is_running
from ._options import Options as VaultOptions
from ._problems import reason_of
from ._rights import only_refusals
from ._server import Server
from ._steps import Answer, ReadFile, Request, Sleep, Steps

T = TypeVar("T")


class _Base:
    """What all have in common."""

    Options = VaultOptions
    _store: ClassVar[str] = "vault"
    _version: ClassVar[int] = 2

    def __init__(self, options: VaultOptions, identity: TokenIdentity) -> None:
        self._options = options
        place = f"{options.address} {options.mount}/{options.prefix}/{identity.key}"
        if options.namespace:
            place = f"{place} (namespace {options.namespace})"
        self._server = Server(options, store=self._store, place=place, version=self._version)
        self._clients: dict[Key, Any] = {}
        self._start(identity)

    def _start(self, identity: TokenIdentity) -> None:
        self._secret = Versioned(self._server, identity)
        self._lock = Lock(self._server, self._secret)

    @property
    def place(self) -> str:
        """Address, mount and path."""
        return self._server.place

    @hookimpl
    def lock_id(self) -> str:
        return f"{self._store}:{self.place}"

    def _unread(self, path: str, problem: ValueError) -> TokenUnavailableError:
        return self._server.unavailable(f"{path} {problem}")


class _Sync(_Base):
    def _do(self, steps: Steps[T]) -> T:
        try:
            step = next(steps)
            while True:
                step = steps.send(self._perform(step))
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _perform(self, step: Request | ReadFile | Sleep) -> Any:
        if isinstance(step, Request):
            return self._send(step)
        if isinstance(step, Sleep):
            return time.sleep(step.seconds)
        try:
            return read_secret_file(step.path)
        except ValueError as error:
            raise self._unread(step.path, error) from None

    def _send(self, request: Request) -> Answer:
        key = os.getpid(), None
        client = self._clients.get(key)
        if client is None:
            # One for each process: a forked child does not use what its parent made.
            new = httpx2.Client(**_settings(self._options, tls_context(self._options)))
            client = self._clients.setdefault(key, new)
        try:
            return _read_answer(client.request(**arguments(request, Content)))
        except Exception as error:  # noqa: BLE001 - whatever the HTTP client raises
            reason = reason_of(error, self._options)
        raise self._server.unavailable(reason)  # outside: the client's frames hold tokens

    @hookimpl
    def close(self) -> None:
        if (os.getpid(), None) in self._clients:
            with contextlib.suppress(TokenUnavailableError):
                # If this fails, the Vault token expires with its lease.
                self._do(self._server.sign_in.end())
            self._clients.pop((os.getpid(), None)).close()


class _Async(_Base):
    async def _do(self, steps: Steps[T]) -> T:
        try:
            step = next(steps)
            while True:
                step = steps.send(await self._perform(step))
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def _perform(self, step: Request | ReadFile | Sleep) -> Any:
        if isinstance(step, Request):
            return await self._send(step)
        if isinstance(step, Sleep):
            return await asyncio.sleep(step.seconds)
        try:
            # In a thread: a file on a network may take long.
            return await asyncio.to_thread(read_secret_file, step.path)
        except ValueError as error:
            raise self._unread(step.path, error) from None

    async def _send(self, request: Request) -> Answer:
        key = here()  # a loop cannot wait for what belongs to another
        client = self._clients.get(key)
        if client is None:
            self._let_go()
            context: ssl.SSLContext | bool = False
            if self._options.tls:  # reading the system's certificates takes 50 ms
                context = await asyncio.to_thread(tls_context, self._options)
            new = httpx2.AsyncClient(**_settings(self._options, context))
            # While the certificates were read, another task may have made one.
            client = self._clients.setdefault(key, new)
        try:
            return _read_answer(await client.request(**arguments(request, AsyncContent)))
        except Exception as error:  # noqa: BLE001 - whatever the HTTP client raises
            reason = reason_of(error, self._options)
        raise self._server.unavailable(reason)  # outside: the client's frames hold tokens

    @hookimpl
    async def close(self) -> None:
        self._let_go()
        if self._server.signed_in:
            with contextlib.suppress(TokenUnavailableError):
                await self._do(self._server.sign_in.end())
        client = self._clients.pop(here(), None)
        if client is not None:
            await client.aclose()
        # What other loops that still run have open is closed by them.
        for key in [key for key in list(self._clients) if is_running(key)]:
            asyncio.run_coroutine_threadsafe(self._clients.pop(key).aclose(), key[1])  # type: ignore[arg-type]  # it runs

    def _let_go(self) -> None:
        """Closes what belongs to event loops that are closed."""
        for key in [key for key in list(self._clients) if is_over(key)]:
            client = self._clients.pop(key, None)
            if client is not None:
                let_go(client)


class VaultStore(_Sync):
    """Keeps the token in Vault or OpenBao (KV version 2), for all hosts that reach it."""

    async_class: ClassVar[type]  # set below: it is defined after this class

    @hookimpl
    def get_token(self) -> dict[str, Any] | None:
        return self._do(self._secret.get())

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        self._do(self._secret.put(token, expected))

    @hookimpl
    def prepare_save(self, expected: str | None) -> None:
        with only_refusals():
            self._do(self._secret.prepare(expected))

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        self._do(self._secret.put(None, expected))

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float]:
        with self._lock.value() as value:
            taken = self._do(self._lock.take(value, wait, lease))
        pid = os.getpid()
        try:
            yield taken.ends
        finally:
            # After its end the lock may be held by another, and a forked child never holds it.
            if time.monotonic() < taken.ends and os.getpid() == pid:
                self._do(self._lock.release(taken))


class AsyncVaultStore(_Async):
    """Keeps the token in Vault or OpenBao (KV version 2), for all hosts that reach it."""

    @hookimpl
    async def get_token(self) -> dict[str, Any] | None:
        return await self._do(self._secret.get())

    @hookimpl
    async def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        await self._do(self._secret.put(token, expected))

    @hookimpl
    async def prepare_save(self, expected: str | None) -> None:
        with only_refusals():
            await self._do(self._secret.prepare(expected))

    @hookimpl
    async def remove_token(self, expected: str | None) -> None:
        await self._do(self._secret.put(None, expected))

    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[float]:
        with self._lock.value() as value:
            taken = await self._do(self._lock.take(value, wait, lease))
        pid = os.getpid()
        try:
            yield taken.ends
        finally:
            # As in the sync store: the lock may be held by another, or by the parent process.
            if time.monotonic() < taken.ends and os.getpid() == pid:
                await self._do(self._lock.release(taken))


class _Kv1:
    _store: ClassVar[str] = "vault-kv1"
    _version: ClassVar[int] = 1
    _server: Server

    def _start(self, identity: TokenIdentity) -> None:
        self._plain = Plain(self._server, identity)


class VaultKv1Store(_Kv1, _Sync):
    """Keeps the token in KV version 1 of Vault or OpenBao: no compare-and-set, for one host."""

    async_class: ClassVar[type]

    @hookimpl
    def get_token(self) -> dict[str, Any] | None:
        return self._do(self._plain.get())

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:
        self._do(self._plain.set(token))

    @hookimpl
    def prepare_save(self, expected: str | None) -> None:
        with only_refusals():
            self._do(self._plain.prepare(expected))

    @hookimpl
    def remove_token(self) -> None:
        self._do(self._plain.remove())


class AsyncVaultKv1Store(_Kv1, _Async):
    """Keeps the token in KV version 1 of Vault or OpenBao: no compare-and-set, for one host."""

    @hookimpl
    async def get_token(self) -> dict[str, Any] | None:
        return await self._do(self._plain.get())

    @hookimpl
    async def set_token(self, token: dict[str, Any]) -> None:
        await self._do(self._plain.set(token))

    @hookimpl
    async def prepare_save(self, expected: str | None) -> None:
        with only_refusals():
            await self._do(self._plain.prepare(expected))

    @hookimpl
    async def remove_token(self) -> None:
        await self._do(self._plain.remove())


VaultStore.async_class = AsyncVaultStore
VaultKv1Store.async_class = AsyncVaultKv1Store


def tls_context(options: VaultOptions) -> ssl.SSLContext | bool:
    """What to check the server's certificate with; False: no TLS."""
    if not options.tls:
        return False
    if options.ca_file is not None:
        return ssl.create_default_context(cafile=options.ca_file)
    # It honours SSL_CERT_FILE and SSL_CERT_DIR, as the SDK's own connections do.
    return httpx2.create_ssl_context()


def _settings(options: VaultOptions, context: ssl.SSLContext | bool) -> dict[str, Any]:
    # Vault Agent and Vault Proxy can demand this header (`require_request_header`), since a forged
    # request (SSRF) rarely has it.
    headers = {"X-Vault-Request": "true"}
    if options.namespace:
        headers["X-Vault-Namespace"] = options.namespace
    return {
        "base_url": f"{options.address}/v1/",
        "headers": headers,
        "verify": context,
        "timeout": httpx2.Timeout(options.timeout, connect=options.connect_timeout),
    }


def _read_answer(response: httpx2.Response) -> Answer:
    date = None
    with contextlib.suppress(ValueError, TypeError):
        # Without the header the age of a lock is not known: it is watched for a whole lease.
        date = parsedate_to_datetime(response.headers.get("Date") or "").timestamp()
    body, understood = _json(response)
    if response.status_code == 404:
        # Not a load balancer's, or another program's: that would be taken for an empty store.
        understood = understood and _says_nothing_there(body)
    return Answer(response.status_code, body, understood, date, response.is_redirect)


def _json(response: httpx2.Response) -> tuple[Secret[dict[str, Any]], bool]:
    if not response.content:
        return Secret({}), True
    with contextlib.suppress(ValueError, RecursionError):
        parsed = Secret(response.json())
        if isinstance(parsed.reveal(), dict):
            return parsed, True
    return Secret({}), False


def _says_nothing_there(body: Secret[dict[str, Any]]) -> bool:
    """As Vault and OpenBao say it: a list of texts, or the remains of a version."""
    errors = body.reveal().get("errors")
    if isinstance(errors, list):
        return all(isinstance(each, str) for each in errors)
    return "request_id" in body.reveal()
