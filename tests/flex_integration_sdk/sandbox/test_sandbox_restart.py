"""A sandbox on a file, ended and started again: its clients go on with their tokens."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from flex_integration_sdk import IntegrationSDK, create_instance
from flex_integration_sdk.sandbox import (
    RunningSandbox,
    SandboxFileError,
    SandboxSettings,
    serve,
)

from .test_sandbox_auth import SECRET, call, refresh, sign_in

PROGRAM = """
import sys
from flex_integration_sdk.sandbox import SandboxSettings, run
run(SandboxSettings(client_secret="s", db=sys.argv[1]), "127.0.0.1", int(sys.argv[2]))
"""


@contextmanager
def process(path: Path, port: int = 0) -> Iterator[RunningSandbox]:
    """A sandbox in a process of its own, which is killed on leaving."""
    arguments = [sys.executable, "-c", PROGRAM, str(path), str(port)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield RunningSandbox(**json.loads(child.stdout.readline()))
        finally:
            child.kill()  # SIGKILL


def connected(sandbox: RunningSandbox, secret: str | None = "s") -> IntegrationSDK:
    return create_instance(sandbox.client_id, secret, base_url=sandbox.base_url, token_store="file")


def port_of(sandbox: RunningSandbox) -> int:
    port = urlsplit(sandbox.base_url).port
    assert port is not None
    return port


def requests(sandbox: RunningSandbox) -> tuple[int, int, int]:
    stats = sandbox.stats()
    return stats["client_credentials"], stats["refresh_token"], stats["unauthorized"]


def test_killed_it_still_knows_every_token_that_it_gave(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    with process(path) as sandbox:
        port = port_of(sandbox)
        with connected(sandbox) as sdk:
            sdk.marketplace.show()
            sandbox.expire()
            sdk.marketplace.show()
        assert requests(sandbox) == (1, 1, 1)
    with process(path, port) as sandbox, connected(sandbox, secret=None) as sdk:
        sdk.marketplace.show()
        assert requests(sandbox) == (0, 0, 0)
        sandbox.expire()
        sdk.marketplace.show()
        assert requests(sandbox) == (0, 1, 1)
    with process(path, port) as sandbox, connected(sandbox, secret=None) as sdk:
        sdk.marketplace.show()
        assert sdk.revoke()
        assert requests(sandbox) == (0, 0, 0)


def test_what_was_revoked_or_rotated_stays_dead(tmp_path: Path) -> None:
    settings = SandboxSettings(client_secret="s", db=str(tmp_path / "sandbox.sqlite"))
    with serve(settings) as sandbox, connected(sandbox) as sdk:
        port = port_of(sandbox)
        sdk.marketplace.show()
        stored = sdk.token_store.get_token()
        assert stored is not None
        assert sdk.revoke()
    with serve(settings, port=port) as sandbox, connected(sandbox) as sdk:
        sdk.token_store.set_token(stored)
        sdk.marketplace.show()
        assert requests(sandbox) == (1, 1, 1)
        assert sandbox.stats()["refresh_rejected"] == 1


def test_a_token_ends_while_the_sandbox_is_down(tmp_path: Path) -> None:
    path = str(tmp_path / "sandbox.sqlite")
    with serve(SandboxSettings(client_secret="s", db=path, access_ttl=0.001)) as sandbox:
        port = port_of(sandbox)
        with connected(sandbox) as sdk:
            stored = sdk.session.token()
    with serve(SandboxSettings(client_secret="s", db=path), port=port) as sandbox:
        with connected(sandbox) as sdk:
            assert sdk.token_store.get_token() is not None
            sdk.marketplace.show()
            assert sdk.session.token().access_token != stored.access_token
        assert requests(sandbox)[:2] == (0, 1)


def test_another_client_on_the_same_file_knows_none_of_its_tokens(tmp_path: Path) -> None:
    path = str(tmp_path / "sandbox.sqlite")
    with serve(SandboxSettings(client_secret=SECRET, db=path)) as sandbox:
        token = sign_in(sandbox)
        assert call(sandbox, token) == 200
    with serve(SandboxSettings(client_id="other", client_secret=SECRET, db=path)) as sandbox:
        assert call(sandbox, token) == 401
        assert refresh(sandbox, token["refresh_token"])[0] == 401
    with serve(SandboxSettings(client_secret=SECRET, db=path)) as sandbox:
        assert call(sandbox, token) == 200
        assert refresh(sandbox, token["refresh_token"])[0] == 200


def test_no_token_is_in_the_file_and_reset_forgets_them(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    settings = SandboxSettings(client_secret="s3cret-of-it", db=str(path))
    with serve(settings) as sandbox, connected(sandbox, "s3cret-of-it") as sdk:
        port = port_of(sandbox)
        sdk.marketplace.show()
        stored = sdk.token_store.get_token()
        assert stored is not None
        content = path.read_bytes()
        token = stored.to_dict()
        for secret in (token["access_token"], token["refresh_token"], "s3cret-of-it"):
            assert secret.encode() not in content
        sandbox.reset()
    with serve(settings, port=port) as sandbox, connected(sandbox, "s3cret-of-it") as sdk:
        sdk.marketplace.show()
        assert requests(sandbox) == (1, 1, 1)


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("a file of another kind, and longer than the head of a database " * 20)
    for path in (text, tmp_path, tmp_path / "missing" / "file"):
        with pytest.raises(SandboxFileError, match=re.escape(str(path))) as error:
            serve(SandboxSettings(db=str(path))).__enter__()
        assert isinstance(error.value, OSError)
    assert text.read_text().startswith("a file of another kind")
