"""What commands say on stderr while they run: sentences, each once."""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path

import pytest

import flex_tokenstore
from flex_integration_sdk.cli._app import run
from flex_integration_sdk.cli._sentences import sentence_of
from flex_integration_sdk.sandbox import RunningSandbox
from flex_tokenstore._events.event import EVENT_NAMES

DOCS = Path(__file__).resolve().parents[3] / "docs" / "events.md"
Captured = pytest.CaptureFixture[str]


def documented() -> list[tuple[str, str | None]]:
    """Each event with each of its reasons, from the table of them all."""
    rows = re.findall(r"^\| `(\w+)` \| [A-Z]+ \| (.*?) \|", DOCS.read_text("utf-8"), re.MULTILINE)
    return [
        (name, reason) for name, cell in rows for reason in re.findall(r"`(\w+)`", cell) or [None]
    ]


def test_the_table_has_all_events() -> None:
    assert {name for name, _ in documented()} == {*EVENT_NAMES}


@pytest.mark.parametrize(("name", "reason"), documented())
def test_each_event_is_a_sentence(name: str, reason: str | None) -> None:
    facts = {
        "name": name,
        "store": "file",
        "place": "/srv/token.json",
        "identity_key": "key",
        "reason": reason,
        "seconds": 0.123,
        "grant_type": "refresh_token",
        "error_type": "TokenUnavailableError",
        "error": "the disk is full",
    }
    said = sentence_of(facts)
    assert " " in said
    assert not re.search(r"[{}=_]|None|\.$", said), said
    assert sentence_of({"name": name})  # whatever is missing


def test_warnings_are_sentences_and_told_once(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def list_stores(*, check: bool) -> list[flex_tokenstore.StoreInfo]:
        for _ in range(2):
            logging.getLogger("flex_tokenstore").warning("the folder is %s", "open")
            logging.getLogger("redis.connection").warning("sent SENTINEL")
            warnings.warn("the driver is old", UserWarning, stacklevel=1)
        return []

    monkeypatch.setattr(flex_tokenstore, "list_stores", list_stores)
    handlers, show = [*logging.getLogger().handlers], warnings.showwarning
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert run(["stores", "list", "--json"]) == 0
    out, err = capsys.readouterr()
    assert out == "[]\n"
    assert err.splitlines() == [
        "flex-sdk: the folder is open",
        "flex-sdk: the library redis.connection logged a warning; its text is not shown, since it "
        "may contain a secret",
        "flex-sdk: a library warns: the driver is old (UserWarning)",
    ]
    assert (logging.getLogger().handlers, warnings.showwarning) == (handlers, show)


def test_a_warning_of_the_session_is_a_sentence(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, flex_sandbox: RunningSandbox, tmp_path: Path
) -> None:
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", flex_sandbox.client_id)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", flex_sandbox.client_secret)
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", flex_sandbox.base_url)
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE", "file")
    path = tmp_path / "token.json"
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE__PATH", str(path))
    assert run(["call", "marketplace.show"]) == 0
    flex_sandbox.reset()  # it knows none of its tokens any more
    capsys.readouterr()
    assert run(["call", "marketplace.show"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        f"flex-sdk: the server rejects the refresh token in {path} for good: it was revoked, or "
        "another program that does not share this store has used it"
    ]
