"""The store of a storm, and how long it goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK, create_instance
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve

from .crowd import Crowd, Watch, crowd, environment_for

LATENCY = 100  # milliseconds that a token request takes, so that renewals would overlap


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", type=int, metavar="N", help="rounds of the repeated storms")


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """Rounds to play: what ``--soak`` says, else what the test asks for."""
    # Not known where pytest was not given this folder as an argument.
    wanted: int | None = request.config.getoption("--soak", default=None)
    return lambda rounds: wanted or rounds


@dataclass
class Scene:
    """A sandbox, a store, and who uses them."""

    sandbox: RunningSandbox
    store: Mapping[str, Any]
    """The store's config."""
    environment: Mapping[str, str]
    watch: Watch

    def crowd(self, count: int, **callers: Any) -> AbstractContextManager[Crowd]:
        """``count`` processes that are ready."""
        return crowd(count, self.environment, **callers)

    def sdk(self, **more: Any) -> IntegrationSDK:
        """An instance in this process."""
        return create_instance(
            self.sandbox.client_id,
            self.sandbox.client_secret,
            base_url=self.sandbox.base_url,
            token_store=self.store,
            **more,
        )

    def sign_in(self) -> None:
        """Puts a token into the store, for which the secret is sent once; then counts anew."""
        with self.sdk() as sdk:
            sdk.marketplace.show()
        assert self.watch.figures() == (0, 0, 1)

    def age(self) -> None:
        """The stored token is expired by its own times, and at the server."""
        with self.sdk() as sdk:
            token = sdk.token_store.get_token()
            assert token is not None
            old = token.to_dict()
            tag = dict(old["flex_tokenstore"])
            for name in ("obtained_at", "expires_at"):
                tag[name] -= 7200
            old["flex_tokenstore"] = tag
            sdk.token_store.set_token(type(token)(old))
        self.sandbox.expire()

    def still_lives(self) -> None:
        """One more refresh of what is stored succeeds, without the secret."""
        self.sandbox.expire()
        self.watch.figures()
        with self.sdk() as sdk:
            sdk.marketplace.show()
            assert sdk.session.saved
        assert self.watch.figures() == (1, 0, 0)


SceneMaker = Callable[..., AbstractContextManager[Scene]]


def _file_store(folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    path = str(folder / "token.json")
    return (
        {"name": "file", "path": path},
        {"TOKEN_STORE": "file", "TOKEN_STORE__PATH": path},
    )


@pytest.fixture(params=["file"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> SceneMaker:
    """Makes a scene with a sandbox of such settings."""

    @contextmanager
    def make(**settings: Any) -> Iterator[Scene]:
        store, variables = _file_store(tmp_path)
        with serve(SandboxSettings(**{"latency_ms": LATENCY, **settings})) as sandbox:
            environment = environment_for(sandbox, tmp_path, variables)
            yield Scene(sandbox, store, environment, Watch(sandbox))

    return make
