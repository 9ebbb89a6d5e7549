"""A stranger's distribution: installed, listed, chosen by name, used, uninstalled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "tests" / "example_plugin"

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


class Environment:
    """A virtual environment of its own, with this project installed in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        venv = folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
        windows = os.name == "nt"
        self.python = venv / ("Scripts/python.exe" if windows else "bin/python")
        variables = {"base": str(venv), "platbase": str(venv)}
        site = Path(sysconfig.get_path("purelib", "venv", variables))
        # The libraries come from the running environment, so that no registry is needed. They
        # are linked one by one: this project's own metadata must not come along.
        for kind in ("purelib", "platlib"):
            for entry in Path(sysconfig.get_path(kind)).iterdir():
                ours = entry.name.lower().replace("-", "_").startswith(("flex_", "_flex_"))
                if not ours and entry.suffix != ".pth" and not (site / entry.name).exists():
                    self._link(entry, site / entry.name)

    def _link(self, source: Path, target: Path) -> None:
        try:
            target.symlink_to(source, target_is_directory=source.is_dir())
        except OSError:  # Windows, where links are a privilege
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)

    def pip(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        flags = ["--disable-pip-version-check", "--python", str(self.python)]
        return subprocess.run(
            [sys.executable, "-m", "pip", *flags, command, *arguments],
            capture_output=True,
            text=True,
            timeout=100,
            cwd=self.folder,
            env=self._environ(),
            check=False,
        )

    def run(self, code: str, **environ: str) -> Any:
        done = subprocess.run(
            [str(self.python), "-W", "error", "-c", code],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.folder,
            env=self._environ(**environ),
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def _environ(self, **extra: str) -> dict[str, str]:
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("FLEX_", "PYTHON", "COV"))
        }
        return {**kept, "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home), **extra}


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    if find_spec("pip") is None or find_spec("hatchling") is None:
        pytest.skip("pip and hatchling are needed in the running environment")
    return Environment(tmp_path)


def test_life_of_a_third_party_plugin(environment: Environment, tmp_path: Path) -> None:
    for folder, name in ((ROOT, "project"), (EXAMPLE, "example")):
        # A copy: a build must leave no file in the tree, and may run beside another one.
        copy = tmp_path / name
        shutil.copytree(
            folder,
            copy,
            ignore=shutil.ignore_patterns(".*", "tests", "docs", "benchmarks", "__pycache__"),
        )
        done = environment.pip("install", "--no-deps", "--no-build-isolation", str(copy))
        assert done.returncode == 0, done.stderr

    listed = environment.run(LIST)
    assert ["example", "plugin", "ok", "flex-tokenstore-example"] in listed
    assert [row[0] for row in listed if row[1] == "built-in"] == ["file", "memory"]

    choice = {
        "FLEX_INTEGRATION_TOKEN_STORE": "example",
        "FLEX_INTEGRATION_TOKEN_STORE__PATH": str(tmp_path / "tokens.sqlite"),
        "FLEX_INTEGRATION_TOKEN_STORE__TIMEOUT": "2.5",
    }
    assert environment.run(USE, **choice) == [True, True, True, "example"]
    name, message = environment.run(FAIL, **{**choice, "FLEX_INTEGRATION_TOKEN_STORE__PAHT": "x"})
    assert name == "StoreOptionsError"
    assert "did you mean 'path'" in message
    name, message = environment.run(FAIL, **choice, FLEX_TOKENSTORE_BLOCK="Flex_TokenStore.Example")
    assert name == "StoreLoadError"
    assert "FLEX_TOKENSTORE_BLOCK" in message

    done = environment.pip("uninstall", "--yes", "flex-tokenstore-example")
    assert done.returncode == 0, done.stderr
    name, message = environment.run(FAIL, **choice)
    assert name == "UnknownStoreError"
    assert "'example'" in message
    assert "installed: file, memory" in message
    assert "example" not in [row[0] for row in environment.run(LIST)]
