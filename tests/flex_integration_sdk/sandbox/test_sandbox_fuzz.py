"""Whatever is sent: no 500, no hang, and all that was accepted is read in every format."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from flex_integration_sdk import create_instance
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings
from tests.support.asgi_client import InProcess, OverSocket
from tests.support.fuzzed_requests import COMMANDS
from tests.support.sandbox_fuzz import Fuzz, Poisoned, run

RANDOM = st.randoms(use_true_random=False)


class Marketplace(RuleBasedStateMachine):
    """Any accepted command leaves every query readable, in JSON and in both forms of Transit."""

    def __init__(self) -> None:
        super().__init__()
        self.fuzz = Fuzz()

    @rule(random=RANDOM)
    def command(self, random: Random) -> None:
        self.fuzz.step(random, COMMANDS)

    @rule(random=RANDOM)
    def anything(self, random: Random) -> None:
        self.fuzz.step(random)

    def teardown(self) -> None:
        self.fuzz.read_everything()
        self.fuzz.sandbox.close()


def test_accepted_commands_leave_every_query_readable() -> None:
    # Each example is a sandbox of its own, and is read as a whole: a quarter of a second.
    profile = settings.get_profile(settings.get_current_profile_name())
    few = settings(profile, stateful_step_count=10, max_examples=profile.max_examples // 2)
    run_state_machine_as_test(Marketplace, settings=few)


@pytest.mark.parametrize("count", [150, pytest.param(5000, marks=pytest.mark.slow)])
def test_requests_at_random(count: int) -> None:
    print(run(count, seed=count))


@pytest.mark.slow
def test_requests_at_random_to_a_strict_sandbox() -> None:
    print(run(1000, 1, InProcess(SandboxSettings(strict=True))))


@pytest.mark.slow
def test_the_check_finds_a_value_that_cannot_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flex_integration_sdk.sandbox._server.bodies.check_values", lambda _: None)
    with pytest.raises(Poisoned, match="500 for"):
        run(3000, seed=2)


# What a client of another kind, or none, may send.
JUNK = [
    b"",
    b"\x00" * 100,
    b"GET / HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    b"GET /v1/integration_api/\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /v1/integration_api/%ff%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET //\\/..%2f HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /v1/auth/token HTTP/1.1\r\nHost: [::1\r\n\r\n",
    b"GET /v1/auth/token HTTP/1.1\r\nHost: 127.0.0.1:99999999\r\n\r\n",
    b"POST /v1/auth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\na",
    b"POST /v1/auth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/auth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \xff\xfe\r\nAccept: \xff\r\n\r\n",
]


@pytest.mark.parametrize("count", [60, pytest.param(1500, marks=pytest.mark.slow)])
def test_over_a_socket(flex_sandbox: RunningSandbox, count: int) -> None:
    client = OverSocket(flex_sandbox)
    for each in JUNK:
        try:
            got = client.raw(each, ends=True)
        except (ConnectionError, ValueError, OSError):
            continue  # the connection ended without a response
        assert got.status < 500, (each[:80], got)
    print(run(count, count, client))
    with create_instance(
        flex_sandbox.client_id, flex_sandbox.client_secret, base_url=flex_sandbox.base_url
    ) as sdk:
        assert sdk.listings.query().data
        assert sdk.events.query().data is not None
