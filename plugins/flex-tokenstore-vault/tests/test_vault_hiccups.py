"""What Vault refuses for now is asked for again, and whatever of it was done counts as done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from flex_tokenstore import TokenConflictError, TokenCorruptError
from tests.servers.openbao import OpenBao
from tests.support.handles import Handle, Open, opener, token
from vault_support import DATA, KEY, LOCK, METADATA, between, config, fields

HICCUP = b'{"errors": ["SENTINEL"]}'
FIRST, SECOND = token("a"), token("b")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pauses, and often enough for a step of several requests that all fail once."""
    monkeypatch.setattr("flex_tokenstore.records._where.PAUSES", (0.001,) * 8)


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


def save(store: Handle) -> None:
    store.set_token(SECOND, FIRST.revision)
    assert store.get_token() == SECOND


def remove(store: Handle) -> None:
    store.remove_token(FIRST.revision)
    assert store.get_token() is None


def lock(store: Handle) -> None:
    with store.token_lock(0, 5):
        store.prepare_save(FIRST.revision)


@pytest.mark.sample(6)
@pytest.mark.parametrize("status", [412, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("deed", [save, remove, lock])
def test_each_request_is_refused_once(
    opened: Open, openbao_server: OpenBao, status: int, deed: Callable[[Handle], None]
) -> None:
    refused: set[tuple[str, str, bytes]] = set()

    def tamper(method: str, path: str, sent: bytes) -> tuple[int, bytes] | None:
        if path == LOCK:
            sent = b""  # each has an owner, and so a body, of its own
        if (method, path, sent) in refused:
            return None
        refused.add((method, path, sent))
        return status, HICCUP

    opened(config(openbao_server)).set_token(FIRST)
    with between(openbao_server, tamper) as address:
        deed(opened(config(openbao_server, timeout=60) | {"address": address}))
    assert refused


@pytest.mark.sample(4)
@pytest.mark.parametrize("status", [502, 504])
@pytest.mark.parametrize("deed", [save, remove, lock])
def test_each_request_is_done_but_its_answer_is_lost_once(
    opened: Open, openbao_server: OpenBao, status: int, deed: Callable[[Handle], None]
) -> None:
    """A proxy did not wait for it."""
    lost: set[tuple[str, str]] = set()

    def tamper(method: str, path: str, sent: bytes) -> tuple[int, bytes] | None:
        if (method, path) in lost:
            return None
        lost.add((method, path))
        openbao_server.ask(method, path, json.loads(sent) if sent else None)
        return status, b"<html>SENTINEL</html>"

    opened(config(openbao_server)).set_token(FIRST)
    with between(openbao_server, tamper) as address:
        deed(opened(config(openbao_server, timeout=60) | {"address": address}))
    assert lost
    if deed is remove:
        versions = openbao_server.run("GET", METADATA)["data"]["versions"]
        assert all(version["destroyed"] for version in versions.values())


def test_a_removal_of_nothing_writes_nothing(opened: Open, openbao_server: OpenBao) -> None:
    store = opened(config(openbao_server))
    store.set_token(FIRST)
    store.remove_token()
    for _ in range(2):
        store.remove_token()
        opened(config(openbao_server)).remove_token()
    assert openbao_server.run("GET", METADATA)["data"]["current_version"] == 2


def test_other_fields_that_change_after_a_copy_was_made(
    opened: Open, openbao_server: OpenBao
) -> None:
    """The text is the same, so its revision is: what is copied is what is there now."""
    stuck = [True]

    def tamper(method: str, path: str, sent: bytes) -> tuple[int, bytes] | None:
        return (418, HICCUP) if stuck and method == "POST" and path == DATA else None

    broken = {"token": "broken", "note": "first"}
    openbao_server.run("POST", DATA, {"data": broken})
    with between(openbao_server, tamper) as address:
        store = opened(config(openbao_server) | {"address": address})
        with pytest.raises(TokenCorruptError) as caught:
            store.get_token()
        with pytest.raises(OSError, match="HTTP 418"):
            store.remove_token(caught.value.revision)
        openbao_server.run("POST", DATA, {"data": {**broken, "note": "second"}})
        stuck.clear()
        store.remove_token(caught.value.revision)
    (copy,) = openbao_server.names(METADATA)
    kept = [
        openbao_server.run("GET", f"{DATA}/{copy}?version={number}")["data"]["data"]["note"]
        for number in (1, 2)
    ]
    assert kept == ["first", "second"]


def test_what_another_saves_during_a_removal_is_not_destroyed(
    opened: Open, openbao_server: OpenBao
) -> None:
    """Between the tombstone and the request that destroys; and before the tombstone."""

    def tamper(method: str, path: str, sent: bytes) -> tuple[int, bytes] | None:
        if path == f"secret/destroy/{KEY}" and others:
            openbao_server.run("POST", DATA, {"data": fields(others.pop())})
        return None

    others = [SECOND]
    opened(config(openbao_server)).set_token(FIRST)
    with between(openbao_server, tamper) as address:
        store = opened(config(openbao_server) | {"address": address})
        store.remove_token(FIRST.revision)
        assert store.get_token() == SECOND
        with pytest.raises(TokenConflictError):
            store.remove_token(FIRST.revision)
        assert store.get_token() == SECOND
