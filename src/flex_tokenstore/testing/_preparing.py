"""Finding out whether a token could be saved: without a change, a trace or a false alarm."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from flex_tokenstore import ANY_REVISION, TokenPermissionError, TokenUnavailableError
from flex_tokenstore._plugin.hooks import Binding, Hook

from ._bench import PROMPT, Bench, ContractFixtures, Fault, entered, needed, within
from ._locks import LEASE, check_taken
from ._resources import check_growth
from ._tokens import SENTINEL, new_identity, new_token, same

_TIMES = 3  # a session prepares each of its saves


class PreparingTests(ContractFixtures):
    """For stores that implement ``prepare_save``; where this is run, nothing is refused."""

    def test_preparing_a_save_changes_no_token(self, bench: Bench) -> None:
        bench.need("prepare_save")
        token = new_token(bench.identity)
        bench.handle.set(token)
        for _ in range(_TIMES):
            bench.handle.prepare(token.revision)
            assert same(bench.handle.get(), token)
        bench.handle.set(new_token(bench.identity, "next"), token.revision)

    def test_preparing_the_first_save_stores_nothing(self, bench: Bench) -> None:
        bench.need("prepare_save")
        for _ in range(_TIMES):
            bench.handle.prepare(None)
            assert bench.handle.get() is None
        first = new_token(bench.identity, "first")
        bench.handle.set(first, None)
        assert same(bench.handle.get(), first)

    def test_preparing_the_first_save_claims_nothing(self, bench: Bench) -> None:
        """Whoever saves first may take a location that only one can have."""
        bench.need("prepare_save")
        bench.need_identities()
        place, other = bench.handle.store.place, bench.open(new_identity())
        bench.handle.prepare(None)
        assert bench.handle.store.place == place
        token = new_token(other.store.identity)
        expected = other.store.place
        other.set(token, None)
        assert other.store.place == expected, (
            "prepare_save reserved the location; only a save may take it"
        )
        assert same(other.get(), token)
        assert bench.handle.get() is None

    def test_a_revision_that_is_not_stored_is_no_refusal(self, bench: Bench) -> None:
        """That is a conflict, for ``set_token`` to find; another may write at this moment."""
        bench.need("prepare_save")
        for _ in range(2):  # once with nothing stored, once with a token
            for expected in ("0" * 64, None, ANY_REVISION):
                bench.handle.prepare(expected)
            bench.handle.set(new_token(bench.identity))

    def test_a_save_is_prepared_under_the_lock(self, bench: Bench) -> None:
        bench.need("prepare_save")
        second = bench.handle if self.shared_by == "nobody" else bench.open()
        with bench.handle.lock(PROMPT, LEASE):
            within(PROMPT, lambda: bench.handle.prepare(None))
            check_taken(second)
        with bench.handle.lock(0, LEASE):
            pass

    def test_preparing_a_save_leaves_no_file_behind(self, bench: Bench, tmp_path: Path) -> None:
        bench.need("prepare_save")
        bench.handle.get()
        before = _files_below(tmp_path)
        bench.handle.prepare(None)
        assert _files_below(tmp_path) == before
        token = new_token(bench.identity)
        bench.handle.set(token)
        bench.handle.get()
        before = _files_below(tmp_path)
        bench.handle.prepare(token.revision)
        assert _files_below(tmp_path) == before

    def test_preparing_saves_leaves_no_connection_behind(self, bench: Bench) -> None:
        bench.need("prepare_save")
        bench.handle.set(new_token(bench.identity))
        check_growth(bench.handle.prepare, "each call leaves {} behind")

    def test_preparing_a_save_hangs_in_no_outage(
        self, bench: Bench, outage: Fault | None, stall: Fault | None
    ) -> None:
        """An outage is not a refusal, but not all can tell one from the other."""
        bench.need("prepare_save")
        if outage is None:
            needed(stall, "outage or stall")
        bench.handle.set(new_token(bench.identity))

        def prepare() -> None:
            try:
                bench.handle.prepare()
            except TokenUnavailableError as error:
                assert SENTINEL not in str(error)

        for fault in (outage, stall):
            if fault is not None:
                with entered(fault):
                    within(self.patience, prepare)
        with suppress(TokenUnavailableError):  # a server that was just started again
            bench.handle.prepare()

    @pytest.mark.parametrize("kind", ["sync"], indirect=True)
    def test_sync_and_async_programs_prepare_saves_alike(self, bench: Bench) -> None:
        if bench.setup.is_object:
            pytest.skip("an object of your own is one store for both")
        other = bench.open(kind="async")
        assert bench.abilities.prepare_save == other.store.abilities.prepare_save, (
            "only one of the two classes has prepare_save"
        )

    def test_a_wrapper_hands_a_refusal_on(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        binding = bench.handle.store._opened.binding
        if binding.inner is None:
            pytest.skip("it wraps no other store")
        _refuse(binding, binding.inner, monkeypatch)
        with pytest.raises(TokenPermissionError):
            bench.handle.prepare()


def _refuse(outer: Binding, inner: Binding, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the inner store refuses every save."""

    def refuse() -> None:
        raise TokenPermissionError("this user may not write")

    theirs, refusing = inner.prepare_save, Hook(refuse, frozenset(), False)
    monkeypatch.setattr(inner, "prepare_save", refusing)
    if outer.prepare_save is None or outer.prepare_save is theirs:  # it is not overridden
        monkeypatch.setattr(outer, "prepare_save", refusing)


def _files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
