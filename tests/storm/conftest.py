"""The store of a storm, and how long it goes on."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from flex_integration_sdk import IntegrationSDK, create_instance
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve

from .crowd import Crowd, Watch, crowd, environment_for

if TYPE_CHECKING:
    from tests.servers.openbao import OpenBao
    from tests.servers.valkey import Valkey
    from tests.support.last_version import LastVersion

LATENCY = 100  # milliseconds that a token request takes, so that renewals would overlap


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", type=int, metavar="N", help="rounds of the repeated storms")


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """Rounds to play: what ``--soak`` says, else what the test asks for."""
    # Not known where pytest was not given this folder as an argument.
    wanted: int | None = request.config.getoption("--soak", default=None)
    return lambda rounds: wanted or rounds


class Upgrade(NamedTuple):
    """Some processes still run the last version: an upgrade is rolled out."""

    last: LastVersion
    runs_last: Callable[[int], bool]
    """Whether the process of this number does."""


@dataclass
class Scene:
    """A sandbox, a store, and who uses them."""

    sandbox: RunningSandbox
    store: Mapping[str, Any]
    """The store's config."""
    environment: Mapping[str, str]
    watch: Watch
    upgrade: Upgrade | None = None

    @contextmanager
    def crowd(self, count: int, **callers: Any) -> Iterator[Crowd]:
        """``count`` processes that are ready."""
        if self.upgrade is None:
            with crowd([self.environment] * count, **callers) as workers:
                yield workers
            return
        last = {**self.environment, **self.upgrade.last.variables}
        run_last = [self.upgrade.runs_last(number) for number in range(count)]
        environments = [last if runs_last else self.environment for runs_last in run_last]
        with crowd(environments, **callers) as workers:
            found = [self.upgrade.last.has(answer["code"]) for answer in workers.ask("code")]
            assert found == run_last, "a process runs the code of another version"
            yield workers

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


def file_store(folder: Path) -> dict[str, Any]:
    """The config of the file store."""
    return {"name": "file", "path": str(folder / "token.json")}


def redis_store(server: Valkey) -> dict[str, Any]:
    """The config of the Redis store on this server."""
    return {"name": "redis", "url": server.url}


def sql_store(url: str) -> dict[str, Any]:
    """The config of the SQL store on this database."""
    return {"name": "sql", "url": url}


def vault_store(server: OpenBao) -> dict[str, Any]:
    """The config of the Vault store on this server."""
    return {"name": "vault", "address": server.url, "token": server.root_token}


def store_on(kind: str, request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    """The config of an empty store: ``file``, ``redis``, ``vault``, or ``sql`` on a database."""
    if kind == "file":
        return file_store(folder)
    if kind == "redis":
        return redis_store(request.getfixturevalue("valkey_server"))
    if kind == "vault":
        return vault_store(request.getfixturevalue("openbao_server"))
    if kind == "sqlite":
        return sql_store(f"sqlite:///{folder / 'tokens.db'}")
    return sql_store(request.getfixturevalue(f"{kind}_server").url)


def variables_for(store: Mapping[str, Any]) -> dict[str, str]:
    """The same as a program's environment has it."""
    options = {
        f"TOKEN_STORE__{name.upper()}": ",".join(value) if isinstance(value, list) else value
        for name, value in store.items()
    }
    name = options.pop("TOKEN_STORE__NAME")
    return {"TOKEN_STORE": name, **options}


@contextmanager
def play(
    store: Mapping[str, Any],
    folder: Path,
    *,
    upgrade: Upgrade | None = None,
    **settings: Any,
) -> Iterator[Scene]:
    """A scene with that store, and a sandbox of such settings."""
    with serve(SandboxSettings(**{"latency_ms": LATENCY, **settings})) as sandbox:
        environment = environment_for(sandbox, folder, variables_for(store))
        yield Scene(sandbox, store, environment, Watch(sandbox), upgrade)


slow = pytest.mark.slow
both_stores = pytest.mark.parametrize("scene", ["file", "redis"], indirect=True)
"""For a test that plays on Redis in the default suite, too; the others do so where slow ones do."""
two_kinds = pytest.mark.parametrize(
    ("kind", "family"),
    [("threads", False), ("tasks", True)],
    ids=["threads", "tasks, family-revoking"],
)


@pytest.fixture(params=["file", pytest.param("redis", marks=slow)])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> SceneMaker:
    """Makes a scene with a sandbox of such settings."""
    return functools.partial(play, store_on(request.param, request, tmp_path), tmp_path)
