"""Tests that the present version of a plugin fits to what the last one wrote."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from flex_tokenstore import (
    ANY_REVISION,
    Token,
    TokenConflictError,
    TokenCorruptError,
    TokenLockTimeoutError,
)
from tests.support.golden import LEASE, NEXT, SECTIONS, TOKENS, WRAPPED, Snapshot, Vessel
from tests.support.handles import Open, opener

SHORT = 0.5  # seconds; a lease that is waited for
WAIT = 30.0  # seconds for a lock that will come


class GoldenTests:
    """The present version on what the last one wrote, and what it writes itself.

    A plugin's class has the fixture ``vessel`` and the attribute ``golden``.
    """

    golden: dict[str, Any]

    @pytest.fixture(params=["sync", "async"])
    def kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def golden_of(self, vessel: Vessel) -> dict[str, Any]:
        """The section of this server."""
        found: dict[str, Any] = self.golden[vessel.name]
        return found

    @pytest.fixture
    def opened(self, kind: str, vessel: Vessel) -> Iterator[Open]:
        vessel.empty()
        with opener(kind) as function:
            yield function

    @pytest.mark.each_value
    @pytest.mark.parametrize("section", SECTIONS)
    def test_it_writes_what_the_last_version_wrote(
        self, vessel: Vessel, golden_of: dict[str, Any], section: str, kind: str
    ) -> None:
        assert SECTIONS[section](vessel, kind) == golden_of[section]

    @pytest.mark.sample(1)
    def test_it_reads_replaces_and_removes_tokens_of_the_last_version(
        self, vessel: Vessel, golden_of: dict[str, Any], opened: Open
    ) -> None:
        assert golden_of["tokens"].keys() == TOKENS.keys()
        store = opened(vessel.config)
        for name, stored in golden_of["tokens"].items():
            expected = Token(TOKENS[name])
            _fill(vessel, stored)
            for wrong in (None, NEXT.revision):
                with pytest.raises(TokenConflictError):
                    store.set_token(NEXT, wrong)
            with pytest.raises(TokenConflictError):
                store.remove_token(NEXT.revision)
            assert vessel.look() == stored, name
            store.remove_token(expected.revision)
            assert store.get_token() is None, name
            _fill(vessel, stored)
            if name == WRAPPED:
                with pytest.raises(TokenCorruptError) as caught:
                    store.get_token()
                assert caught.value.reason == "wrapped"
            else:
                assert store.get_token() == expected, name
            store.set_token(NEXT, expected.revision)
            assert store.get_token() == NEXT, name

    @pytest.mark.each_value
    @pytest.mark.parametrize("section", ["removed", "released"])
    def test_where_the_last_version_left_no_token_there_is_none(
        self, vessel: Vessel, golden_of: dict[str, Any], opened: Open, section: str
    ) -> None:
        vessel.put(golden_of[section])
        store = opened(vessel.config)
        assert store.get_token() is None
        with pytest.raises(TokenConflictError):
            store.set_token(NEXT, NEXT.revision)
        store.set_token(NEXT, None)
        assert store.get_token() == NEXT

    @pytest.mark.sample(1)
    def test_it_keeps_what_the_last_version_put_aside(
        self, vessel: Vessel, golden_of: dict[str, Any], opened: Open
    ) -> None:
        store = opened(vessel.config)
        for name, stored in golden_of["aside"].items():
            _fill(vessel, stored)
            assert store.get_token() == NEXT, name
            store.remove_token()
            assert store.get_token() is None, name
            store.set_token(Token(TOKENS["full"]), None)
            with store.token_lock(0, LEASE):
                store.set_token(NEXT, ANY_REVISION)
            kept = vessel.look()
            aside = {key: value for key, value in stored.items() if "corrupt-" in key}
            assert aside, name
            assert {key: kept.get(key) for key in aside} == aside, name

    def test_it_takes_no_lock_that_the_last_version_holds(
        self, vessel: Vessel, golden_of: dict[str, Any], opened: Open
    ) -> None:
        store = opened(vessel.config)
        held = vessel.hold(golden_of["held"], LEASE)
        try:
            with pytest.raises(TokenLockTimeoutError), store.token_lock(0, LEASE):
                pass
            with pytest.raises(TokenLockTimeoutError), store.token_lock(0.3, LEASE):
                pass
        finally:
            held.release()
        with store.token_lock(0, LEASE):
            pass

    def test_one_that_waits_sees_the_release_by_the_last_version(
        self, vessel: Vessel, golden_of: dict[str, Any], opened: Open
    ) -> None:
        store = opened(vessel.config)
        held = vessel.hold(golden_of["held"], LEASE)
        released: list[float] = []

        def release() -> None:
            released.append(time.monotonic())
            held.release()

        timer = threading.Timer(0.2, release)
        timer.start()
        try:
            with store.token_lock(WAIT, LEASE):
                assert released, "it took a lock that the last version holds"
        finally:
            timer.join()

    def test_it_takes_the_lock_of_a_dead_holder_when_the_lease_ends(
        self, vessel: Vessel, golden_of: dict[str, Any], opened: Open
    ) -> None:
        store = opened(vessel.config)
        began = time.monotonic()
        vessel.hold(golden_of["held"], SHORT).die()
        with store.token_lock(WAIT, LEASE):
            waited = time.monotonic() - began
        assert waited >= SHORT or not vessel.has_lease


def _fill(vessel: Vessel, stored: Snapshot) -> None:
    vessel.empty()
    vessel.put(stored)
