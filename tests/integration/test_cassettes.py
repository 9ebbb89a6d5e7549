"""The recorder of the testing page keeps secrets out of cassettes, which can then be played."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk.sandbox import serve
from tests.docs.test_docs import ROOT, programs

PAGE = ROOT / "docs" / "how-to" / "test-your-program.md"


@pytest.fixture
def recorder() -> Any:
    scope: dict[str, Any] = {"__name__": "page"}
    (source,) = [block for block in programs(PAGE) if "vcr.VCR" in block]
    exec(compile(source, PAGE.name, "exec"), scope)
    return scope["recorder"]


def options(sandbox: Any) -> dict[str, Any]:
    return {
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "base_url": sandbox.base_url,
    }


def tokens_of(token: Any) -> set[str]:
    return {token.access_token.reveal(), token.refresh_token.reveal()}


def sync_program(given: dict[str, Any], between: Any) -> set[str]:
    with create_instance(**given) as sdk:
        assert sdk.marketplace.show().data.id
        seen = tokens_of(sdk.session.token())
        between()
        sdk.users.query(per_page=1)  # after a 401 and a refresh
        seen |= tokens_of(sdk.session.token())
        sdk.revoke()
    return seen


def async_program(given: dict[str, Any], between: Any) -> set[str]:
    async def main() -> set[str]:
        async with create_async_instance(**given) as sdk:
            assert (await sdk.marketplace.show()).data.id
            seen = tokens_of(await sdk.session.token())
            between()
            await sdk.users.query(per_page=1)
            seen |= tokens_of(await sdk.session.token())
            await sdk.revoke()
            return seen

    return asyncio.run(main())


@pytest.mark.parametrize("program", [sync_program, async_program])
def test_no_secret_is_in_a_cassette_and_it_plays(
    recorder: Any, program: Any, tmp_path: Path
) -> None:
    path = tmp_path / "cassette.yaml"
    with serve() as sandbox:
        given = options(sandbox)
        with recorder.use_cassette(str(path)) as cassette:
            seen = program(given, sandbox.expire)
        assert len(cassette) >= 6
    text = path.read_text(encoding="utf-8")
    secrets = {given["client_secret"], *seen}
    assert len(secrets) == 5
    assert [secret for secret in secrets if secret in text] == []
    assert "integration_api/users/query" in text
    with recorder.use_cassette(str(path), record_mode="none") as played:
        played_tokens = program(given, lambda: None)  # the sandbox is gone
    assert played.play_count >= 6
    assert all(token.startswith("recorded-") for token in played_tokens)
