"""A Hypothesis state machine: any order of calls, against a model in a dict."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from flex_tokenstore import ANY_REVISION, Token, TokenConflictError

from ._bench import Bench, ContractFixtures, SharedBy, examples
from ._handles import Handle
from ._tokens import new_identity, new_token, same

_IDENTITIES = 2
_WHICH = st.integers(0, 3)


class ModelTests(ContractFixtures):
    """Two identities, two handles each if they share."""

    def test_any_order_of_calls_agrees_with_a_model(self, bench: Bench) -> None:
        run_state_machine_as_test(_machine(bench, self.shared_by), settings=examples(10, 20))

    @pytest.mark.slow
    @pytest.mark.timeout(600)
    def test_any_long_order_of_calls_agrees_with_a_model(self, bench: Bench) -> None:
        run_state_machine_as_test(_machine(bench, self.shared_by), settings=examples(30, 50))


def _machine(bench: Bench, shared_by: SharedBy) -> type[RuleBasedStateMachine]:
    class Machine(_Calls):
        setup = bench.setup
        kind = bench.kind
        identities = 1 if bench.one_identity else _IDENTITIES
        shared = shared_by != "nobody"
        compares = bench.abilities.compare_and_set
        object_identity = bench.identity if bench.one_identity else None

    return Machine


class _Calls(RuleBasedStateMachine):
    setup: Any
    kind: Any
    identities: int
    shared: bool
    compares: bool
    object_identity: Any

    tokens = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self._stored: dict[str, Token | None] = {}
        self._handles: list[Handle] = []
        self._number = 0

    @initialize(target=tokens)
    def open(self) -> Any:
        for _ in range(self.identities):
            identity = self.object_identity or new_identity()
            for _ in range(2 if self.shared else 1):
                self._handles.append(self.setup.open(identity, self.kind))
            self._stored[identity.key] = None
        if self.object_identity is not None:
            self._handles[0].remove()  # it is one object, and keeps what another example stored
        return multiple()

    @rule(target=tokens, which=_WHICH, field=st.none() | st.text("aä日\\'\"", max_size=3))
    def replace(self, which: int, field: str | None) -> Token:
        handle = self._handle(which)
        token = self._new(handle, field)
        handle.set(token, ANY_REVISION)
        self._stored[handle.store.identity.key] = token
        return token

    @rule(target=tokens, which=_WHICH)
    def replace_what_is_there(self, which: int) -> Token:
        handle = self._handle(which)
        token, stored = self._new(handle), self._stored[handle.store.identity.key]
        handle.set(token, None if stored is None else stored.revision)
        self._stored[handle.store.identity.key] = token
        return token

    @rule(which=_WHICH, seen=tokens | st.none())
    def replace_what_was_there(self, which: int, seen: Token | None) -> None:
        handle = self._handle(which)
        key = handle.store.identity.key
        token, stored = self._new(handle), self._stored[key]
        expected = None if seen is None else seen.revision
        fits = expected == (None if stored is None else stored.revision)
        try:
            handle.set(token, expected)
        except TokenConflictError:
            assert self.compares and not fits, "a conflict, and the expected token is stored"
        else:
            assert fits or not self.compares, "no conflict, and another token is stored"
            self._stored[key] = token

    @rule(which=_WHICH)
    def remove(self, which: int) -> None:
        handle = self._handle(which)
        handle.remove()
        self._stored[handle.store.identity.key] = None

    @rule(which=_WHICH)
    def read(self, which: int) -> None:
        handle = self._handle(which)
        assert same(handle.get(), self._stored[handle.store.identity.key])

    @rule(which=_WHICH)
    def lock_and_release(self, which: int) -> None:
        with self._handle(which).lock(5.0, 60.0):
            self.read(which)

    @rule(which=_WHICH)
    def open_again(self, which: int) -> None:
        if self.shared:
            place = which % len(self._handles)
            old = self._handles[place]
            old.close()
            self._handles[place] = self.setup.open(old.store.identity, self.kind)

    def teardown(self) -> None:
        for handle in self._handles:
            handle.remove()
            handle.close()

    def _handle(self, which: int) -> Handle:
        return self._handles[which % len(self._handles)]

    def _new(self, handle: Handle, field: str | None = None) -> Token:
        self._number += 1
        return new_token(handle.store.identity, self._number, field=field)
