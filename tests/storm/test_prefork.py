"""Servers that fork their workers from a process that already used the SDK."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from .conftest import Scene, SceneMaker
from .crowd import PATIENCE, ROOT

CALLS = 16

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@contextmanager
def server(played: Scene, command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**played.environment, "PYTHONWARNINGS": "default", **options.pop("env", {})}
    child = subprocess.Popen([sys.executable, "-m", *command], env=environment, cwd=ROOT, **options)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def get(port: int) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/")
        found: dict[str, Any] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return found


def until_it_answers(port: int, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError, http.client.HTTPException):
            get(port)
            return
        assert child.poll() is None, "the server ended"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_gunicorn_with_preload(scene: SceneMaker) -> None:
    with scene() as played, socket.socket() as listening:
        played.sign_in()
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        port = listening.getsockname()[1]
        command = ["gunicorn", "--preload", "--workers", "2", "--threads", "4"]
        command += ["--bind", f"fd://{listening.fileno()}", "--log-level", "error"]
        fds = (listening.fileno(),)
        with server(played, [*command, "tests.storm.wsgi:app"], pass_fds=fds) as child:
            until_it_answers(port, child)
            seen: set[int] = set()
            with ThreadPoolExecutor(CALLS) as threads:
                for _ in range(10):
                    played.sandbox.expire()
                    answers = list(threads.map(get, [port] * CALLS))
                    assert len({answer["token"] for answer in answers}) == 1
                    assert played.watch.figures() == (1, 0, 0)
                    seen |= {answer["pid"] for answer in answers}
                    if len(seen) == 2:
                        break
            assert len(seen) == 2, "both workers have had calls"
            assert child.pid not in seen
        assert played.watch.peak() == 1
        played.still_lives()


@pytest.mark.slow
def test_celery_with_a_prefork_pool(scene: SceneMaker, tmp_path: Path) -> None:
    with scene() as played:
        played.sign_in()
        folder = tmp_path / "celery"
        folder.mkdir()
        more = {"STORM_FOLDER": str(folder), "C_FORCE_ROOT": "1"}
        command = ["celery", "-A", "tests.storm.jobs", "worker", "--pool", "prefork"]
        command += ["--concurrency", "2", "--without-gossip", "--without-mingle"]
        command += ["--without-heartbeat", "--loglevel", "ERROR"]
        with server(played, command, env=more, stdout=subprocess.DEVNULL) as child:
            pids: set[int] = set()
            for _ in range(2):
                played.sandbox.expire()
                played.watch.figures()
                done = subprocess.run(
                    [sys.executable, "-m", "tests.storm.jobs", "4"],
                    env={**played.environment, "PYTHONWARNINGS": "default", **more},
                    cwd=ROOT,
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE,
                )
                assert done.returncode == 0, done.stderr
                answers = json.loads(done.stdout)
                assert len({answer["token"] for answer in answers}) == 1
                assert played.watch.figures() == (1, 0, 0)
                pids |= {answer["pid"] for answer in answers}
            assert len(pids) == 2, "both processes of the pool have had calls"
            assert child.pid not in pids
        assert played.watch.peak() == 1
        played.still_lives()
