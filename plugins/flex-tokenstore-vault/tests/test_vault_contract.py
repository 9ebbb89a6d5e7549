"""The Vault stores pass the contract of a token store, against a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from flex_tokenstore import TokenIdentity

if TYPE_CHECKING:
    from tests.servers.openbao import OpenBao

Contract: Any = pytest.importorskip("flex_tokenstore.testing").TokenStoreContract
pytestmark = pytest.mark.slow  # a server is killed and paused, again and again


class _VaultContract(Contract):  # type: ignore[misc]  # the kit may be missing
    patience = 15.0

    @pytest.fixture
    def server_address(self, durable_openbao: OpenBao) -> tuple[str, int]:
        return "127.0.0.1", durable_openbao.port

    @pytest.fixture
    def outage(self, durable_openbao: OpenBao) -> Callable[[], Any]:
        @contextmanager
        def broken() -> Iterator[None]:
            durable_openbao.kill()
            yield
            durable_openbao.restart()

        return broken

    @pytest.fixture
    def stall(self, durable_openbao: OpenBao) -> Callable[[], Any]:
        @contextmanager
        def broken() -> Iterator[None]:
            durable_openbao.pause()
            yield
            durable_openbao.resume()

        return broken


def _config(
    server: OpenBao, proxy: Any, request: pytest.FixtureRequest, **more: Any
) -> dict[str, Any]:
    # As short as it may be where it runs out, as long as many processes need elsewhere.
    options = {"timeout": 1.0} if "hang" in request.node.name else {}
    address = f"http://127.0.0.1:{proxy.port}"
    return {"address": address, "token": server.root_token, **options, **more}


@pytest.mark.one_kind
class TestVaultStore(_VaultContract):
    @pytest.fixture
    def store_config(
        self, durable_openbao: OpenBao, proxy: Any, request: pytest.FixtureRequest
    ) -> Any:
        return _config(durable_openbao, proxy, request, name="vault")

    @pytest.fixture
    def plant(self, durable_openbao: OpenBao) -> Callable[[TokenIdentity, bytes], None]:
        def put(identity: TokenIdentity, content: bytes) -> None:
            data = {"token": content.decode(errors="replace")}
            path = f"secret/data/flex-tokenstore/{identity.key}"
            durable_openbao.run("POST", path, {"data": data})

        return put


class TestVaultKv1Store(_VaultContract):
    @pytest.fixture(params=["sync"])
    def kind(self, request: pytest.FixtureRequest) -> str:
        """Its requests are those of the other store, whose test has both."""
        return str(request.param)

    @pytest.fixture
    def store_config(
        self, durable_openbao: OpenBao, proxy: Any, request: pytest.FixtureRequest
    ) -> Any:
        return _config(durable_openbao, proxy, request, name="vault-kv1", mount="kv1")

    @pytest.fixture
    def plant(self, durable_openbao: OpenBao) -> Callable[[TokenIdentity, bytes], None]:
        def put(identity: TokenIdentity, content: bytes) -> None:
            data = {"token": content.decode(errors="replace")}
            durable_openbao.run("POST", f"kv1/flex-tokenstore/{identity.key}", data)

        return put
