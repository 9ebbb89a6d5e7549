"""Processes with ``TokenAuth`` and without the SDK need a token at once: one refreshes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import Token, TokenIdentity, open_store
from tests.support.oauth_server import CLIENT, PASSWORD, OAuthServer, oauth_server

from .crowd import ROOT

CALLERS = 4
KINDS = ("httpx2", "httpx2 async", "requests")


@contextmanager
def programs(
    kinds: Sequence[str], server: OAuthServer, folder: Path
) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that are ready and share a file with their token."""
    environment = {
        **os.environ,
        "ACME_URL": server.url,
        "ACME_CLIENT": CLIENT,
        "ACME_SECRET": PASSWORD,
        "ACME_TOKEN_STORE": "file",
        "ACME_TOKEN_STORE__PATH": str(folder / "token.json"),
    }
    with ExitStack() as stack:
        found = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.storm.oauth_program", kind, str(CALLERS)],
                    cwd=ROOT,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for kind in kinds
        ]
        for each in found:
            stack.callback(each.kill)
        assert [answer(each) for each in found] == ["ready"] * len(kinds)
        yield found
        for each in found:
            assert each.stdin is not None
            each.stdin.close()
            assert each.wait(30) == 0


def answer(process: subprocess.Popen[str]) -> Any:
    """The next line of a program."""
    assert process.stdout is not None
    found = json.loads(process.stdout.readline())
    assert found["sdk"] == [], "it has imported the SDK"
    return found["said"]


def call(processes: Sequence[subprocess.Popen[str]]) -> None:
    """All call at once, and succeed."""
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("call\n")
        each.stdin.flush()
    assert [answer(each) for each in processes] == [[200] * CALLERS] * len(processes)


def storm(kinds: Sequence[str], folder: Path, rounds: int) -> None:
    with oauth_server() as server:
        server.latency = 0.1
        path = {"name": "file", "path": str(folder / "token.json")}
        with open_store(path, TokenIdentity(server.url, CLIENT)) as store:
            now, key = time.time(), store.identity.key
            store.set_token(
                Token.issued(server.new_token(), identity_key=key, obtained_at=now - 7200)
            )
        server.expire()
        with programs(kinds, server, folder) as processes:
            # The first time they find a token that is too old; later the API refuses it.
            for number in range(rounds):
                refused = server.counts["refused"]
                call(processes)
                assert server.counts["refresh_token"] == number + 1
                assert number > 0 or server.counts["refused"] == refused
                server.expire()
        assert server.counts["client_credentials"] == server.counts["reused"] == 0


def test_three_programs_of_three_kinds_refresh_once(tmp_path: Path) -> None:
    storm(KINDS, tmp_path, 2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_eight_programs_refresh_once(kind: str, tmp_path: Path) -> None:
    storm([kind] * 8, tmp_path, 10)


@pytest.mark.slow
def test_twelve_programs_of_three_kinds_refresh_once(tmp_path: Path) -> None:
    storm(KINDS * 4, tmp_path, 10)
