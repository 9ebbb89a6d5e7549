"""Unavailable, corrupt and absent are three things; and no failure shows a secret."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from flex_tokenstore import (
    ANY_REVISION,
    Token,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenStoreError,
    TokenUnavailableError,
)
from flex_tokenstore._plugin.guard import as_raised

from ._bench import Bench, ContractFixtures, Fault, Plant, entered, needed, within
from ._logs import all_logged, check_leaks
from ._tokens import SENTINEL, new_identity, new_token, same

GARBAGE = {
    "text": b"this is no token",
    "cut": b'{"access_token": "a',
    "list": b'["access_token"]',
    "no access token": b'{"refresh_token": "r"}',
    "number": b'{"access_token": 7}',
    "bytes": b"\xff\xfe\x00\x80",
}


class OutageTests(ContractFixtures):
    """The backend is down, or does not answer."""

    def test_an_outage_is_no_empty_store(self, bench: Bench, outage: Fault | None) -> None:
        bench.handle.set(new_token(bench.identity))
        with entered(needed(outage, "outage")), pytest.raises(TokenUnavailableError):
            within(self.patience, bench.handle.get)

    def test_a_new_handle_finds_the_outage_too(self, bench: Bench, outage: Fault | None) -> None:
        bench.second().set(new_token(bench.identity))
        with entered(needed(outage, "outage")), pytest.raises(TokenUnavailableError):
            within(self.patience, lambda: bench.open().get())

    def test_a_write_that_failed_is_an_error(self, bench: Bench, outage: Fault | None) -> None:
        token = new_token(bench.identity, "kept")
        bench.handle.set(token)
        with entered(needed(outage, "outage")), pytest.raises(TokenUnavailableError):
            # With a revision: before whatever is there is replaced, the framework reads.
            lost = new_token(bench.identity, "lost")
            within(self.patience, lambda: bench.handle.set(lost, token.revision))

    def test_a_removal_that_failed_is_an_error(self, bench: Bench, outage: Fault | None) -> None:
        token = new_token(bench.identity)
        bench.handle.set(token)
        with entered(needed(outage, "outage")), pytest.raises(TokenUnavailableError):
            within(self.patience, lambda: bench.handle.remove(token.revision))

    def test_the_lock_hangs_in_no_outage(self, bench: Bench, outage: Fault | None) -> None:
        """It is acquired, if it does not need the backend, or a typed error says why not."""

        def take() -> None:
            with (
                suppress(TokenUnavailableError, TokenLockTimeoutError),
                bench.handle.lock(0.5, self.shortest_lease),
            ):
                pass

        bench.handle.set(new_token(bench.identity))
        with entered(needed(outage, "outage")):
            within(self.patience, take)

    def test_the_token_is_there_after_the_outage(self, bench: Bench, outage: Fault | None) -> None:
        token = new_token(bench.identity)
        bench.handle.set(token)
        with entered(needed(outage, "outage")), pytest.raises(TokenUnavailableError):
            within(self.patience, bench.handle.get)
        assert same(_once_it_answers(bench), token)  # by the handle that saw the outage

    @pytest.mark.parametrize("operation", ["get", "set", "remove"])
    def test_a_backend_that_hangs_is_unavailable(
        self, bench: Bench, stall: Fault | None, operation: str
    ) -> None:
        token = new_token(bench.identity)
        bench.handle.set(token)
        late = new_token(bench.identity, "late")
        calls: dict[str, Callable[[], object]] = {
            "get": bench.handle.get,
            "set": lambda: bench.handle.set(late, token.revision),
            "remove": lambda: bench.handle.remove(token.revision),
        }
        with entered(needed(stall, "stall")), pytest.raises(TokenUnavailableError):
            within(self.patience, calls[operation])


class CorruptionTests(ContractFixtures):
    """Something is stored, and it is not a token, or not ours."""

    @pytest.mark.parametrize("garbage", GARBAGE)
    def test_corrupt_content_is_no_empty_store(
        self, bench: Bench, plant: Plant | None, garbage: str
    ) -> None:
        needed(plant, "plant")(bench.identity, GARBAGE[garbage])
        with pytest.raises(TokenCorruptError):
            bench.handle.get()

    def test_reading_leaves_corrupt_content_alone(self, bench: Bench, plant: Plant | None) -> None:
        bench.handle.set(new_token(bench.identity))
        needed(plant, "plant")(bench.identity, GARBAGE["text"])
        for _ in range(3):
            with pytest.raises(TokenCorruptError):
                bench.handle.get()

    def test_corrupt_content_is_not_replaced_by_chance(
        self, bench: Bench, plant: Plant | None
    ) -> None:
        """Whoever expects nothing, or a certain token, has not seen it."""
        bench.need("compare_and_set")
        needed(plant, "plant")(bench.identity, GARBAGE["text"])
        for wrong in (None, "0" * 64):
            with pytest.raises((TokenConflictError, TokenCorruptError)):
                bench.handle.set(new_token(bench.identity), wrong)
        with pytest.raises(TokenCorruptError):
            bench.handle.get()

    def test_corrupt_content_can_be_replaced(self, bench: Bench, plant: Plant | None) -> None:
        needed(plant, "plant")(bench.identity, GARBAGE["text"])
        token = new_token(bench.identity)
        bench.handle.set(token, ANY_REVISION)
        assert same(bench.handle.get(), token)

    def test_corrupt_content_can_be_removed(self, bench: Bench, plant: Plant | None) -> None:
        needed(plant, "plant")(bench.identity, GARBAGE["cut"])
        with pytest.raises(TokenCorruptError) as caught:
            bench.handle.get()
        bench.handle.remove(caught.value.revision or ANY_REVISION)
        assert bench.handle.get() is None

    def test_a_token_of_another_identity_is_not_used(
        self, bench: Bench, plant: Plant | None
    ) -> None:
        foreign = new_token(new_identity("another"))
        needed(plant, "plant")(bench.identity, json.dumps(foreign.to_dict()).encode())
        with pytest.raises(TokenIdentityError):
            bench.handle.get()


class SecretTests(ContractFixtures):
    """No token in what the store shows, in good days and bad ones."""

    def test_the_store_shows_no_secret(self, bench: Bench) -> None:
        bench.handle.set(new_token(bench.identity))
        bench.handle.get()
        opened = bench.handle.store
        for thing in (opened, opened.place, bench.handle.plugin, opened._opened.binding):
            assert SENTINEL not in f"{thing!r} {thing}"

    def test_logs_show_no_secret(self, bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
        with all_logged() as leaks:
            bench.handle.set(new_token(bench.identity, 1))
            bench.handle.set(new_token(bench.identity, 2))
            bench.handle.get()
            with bench.handle.lock(5.0, 5.0):
                bench.handle.remove()
        printed = capfd.readouterr()
        check_leaks(leaks, type(bench.handle.plugin))
        for stream, text in zip(("output", "error"), printed, strict=True):
            if SENTINEL in text:  # not an assert: pytest would show the text
                raise AssertionError(
                    f"a token was written to standard {stream}: the store prints it, or a driver "
                    "does, as its option says (such as echo=True)"
                )

    def test_logs_of_an_outage_show_no_secret(self, bench: Bench, outage: Fault | None) -> None:
        bench.handle.set(new_token(bench.identity))
        with all_logged() as leaks, entered(needed(outage, "outage")):
            for call in _calls(bench):
                with pytest.raises(TokenStoreError):
                    within(self.patience, call)
        check_leaks(leaks, type(bench.handle.plugin))

    def test_errors_of_an_outage_show_no_secret(self, bench: Bench, outage: Fault | None) -> None:
        bench.handle.set(new_token(bench.identity))
        with entered(needed(outage, "outage")):
            for call in _calls(bench):
                with as_raised(), pytest.raises(TokenStoreError) as caught:
                    within(self.patience, call)
                _check_silent(caught.value)

    def test_errors_of_a_conflict_show_no_secret(self, bench: Bench) -> None:
        bench.need("compare_and_set")
        bench.handle.set(new_token(bench.identity))
        with as_raised(), pytest.raises(TokenConflictError) as caught:
            bench.handle.set(new_token(bench.identity, "late"), "0" * 64)
        _check_silent(caught.value)
        with as_raised(), pytest.raises(TokenConflictError) as caught:
            bench.handle.remove("0" * 64)
        _check_silent(caught.value)

    def test_errors_of_corrupt_content_show_no_secret(
        self, bench: Bench, plant: Plant | None
    ) -> None:
        text = json.dumps({"access_token": [SENTINEL], "refresh_token": SENTINEL})
        for content in (text, text[:-1], f"{SENTINEL}"):
            needed(plant, "plant")(bench.identity, content.encode())
            with as_raised(), pytest.raises(TokenCorruptError) as caught:
                bench.handle.get()
            _check_silent(caught.value)


def _once_it_answers(bench: Bench) -> Token | None:
    """A server that was just started again may need a moment."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return bench.handle.get()
        except TokenUnavailableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _calls(bench: Bench) -> list[Callable[[], object]]:
    return [
        lambda: bench.handle.set(new_token(bench.identity, "late"), None),
        lambda: bench.handle.set(new_token(bench.identity, "late")),
        bench.handle.get,
        bench.handle.remove,
        lambda: bench.handle.remove("0" * 64),  # the store's own call, without a read before it
    ]


def _check_silent(error: BaseException | None) -> None:
    """No secret in the error, nor in those that are shown with it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        shown = [str(error), repr(error), repr(error.args), *getattr(error, "__notes__", ())]
        shown += [repr(value) for value in vars(error).values()]
        assert SENTINEL not in " ".join(shown), f"{type(error).__name__} shows a token"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
