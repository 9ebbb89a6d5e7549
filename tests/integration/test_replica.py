"""A replica: an SDK instance that uses the token which another program renews, without a secret."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk.cli._app import run
from flex_integration_sdk.sandbox import RunningSandbox, serve
from flex_tokenstore import TokenReadOnlyError


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> dict[str, Any]:
    return {"name": "file", "path": str(tmp_path / "token.json")}


def test_a_replica_needs_no_secret_and_never_asks_for_a_token(
    sandbox: RunningSandbox, file: dict[str, Any]
) -> None:
    client: dict[str, Any] = {"client_id": sandbox.client_id, "base_url": sandbox.base_url}
    replica = {"name": "read-only", "inner": file}
    with (
        create_instance(**client, client_secret=sandbox.client_secret, token_store=file) as service,
        create_instance(**client, token_store=replica) as report,
    ):
        service.marketplace.show()
        assert report.marketplace.show().data
        with pytest.raises(TokenReadOnlyError):
            report.revoke()

        async def main() -> None:
            async with create_async_instance(**client, token_store=replica) as sdk:
                assert (await sdk.marketplace.show()).data

        asyncio.run(main())
        assert service.marketplace.show().data


def test_the_command_line_shows_what_fallback_has_chosen(
    file: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    variable = "FLEX_INTEGRATION_TOKEN_STORE"
    monkeypatch.setenv(variable, "fallback")
    monkeypatch.setenv(f"{variable}__STORES__1__NAME", "file")
    monkeypatch.setenv(f"{variable}__STORES__1__PATH", file["path"])
    assert run(["token", "show", "--client-id", "c"]) == 0
    shown = capsys.readouterr().out
    assert "fallback over file" in shown
    assert file["path"] in shown
    monkeypatch.setenv(f"{variable}__STORES__0", "memory")
    assert run(["token", "show", "--client-id", "c"]) == 2
    assert "keeps a token only inside the program" in capsys.readouterr().err
