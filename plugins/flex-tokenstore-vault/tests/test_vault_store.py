"""The store on KV version 2 of a real OpenBao: tokens, revisions, corrupt content, round trips."""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from flex_tokenstore import (
    ANY_REVISION,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    list_stores,
    revision_of,
)
from tests.servers.openbao import OpenBao
from tests.support.handles import IDENTITY, OTHER, Open, opener, token
from vault_support import DATA, KEY, METADATA, config, fields


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


def versions(server: OpenBao) -> dict[str, Any]:
    found: dict[str, Any] = server.run("GET", METADATA)["data"]["versions"]
    return found


def test_a_token_is_kept_whole_replaced_and_removed(opened: Open, openbao_server: OpenBao) -> None:
    store = opened(config(openbao_server))
    assert store.get_token() is None
    first = token("a")
    store.set_token(first, None)
    kept = opened(config(openbao_server)).get_token()
    assert kept == first
    store.set_token(token("b"), first.revision)
    store.remove_token(token("b").revision)
    assert store.get_token() is None


def test_the_secret_holds_the_tokens_json(opened: Open, openbao_server: OpenBao) -> None:
    first = token("a")
    opened(config(openbao_server)).set_token(first)
    stored = openbao_server.run("GET", DATA)["data"]["data"]
    assert list(stored) == ["token"]
    assert json.loads(stored["token"]) == first.to_dict()


def test_a_removal_destroys_all_versions(opened: Open, openbao_server: OpenBao) -> None:
    store = opened(config(openbao_server))
    for name in "abc":
        store.set_token(token(name))
    assert not any(version["destroyed"] for version in versions(openbao_server).values())
    store.remove_token(token("c").revision)
    assert all(version["destroyed"] for version in versions(openbao_server).values())
    assert "SENTINEL" not in str(
        [openbao_server.ask("GET", f"{DATA}?version={n}").text for n in versions(openbao_server)]
    )
    store.set_token(token("d"), None)
    kept = store.get_token()
    assert kept is not None
    assert kept.revision == token("d").revision


def test_a_removal_that_was_cut_short_is_finished(opened: Open, openbao_server: OpenBao) -> None:
    opened(config(openbao_server)).set_token(token("a"))
    tombstone = {"options": {"cas": 1}, "data": {"token": None}}
    openbao_server.run("POST", DATA, tombstone)  # and then killed
    store = opened(config(openbao_server))
    assert store.get_token() is None
    store.remove_token()
    assert all(version["destroyed"] for version in versions(openbao_server).values())


@pytest.mark.parametrize("how", ["deleted", "destroyed", "no trace"])
def test_what_an_operator_removed_is_not_there(
    opened: Open, openbao_server: OpenBao, how: str
) -> None:
    opened(config(openbao_server)).set_token(token("a"))
    if how == "deleted":
        openbao_server.run("DELETE", DATA)
    elif how == "destroyed":
        openbao_server.run("PUT", f"secret/destroy/{KEY}", {"versions": [1]})
    else:
        openbao_server.run("DELETE", METADATA)
    store = opened(config(openbao_server))
    assert store.get_token() is None
    with pytest.raises(TokenConflictError):
        store.set_token(token("b"), token("a").revision)
    store.set_token(token("b"), None)
    store.remove_token(token("b").revision)


@pytest.mark.parametrize("expected", [None, "0" * 64, "corrupt:x", ""])
def test_another_revision_than_expected_is_a_conflict(
    opened: Open, openbao_server: OpenBao, expected: str | None
) -> None:
    store = opened(config(openbao_server))
    store.set_token(token("a"), None)
    with pytest.raises(TokenConflictError) as caught:
        store.set_token(token("b"), expected)
    assert caught.value.store == "vault"
    assert caught.value.place == store.place
    with pytest.raises(TokenConflictError):
        store.set_token(token("a"), expected)
    with pytest.raises(TokenConflictError):
        store.remove_token(expected)
    kept = store.get_token()
    assert kept is not None
    assert kept.revision == token("a").revision


def test_with_nothing_stored_only_none_is_expected(opened: Open, openbao_server: OpenBao) -> None:
    store = opened(config(openbao_server))
    with pytest.raises(TokenConflictError):
        store.set_token(token("a"), token("a").revision)
    for expected in (token("a").revision, None, ANY_REVISION):
        store.remove_token(expected)
    assert store.get_token() is None


def test_what_one_handle_remembers_is_compared_with_what_another_wrote(
    opened: Open, openbao_server: OpenBao
) -> None:
    store, other = (opened(config(openbao_server)) for _ in range(2))
    assert store.get_token() is None
    other.set_token(token("a"), None)
    with pytest.raises(TokenConflictError):
        store.set_token(token("b"), None)
    other.remove_token()
    assert store.get_token() is None
    other.set_token(token("b"), None)
    with pytest.raises(TokenConflictError):
        store.remove_token(None)  # it remembers that there was nothing
    assert other.get_token() is not None
    store.remove_token()
    assert other.get_token() is None
    # The same revision again is the same content: who knows it by an older version may write.
    other.set_token(token("b"), None)
    store.set_token(token("c"), token("b").revision)


def test_any_revision_replaces_and_removes_whatever_there_is(
    opened: Open, openbao_server: OpenBao
) -> None:
    store, other = (opened(config(openbao_server)) for _ in range(2))
    for name in "abc":
        store.set_token(token(name), ANY_REVISION)
        other.set_token(token(name + "2"), ANY_REVISION)
    store.remove_token(ANY_REVISION)
    assert other.get_token() is None


def test_the_revision_is_right_whoever_wrote_the_token(
    opened: Open, openbao_server: OpenBao
) -> None:
    store = opened(config(openbao_server))
    store.set_token(token("a"))
    foreign = {**token("b").to_dict(), "note": "spaces and another order"}
    text = json.dumps(dict(reversed(foreign.items())), indent=2)
    openbao_server.run("POST", DATA, {"data": {"token": text}})
    with pytest.raises(TokenConflictError):
        store.set_token(token("c"), token("a").revision)
    store.set_token(token("c"), revision_of(foreign))  # never read by this handle
    kept = store.get_token()
    assert kept is not None
    assert kept.revision == token("c").revision


CORRUPT: list[dict[str, Any]] = [
    {},
    {"token": ""},
    {"token": "not json SENTINEL"},
    {"token": "[1]"},
    {"token": '{"access_token": 5}'},
    {"token": '{"access_token": "SENT'},
    {"token": "[" * 100_000},
    {"token": '{"access_token": "a", "n": 1' + "0" * 5000 + "}"},
    {"token": {"access_token": "SENTINEL"}},
    {"access_token": "SENTINEL", "other": [1, {"deep": None}]},
]


@pytest.mark.sample(6)
@pytest.mark.parametrize("content", CORRUPT, ids=lambda content: str(content)[:25])
def test_corrupt_content_is_told_and_put_aside(
    opened: Open, openbao_server: OpenBao, content: dict[str, Any]
) -> None:
    openbao_server.run("POST", DATA, {"data": content})
    store = opened(config(openbao_server))
    with pytest.raises(TokenCorruptError) as caught:
        store.get_token()
    assert caught.value.revision is not None
    assert "SENT" not in str(caught.value)
    with pytest.raises(TokenConflictError):
        store.set_token(token("a"), None)
    store.remove_token(caught.value.revision)
    assert store.get_token() is None
    (aside,) = openbao_server.names(METADATA)
    assert re.fullmatch(r"corrupt-\d{8}T\d{6}Z-[0-9a-f]{6}", aside)
    assert openbao_server.run("GET", f"{DATA}/{aside}")["data"]["data"] == content


def test_the_revision_names_exactly_this_corrupt_content(
    opened: Open, openbao_server: OpenBao
) -> None:
    store = opened(config(openbao_server))
    openbao_server.run("POST", DATA, {"data": {"token": "broken"}})
    with pytest.raises(TokenCorruptError) as caught:
        store.get_token()
    for now in ({"token": "broken in another way"}, fields(token("a"))):
        openbao_server.run("POST", DATA, {"data": now})
        with pytest.raises(TokenConflictError):
            store.remove_token(caught.value.revision)
        assert openbao_server.run("GET", DATA)["data"]["data"] == now


def test_a_save_over_corrupt_content_puts_it_aside(opened: Open, openbao_server: OpenBao) -> None:
    store = opened(config(openbao_server))
    openbao_server.run("POST", DATA, {"data": {"token": "broken"}})
    store.set_token(token("a"), ANY_REVISION)
    kept = store.get_token()
    assert kept is not None
    assert kept.revision == token("a").revision
    assert len(openbao_server.names(METADATA)) == 1


def test_two_identities_never_meet(opened: Open, openbao_server: OpenBao) -> None:
    mine = opened(config(openbao_server))
    theirs = opened(config(openbao_server), OTHER)
    mine.set_token(token("a"))
    assert theirs.get_token() is None
    theirs.set_token(token("b", OTHER), None)
    with mine.token_lock(0, 5), theirs.token_lock(0, 5):
        pass
    mine.remove_token()
    assert theirs.get_token() is not None


def test_a_token_of_another_identity_is_neither_used_nor_overwritten(
    opened: Open, openbao_server: OpenBao
) -> None:
    foreign = fields(token("b", OTHER))
    openbao_server.run("POST", DATA, {"data": foreign})
    store = opened(config(openbao_server))
    for expected in (ANY_REVISION, token("b").revision):
        with pytest.raises(TokenIdentityError):
            store.get_token()
        with pytest.raises(TokenIdentityError):
            store.set_token(token("a"), expected)
        with pytest.raises(TokenIdentityError):
            store.remove_token(expected)
    assert openbao_server.run("GET", DATA)["data"]["data"] == foreign


def test_mount_and_prefix_keep_programs_apart(opened: Open, openbao_server: OpenBao) -> None:
    store = opened(config(openbao_server, prefix="/shop/live/"))
    store.set_token(token("a"))
    assert openbao_server.names("secret/metadata/shop/live") == [IDENTITY.key]
    assert opened(config(openbao_server)).get_token() is None


def test_a_read_and_a_save_are_one_request_each(
    opened: Open, openbao_server: OpenBao, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened(config(openbao_server))
    store.set_token(token("a"))
    with caplog.at_level(logging.INFO, "httpx2"):
        found = store.get_token()
        assert found is not None
        store.set_token(token("b"), found.revision)
        store.set_token(token("c"), token("b").revision)
    asked = [
        re.findall(r"(GET|POST|PUT) \S+/v1/(\S+)", record.getMessage())[0]
        for record in caplog.records
    ]
    assert asked == [("GET", DATA), ("POST", DATA), ("POST", DATA)]


def test_no_log_shows_a_secret(
    opened: Open, openbao_server: OpenBao, caplog: pytest.LogCaptureFixture
) -> None:
    named = {"id": f"SENTINEL-{secrets.token_hex(4)}"}
    vault_token = openbao_server.run("POST", "auth/token/create", named)
    with caplog.at_level(logging.DEBUG):
        store = opened(config(openbao_server, token=vault_token["auth"]["client_token"]))
        store.set_token(token("a"), None)
        with store.token_lock(0, 5):
            assert store.get_token() is not None
        store.remove_token()
    assert "send_request_headers" in caplog.text, "httpcore2 logs at this level"
    assert "SENTINEL" not in caplog.text
    assert "SENTINEL" not in repr(store)


def test_what_is_written_hvac_reads_and_the_other_way_round(
    opened: Open, openbao_server: OpenBao
) -> None:
    hvac = pytest.importorskip("hvac")
    store = opened(config(openbao_server))
    client = hvac.Client(url=openbao_server.url, token=openbao_server.root_token)
    kv = client.secrets.kv.v2
    first, second = token("a"), token("b")
    store.set_token(first, None)
    read = kv.read_secret_version(KEY, raise_on_deleted_version=True)["data"]
    assert json.loads(read["data"]["token"]) == first.to_dict()
    kv.create_or_update_secret(KEY, fields(second), cas=read["metadata"]["version"])
    assert store.get_token() == second
    with pytest.raises(TokenConflictError):
        store.set_token(first, first.revision)
    store.remove_token(second.revision)
    with pytest.raises(hvac.exceptions.InvalidPath):
        kv.read_secret_version(KEY, raise_on_deleted_version=True)
    client.adapter.close()


def test_both_are_listed_with_what_they_can_do() -> None:
    found = {info.name: info for info in list_stores(check=True)}
    for name, able in (("vault", True), ("vault-kv1", False)):
        assert found[name].status == "ok", found[name].reason
        assert found[name].compare_and_set is able
        assert found[name].lock is able
        assert found[name].native_async is True


def test_a_byte_order_mark_is_no_part_of_a_token(opened: Open, openbao_server: OpenBao) -> None:
    """Another tool may have written the content."""
    expected = token("a")
    text = "\ufeff" + json.dumps(expected.to_dict())
    openbao_server.run("POST", DATA, {"data": {"token": text}})
    assert opened(config(openbao_server)).get_token() == expected
