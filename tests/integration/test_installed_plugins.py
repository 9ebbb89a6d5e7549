"""Each plugin, installed as a user does, is chosen by the SDK's environment variables alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk.sandbox import RunningSandbox
from tests.support.environments import ROOT, Environment

pytestmark = pytest.mark.slow  # it builds and installs each of them, and starts their servers


def encrypted(folder: Path) -> dict[str, str]:
    key = folder / "key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    path = str(folder / "token.json")
    return {"key_file": str(key), "inner__name": "file", "inner__path": path}


PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
# How each store is reached: its name, the fixture of its server, and its options.
Options = Callable[[Any], dict[str, str]]
STORES: dict[str, tuple[str, str, Options]] = {
    "encrypted": ("encrypted", "tmp_path", encrypted),
    # The session is that of the environment, as on a desktop.
    "keyring": ("keyring", "secret_service", lambda session: {}),
    "redis": ("redis", "valkey_server", lambda server: {"url": server.url}),
    "sql-postgresql": ("sql", "postgres_server", lambda server: {"url": server.url}),
    "sql-mariadb": ("sql", "mariadb_server", lambda server: {"url": server.url}),
    "sql-sqlite": ("sql", "tmp_path", lambda folder: {"url": f"sqlite:///{folder}/tokens.db"}),
    "vault": (
        "vault",
        "openbao_server",
        lambda server: {"address": server.url, "token": server.root_token},
    ),
    "vault-kv1": (
        "vault-kv1",
        "openbao_server",
        lambda server: {"address": server.url, "token": server.root_token, "mount": "kv1"},
    ),
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The project and all plugins, in a fresh virtual environment."""
    made = Environment(tmp_path_factory.mktemp("environment"))
    made.install(ROOT, *PLUGINS)
    return made


def test_every_plugin_is_tried(environment: Environment) -> None:
    done = environment.flex_sdk("stores", "list", "--json", "--check")
    assert done.returncode == 0, done.stderr
    infos = [info for info in json.loads(done.stdout) if info["origin"] == "plugin"]
    assert {info["status"] for info in infos} == {"ok"}
    assert {info["distribution"] for info in infos} == {plugin.name for plugin in PLUGINS}
    assert {info["name"] for info in infos} == {name for name, _, _ in STORES.values()}


@pytest.mark.parametrize("store", STORES)
def test_a_second_program_needs_no_secret(
    store: str,
    environment: Environment,
    flex_sandbox: RunningSandbox,
    request: pytest.FixtureRequest,
) -> None:
    name, server, options = STORES[store]
    variables = {
        "FLEX_INTEGRATION_BASE_URL": flex_sandbox.base_url,
        "FLEX_INTEGRATION_CLIENT_ID": flex_sandbox.client_id,
        "FLEX_INTEGRATION_TOKEN_STORE": name,
    }
    for option, value in options(request.getfixturevalue(server)).items():
        variables[f"FLEX_INTEGRATION_TOKEN_STORE__{option.upper()}"] = value
    secret = {"FLEX_INTEGRATION_CLIENT_SECRET": flex_sandbox.client_secret}

    for more in (secret, {}):
        done = environment.flex_sdk("call", "marketplace.show", **variables, **more)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["data"]["type"] == "marketplace"
    stats = flex_sandbox.stats()
    assert (stats["client_credentials"], stats["refresh_token"], stats["api_calls"]) == (1, 0, 2)

    done = environment.flex_sdk("token", "show", "--json", **variables)
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["store"].split(" over ")[0], shown["saved"]) == (name, True)

    flex_sandbox.expire()
    done = environment.flex_sdk("call", "marketplace.show", **variables)
    assert done.returncode == 0, done.stderr
    stats = flex_sandbox.stats()
    assert (stats["client_credentials"], stats["refresh_token"]) == (1, 1)

    done = environment.flex_sdk("token", "remove", "--yes", **variables)
    assert done.returncode == 0, done.stderr
    done = environment.flex_sdk("call", "marketplace.show", **variables)
    assert done.returncode == 1
    assert "FLEX_INTEGRATION_CLIENT_SECRET" in done.stderr
