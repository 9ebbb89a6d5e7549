"""Hosts that run Python in another way: uvloop, a notebook, ``-O``, ``-I``, ``-S``, a zip file."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import zipfile
from collections.abc import Callable, Coroutine
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

import flex_integration_sdk
from flex_integration_sdk import create_async_instance, create_instance, file_store
from flex_integration_sdk._transport.http_errors import unmade

SOURCE = Path(flex_integration_sdk.__file__).parent.parent
PROGRAM = """
import sys
{path}
from flex_integration_sdk import __version__, create_instance, file_store
from flex_tokenstore import list_stores
url, client_id, secret, path = sys.argv[1:]
named = dict(client_id=client_id, client_secret=secret, base_url=url)
for store in ("memory", file_store(path=path)):
    with create_instance(**named, token_store=store) as sdk:
        assert sdk.marketplace.show().status == 200
print(__version__, *sorted(each.name for each in list_stores(check=True) if each.status == "ok"))
"""


def uvloop_run(main: Coroutine[Any, Any, Any]) -> Any:
    return pytest.importorskip("uvloop").run(main)


def debug_run(main: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(main, debug=True)


@pytest.fixture
def named(flex_sandbox: Any) -> dict[str, Any]:
    return {
        "client_id": flex_sandbox.client_id,
        "client_secret": flex_sandbox.client_secret,
        "base_url": flex_sandbox.base_url,
    }


@pytest.mark.each_value
@pytest.mark.parametrize("run", [asyncio.run, debug_run, uvloop_run])
@pytest.mark.parametrize("kind", ["memory", "file"])
def test_an_async_instance_in_other_event_loops(
    run: Callable[..., Any], kind: str, named: dict[str, Any], tmp_path: Path
) -> None:
    store: Any = file_store(path=str(tmp_path / "t.json")) if kind == "file" else kind

    async def main() -> None:
        async with create_async_instance(**named, token_store=store) as sdk:
            answers = await asyncio.gather(*(sdk.marketplace.show() for _ in range(5)))
            assert [answer.status for answer in answers] == [200] * 5
            assert await sdk.revoke()

    run(main())


def test_a_sync_instance_where_an_event_loop_runs(named: dict[str, Any]) -> None:
    """As in a notebook, or in a view of a framework that is asynchronous."""

    class Own:
        token: Any = None

        async def get_token(self) -> Any:
            return self.token

        async def set_token(self, token: dict[str, Any]) -> None:
            self.token = token

        async def remove_token(self) -> None:
            self.token = None

    async def cell() -> None:
        for store in ("memory", Own()):
            with create_instance(**named, token_store=store) as sdk:
                assert sdk.marketplace.show().status == 200
                assert (await asyncio.to_thread(sdk.marketplace.show)).status == 200

    asyncio.run(cell())


def started(flags: list[str], path: str, named: dict[str, Any], folder: Path) -> str:
    arguments = (named["base_url"], named["client_id"], named["client_secret"], str(folder / "t"))
    done = subprocess.run(
        [sys.executable, *flags, "-W", "error", "-c", PROGRAM.format(path=path), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_with_asserts_and_docstrings_left_out_and_isolated(
    named: dict[str, Any], tmp_path: Path
) -> None:
    said = started(["-OO", "-I"], "", named, tmp_path)
    assert said.startswith(flex_integration_sdk.__version__)
    assert "file" in said.split()


def test_from_a_zip_file_without_our_metadata(named: dict[str, Any], tmp_path: Path) -> None:
    archive = tmp_path / "app.pyz"
    with zipfile.ZipFile(archive, "w") as packed:
        for package in ("flex_tokenstore", "flex_integration_sdk"):
            for file in (SOURCE / package).rglob("*.py"):
                packed.write(file, str(file.relative_to(SOURCE)))
    # What we depend on: a folder that refers to what is installed, and to no plugin.
    site = tmp_path / "site"
    site.mkdir()
    installed = Path(pytest.importorskip("httpx2").__file__).parent.parent
    for entry in installed.iterdir():
        if not entry.name.startswith(("flex_", "_flex", "__")):
            (site / entry.name).symlink_to(entry)
    path = f"sys.path[:0] = {[str(archive), str(site)]!r}"
    said = started(["-I", "-S"], path, named, tmp_path)
    assert said == f"{flex_integration_sdk.__version__} fallback file memory read-only"


def test_a_packed_program_without_the_metadata_of_the_http_library() -> None:
    """It asks for its version when it is imported."""
    said = str(unmade(PackageNotFoundError("httpx2")))
    assert "the package metadata of httpx2 is missing" in said
    assert "--copy-metadata httpx2" in said
