"""The official JavaScript SDK, unchanged, against the sandbox, and sharing its file with ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk.sandbox import RunningSandbox

MODULES = Path(sys.prefix) / "js" / "node_modules"
NAME = "sharetribe-flex-integration-sdk"

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed"),
    pytest.mark.skipif(
        not (MODULES / NAME).exists(),
        reason="the JavaScript SDK is not installed; `dev.py test` does it where npm can",
    ),
]

PROGRAM = """
const lib = require(process.argv[1]);
const [, , baseUrl, clientId, clientSecret, store, ...calls] = process.argv;
const sdk = lib.createInstance({
  clientId, clientSecret, baseUrl,
  tokenStore: store === 'file' ? lib.tokenStore.fileStore() : lib.tokenStore.memoryStore(),
});
(async () => {
  const out = [];
  for (const call of calls) {
    const [resource, action, params] = JSON.parse(call);
    if (resource === 'revoke') { out.push((await sdk.revoke()).data); continue; }
    out.push((await sdk[resource][action](params)).data);
  }
  console.log(JSON.stringify(out));
})().catch(e => { console.error(e.message, e.status, e.data); process.exit(1); });
"""


def javascript(
    sandbox: RunningSandbox, store: str, *calls: list[object]
) -> list[dict[str, object]]:
    done = subprocess.run(
        [
            "node", "-e", PROGRAM, str(MODULES / NAME), sandbox.base_url, sandbox.client_id,
            sandbox.client_secret, store, *map(json.dumps, calls),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_it_signs_in_calls_the_endpoints_and_revokes(flex_sandbox: RunningSandbox) -> None:
    marketplace, user, users, listings, revoked = javascript(
        flex_sandbox,
        "memory",
        ["marketplace", "show", {}],
        ["users", "show", {"email": "user3@example.com"}],
        ["users", "query", {"perPage": 3}],
        ["listings", "query", {"perPage": 100, "include": ["author"]}],
        ["revoke"],
    )
    assert marketplace["data"]["attributes"]["name"] == "Sandbox marketplace"  # type: ignore[index]  # JSON
    assert user["data"]["attributes"]["email"] == "user3@example.com"  # type: ignore[index]  # JSON
    assert len(users["data"]) == 3  # type: ignore[arg-type]  # JSON
    assert len(listings["data"]) == 100  # type: ignore[arg-type]  # JSON
    assert revoked == {"action": "revoked"}
    stats = flex_sandbox.stats()
    assert (stats["client_credentials"], stats["revoke"]) == (1, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="the JavaScript SDK's folder differs")
def test_one_file_for_both(flex_sandbox: RunningSandbox) -> None:
    show: list[object] = ["marketplace", "show", {}]
    javascript(flex_sandbox, "file", show)
    shared = {"name": "file", "share_with_js": True}
    with create_instance(
        flex_sandbox.client_id, base_url=flex_sandbox.base_url, token_store=shared
    ) as sdk:
        sdk.marketplace.show()
        flex_sandbox.expire()
        sdk.marketplace.show()
    javascript(flex_sandbox, "file", show)
    stats = flex_sandbox.stats()
    assert (stats["client_credentials"], stats["refresh_token"]) == (1, 1)
