"""What the Vault store keeps, as the server's own interface shows it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import httpx2

from tests.support.golden import HOLDER, Held, Snapshot, filled, normal
from vault_support import DATA, KEY, LOCK, config

if TYPE_CHECKING:
    from tests.servers.openbao import OpenBao

DESTROYED = "destroyed"
# As the server makes a secret of which nothing else is said.
SETTINGS = {
    "cas_required": False,
    "custom_metadata": None,
    "delete_version_after": "0s",
    "max_versions": 0,
    "metadata_cas_required": False,
}


class VaultVessel:
    """All secrets of a server: their versions, and settings other than the server's own."""

    name = "vault"
    has_lease = True
    corrupt: Mapping[str, Any] = {
        "no field": {"password": "x"},
        "not JSON": {"token": "x"},
        "an object in place of a string": {"token": {"access_token": "a"}},
        "with other fields": {"token": '["a"]', "note": "ü", "number": 1.5},
        "a token that cannot be sent": {"token": '{"access_token":"a\\nb"}'},
    }

    def __init__(self, server: OpenBao) -> None:
        headers = {"X-Vault-Token": server.root_token}
        # verify=False: to read the system's certificates takes longer than a test.
        self._client = httpx2.Client(
            base_url=f"{server.url}/v1/", headers=headers, verify=False, trust_env=False, timeout=10
        )
        self.config = config(server)

    def close(self) -> None:
        self._client.close()

    def empty(self) -> None:
        for path in self._paths("flex-tokenstore"):
            self._run("DELETE", f"secret/metadata/{path}")

    def look(self) -> Snapshot:
        return {normal(path): self._one(path) for path in sorted(self._paths("flex-tokenstore"))}

    def put(self, golden: Snapshot) -> None:
        for path, content in filled(golden).items():
            for number, fields in enumerate(content["versions"], 1):
                data = {} if fields == DESTROYED else fields
                self._run("POST", f"secret/data/{path}", {"data": data})
                if fields == DESTROYED:
                    body = {"versions": [number]}
                    self._run("POST", f"secret/destroy/{path}", body)

    def plant(self, content: Any) -> None:
        self._run("POST", DATA, {"data": content})

    def hold(self, golden: Snapshot, lease: float) -> Held:
        ((path, content),) = golden.items()
        ((fields),) = content["versions"]
        assert (path, fields) == (f"{KEY}/lock", {"holder": "<32 hex>", "lease": 60.0})
        self._run("POST", LOCK, {"data": {"holder": HOLDER, "lease": lease}})
        return _Lock(self._run)

    def _run(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._client.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: HTTP {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def _paths(self, folder: str) -> Iterator[str]:
        answer = self._client.get(f"secret/metadata/{folder}?list=true")
        for name in answer.json()["data"]["keys"] if answer.is_success else ():
            if name.endswith("/"):
                yield from self._paths(f"{folder}/{name.rstrip('/')}")
            else:
                yield f"{folder}/{name}"

    def _one(self, path: str) -> dict[str, Any]:
        about = self._run("GET", f"secret/metadata/{path}")["data"]
        versions = [
            DESTROYED if version["destroyed"] else self._fields(path, int(number))
            for number, version in sorted(about["versions"].items(), key=lambda each: int(each[0]))
        ]
        special = {
            name: about[name]
            for name, usual in SETTINGS.items()
            if name in about and about[name] != usual
        }
        return {"versions": versions, **special}

    def _fields(self, path: str, number: int) -> Any:
        found = self._run("GET", f"secret/data/{path}?version={number}")["data"]["data"]
        return json.loads(normal(json.dumps(found)))


class _Lock:
    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run

    def release(self) -> None:
        self._run("POST", LOCK, {"data": {"holder": "", "lease": 0}})

    def die(self) -> None:
        """Its lock goes on to its end."""
