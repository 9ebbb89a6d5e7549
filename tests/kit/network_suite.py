"""The contract for each store of ``remote.py``; run by ``test_network.py``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from flex_tokenstore.testing import FaultProxy, TokenStoreContract

from . import remote

STORES = (
    *(remote.TcpStore, remote.NoSecondTry, remote.ConflictsWithItself),
    *(remote.StaysWithTheOldServer, remote.TakesHalfAReply),
)


class RemoteContract(TokenStoreContract):
    store: ClassVar[Any]
    patience = 6.0

    @pytest.fixture
    def server(self) -> Iterator[remote.Server]:
        with remote.running(remote.Server({})) as server:
            yield server

    @pytest.fixture
    def server_address(self, server: remote.Server) -> tuple[str, int]:
        return server.address

    @pytest.fixture
    def store_config(self, proxy: FaultProxy) -> Any:
        return {"name": self.store, "port": proxy.port}

    @pytest.fixture
    def fail_over(self, server: remote.Server) -> Iterator[Any]:
        with remote.running(remote.Server(server.tokens, is_primary=False)) as second:

            def move() -> tuple[str, int]:
                server.is_primary, second.is_primary = False, True
                return second.address

            yield move


for _store in STORES:
    _name = f"Test{_store.__name__}"
    globals()[_name] = type(_name, (RemoteContract,), {"store": _store, "__module__": __name__})
