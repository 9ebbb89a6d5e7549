"""The official JavaScript SDK with its own limiters never meets 429 under ``--limits dev``.

Evidence: ``devQueryLimiterConfig`` and ``devCommandLimiterConfig`` of the SDK, which its official
examples use against development environments.
"""

from __future__ import annotations

import json
import subprocess

import pytest

from flex_integration_sdk.sandbox import SandboxSettings, serve

from .test_javascript import MODULES, NAME, pytestmark

__all__ = ["pytestmark"]

PROGRAM = """
const lib = require(process.argv[1]);
const [, , baseUrl, clientId, clientSecret, idle, queries, commands] = process.argv;
const { createRateLimiter, devQueryLimiterConfig, devCommandLimiterConfig } = lib.util;
const sdk = lib.createInstance({
  clientId, clientSecret, baseUrl,
  queryLimiter: createRateLimiter(devQueryLimiterConfig),
  commandLimiter: createRateLimiter(devCommandLimiterConfig),
});
const times = (count, call) => Array.from({ length: Number(count) }, call);
const status = call => call.then(answer => answer.status, error => error.status || error.message);
(async () => {
  // The limiters count from now on; the sandbox does so from the first call on.
  await new Promise(done => setTimeout(done, Number(idle)));
  const users = (await sdk.users.query({ perPage: 1 })).data.data;
  const statuses = await Promise.all([
    ...times(queries, () => status(sdk.marketplace.show())),
    ...times(commands, () => status(sdk.users.approve({ id: users[0].id }))),
  ]);
  const found = {};
  statuses.forEach(each => { found[each] = (found[each] || 0) + 1; });
  console.log(JSON.stringify(found));
  process.exit(0);
})().catch(e => { console.error(e.message, e.status); process.exit(1); });
"""


@pytest.mark.parametrize(
    ("idle", "queries", "commands"),
    [
        (300, 100, 50),  # one query more than the limiter has at the start
        pytest.param(4000, 109, 54, marks=pytest.mark.slow),
    ],
)
def test_its_limiters_never_meet_429(idle: int, queries: int, commands: int) -> None:
    with serve(SandboxSettings(limits="dev")) as sandbox:
        arguments = [sandbox.base_url, sandbox.client_id, sandbox.client_secret]
        done = subprocess.run(
            ["node", "-e", PROGRAM, str(MODULES / NAME), *arguments, str(idle), str(queries),
             str(commands)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"200": queries + commands}
