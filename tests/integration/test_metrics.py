"""What an operator sees is what went over the wire, with the real OpenTelemetry SDK."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk.errors import AuthenticationError, ConfigurationError, TransportError
from flex_integration_sdk.sandbox import RunningSandbox
from flex_tokenstore import Event

# One process, so that the metrics are its own; what it prints is compared with the sandbox.
PROGRAM = """
import asyncio, json, sys
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from flex_integration_sdk import create_async_instance, create_instance

reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
events = []

def call(times, **options):
    with create_instance(on_event=lambda e: events.append(e.to_dict()), **options) as sdk:
        for _ in range(times):
            sdk.marketplace.show()
            input_line()

def input_line():
    print("next", flush=True)
    sys.stdin.readline()

async def call_async(times):
    async with create_async_instance(
        token_store="file", on_event=lambda e: events.append(e.to_dict())
    ) as sdk:
        for _ in range(times):
            await asyncio.gather(*(sdk.marketplace.show() for _ in range(8)))
            input_line()
        await sdk.revoke()

call(2, token_store="file")
call(1, token_store="memory")
asyncio.run(call_async(2))
print(json.dumps({"events": events, "metrics": json.loads(reader.get_metrics_data().to_json())}))
"""


def points(metrics: dict[str, Any], name: str) -> Iterator[tuple[dict[str, str], Any]]:
    for resource in metrics["resource_metrics"]:
        for scope in resource["scope_metrics"]:
            for metric in scope["metrics"]:
                if metric["name"] == name:
                    for point in metric["data"]["data_points"]:
                        yield point["attributes"], point


def environment(sandbox: RunningSandbox, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "FLEX_INTEGRATION_BASE_URL": sandbox.base_url,
        "FLEX_INTEGRATION_CLIENT_ID": sandbox.client_id,
        "FLEX_INTEGRATION_CLIENT_SECRET": sandbox.client_secret,
        **more,
    }


def test_metrics_and_events_count_what_the_sandbox_counts(flex_sandbox: RunningSandbox) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment(flex_sandbox),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        while line == "next\n":
            flex_sandbox.expire()
            process.stdin.write("\n")
            process.stdin.flush()
            line = process.stdout.readline()
    seen = json.loads(line)
    stats = flex_sandbox.stats()
    assert stats["client_credentials"] == 2
    assert stats["refresh_token"] >= 2
    assert stats["revoke"] == 2, "the first meets an expired token"

    requests = {
        (at["flex_tokenstore.grant_type"], at["flex_tokenstore.outcome"]): 0
        for at, _ in points(seen["metrics"], "flex_tokenstore.token_requests")
    }
    for at, point in points(seen["metrics"], "flex_tokenstore.token_requests"):
        requests[at["flex_tokenstore.grant_type"], at["flex_tokenstore.outcome"]] += point["value"]
    assert requests == {
        ("client_credentials", "issued"): stats["client_credentials"],
        ("refresh_token", "issued"): stats["refresh_token"],
    }
    sent = [event for event in seen["events"] if event["secret_sent"]]
    assert len(sent) == stats["client_credentials"]
    told = sum(point["value"] for _, point in points(seen["metrics"], "flex_tokenstore.events"))
    assert told == len(seen["events"])
    waits = list(points(seen["metrics"], "flex_tokenstore.lock.wait.duration"))
    assert sum(point["count"] for _, point in waits) == len(
        [event for event in seen["events"] if event["name"] == "waited"]
    )
    assert {store for at, _ in waits for store in [at["flex_tokenstore.store"]]} == {
        "file",
        "memory",
    }
    _check_secrets(flex_sandbox, line)


def _check_secrets(sandbox: RunningSandbox, shown: str) -> None:
    assert sandbox.client_secret not in shown
    assert sandbox.client_id not in json.dumps(json.loads(shown)["metrics"])
    assert "Bearer" not in shown


@pytest.mark.parametrize("blocked", [True, False], ids=["no package", "not imported"])
def test_without_opentelemetry_nothing_breaks_and_nothing_loads_it(
    flex_sandbox: RunningSandbox, blocked: bool
) -> None:
    program = f"""
import sys, logging
logging.basicConfig(level=logging.DEBUG)
if {blocked}:
    sys.modules["opentelemetry"] = None
from flex_integration_sdk import create_instance
with create_instance(token_store="file") as sdk:
    sdk.marketplace.show()
print([name for name in sys.modules if name.startswith("opentelemetry.")])
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(flex_sandbox),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
    assert "flex_tokenstore:signed in with the client secret" in done.stderr
    assert "failed at event" not in done.stderr


def test_a_refused_secret_was_sent_and_a_missing_one_was_not(
    flex_sandbox: RunningSandbox,
) -> None:
    events: list[Event] = []

    def sign_in(error: type[Exception], **options: Any) -> Event:
        options = {"client_id": flex_sandbox.client_id, "base_url": flex_sandbox.base_url} | options
        with create_instance(on_event=events.append, **options) as sdk, pytest.raises(error):
            sdk.marketplace.show()
        return next(event for event in reversed(events) if event.name == "request_failed")

    refused = sign_in(AuthenticationError, client_secret="wrong")
    assert (refused.secret_sent, refused.reason) == (True, "failed")
    missing = sign_in(AuthenticationError)
    assert (missing.secret_sent, missing.reason) == (False, "not_sent")
    closed = sign_in(TransportError, client_secret="s", base_url="http://127.0.0.1:9")
    assert (closed.secret_sent, closed.reason) == (False, "not_sent")
    flex_sandbox.fault("drop", target="token")
    flex_sandbox.fault("drop", target="token")
    dropped = sign_in(TransportError, client_secret=flex_sandbox.client_secret)
    assert (dropped.secret_sent, dropped.reason) == (True, "transient")


def test_a_wrong_callback_is_refused_at_once() -> None:
    async def on_event(event: Event) -> None:
        """Not what is wanted."""

    with pytest.raises(ConfigurationError, match="plain function"):
        create_instance("id", on_event=on_event)
