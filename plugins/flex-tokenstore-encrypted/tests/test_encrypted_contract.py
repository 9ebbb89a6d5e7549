"""The encrypted store passes the contract of a token store, over each kind of inner store.

Outages are the inner store's own matter, and tested there. So are crashes, clocks and storms of
processes: they run over a file, and over the others only what encryption could break.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from encrypted_support import encrypted
from flex_tokenstore import TokenIdentity
from flex_tokenstore.testing import TokenStoreContract

if TYPE_CHECKING:
    from tests.servers.openbao import OpenBao
    from tests.servers.postgres import Postgres
    from tests.servers.valkey import Valkey

C = TypeVar("C", bound=type)

EVERY_DAY = (
    r"replaced|removed_token|not_changed|is_a_conflict|no_conflict|compares_too|token_each|no_secret|"
    r"second_handle|class_is|option|json_shape|of_every_form|blocks_the_event_loop"
)
OVER_SERVERS = rf"{EVERY_DAY}|corrupt|revision|expected|comes_back|newer_format"
# The last one is another error here: a token that is not encrypted is refused, whoever's it is.
NOT_HERE = (
    r"process|storm|clock|any_.*order|crash|kill|listed|import|torn|half_done|update|writers|expires|"
    r"any_json|never_meet|in_between|large|no_connection|of_another_identity"
)

# Long, and run over a file without encryption, or the lock's own.
TWICE = (
    r"order_of|16_|kill|never_meet|leave_no|leaves_no|clock|storm|any_json|crash|torn|differ_in_one|"
    r"importing|listed|_lock|processes|outlives|forked|update|half_done|in_between"
)
ELSEWHERE = rf"{NOT_HERE}|fork|_lock"
# Run over a file: what is stored is ASCII, whatever the token.
OF_EACH_FORM = r"every_form|json_shape"


def only(pattern: str, *, without: str = "^$") -> Callable[[C], C]:
    """Keeps the tests whose names match."""

    def reduced(cls: C) -> C:
        for name in dir(cls):
            kept = re.search(pattern, name) and not re.search(without, name)
            if name.startswith("test_") and not kept:
                setattr(cls, name, None)
        return cls

    return reduced


@pytest.mark.sample(1)
@only(EVERY_DAY, without=NOT_HERE)
class TestEncrypted(TokenStoreContract):
    @pytest.fixture
    def store_config(self) -> Any:
        return encrypted("file")


@pytest.mark.slow
@only("", without=rf"{EVERY_DAY}|{TWICE}")
class TestEncryptedOverFile(TokenStoreContract):
    @pytest.fixture(params=["async"])
    def kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def store_config(self) -> Any:
        return encrypted("file")


@pytest.mark.slow
@only(OVER_SERVERS, without=rf"{ELSEWHERE}|{OF_EACH_FORM}")
class TestEncryptedOverRedis(TokenStoreContract):
    @pytest.fixture(params=["async"])
    def kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def store_config(self, valkey_server: Valkey) -> Any:
        return encrypted({"name": "redis", "url": valkey_server.url})

    @pytest.fixture
    def plant(self, valkey_server: Valkey) -> Callable[[TokenIdentity, bytes], None]:
        def put(identity: TokenIdentity, content: bytes) -> None:
            valkey_server.run("SET", f"flex-tokenstore:{{{identity.key}}}", content)

        return put


@pytest.mark.slow
@only(OVER_SERVERS, without=rf"{ELSEWHERE}|{EVERY_DAY}")  # those run over PostgreSQL
class TestEncryptedOverSqlite(TokenStoreContract):
    @pytest.fixture(params=["sync"])
    def kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def store_config(self, tmp_path: Path) -> Any:
        return encrypted({"name": "sql", "url": f"sqlite:///{tmp_path / 'tokens.db'}"})


@pytest.mark.slow
@only(EVERY_DAY, without=rf"{ELSEWHERE}|{OF_EACH_FORM}")
class TestEncryptedOverPostgres(TokenStoreContract):
    @pytest.fixture(params=["async"])
    def kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def store_config(self, postgres_server: Postgres) -> Any:
        return encrypted({"name": "sql", "url": postgres_server.url})


@pytest.mark.slow
@only(OVER_SERVERS, without=rf"{ELSEWHERE}|{OF_EACH_FORM}")
class TestEncryptedOverVault(TokenStoreContract):
    @pytest.fixture(params=["sync"])
    def kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def store_config(self, openbao_server: OpenBao) -> Any:
        address = f"http://127.0.0.1:{openbao_server.port}"
        return encrypted({"name": "vault", "address": address, "token": openbao_server.root_token})
