"""The store against a real Valkey: tokens, revisions, corrupt content, round trips."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis.connection
from redis.exceptions import ResponseError

from flex_tokenstore import (
    ANY_REVISION,
    Secret,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenUnavailableError,
    revision_of,
)
from flex_tokenstore_redis import Options, RedisStore
from flex_tokenstore_redis._problems import is_wrong_type
from flex_tokenstore_redis._scripts import REPLACE
from redis_support import COMMANDS, KEY, redis_config
from tests.servers.valkey import Valkey
from tests.support.handles import IDENTITY, OTHER, Open, opener, token


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


def test_a_token_is_kept_whole_replaced_and_removed(opened: Open, valkey_server: Valkey) -> None:
    store = opened(redis_config(valkey_server.url))
    assert store.get_token() is None
    store.set_token(token("a"), None)
    kept = opened(redis_config(valkey_server.url)).get_token()
    assert kept is not None
    assert kept.to_dict() == token("a").to_dict() | {
        "flex_tokenstore": kept.to_dict()["flex_tokenstore"]
    }
    store.set_token(token("b"), kept.revision)
    store.remove_token(token("b").revision)
    assert store.get_token() is None
    assert valkey_server.run("KEYS", "*") == []


def test_what_is_stored_is_the_tokens_json(opened: Open, valkey_server: Valkey) -> None:
    opened(redis_config(valkey_server.url)).set_token(token("a"))
    stored = json.loads(valkey_server.run("GET", KEY))
    assert stored["access_token"] == "access-a-SENTINEL"
    assert stored["extra"] == {"kept": [1, None, "ü", 2**80, "\ud800"]}
    assert valkey_server.run("PTTL", KEY) == -1


@pytest.mark.parametrize("expected", [None, "0" * 64, "corrupt:x", ""])
def test_another_revision_than_expected_is_a_conflict(
    opened: Open, valkey_server: Valkey, expected: str | None
) -> None:
    store = opened(redis_config(valkey_server.url))
    store.set_token(token("a"), None)
    with pytest.raises(TokenConflictError) as caught:
        store.set_token(token("b"), expected)
    assert caught.value.store == "redis"
    assert caught.value.place == store.place
    with pytest.raises(TokenConflictError):
        store.set_token(token("a"), expected)
    with pytest.raises(TokenConflictError):
        store.remove_token(expected)
    kept = store.get_token()
    assert kept is not None
    assert kept.revision == token("a").revision


def test_with_nothing_stored_only_none_is_expected(opened: Open, valkey_server: Valkey) -> None:
    store = opened(redis_config(valkey_server.url))
    with pytest.raises(TokenConflictError):
        store.set_token(token("a"), token("a").revision)
    for expected in (token("a").revision, None, ANY_REVISION):
        store.remove_token(expected)  # nothing is lost by removing nothing
    assert store.get_token() is None


def test_any_revision_replaces_and_removes_whatever_there_is(
    opened: Open, valkey_server: Valkey
) -> None:
    store, other = (opened(redis_config(valkey_server.url)) for _ in range(2))
    for name in "abc":
        store.set_token(token(name), ANY_REVISION)
        other.set_token(token(name + "2"), ANY_REVISION)
    store.remove_token(ANY_REVISION)
    assert other.get_token() is None


def test_the_revision_is_right_whoever_wrote_the_token(opened: Open, valkey_server: Valkey) -> None:
    store = opened(redis_config(valkey_server.url))
    store.set_token(token("a"))
    foreign = {**token("b").to_dict(), "note": "spaces and another order"}
    valkey_server.run("SET", KEY, json.dumps(dict(reversed(foreign.items())), indent=2))
    with pytest.raises(TokenConflictError):
        store.set_token(token("c"), token("a").revision)
    store.set_token(token("c"), revision_of(foreign))  # never read by this handle
    kept = store.get_token()
    assert kept is not None
    assert kept.revision == token("c").revision


def test_a_revision_of_a_wrappers_is_compared_too(opened: Open, valkey_server: Valkey) -> None:
    store = opened(redis_config(valkey_server.url))
    wrapped = token("a").to_dict()
    wrapped["flex_tokenstore"]["revision"] = "of-the-plain-token"
    valkey_server.run("SET", KEY, json.dumps(wrapped))
    with pytest.raises(TokenConflictError):
        store.remove_token(token("a").revision)
    store.remove_token("of-the-plain-token")
    assert store.get_token() is None


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


@pytest.mark.parametrize("content", CORRUPT, ids=lambda content: content[:12].decode("latin-1"))
def test_corrupt_content_is_told_and_put_aside(
    opened: Open, valkey_server: Valkey, content: bytes
) -> None:
    valkey_server.run("SET", KEY, content)
    store = opened(redis_config(valkey_server.url))
    with pytest.raises(TokenCorruptError) as caught:
        store.get_token()
    assert caught.value.revision is not None
    assert "SENT" not in str(caught.value)
    with pytest.raises(TokenConflictError):
        store.set_token(token("a"), None)
    store.remove_token(caught.value.revision)
    assert store.get_token() is None
    (aside,) = valkey_server.run("KEYS", "*")
    assert re.fullmatch(re.escape(KEY) + r":corrupt-\d{8}T\d{6}Z-[0-9a-f]{6}", aside.decode())
    assert valkey_server.run("GET", aside) == content


def test_the_revision_names_exactly_this_corrupt_content(
    opened: Open, valkey_server: Valkey
) -> None:
    store = opened(redis_config(valkey_server.url))
    valkey_server.run("SET", KEY, "broken")
    with pytest.raises(TokenCorruptError) as caught:
        store.get_token()
    for now in ("broken in another way", json.dumps(token("a").to_dict())):
        valkey_server.run("SET", KEY, now)
        with pytest.raises(TokenConflictError):
            store.remove_token(caught.value.revision)
        assert valkey_server.run("GET", KEY) == now.encode()


@pytest.mark.parametrize("make", [("RPUSH", "a", "b"), ("HSET", "a", "b"), ("SADD", "a")])
def test_a_key_of_another_type_is_corrupt_content(
    opened: Open, valkey_server: Valkey, make: tuple[str, ...]
) -> None:
    command, *rest = make
    valkey_server.run(command, KEY, *rest)
    store = opened(redis_config(valkey_server.url))
    with pytest.raises(TokenCorruptError) as caught:
        store.get_token()
    store.remove_token(caught.value.revision)
    assert store.get_token() is None
    (aside,) = valkey_server.run("KEYS", "*")
    assert valkey_server.run("TYPE", aside) != b"none"


def test_a_save_over_corrupt_content_puts_it_aside(opened: Open, valkey_server: Valkey) -> None:
    store = opened(redis_config(valkey_server.url))
    valkey_server.run("SET", KEY, "broken")
    store.set_token(token("a"), ANY_REVISION)
    kept = store.get_token()
    assert kept is not None
    assert kept.revision == token("a").revision
    assert len(valkey_server.run("KEYS", "*corrupt*")) == 1


def test_two_identities_never_meet(opened: Open, valkey_server: Valkey) -> None:
    mine = opened(redis_config(valkey_server.url))
    theirs = opened(redis_config(valkey_server.url), OTHER)
    mine.set_token(token("a"))
    assert theirs.get_token() is None
    theirs.set_token(token("b", OTHER), None)
    with mine.token_lock(0, 5), theirs.token_lock(0, 5):
        pass
    mine.remove_token()
    assert theirs.get_token() is not None


def test_a_token_of_another_identity_is_neither_used_nor_overwritten(
    opened: Open, valkey_server: Valkey
) -> None:
    foreign = json.dumps(token("b", OTHER).to_dict())
    valkey_server.run("SET", KEY, foreign)
    store = opened(redis_config(valkey_server.url))
    for expected in (ANY_REVISION, token("b").revision):
        with pytest.raises(TokenIdentityError):
            store.get_token()
        with pytest.raises(TokenIdentityError):
            store.set_token(token("a"), expected)
        with pytest.raises(TokenIdentityError):
            store.remove_token(expected)
    assert valkey_server.run("GET", KEY).decode() == foreign


def test_a_prefix_keeps_programs_apart(opened: Open, valkey_server: Valkey) -> None:
    store = opened(redis_config(valkey_server.url, prefix="shop:"))
    store.set_token(token("a"))
    assert valkey_server.run("KEYS", "*") == [f"shop:{{{IDENTITY.key}}}".encode()]
    assert opened(redis_config(valkey_server.url)).get_token() is None


def test_a_read_and_a_save_are_one_round_trip_each(opened: Open, valkey_server: Valkey) -> None:
    store = opened(redis_config(valkey_server.url))
    store.set_token(token("warm"), None)  # connects, and leaves the script on the server

    def commands(action: str) -> dict[str, int]:
        valkey_server.run("CONFIG", "RESETSTAT")
        if action == "get":
            store.get_token()
        else:
            found = store.get_token()
            assert found is not None
            valkey_server.run("CONFIG", "RESETSTAT")
            store.set_token(token(action), found.revision)
        names = ("get", "evalsha", "eval", "xread", "ping", "hello", "auth", "client|setinfo")
        return {name: count for name in names if (count := valkey_server.calls(name))}

    assert commands("get") == {"get": 1}
    assert commands("set") == {"evalsha": 1, "get": 1}  # that get is the script's own
    valkey_server.run("SCRIPT", "FLUSH")
    assert commands("again") == {"evalsha": 1, "eval": 1, "get": 1}


@pytest.mark.parametrize("address", ["url", "unix"])
def test_a_save_is_sent_in_one_piece(
    opened: Open, valkey_server: Valkey, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """A segment for each argument that hides itself would cost more than all else together."""
    pieces: list[int] = []
    send: Any = redis.connection.AbstractConnection.send_packed_command

    def spy(self: Any, command: list[bytes], check_health: bool = True) -> None:
        pieces.append(len(command))
        send(self, command, check_health=check_health)

    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", spy)
    url = valkey_server.url if address == "url" else f"unix://{valkey_server.socket}"
    store = opened(redis_config(url))
    store.set_token(token("a"), None)
    store.set_token(token("b"), token("a").revision)
    assert {*pieces} <= {1}  # asyncio's connections are not asked: they join the pieces


def test_a_lock_key_of_another_type_is_told(opened: Open, valkey_server: Valkey) -> None:
    store = opened(redis_config(valkey_server.url))
    valkey_server.run("RPUSH", f"{KEY}:lock", "x")
    with pytest.raises(TokenUnavailableError, match="of a type that this store does not write"):
        store.token_lock(0, 5).__enter__()


@pytest.mark.parametrize("denied", ["rename", "set"])
def test_corrupt_content_that_cannot_be_put_aside_stays(
    opened: Open, valkey_server: Valkey, denied: str
) -> None:
    valkey_server.run("SET", KEY, "precious SENTINEL")
    rules = [*COMMANDS.split(), f"-{denied}"]
    valkey_server.run("ACL", "SETUSER", "app", "reset", "on", "nopass", "~*", *rules)
    try:
        store = opened(redis_config(valkey_server.url, username="app", password="x"))
        with pytest.raises(TokenUnavailableError) as caught:
            store.set_token(token("a"))
        assert "SENTINEL" not in str(caught.value)
        assert [valkey_server.run("GET", key) for key in valkey_server.run("KEYS", "*")] == [
            b"precious SENTINEL"
        ]
    finally:
        valkey_server.run("ACL", "DELUSER", "app")


def test_what_only_mentions_a_key_of_another_type_is_not_one() -> None:
    for text in ("ERR no WRONGTYPE here", "MISCONF WRONGTYPE ", "WRONGTYPEX y"):
        assert not is_wrong_type(ResponseError(text))
    script = f"ERR Error running script (call to f_{'0a' * 20}): @user_script:3: "
    for text in ("", script):
        assert is_wrong_type(ResponseError(f"{text}WRONGTYPE Operation against a key"))


@pytest.mark.parametrize("fields", [{}, {"access_token": {"kind": "of tomorrow"}}])
def test_a_newer_format_is_left_alone(
    opened: Open, valkey_server: Valkey, fields: dict[str, object]
) -> None:
    """By the store itself too, in the step that compares."""
    newer = {**token("n").to_dict(), **fields}
    newer["flex_tokenstore"]["format"] = 2
    valkey_server.run("SET", KEY, json.dumps(newer))
    store = opened(redis_config(valkey_server.url))
    plugin = RedisStore(Options(url=Secret(valkey_server.url)), IDENTITY)
    calls: list[Callable[[], object]] = [
        store.get_token,
        store.remove_token,
        lambda: store.set_token(token("a")),
        lambda: store.set_token(token("a"), None),
        lambda: store.set_token(token("a"), revision_of(newer)),
        lambda: plugin.set_token(token("a").to_dict(), ANY_REVISION),
        lambda: plugin.remove_token(ANY_REVISION),
    ]
    for call in calls:
        with pytest.raises(TokenCorruptError, match="upgrade") as caught:
            call()
        assert caught.value.revision is None
    plugin.close()
    assert json.loads(valkey_server.run("GET", KEY)) == newer
    assert valkey_server.run("KEYS", "*") == [KEY.encode()]


@pytest.mark.parametrize("content", ["newer", "foreign", "no token", "deep", "ours", "null"])
def test_a_write_that_does_not_compare_replaces_only_a_token_of_ours(
    valkey_server: Valkey, content: str
) -> None:
    """The last resort among many writers: what they write is looked at, on the server."""
    tagged = token("n").to_dict()
    del tagged["extra"]  # half a surrogate pair, which the server's JSON does not read
    if content == "newer":
        tagged["flex_tokenstore"]["format"] = 2
    if content == "foreign":
        tagged["flex_tokenstore"]["identity"] = OTHER.key
    if content == "null":
        tagged["flex_tokenstore"]["format"] = None
    text = {"no token": "x", "deep": "[" * 5000}.get(content) or json.dumps(tagged)
    valkey_server.run("SET", KEY, text)
    done = valkey_server.run("EVAL", REPLACE.text, 1, KEY, "*", "new", IDENTITY.key)
    if content in ("ours", "null"):
        assert done is None
        assert valkey_server.run("GET", KEY) == b"new"
    else:
        assert done == [b"string", text.encode()]
        assert valkey_server.run("GET", KEY) == text.encode()


def test_a_byte_order_mark_is_no_part_of_a_token(opened: Open, valkey_server: Valkey) -> None:
    """Another tool may have written the content."""
    stored = token("a")
    text = json.dumps(stored.to_dict())
    valkey_server.run("SET", KEY, text.encode("utf-8-sig"))
    assert opened(redis_config(valkey_server.url)).get_token() == stored
