"""A session over a file that holds no token: what is moved aside, what is left, what heals."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from flex_tokenstore import (
    AsyncTokenSession,
    TokenConflictError,
    TokenCorruptError,
    TokenSession,
    WrapperStore,
    file_store,
    open_async_store,
    open_store,
    register_store,
)
from flex_tokenstore._registry import registered
from tests.support.fakes import IDENTITY, AsyncServer, DictStore, Server, stored


class World:
    """A token file, a server, and what happens in the pauses between two looks."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.server = Server()
        self.good = stored(self.server)
        self.pauses: list[float] = []
        self.events: list[Callable[[], object]] = []
        monkeypatch.setattr(time, "sleep", self._pause)

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if self.events:
            self.events.pop(0)()

    def write(self, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        self.path.write_bytes(data)
        self.path.chmod(0o600)

    def heal(self) -> None:
        self.write(json.dumps(self.good))

    def session(self, **options: Any) -> TokenSession:
        config = file_store(path=str(self.path), **options)
        return TokenSession(open_store(config, IDENTITY), self.server, failure_window=0)

    def kept_aside(self) -> list[bytes]:
        return [path.read_bytes() for path in self.path.parent.glob("*.corrupt-*")]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path / "t.json", monkeypatch)


@pytest.mark.parametrize("content", [b"", b'{"access_to', b"\xff\xfe", b"[]", b"x" * 10_000_000])
def test_corrupt_content_is_looked_at_again_moved_aside_and_replaced(
    world: World, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    world.write(content)
    with world.session() as session:
        session.token()
        assert session.saved
    assert world.pauses == [0.5, 0.5]
    assert world.server.calls == ["sign_in"]
    assert world.kept_aside() == [content]
    assert str(world.path) in caplog.text
    with world.session() as session:
        session.token()
    assert world.server.calls == ["sign_in"], "the next program uses what was saved"


@pytest.mark.parametrize("looks", [1, 2])
def test_what_heals_between_two_looks_is_used(world: World, looks: int) -> None:
    world.write(json.dumps(world.good)[:40])
    world.events = [world.heal] if looks == 1 else [lambda: None, world.heal]
    with world.session() as session:
        assert session.token().to_dict() == world.good
    assert len(world.pauses) == looks
    assert world.server.calls == []
    assert world.kept_aside() == []


def test_what_is_being_written_at_each_look_is_left_alone(world: World) -> None:
    world.write("")
    world.events = [partial(world.write, "{" * length) for length in range(1, 9)]
    with world.session() as session:
        with pytest.raises(TokenCorruptError, match=r"t\.json"):
            session.token()
        assert len(world.pauses) == 4
        assert world.kept_aside() == []
        world.heal()
        assert session.token().to_dict() == world.good
    assert world.server.calls == []


def test_emptied_again_and_again_is_being_written_too(world: World) -> None:
    times = iter(range(1, 9))

    def empty() -> None:
        world.write("")
        os.utime(world.path, (0, next(times)))

    empty()
    world.events = [empty] * 6
    with world.session() as session, pytest.raises(TokenCorruptError):
        session.token()
    assert world.kept_aside() == []
    assert world.server.calls == []


@pytest.mark.parametrize("kind", ["newer", "shared"])
def test_what_must_not_be_moved_is_an_error_at_each_call(world: World, kind: str) -> None:
    newer = {**world.good, "flex_tokenstore": {"format": 2, "identity": IDENTITY.key}}
    content = json.dumps(newer) if kind == "newer" else '{"access_to'
    world.write(content)
    with world.session(share_with_js=kind == "shared") as session:
        for _ in range(2):
            with pytest.raises(TokenCorruptError, match=r"t\.json"):
                session.token()
        assert world.path.read_text() == content
        assert world.server.calls == []
        world.heal()
        assert session.token().to_dict() == world.good
    assert world.kept_aside() == []


def test_a_store_that_changes_while_it_is_moved_is_not_taken_for_empty(world: World) -> None:
    class Changing(DictStore):
        def get_token(self) -> dict[str, Any] | None:
            raise TokenCorruptError("no token", revision="r")

        def remove_token(self, expected: str | None) -> None:  # type: ignore[override]  # a store may take more
            raise TokenConflictError("it changed")

    store = Changing()
    opened = open_store(store, IDENTITY, host_lock="off")
    with (
        TokenSession(opened, world.server, failure_window=0) as session,
        pytest.raises(TokenCorruptError),
    ):
        session.token()
    assert world.server.calls == [], "the secret is not sent"


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("what", ["remove", "revoke"])
def test_removing_and_revoking_work_on_a_corrupt_file(
    world: World, what: str, shared: bool
) -> None:
    world.write("{broken")
    with world.session(share_with_js=shared) as session:
        assert not getattr(session, what)()
        assert not world.path.exists()
        assert world.kept_aside() == [b"{broken"]
        session.token()
    assert world.server.calls == ["sign_in"]


@pytest.mark.parametrize("reason", ["plaintext", "changed", "unknown key", "newer format"])
def test_what_another_program_may_be_able_to_read_is_not_revoked_unseen(
    world: World, reason: str
) -> None:
    """It may be a token that lives on; removed, nobody could revoke it any more."""

    class Sealed(DictStore):
        removed = 0

        def get_token(self) -> dict[str, Any] | None:
            raise TokenCorruptError("sealed with a key of another program", reason=reason)

        def remove_token(self) -> None:
            self.removed += 1

    store = Sealed()
    opened = open_store(store, IDENTITY, host_lock="off")
    with TokenSession(opened, world.server, failure_window=0) as session:
        for call in (session.revoke, session.token):
            with pytest.raises(TokenCorruptError) as caught:
                call()
            assert caught.value.reason == reason
        assert (store.removed, world.server.calls) == (0, [])
        session.remove()
    assert store.removed == 1, "removing is what the caller asked for"


class Turned(WrapperStore):
    """A stranger's wrapper, which with the wrong key fails in the way that its test wants."""

    @dataclass(kw_only=True)
    class Options:
        inner: Any

    fails: ClassVar[Callable[[], Any]]

    def wrap(self, token: dict[str, Any]) -> dict[str, Any]:
        return {"access_token": json.dumps(token)[::-1]}

    def unwrap(self, token: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = type(self).fails()
        return found


class Around(WrapperStore):
    """Changes nothing, as a cache or a log."""

    @dataclass(kw_only=True)
    class Options:
        inner: Any


def _throw(error: Exception) -> Any:
    raise error


@pytest.mark.parametrize(
    "fails",
    [
        lambda: _throw(ArithmeticError("the tag does not match")),
        lambda: _throw(TokenCorruptError("cannot be decrypted")),
        lambda: _throw(TokenCorruptError("cannot be decrypted", revision="r")),
        lambda: {"access_token": 5},
        lambda: {"noise": 1},
        lambda: "noise",
    ],
    ids=["raises", "typed", "revision", "token", "object", "text"],
)
@pytest.mark.parametrize("around", [False, True])
def test_what_a_wrapper_cannot_unwrap_is_not_revoked_unseen(
    world: World, monkeypatch: pytest.MonkeyPatch, fails: Callable[[], Any], around: bool
) -> None:
    """Another key may read it."""
    monkeypatch.setattr(registered, "_registered", {})
    monkeypatch.setattr(Turned, "fails", staticmethod(fails), raising=False)
    register_store("turned", Turned)
    register_store("around", Around)
    world.heal()
    before = world.path.read_bytes()
    config: dict[str, Any] = {"name": "turned", "inner": file_store(path=str(world.path))}
    opened = open_store({"name": "around", "inner": config} if around else config, IDENTITY)
    with TokenSession(opened, world.server, failure_window=0) as session:
        with pytest.raises(TokenCorruptError) as caught:
            session.revoke()
        assert caught.value.reason == "unreadable"
        assert world.path.read_bytes() == before
        session.remove()
    assert not world.path.exists(), "removing is what the caller asked for"
    assert world.server.calls == []


def test_revoking_waits_for_what_is_being_written(world: World) -> None:
    world.write("")
    world.events = [world.heal]
    with world.session() as session:
        assert session.revoke()
    assert world.server.calls == ["revoke"]
    assert not world.path.exists()
    assert world.kept_aside() == []


def test_an_async_session_moves_it_aside_too(world: World) -> None:
    async def main() -> None:
        store = await open_async_store(file_store(path=str(world.path)), IDENTITY)
        async with AsyncTokenSession(store, AsyncServer(world.server)) as session:
            await session.token()

    world.write("{broken")
    asyncio.run(main())
    assert world.server.calls == ["sign_in"]
    assert world.kept_aside() == [b"{broken"]


# Writes as the JavaScript SDK does: the file itself is emptied and then written, without a lock.
WRITER = """
import json, sys, time
tokens = [token.encode() for token in json.loads(sys.stdin.readline())]
print("ready", flush=True)
while True:
    for token in tokens:
        with open(sys.argv[1], "wb", buffering=0) as file:
            time.sleep(0.001)
            file.write(token[:50])
            time.sleep(0.001)
            file.write(token[50:])
        time.sleep(0.2)
"""


def read_beside(writer: subprocess.Popen[bytes], path: Path, lines: list[str], shared: bool) -> int:
    """Opens six sessions, each at a moment at which the file is torn; gives how many were."""
    server, torn = Server(), 0
    deadline = time.monotonic() + 60
    while torn < 6 and time.monotonic() < deadline:
        assert writer.poll() is None
        if path.read_text() in lines:
            continue
        torn += 1
        config = file_store(path=str(path), share_with_js=shared)
        with TokenSession(open_store(config, IDENTITY), server, failure_window=0) as session:
            for last in (False, False, True):
                try:
                    got = session.token().to_dict()
                    break
                except TokenCorruptError:
                    if last:  # it was in the middle of a write at each of a dozen looks
                        raise
        assert got["flex_tokenstore"]["identity"] == IDENTITY.key
        whole = [{**json.loads(line), "flex_tokenstore": got["flex_tokenstore"]} for line in lines]
        assert got in whole
    assert server.calls == []
    return torn


@pytest.mark.parametrize("shared", [True, False])
def test_beside_a_writer_that_truncates_each_reader_gets_old_or_new(
    tmp_path: Path, shared: bool
) -> None:
    path, server = tmp_path / "t.json", Server()
    tokens = [stored(server), stored(server)]
    if shared:
        for token in tokens:
            del token["flex_tokenstore"]
    lines = [json.dumps(token) for token in tokens]
    path.write_text(lines[0])
    path.chmod(0o600)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        try:
            writer.stdin.write(json.dumps(lines).encode() + b"\n")
            writer.stdin.flush()
            writer.stdout.readline()
            assert read_beside(writer, path, lines, shared) == 6, "the fault did not bite"
        finally:
            writer.kill()
    assert not list(tmp_path.glob("*.corrupt-*"))
