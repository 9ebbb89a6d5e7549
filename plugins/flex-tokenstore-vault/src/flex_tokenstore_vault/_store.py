"""The store on KV version 2: a record and a lock as secrets with check-and-set."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar

from flex_tokenstore import Secret
from flex_tokenstore.records import ANY_VERSION, Changed, Record, Steps

from ._content import TOMBSTONE, Empty, fields_of, record_of
from ._problems import Answer, is_conflict, needs_version
from ._server import AsyncVault, SyncVault, Vault

NOBODY: Secret[dict[str, Any]] = Secret({"holder": "", "lease": 0})
"""Written over a lock that is released."""


class Kv2(Vault):
    """The primitives; a record's version is that of its secret, and its ``raw`` are the fields."""

    store = "vault"
    overwrites = True
    version = 2
    kind = "data"

    def read(self, client: Any, key: str) -> Steps[Record]:
        answer = yield from self._ask("GET", self._url("data", key))
        record = self._record(key, answer)
        # Only then: a wrong mount and an empty one give the same reply.
        if record.version is None:
            yield from self._check_mount()
        return record

    def write(self, client: Any, key: str, data: Secret[bytes], version: Any) -> Steps[int]:
        fields = _lock_fields(data) if _is_lock(key) else fields_of(data)
        written = yield from self._write(key, fields, version)
        if written is None:
            raise Changed
        return written

    def delete(self, client: Any, key: str, version: Any) -> Steps[None]:
        if version == ANY_VERSION:
            raise Changed  # destroyed is only what was looked at
        if _is_lock(key):
            yield from self._write(key, NOBODY, version)
            return
        # Vault destroys without a comparison, so the tombstone is written first, with one. If the
        # program dies in between, readers find nothing stored.
        written: int | None = version
        if not isinstance(version, Empty):
            written = yield from self._write(key, TOMBSTONE, version)
        if written is None:
            found = yield from self.read(client, key)
            if found.data is None:  # by another, or by a try whose answer was lost
                yield from self._destroy(key, found.version)
            raise Changed(found)
        yield from self._destroy(key, written)

    def put_aside(self, client: Any, key: str, name: str, record: Record) -> Steps[bool]:
        # A try whose answer was lost, or after which nothing could be removed, may have made the
        # copy; 0 says that there is nothing yet, for a mount may demand a version.
        version: Any = None
        for _ in range(2):
            yield from self._write(name, record.raw, version)
            copy = yield from self.read(client, name)
            if copy.raw == record.raw:
                return False  # the original is still there, to be written over
            version = copy.version  # the rest of the fields has changed since that try
        raise self._refused("copy", path=name)

    def _write(self, key: str, fields: Any, version: Any) -> Steps[int | None]:
        """Writes if the secret has this version; returns the new version, or None if the secret has
        another one.

        With ``ANY_VERSION`` it writes over any, where the engine takes that; else it writes
        nothing.
        """
        options = {} if version == ANY_VERSION else {"cas": version or 0}
        body = Secret({"options": options, "data": fields.reveal()})
        expects = needs_version if version == ANY_VERSION else is_conflict
        answer = yield from self._ask("POST", self._url("data", key), body, expects=expects)
        if expects(answer):
            return None
        written = answer.get("data").get("version")
        # KV version 1 accepts the same request, and replies without a version.
        if not isinstance(written, int):
            raise self._refused("not versioned")
        return written

    def _destroy(self, key: str, version: int | None) -> Steps[None]:
        """Destroys that version, which holds nothing, and all before it: never a later one."""
        if version is None:
            return
        answer = yield from self._ask("GET", self._url("metadata", key))
        versions = answer.get("data").get("versions") or {}
        left = [
            int(number)
            for number, about in versions.items()
            if int(number) <= version and not about.get("destroyed")
        ]
        if left:
            body: Secret[dict[str, Any]] = Secret({"versions": left})
            yield from self._ask("PUT", self._url("destroy", key), body)

    def _record(self, key: str, answer: Answer) -> Record:
        if not answer.body.reveal().get("data"):  # there is no such secret
            return Record(None, clock=answer.date)
        about = answer.get("data").get("metadata")
        about = about if isinstance(about, dict) else {}
        version = about.get("version")
        if not isinstance(version, int) or "data" not in answer.get("data"):
            raise self._refused("not versioned")
        fields = Secret(answer.get("data")["data"])
        if fields.reveal() is None or fields == TOMBSTONE:
            return Record(None, Empty(version), answer.date)
        if _is_lock(key):
            return Record(_lock_bytes(fields, about.get("created_time")), version, answer.date)
        return record_of(fields, version)


class VaultStore(Kv2, SyncVault):
    """Keeps the token in Vault or OpenBao (KV version 2), for all hosts that reach it."""

    async_class: ClassVar[type]  # set below: it is defined after this class


class AsyncVaultStore(Kv2, AsyncVault):
    """Keeps the token in Vault or OpenBao (KV version 2), for all hosts that reach it."""


VaultStore.async_class = AsyncVaultStore


def _is_lock(key: str) -> bool:
    return key.endswith("/lock")


def _lock_fields(data: Secret[bytes]) -> Secret[dict[str, Any]]:
    content = json.loads(data.reveal())
    return Secret({"holder": content["holder"], "lease": content["lease"]})


def _lock_bytes(fields: Secret[Any], created: Any) -> Secret[bytes]:
    """A lock for the base: with the end of its lease by the server's clock, if that is known."""
    content = dict(fields.reveal())
    with suppress(ValueError, TypeError, KeyError):
        since = datetime.fromisoformat(created).timestamp()
        content["until"] = since + float(content["lease"])
    return Secret(json.dumps(content, sort_keys=True).encode())
