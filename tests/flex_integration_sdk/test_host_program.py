"""With the SDK, the framework's messages name its command and its variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk.cli._words import in_cli_words
from flex_integration_sdk.config import PROGRAM
from flex_tokenstore import (
    TokenCorruptError,
    TokenStoreError,
    describe_store,
    file_store,
    open_store,
)


def test_a_corrupt_file(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text("{")
    path.chmod(0o600)
    with (
        create_instance("c", "s", token_store=file_store(path=str(path))) as sdk,
        open_store(file_store(path=str(path)), sdk.token_store.identity) as store,
        pytest.raises(TokenCorruptError, match=r"; `flex-sdk token remove` moves it aside$"),
    ):
        store.get_token()


def test_a_location_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = file_store(path=str(tmp_path / "file" / "t.json"), permissions="off")
    advice = r"\(in the environment FLEX_INTEGRATION_TOKEN_STORE__PATH\)$"
    with (
        create_instance("c", "s", token_store=config) as sdk,
        pytest.raises(TokenStoreError, match=advice),
    ):
        sdk.auth_info()


def test_the_default_location(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with create_instance("c", "s", token_store="file") as sdk:
        assert sdk.token_store.identity.program == PROGRAM
        assert Path(sdk.token_store.place).parent == tmp_path / "flex-integration-sdk"


def test_the_command_line_says_it_in_its_own_words() -> None:
    assert in_cli_words(f"see {PROGRAM._replace(command='').listing}") == f"see {PROGRAM.listing}"
    (path, *_) = describe_store("file").options or ()
    assert in_cli_words(path.doc) == "the file; by default one in ~/.config/flex-integration-sdk"
