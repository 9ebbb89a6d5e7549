"""Starting and ending: in a thread, and as a process."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from flex_integration_sdk.errors import FlexError
from flex_integration_sdk.sandbox import SandboxAddressError, SandboxSettings, serve
from tests.support.since import Since

PROGRAM = """
from flex_integration_sdk.sandbox import SandboxSettings, run
run(SandboxSettings(client_id="me", client_secret="mine"), "127.0.0.1", 0)
print("ended")
"""


def test_two_sandboxes_are_apart_and_their_threads_end() -> None:
    since = Since()
    with serve() as one, serve() as other:
        assert one.base_url != other.base_url
        assert one.client_secret not in repr(one)
        one.fault("status", target="any")
        assert len(since.threads("flex-sandbox")) == 2
        assert other.stats()["api_calls"] == 0
    assert since.threads("flex-sandbox") == []
    with pytest.raises(ConnectionError):
        one.stats()


def test_it_ends_after_an_error_of_the_user() -> None:
    since = Since()
    with pytest.raises(KeyError), serve():
        raise KeyError
    assert since.threads("flex-sandbox") == []


def test_it_ends_soon_although_a_request_hangs() -> None:
    with serve() as sandbox:
        sandbox.fault("delay", target="api", seconds=60)
        hanging = http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc, timeout=10)
        hanging.request("GET", "/v1/integration_api/marketplace/show")
        arrived = any(sandbox.stats()["api_calls"] for _ in range(1000))
        assert arrived
        start = time.monotonic()
    assert time.monotonic() - start < 10
    hanging.close()


def test_a_kept_connection_is_answered_without_delay() -> None:
    with serve() as sandbox:
        connection = http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc, timeout=10)
        times = []
        for _ in range(15):
            start = time.perf_counter()
            connection.request("GET", "/_sandbox/stats")
            connection.getresponse().read()
            times.append(time.perf_counter() - start)
        connection.close()
    assert min(times[5:]) < 0.02  # 0.04 where Nagle's algorithm meets delayed acknowledgement


def test_a_port_in_use_is_a_typed_error_that_names_it() -> None:
    with serve() as sandbox:
        port = urlsplit(sandbox.base_url).port
        assert port is not None
        with pytest.raises(SandboxAddressError, match=f"127.0.0.1 port {port}") as caught:
            serve(port=port).__enter__()
    assert isinstance(caught.value, FlexError)
    assert isinstance(caught.value, OSError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70000), ("192.0.2.1", 0)])
def test_an_address_that_cannot_be_had(host: str, port: int) -> None:
    with pytest.raises(SandboxAddressError, match=host):
        serve(SandboxSettings(), host, port).__enter__()


def test_a_wildcard_address_is_shown_as_loopback() -> None:
    with serve(host="0.0.0.0") as sandbox:
        assert sandbox.base_url.startswith("http://127.0.0.1:")
        assert sandbox.stats()["api_calls"] == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals between processes")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_process_prints_one_line_and_ends_cleanly(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        assert (line["client_id"], line["client_secret"]) == ("me", "mine")
        connection = http.client.HTTPConnection(urlsplit(line["base_url"]).netloc, timeout=10)
        connection.request("GET", "/_sandbox/stats")
        assert connection.getresponse().status == 200
        connection.close()
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out, err) == (0, "ended\n", "")
