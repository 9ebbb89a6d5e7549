"""Compare-and-set: no token is replaced but the one that the writer has seen."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flex_tokenstore import (
    ANY_REVISION,
    Token,
    TokenConflictError,
    TokenCorruptError,
    revision_of,
)

from ._bench import Bench, ContractFixtures, together
from ._handles import Handle
from ._tokens import new_token, same
from ._work import increment, numbered


class ConflictTests(ContractFixtures):
    """Stores whose ``set_token`` takes ``expected``; one test for those that do not."""

    def test_without_compare_and_set_a_write_just_replaces(self, bench: Bench) -> None:
        if bench.abilities.compare_and_set:
            pytest.skip("the store has compare-and-set")
        bench.handle.set(new_token(bench.identity, 1))
        second = new_token(bench.identity, 2)
        bench.handle.set(second, "0" * 64)
        assert same(bench.handle.get(), second)

    def test_the_expected_token_is_replaced(self, bench: Bench) -> None:
        bench.need("compare_and_set")
        token = new_token(bench.identity, 0, z=1, a=[1.5, "ä"], nested={"b": 1, "a": None})
        bench.handle.set(token, None)
        second = new_token(bench.identity, 1)
        bench.handle.set(second, token.revision)
        assert same(bench.handle.get(), second)

    def test_another_token_than_expected_is_a_conflict(self, bench: Bench) -> None:
        bench.need("compare_and_set")
        old, stored = new_token(bench.identity, "old"), new_token(bench.identity, "stored")
        bench.handle.set(old)
        bench.handle.set(stored)
        with pytest.raises(TokenConflictError):
            bench.handle.set(new_token(bench.identity, "late"), old.revision)
        assert same(bench.handle.get(), stored)

    def test_none_expects_that_nothing_is_stored(self, bench: Bench) -> None:
        bench.need("compare_and_set")
        stored = new_token(bench.identity, "stored")
        bench.handle.set(stored, None)
        with pytest.raises(TokenConflictError):
            bench.handle.set(new_token(bench.identity, "late"), None)
        assert same(bench.handle.get(), stored)

    def test_an_expected_token_that_is_gone_is_a_conflict(self, bench: Bench) -> None:
        bench.need("compare_and_set")
        removed = new_token(bench.identity, "removed")
        bench.handle.set(removed)
        bench.handle.remove()
        with pytest.raises(TokenConflictError):
            bench.handle.set(new_token(bench.identity, "late"), removed.revision)
        assert bench.handle.get() is None

    def test_any_revision_replaces_whatever_is_there(self, bench: Bench) -> None:
        bench.need("compare_and_set")
        for number in range(2):  # once with nothing stored, once with a token
            token = new_token(bench.identity, number)
            bench.handle.set(token, ANY_REVISION)
            assert same(bench.handle.get(), token)
        bench.handle.remove(ANY_REVISION)
        assert bench.handle.get() is None
        bench.handle.remove(ANY_REVISION)

    def test_removing_compares_too(self, bench: Bench) -> None:
        bench.need("compare_and_set")
        if "expected" not in bench.handle.store._opened.binding.remove_token.arguments:
            pytest.fail("set_token takes `expected`; remove_token must take it too")
        old, stored = new_token(bench.identity, "old"), new_token(bench.identity, "stored")
        bench.handle.set(old)
        bench.handle.set(stored)
        for wrong in (old.revision, None):
            with pytest.raises(TokenConflictError):
                bench.handle.remove(wrong)
            assert same(bench.handle.get(), stored)
        bench.handle.remove(stored.revision)
        assert bench.handle.get() is None

    def test_removing_nothing_is_no_conflict(self, bench: Bench) -> None:
        """The reply to an earlier removal may have been lost; it is repeated, and finds nothing."""
        removed = new_token(bench.identity, "removed")
        for expected in (removed.revision, None, ANY_REVISION):
            bench.handle.remove(expected)
            assert bench.handle.get() is None
        bench.handle.set(removed)
        bench.handle.remove(removed.revision)
        bench.handle.remove(removed.revision)
        assert bench.handle.get() is None

    def test_the_revision_is_that_of_the_tokens_alone(self, bench: Bench) -> None:
        """Not of the text: another program may have written the same token with more fields."""
        bench.need("compare_and_set")
        bench.handle.set(new_token(bench.identity, "same", age=100, more="fields"))
        plain = new_token(bench.identity, "same")
        bench.handle.set(new_token(bench.identity, "next"), plain.revision)

    def test_a_revision_in_the_token_counts(self, bench: Bench) -> None:
        """That is how a store that encrypts tokens tells the revision of the plain one."""
        bench.need("compare_and_set")
        data = new_token(bench.identity, "encrypted").to_dict()
        data["flex_tokenstore"]["revision"] = "f" * 64
        bench.handle.hook("set_token", token=data, expected=None)
        tagless = {key: value for key, value in data.items() if key != "flex_tokenstore"}
        with pytest.raises(TokenConflictError):
            bench.handle.set(new_token(bench.identity, "late"), revision_of(tagless))
        bench.handle.set(new_token(bench.identity, "next"), "f" * 64)

    def test_what_a_wrapper_stored_is_no_token(self, bench: Bench) -> None:
        """Without that wrapper it would be sent as a token, and replaced by one in the clear."""
        if bench.wraps:
            pytest.skip("it is what unwraps")
        data = new_token(bench.identity, "encrypted").to_dict()
        data["flex_tokenstore"]["revision"] = "f" * 64
        bench.handle.hook("set_token", token=data, expected=None)
        plain = new_token(bench.identity, "plain")
        for call in (bench.handle.get, lambda: bench.handle.set(plain), bench.handle.remove):
            with pytest.raises(TokenCorruptError) as caught:
                call()
            assert (caught.value.reason, caught.value.revision) == ("wrapped", None)
        assert revision_of(bench.handle.hook("get_token")) == "f" * 64
        bench.handle.remove("f" * 64)

    def test_no_update_is_lost(self, bench: Bench) -> None:
        bench.need("compare_and_set")
        bench.handle.set(new_token(bench.identity, 0, number=0))
        if bench.kind == "async":
            bench.handle.run(_increment_in_tasks(bench.handle, 6, 5))
        else:
            handles = [_one_of(bench, self.shared_by) for _ in range(6)]
            together(
                [lambda handle=h: increment(handle, bench.identity, 5) for h in handles]  # type: ignore[misc]  # mypy: a default makes no Callable[[], int]
            )
        _check_number(bench.handle, 30)

    def test_one_of_many_first_writers_wins(self, bench: Bench) -> None:
        bench.need("compare_and_set")
        for round_ in range(5):
            bench.handle.remove()
            tokens = [new_token(bench.identity, f"{round_}-{number}") for number in range(6)]
            won = self._race(bench, tokens)
            winners = [token for token, wrote in zip(tokens, won, strict=True) if wrote]
            assert len(winners) == 1, f"{len(winners)} writers found nothing stored, and wrote"
            assert same(bench.handle.get(), winners[0])

    def _race(self, bench: Bench, tokens: list[Token]) -> list[bool]:
        if bench.kind == "async":
            return bench.handle.run(_race_of_tasks(bench.handle, tokens))  # type: ignore[no-any-return]  # run takes either kind
        handles = [_one_of(bench, self.shared_by) for _ in tokens]

        def write(number: int) -> bool:
            try:
                handles[number].set(tokens[number], None)
            except TokenConflictError:
                return False
            return True

        return together([lambda n=n: write(n) for n in range(len(tokens))])  # type: ignore[misc]  # as above

    @pytest.mark.slow
    @pytest.mark.timeout(300)
    def test_no_update_of_16_processes_is_lost(self, bench: Bench) -> None:
        bench.need("compare_and_set")
        workers = bench.workers(16)
        bench.handle.set(new_token(bench.identity, 0, number=0))
        for worker in workers:
            worker.send("increment", 10)
        for worker in workers:
            worker.receive()
        _check_number(bench.handle, 160)


def _one_of(bench: Bench, shared_by: str) -> Handle:
    return bench.handle if shared_by == "nobody" else bench.open()


def _check_number(handle: Handle, expected: int) -> None:
    token = handle.get()
    assert token is not None
    assert token.to_dict()["number"] == expected, "an update was lost"


async def _increment_in_tasks(handle: Handle, tasks: int, times: int) -> None:
    store: Any = handle.store

    async def work() -> None:
        for _ in range(times):
            while True:
                stored = await store.get_token()
                number = stored.to_dict()["number"] + 1
                token = numbered(store.identity, number)
                try:
                    await store.set_token(token, stored.revision)
                    break
                except TokenConflictError:
                    await asyncio.sleep(0)

    await asyncio.gather(*(work() for _ in range(tasks)))


async def _race_of_tasks(handle: Handle, tokens: list[Token]) -> list[bool]:
    store: Any = handle.store

    async def write(token: Token) -> bool:
        try:
            await store.set_token(token, None)
        except TokenConflictError:
            return False
        return True

    return list(await asyncio.gather(*map(write, tokens)))
