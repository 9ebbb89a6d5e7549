"""The pages' programs as a reader copies them: one by one, and one that runs until a signal."""

from __future__ import annotations

import ast
import builtins
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk.sandbox import RunningSandbox
from tests.docs.test_docs import ROOT, blocks, programs

PAGES = [*sorted((ROOT / "docs" / "how-to").glob("*.md")), ROOT / "docs" / "network.md"]
SAID = "one after the other"


def foreign(source: str) -> set[str]:
    """The names that a program uses and does not have."""
    tree = ast.parse(source)
    known = {"__name__", *dir(builtins)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            known.add(node.name)
        elif isinstance(node, ast.arg):
            known.add(node.arg)
        elif isinstance(node, ast.alias):
            known.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            known.add(node.name)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            known.add(node.id)
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - known


@pytest.mark.parametrize(
    "page", [page for page in PAGES if programs(page)], ids=lambda page: page.stem
)
def test_a_program_is_whole_or_the_page_says_what_comes_before(page: Path) -> None:
    missing = {
        number: names for number, each in enumerate(programs(page), 1) if (names := foreign(each))
    }
    assert 1 not in missing, f"the first one lacks {missing[1]}"
    text = " ".join(page.read_text(encoding="utf-8").split())
    assert not missing or SAID in text, f"{missing}: import them, or say {SAID!r}"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_the_worker_of_the_page_runs_until_it_is_stopped(
    flex_sandbox: RunningSandbox, tmp_path: Path
) -> None:
    program = blocks(ROOT / "docs" / "how-to" / "follow-events.md", "python")[0]
    asked = 'event_types=["listing"],'
    assert program.count(asked) == 1
    (tmp_path / "worker.py").write_text(program.replace(asked, f"{asked} interval=0.2,"))
    values = {
        "FLEX_INTEGRATION_BASE_URL": flex_sandbox.base_url,
        "FLEX_INTEGRATION_CLIENT_ID": flex_sandbox.client_id,
        "FLEX_INTEGRATION_CLIENT_SECRET": flex_sandbox.client_secret,
        "PYTHONUNBUFFERED": "1",
    }
    with (
        subprocess.Popen(
            [sys.executable, "worker.py"],
            cwd=tmp_path,
            env={**os.environ, **values},
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
        create_instance(token_store="memory", **client(flex_sandbox)) as sdk,
    ):
        ends = time.monotonic() + 60
        while not (tmp_path / "new-listings.cursor").exists():  # it is saved before the first query
            assert time.monotonic() < ends
            assert process.poll() is None
            time.sleep(0.02)
        author = sdk.users.query(per_page=1).data[0].id
        made = sdk.listings.create(title="Tandem", author_id=author, state="published").data.id
        assert process.stdout is not None
        assert process.stdout.readline() == f"new listing {made} Tandem\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def client(sandbox: RunningSandbox) -> dict[str, Any]:
    names = ("base_url", "client_id", "client_secret")
    return {name: getattr(sandbox, name) for name in names}
