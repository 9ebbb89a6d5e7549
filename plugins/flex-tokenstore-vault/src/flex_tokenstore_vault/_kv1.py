"""The store on KV version 1, which has no check-and-set: one value, replaced whole."""

from __future__ import annotations

from typing import Any, ClassVar

from flex_tokenstore import ANY_REVISION, Secret, hookimpl
from flex_tokenstore.records import ABSENT, Changed, Record, Steps

from ._content import fields_of, record_of
from ._options import Kv1Options
from ._server import AsyncVault, SyncVault, Vault


class Kv1(Vault):
    """The primitives. The version of a record are its fields; they are compared, but not in one
    step with the write. So nothing is promised: the hooks have no ``expected``, and the lock is the
    host's."""

    Options = Kv1Options
    store = "vault-kv1"
    version = 1
    kind = ""

    def read(self, client: Any, key: str) -> Steps[Record]:
        answer = yield from self._ask("GET", self._url("", key))
        if answer.status == 404:
            yield from self._check_mount()
        fields = Secret(answer.body.reveal().get("data"))
        return ABSENT if fields.reveal() is None else record_of(fields, fields)

    def write(self, client: Any, key: str, data: Secret[bytes], version: Any) -> Steps[Any]:
        yield from self._compare(client, key, version)
        fields = fields_of(data)
        yield from self._ask("POST", self._url("", key), fields)
        return fields

    def delete(self, client: Any, key: str, version: Any) -> Steps[None]:
        yield from self._compare(client, key, version)
        yield from self._ask("DELETE", self._url("", key))

    def put_aside(self, client: Any, key: str, name: str, record: Record) -> Steps[bool]:
        yield from self._ask("POST", self._url("", name), record.raw)
        copy = yield from self.read(client, name)
        if copy.raw != record.raw:
            raise self._refused("copy", path=name)
        return False

    def _compare(self, client: Any, key: str, version: Any) -> Steps[None]:
        # Version 1 keeps no older versions: what is overwritten unseen is lost.
        found = yield from self.read(client, key)
        if found.version != version:
            raise Changed(found)


class VaultKv1Store(Kv1, SyncVault):
    """Keeps the token in KV version 1 of Vault or OpenBao: no compare-and-set, for one host."""

    async_class: ClassVar[type]
    token_lock = None  # type: ignore[assignment]  # it has none: the framework takes the host's

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:  # type: ignore[override]  # no `expected`
        super().set_token(token, ANY_REVISION)

    @hookimpl
    def remove_token(self) -> None:  # type: ignore[override]
        super().remove_token(ANY_REVISION)


class AsyncVaultKv1Store(Kv1, AsyncVault):
    """Keeps the token in KV version 1 of Vault or OpenBao: no compare-and-set, for one host."""

    token_lock = None  # type: ignore[assignment]

    @hookimpl
    async def set_token(self, token: dict[str, Any]) -> None:  # type: ignore[override]  # no `expected`
        await super().set_token(token, ANY_REVISION)

    @hookimpl
    async def remove_token(self) -> None:  # type: ignore[override]
        await super().remove_token(ANY_REVISION)


VaultKv1Store.async_class = AsyncVaultKv1Store
