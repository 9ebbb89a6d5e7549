"""The store against real databases: tokens, revisions, corrupt content, the lock."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable

import pytest

from flex_tokenstore import (
    ANY_REVISION,
    Secret,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenLockTimeoutError,
    revision_of,
)
from flex_tokenstore_sql import Options, SqlStore
from sql_support import Database, sql_config
from tests.support.handles import IDENTITY, OTHER, Open, token

pytest_plugins = ["sql_fixtures"]


def test_a_token_is_kept_whole_replaced_and_removed(opened: Open, database: Database) -> None:
    store = opened(sql_config(database.url))
    assert store.get_token() is None
    store.set_token(token("a"), None)
    kept = opened(sql_config(database.url)).get_token()
    assert kept is not None
    assert kept.to_dict() == token("a").to_dict() | {
        "flex_tokenstore": kept.to_dict()["flex_tokenstore"]
    }
    store.set_token(token("b"), kept.revision)
    store.remove_token(token("b").revision)
    assert store.get_token() is None
    assert database.rows() == {}


def test_what_is_stored_is_the_tokens_json(opened: Open, database: Database) -> None:
    opened(sql_config(database.url)).set_token(token("a"))
    ((identity, content),) = database.rows().items()
    assert identity == IDENTITY.key
    assert content.isascii()
    assert json.loads(content)["extra"] == {"kept": [1, None, "ü", 2**80, "\ud800"]}
    as_text = {  # as the README says
        "postgres": "convert_from(token, 'UTF8')",
        "mariadb": "CONVERT(token USING utf8mb4)",
        "sqlite": "CAST(token AS TEXT)",
    }[database.kind]
    assert database.run(f"SELECT {as_text} FROM TOKENS") == [(content.decode(),)]


def test_another_revision_than_expected_is_a_conflict(opened: Open, database: Database) -> None:
    store = opened(sql_config(database.url))
    store.set_token(token("a"), None)
    for expected in (None, "0" * 64, "corrupt:x", ""):
        with pytest.raises(TokenConflictError) as caught:
            store.set_token(token("b"), expected)
        assert caught.value.store == "sql"
        assert caught.value.place == store.place
        with pytest.raises(TokenConflictError):
            store.set_token(token("a"), expected)
        with pytest.raises(TokenConflictError):
            store.remove_token(expected)
    kept = store.get_token()
    assert kept is not None
    assert kept.revision == token("a").revision


def test_with_nothing_stored_only_none_is_expected(opened: Open, database: Database) -> None:
    store = opened(sql_config(database.url))
    with pytest.raises(TokenConflictError):
        store.set_token(token("a"), token("a").revision)
    for expected in (token("a").revision, None, ANY_REVISION):
        store.remove_token(expected)  # nothing is lost
    assert store.get_token() is None


def test_any_revision_replaces_and_removes_whatever_there_is(
    opened: Open, database: Database
) -> None:
    store, other = (opened(sql_config(database.url)) for _ in range(2))
    for name in "abc":
        store.set_token(token(name), ANY_REVISION)
        other.set_token(token(name + "2"), ANY_REVISION)
    store.remove_token(ANY_REVISION)
    assert other.get_token() is None
    other.remove_token(ANY_REVISION)
    store.set_token(token("d"), None)
    assert other.get_token() is not None


def test_what_was_seen_last_does_not_hide_what_is_there_now(
    opened: Open, database: Database
) -> None:
    store, other = (opened(sql_config(database.url)) for _ in range(2))
    store.set_token(token("a"), None)
    other.set_token(token("b"), token("a").revision)
    with pytest.raises(TokenConflictError):
        store.set_token(token("c"), token("a").revision)
    other.remove_token(token("b").revision)
    with pytest.raises(TokenConflictError):
        store.set_token(token("c"), token("a").revision)
    store.set_token(token("c"), None)
    assert other.get_token() is not None


def test_the_revision_is_right_whoever_wrote_the_token(opened: Open, database: Database) -> None:
    store = opened(sql_config(database.url))
    store.set_token(token("a"))
    foreign = {**token("b").to_dict(), "note": "spaces and another order"}
    database.plant(json.dumps(dict(reversed(foreign.items())), indent=2).encode())
    with pytest.raises(TokenConflictError):
        store.set_token(token("c"), token("a").revision)
    store.set_token(token("c"), revision_of(foreign))  # never read by this handle
    kept = store.get_token()
    assert kept is not None
    assert kept.revision == token("c").revision


CORRUPT = [
    b"",
    b"not json SENTINEL",
    b"\xff\xfe\x00",
    b"[1]",
    b'{"access_token": 5}',
    b'{"access_token": "SENT',
    b"[" * 100_000,
    b'"' + b"x" * 100_000,
]


def test_corrupt_content_is_told_and_put_aside(opened: Open, database: Database) -> None:
    store = opened(sql_config(database.url))
    assert store.get_token() is None  # makes the table
    for content in CORRUPT:
        database.plant(content)
        with pytest.raises(TokenCorruptError) as caught:
            store.get_token()
        assert caught.value.revision is not None
        assert "SENT" not in str(caught.value)
        with pytest.raises(TokenConflictError):
            store.set_token(token("a"), None)
        store.remove_token(caught.value.revision)
        assert store.get_token() is None
        ((aside, kept),) = database.rows().items()
        assert re.fullmatch(re.escape(IDENTITY.key) + r":corrupt-\d{8}T\d{6}Z-[0-9a-f]{6}", aside)
        assert kept == content
        database.run("DELETE FROM TOKENS")


def test_the_revision_names_exactly_this_corrupt_content(opened: Open, database: Database) -> None:
    store = opened(sql_config(database.url))
    assert store.get_token() is None
    database.plant(b"broken")
    with pytest.raises(TokenCorruptError) as caught:
        store.get_token()
    for now in (b"broken in another way", json.dumps(token("a").to_dict()).encode()):
        database.plant(now)
        with pytest.raises(TokenConflictError):
            store.remove_token(caught.value.revision)
        assert database.rows() == {IDENTITY.key: now}


@pytest.mark.parametrize("expected", [ANY_REVISION, "corrupt"])
def test_a_save_over_corrupt_content_puts_it_aside(
    opened: Open, database: Database, expected: str
) -> None:
    store = opened(sql_config(database.url))
    store.set_token(token("first"))
    database.plant(b"broken")
    with pytest.raises(TokenCorruptError) as caught:
        store.get_token()
    store.set_token(token("a"), caught.value.revision if expected == "corrupt" else expected)
    kept = store.get_token()
    assert kept is not None
    assert kept.revision == token("a").revision
    assert sorted(database.rows().values())[0] == b"broken"


def test_a_token_of_another_identity_is_neither_used_nor_overwritten(
    opened: Open, database: Database
) -> None:
    store = opened(sql_config(database.url))
    store.set_token(token("a"))
    foreign = json.dumps(token("b", OTHER).to_dict()).encode()
    database.plant(foreign)
    for expected in (ANY_REVISION, token("b").revision, token("a").revision):
        with pytest.raises(TokenIdentityError):
            store.get_token()
        with pytest.raises(TokenIdentityError):
            store.set_token(token("a"), expected)
        with pytest.raises(TokenIdentityError):
            store.remove_token(expected)
    assert database.rows() == {IDENTITY.key: foreign}


def test_two_identities_never_meet(opened: Open, database: Database) -> None:
    mine = opened(sql_config(database.url))
    theirs = opened(sql_config(database.url), OTHER)
    mine.set_token(token("a"))
    assert theirs.get_token() is None
    theirs.set_token(token("b", OTHER), None)
    with mine.token_lock(0, 5), theirs.token_lock(0, 5):
        pass
    mine.remove_token()
    assert theirs.get_token() is not None


def test_a_table_of_ones_own(opened: Open, database: Database) -> None:
    store = opened(sql_config(database.url, table="shop_tokens"))
    store.set_token(token("a"))
    assert "table shop_tokens" in store.place
    assert opened(sql_config(database.url)).get_token() is None
    assert database.rows() == {}


@pytest.mark.each_value
def test_the_lock_is_exclusive_and_its_wait_is_kept(opened: Open, database: Database) -> None:
    store, other = (opened(sql_config(database.url, timeout=1)) for _ in range(2))
    with store.token_lock(0, 30) as end:
        assert (end is None) == (database.kind == "sqlite")  # held until released; others: a lease
        for wait in (0, 0.2, 1.2):  # the longest is longer than two answers may take
            with pytest.raises(TokenLockTimeoutError) as caught, other.token_lock(wait, 5):
                pass
            assert caught.value.store == "sql"
        assert other.get_token() is None
        store.set_token(token("a"), None)
    with other.token_lock(0, 5):
        assert other.get_token() is not None
    with store.token_lock(0, 5):
        pass


def test_a_waiter_has_the_lock_once_it_is_released(opened: Open, database: Database) -> None:
    order: list[str] = []
    store, other = (opened(sql_config(database.url)) for _ in range(2))
    with store.token_lock(0, 5):
        assert store.get_token() is None

        def wait() -> None:
            order.append("waits")
            with other.token_lock(60, 30):
                order.append("had")

        thread = threading.Thread(target=wait)
        thread.start()
        while not order:
            thread.join(0.01)
        order.append("released")
    thread.join(60)
    assert order == ["waits", "released", "had"]


def test_the_lock_may_be_left_in_another_thread_and_after_an_error(
    opened: Open, database: Database
) -> None:
    store, other = (opened(sql_config(database.url)) for _ in range(2))
    manager = store.token_lock(0, 30)
    manager.__enter__()
    thread = threading.Thread(target=manager.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    with pytest.raises(KeyError), other.token_lock(0, 30):
        raise KeyError
    with store.token_lock(0, 30):
        pass


@pytest.mark.parametrize("fields", [{}, {"access_token": {"kind": "of tomorrow"}}])
def test_a_newer_format_is_left_alone(
    opened: Open, database: Database, fields: dict[str, object]
) -> None:
    """By the store itself too, in the step that compares."""
    newer = {**token("n").to_dict(), **fields}
    newer["flex_tokenstore"]["format"] = 2
    content = json.dumps(newer).encode()
    store = opened(sql_config(database.url))
    assert store.get_token() is None  # makes the table
    database.plant(content)
    plugin = SqlStore(Options(url=Secret(database.url)), IDENTITY)
    calls: list[Callable[[], object]] = [
        store.get_token,
        store.remove_token,
        lambda: store.set_token(token("a")),
        lambda: store.set_token(token("a"), revision_of(newer)),
        lambda: plugin.set_token(token("a").to_dict(), ANY_REVISION),
        lambda: plugin.remove_token(ANY_REVISION),
    ]
    for call in calls:
        with pytest.raises(TokenCorruptError, match="upgrade") as caught:
            call()
        assert caught.value.revision is None
    plugin.close()
    assert database.rows() == {IDENTITY.key: content}


def test_a_byte_order_mark_is_no_part_of_a_token(opened: Open, database: Database) -> None:
    """Another tool may have written the row."""
    store = opened(sql_config(database.url))
    assert store.get_token() is None  # makes the table
    database.plant(("\ufeff" + json.dumps(token("a").to_dict())).encode())
    kept = store.get_token()
    assert kept is not None
    store.set_token(token("b"), kept.revision)
