"""Where a fault is planted: a sandbox, a home, variables, and the command that looks at them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from flex_integration_sdk import create_instance
from flex_integration_sdk.cli._app import flex_sdk
from flex_integration_sdk.sandbox import RunningSandbox
from tests.servers.tls import tls_proxy
from tests.support.slow_servers import SlowServer
from tests.support.way import Authority, tunnel

CLIENT, SECRET = "a-client", "s3cr3t-of-the-client"
# What a store's own fixtures and the machine's owner may have set.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_OF_THE_MACHINE = (
    *_PROXIES,
    *map(str.lower, _PROXIES),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
LIVE = "flex.example"  # a host that only the tunnels of the tests lead to


class Diagnosis(NamedTuple):
    """What the command said."""

    exit_code: int
    output: str
    findings: list[dict[str, str]]

    def of(self, id: str) -> list[dict[str, str]]:
        """The findings with this id."""
        return [each for each in self.findings if each["id"] == id]

    def ids(self, *statuses: str) -> set[str]:
        """The ids of the findings with one of these statuses."""
        return {each["id"] for each in self.findings if each["status"] in statuses}


class World:
    """A client of a sandbox that works, until something in it is made wrong.

    Args:
        request: To get the fixtures of servers by name.
        patch: Sets variables until the end of the test.
        folder: Of this test alone.
        sandbox: Empty.
    """

    def __init__(
        self,
        request: pytest.FixtureRequest,
        patch: pytest.MonkeyPatch,
        folder: Path,
        sandbox: RunningSandbox,
    ) -> None:
        self._request, self.patch, self.folder, self.sandbox = request, patch, folder, sandbox
        self.options: list[str] = ["--timeout", "3"]
        self.runner: Callable[[], Diagnosis] | None = None
        """Runs the command in another way than in this process."""
        self.changing: list[tuple[str, str]] = []
        """Patterns of what is different in each run, and what the table has for them."""
        self.secrets = {SECRET}
        """What must not be shown."""
        for name in _OF_THE_MACHINE:
            patch.delenv(name, raising=False)
        self.set(
            FLEX_INTEGRATION_BASE_URL=sandbox.base_url,
            FLEX_INTEGRATION_CLIENT_ID=sandbox.client_id,
            FLEX_INTEGRATION_CLIENT_SECRET=sandbox.client_secret,
        )

    def set(self, **variables: str | Path | None) -> None:
        """Sets variables; None unsets one."""
        for name, value in variables.items():
            if value is None:
                self.patch.delenv(name, raising=False)
            else:
                self.patch.setenv(name, str(value))

    def store(self, name: str, **options: str | Path) -> None:
        """Chooses a token store, with options."""
        prefix = "FLEX_INTEGRATION_TOKEN_STORE"
        self.set(**{prefix: name})
        self.set(**{f"{prefix}__{each.upper()}": value for each, value in options.items()})

    def server(self, fixture: str) -> Any:
        """A real server, by the name of its fixture."""
        return self._request.getfixturevalue(fixture)

    def sign_in(self) -> None:
        """Has a token stored, as a program that has made a call leaves it."""
        with create_instance(token_store=self.named_store) as sdk:
            sdk.marketplace.show()

    @property
    def named_store(self) -> str | None:
        """The store that the command uses if none is chosen."""
        return None if os.environ.get("FLEX_INTEGRATION_TOKEN_STORE") else "file"

    @contextmanager
    def live(self, authority: Authority, *names: str, refuses: int = 0) -> Iterator[SlowServer]:
        """The sandbox as ``https://flex.example``, behind a proxy that HTTPS_PROXY names.

        Args:
            authority: Issues its certificate.
            names: Host names in the certificate; by default its own.
            refuses: HTTP status with which the proxy refuses; 0: it does not.
        """
        port = urlsplit(self.sandbox.base_url).port
        assert port is not None
        files = authority.issue(*(names or (LIVE,)))
        with tls_proxy(port, files) as secure, tunnel(secure, refuses=refuses) as proxy:
            self.set(
                FLEX_INTEGRATION_BASE_URL=f"https://{LIVE}",
                HTTPS_PROXY=f"http://user:{SECRET}@127.0.0.1:{proxy.port}",
            )
            yield proxy

    def authority(self, name: str = "An Authority") -> Authority:
        """A new one, which nobody trusts yet."""
        return Authority(self.folder, name)

    def examine(self, *options: str) -> Diagnosis:
        """Runs ``flex-sdk doctor --json``."""
        if self.runner is not None:
            return self.runner()
        done = CliRunner().invoke(flex_sdk, ["doctor", "--json", *self.options, *options])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Diagnosis(done.exit_code, done.output, json.loads(done.stdout)["findings"])

    def shown(self, text: str) -> str:
        """What is different in each run, as the table has it."""
        for pattern, word in self.changing:
            text = re.sub(pattern, word, text)
        text = text.replace(str(self.folder), "/tmp")
        for pattern, word in _CHANGING:
            text = re.sub(pattern, word, text)
        return text


_CHANGING = (
    (r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "DATE"),
    (r"(127\.0\.0\.1|localhost):\d+", r"\1:PORT"),
    (r"\b\d+(\.\d+)? ms\b", "N ms"),
    (rf"\b{CLIENT}-[0-9a-f]{{16}}\b", f"{CLIENT}-ID"),
)
