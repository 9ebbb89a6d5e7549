"""A stranger's distribution, as `flex-sdk stores new` writes it, from its first minute on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.environments import ROOT, Environment

LIST = """
import json
from flex_tokenstore import list_stores
print(json.dumps([[i.name, i.origin, i.status, i.distribution] for i in list_stores(check=True)]))
"""
USE = """
import json
from flex_tokenstore import Token, TokenIdentity, open_store, store_config_from_env
identity = TokenIdentity("https://api.example.com", "my-client", "integ")
config = store_config_from_env("FLEX_INTEGRATION_TOKEN_STORE")
with open_store(config, identity) as store:
    before = store.get_token()
    store.set_token(
        Token.issued(
            {"access_token": "a", "refresh_token": "r", "token_type": "bearer", "expires_in": 60},
            identity_key=identity.key,
            obtained_at=1.0,
        )
    )
with open_store(config, identity) as store:
    kept = store.get_token()
    store.remove_token()
    after = store.get_token()
print(json.dumps([before is None, kept.access_token.reveal() == "a", after is None, store.name]))
"""
FAIL = """
import json
from flex_tokenstore import TokenIdentity, TokenStoreError, open_store, store_config_from_env
try:
    open_store(
        store_config_from_env("FLEX_INTEGRATION_TOKEN_STORE"),
        TokenIdentity("https://api.example.com", "my-client", "integ"),
    )
except TokenStoreError as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""


NAME = "my-cloud"
DISTRIBUTION = f"flex-tokenstore-{NAME}"


class Generated(NamedTuple):
    environment: Environment
    package: Path
    name: str

    def pytest(self, *arguments: str, timeout: float) -> str:
        """Runs the tests of the package, as they are, to green; gives the summary."""
        flags = ["-q", "-p", "no:cacheprovider", "-p", "no:valkey", *arguments]
        done = self.environment("-m", "pytest", *flags, cwd=self.package, timeout=timeout)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """With the project, and nothing else of ours."""
    environment = Environment(tmp_path_factory.mktemp("environment"))
    environment.install(ROOT)
    return environment


def generate(environment: Environment, name: str, *flags: str) -> Generated:
    done = environment.flex_sdk("stores", "new", name, *flags)
    assert done.returncode == 0, done.stderr
    package = environment.folder / f"flex-tokenstore-{name}"
    environment.install(package)
    return Generated(environment, package, name)


@pytest.fixture(scope="module")
def generated(environment: Environment) -> Generated:
    """The package, made by the command and installed with the project."""
    return generate(environment, NAME)


@pytest.fixture(scope="module")
def simple(environment: Environment) -> Generated:
    """The one for a place that cannot write on a condition."""
    return generate(environment, "my-place", "--simple")


@pytest.fixture(params=["generated", "simple"])
def either(request: pytest.FixtureRequest) -> Generated:
    made: Generated = request.getfixturevalue(request.param)
    return made


@pytest.mark.slow
def test_life_of_a_third_party_plugin(tmp_path: Path, generated: Generated) -> None:
    environment, package, _ = generated
    listed = environment.run(LIST)
    assert [NAME, "plugin", "ok", DISTRIBUTION] in listed
    built_in = ["fallback", "file", "memory", "read-only"]
    assert [row[0] for row in listed if row[1] == "built-in"] == built_in

    choice = {
        "FLEX_INTEGRATION_TOKEN_STORE": NAME,
        "FLEX_INTEGRATION_TOKEN_STORE__PATH": str(tmp_path / "tokens.json"),
        "FLEX_INTEGRATION_TOKEN_STORE__TIMEOUT": "2.5",
    }
    assert environment.run(USE, **choice) == [True, True, True, NAME]
    name, message = environment.run(FAIL, **{**choice, "FLEX_INTEGRATION_TOKEN_STORE__PAHT": "x"})
    assert name == "StoreOptionsError"
    assert "did you mean 'path'" in message
    name, message = environment.run(
        FAIL, **choice, FLEX_TOKENSTORE_BLOCK="Flex_TokenStore.my_cloud"
    )
    assert name == "StoreLoadError"
    assert "FLEX_TOKENSTORE_BLOCK" in message

    environment.pip("uninstall", "--yes", DISTRIBUTION)
    try:
        name, message = environment.run(FAIL, **choice)
        assert name == "UnknownStoreError"
        assert f"'{NAME}'" in message
        assert "installed: fallback, file, memory, read-only" in message
        assert NAME not in [row[0] for row in environment.run(LIST)]
    finally:
        environment.install(package)  # the other tests use it


@pytest.mark.sample(1)
def test_its_abilities_are_shown(either: Generated) -> None:
    done = either.environment.flex_sdk("stores", "show", either.name, "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["status"] == "ok"
    assert facts["compare_and_set"] is True
    assert facts["lock"] is (either.name == NAME)


@pytest.mark.sample(1)
def test_a_generated_package_is_formatted_and_linted(either: Generated) -> None:
    for command in (["check", "."], ["format", "--check", "."]):
        ruff = [sys.executable, "-m", "ruff", *command, "--no-cache"]
        done = subprocess.run(ruff, cwd=either.package, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("which", "flags"), [("generated", ()), ("simple", ("-m", "not slow"))])
def test_a_generated_package_passes_the_kit(
    which: str, flags: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    package: Generated = request.getfixturevalue(which)
    summary = package.pytest(*flags, timeout=550)
    skipped = [line for line in summary.splitlines() if line.startswith("SKIPPED")]
    # What it has no fixture for would be skipped without being looked at.
    # It has no server.
    unmet = [line for line in skipped if "is not overridden" in line]
    assert all("the fixture server_address is" in line for line in unmet), unmet


@pytest.mark.slow
def test_a_generated_package_is_typed(either: Generated, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path)]
    command += ["--python-executable", str(either.environment.python)]
    done = subprocess.run(command, cwd=either.package, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
