"""The store and its process: what it changes there, and what it does when the process ends."""

from __future__ import annotations

import gc
import warnings

import pytest

from ._bench import Bench, ContractFixtures
from ._handles import AsyncHandle
from ._tokens import new_token, same


class ProcessTests(ContractFixtures):
    """In a process of its own, from the import of the store to the end."""

    def test_importing_and_using_it_changes_nothing_of_the_process(self, bench: Bench) -> None:
        """Logs, warnings, hooks, signals, rights, the environment: they are the program's."""
        changed = bench.worker("watch_process").ready().call("changed_process")
        assert not changed, (
            f"the store changes {', '.join(changed)}: that is the whole program's, not a store's"
        )

    def test_a_token_outlives_the_process_that_stored_it(self, bench: Bench) -> None:
        worker = bench.worker()
        token = new_token(bench.identity)
        worker.call("set", token.to_dict())
        worker.call("get")
        worker.close()
        assert same(bench.handle.get(), token), (
            "the token was removed, or never written, when the process that stored it ended "
            "(atexit, a temporary file, a cache that is written later)"
        )

    def test_a_token_outlives_a_handle_that_nobody_closed(self, bench: Bench) -> None:
        if bench.setup.is_object:
            pytest.skip("an object of your own is one for all handles")
        reader = bench.second()
        token = new_token(bench.identity)
        handle = bench.setup.open(bench.identity, bench.kind)
        handle.set(token)
        if isinstance(handle, AsyncHandle):
            handle.drop()
        with warnings.catch_warnings():  # of connections that are still open
            warnings.simplefilter("ignore", ResourceWarning)
            del handle
            gc.collect()
        assert same(reader.get(), token), "the token went with the handle that stored it"
