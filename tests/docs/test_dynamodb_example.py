"""The store of docs/how-to/remote-store.md, on moto: what is its own, and the conformance kit."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flex_tokenstore import (
    ANY_REVISION,
    Token,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentity,
    TokenLockTimeoutError,
    TokenStore,
    TokenUnavailableError,
    open_async_store,
    open_store,
)
from flex_tokenstore.testing import FaultProxy, TokenStoreContract
from tests.support.environments import ROOT

if TYPE_CHECKING:
    from tests.servers.dynamodb import DynamoDb

if find_spec("boto3") is None:
    pytest.skip("needs the wheel boto3", allow_module_level=True)
sys.path.append(str(ROOT / "docs" / "examples"))
from dynamodb_store import DynamoDbStore

EXAMPLE = Path(sys.modules[DynamoDbStore.__module__].__file__ or "")
IDENTITY = TokenIdentity("https://api.example.com", "my-client", "integ")


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "a-secret-key",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def config(dynamodb_server: DynamoDb, request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"endpoint": dynamodb_server.url, "prefix": f"{request.node.name[:40]}/"}


def store_of(config: dict[str, Any]) -> DynamoDbStore:
    return DynamoDbStore(DynamoDbStore.Options(**config), IDENTITY)


def opened(config: dict[str, Any]) -> TokenStore:
    return open_store(store_of(config), IDENTITY)


def token(number: int) -> Token:
    answer = {"access_token": f"secret-{number}", "token_type": "bearer", "expires_in": 3600}
    return Token.issued(
        {**answer, "refresh_token": "r"}, identity_key=IDENTITY.key, obtained_at=number
    )


def plant(server: DynamoDb, config: dict[str, Any], item: dict[str, Any]) -> None:
    key = {"id": {"S": f"{config.get('prefix', '')}{IDENTITY.key}"}}
    server.client().put_item(TableName="flex-tokens", Item={**key, **item})


def test_it_is_short() -> None:
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.slow
def test_two_handles_share_a_token(config: dict[str, Any]) -> None:
    with opened(config) as one, opened(config) as other:
        assert one.abilities.compare_and_set
        assert one.get_token() is None
        one.set_token(token(1), None)
        assert other.get_token() == token(1)
        with pytest.raises(TokenConflictError):
            other.set_token(token(2), None)
        other.set_token(token(2), token(1).revision)
        with pytest.raises(TokenConflictError):
            one.set_token(token(3), token(1).revision)
        one.remove_token(token(2).revision)
        assert other.get_token() is None


def test_an_asyncio_program_shares_it_too(config: dict[str, Any]) -> None:
    async def main() -> Token | None:
        async with await open_async_store(store_of(config), IDENTITY) as store:
            await store.set_token(token(1))
            return await store.get_token()

    assert asyncio.run(main()) == token(1)
    with opened(config) as store:
        assert store.get_token() == token(1)


def test_one_at_a_time_holds_the_lock(config: dict[str, Any]) -> None:
    with opened(config) as one, opened(config) as other:
        with one.token_lock(0, 30), pytest.raises(TokenLockTimeoutError), other.token_lock(0, 30):
            pass
        with other.token_lock(0, 30):
            pass


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "item",
    [
        {"version": {"S": "x"}, "data": {"B": b"no token"}},
        {"version": {"N": "7"}, "data": {"B": b"no token"}},
        {"data": {"S": "text"}},
        {"version": {"S": "x"}},
        {},
    ],
)
def test_what_another_program_wrote_is_put_aside(
    dynamodb_server: DynamoDb, config: dict[str, Any], item: dict[str, Any]
) -> None:
    with opened(config) as store:
        plant(dynamodb_server, config, item)
        with pytest.raises(TokenCorruptError):
            store.get_token()
        store.set_token(token(1), ANY_REVISION)
        assert store.get_token() == token(1)
    found = dynamodb_server.client().scan(TableName="flex-tokens")["Items"]
    ours = [each["id"]["S"] for each in found if each["id"]["S"].startswith(config["prefix"])]
    assert [name for name in ours if ":corrupt-" in name]


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("options", "variables", "told"),
    [
        ({"table": "nobodys"}, {}, "there is no such table"),
        ({"table": "of-others"}, {}, "partition key 'id'"),
        ({"endpoint": "http://127.0.0.1:1"}, {}, "cannot be reached"),
        ({}, {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "AWS credentials"),
        ({}, {"AWS_PROFILE": "nobody"}, "AWS credentials"),
        ({}, {"AWS_DEFAULT_REGION": None}, "region"),
    ],
)
def test_what_is_wrong_is_said(
    dynamodb_server: DynamoDb,
    config: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    options: dict[str, Any],
    variables: dict[str, str | None],
    told: str,
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    if options.get("table") == "of-others":
        dynamodb_server.make_table("of-others", key="name")
    for name, value in variables.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    with (
        opened({**config, **options}) as store,
        pytest.raises(TokenUnavailableError, match=told) as caught,
    ):
        store.set_token(token(1), None)
    assert "secret" not in str(caught.value)


def test_a_write_whose_answer_was_lost_is_done_once(
    dynamodb_server: DynamoDb, config: dict[str, Any]
) -> None:
    with (
        FaultProxy("127.0.0.1", dynamodb_server.port) as proxy,
        opened({**config, "endpoint": f"http://127.0.0.1:{proxy.port}"}) as store,
    ):
        store.set_token(token(1), None)
        proxy.cut_reply(b"PutItem")
        store.set_token(token(2), token(1).revision)
        assert proxy.lost == 1
        assert store.get_token() == token(2)


@pytest.mark.slow
@pytest.mark.timeout(1800)
class TestDynamoDbStore(TokenStoreContract):
    """The kit; the fixtures as the page shows them."""

    patience = 15.0
    largest = 390_000
    # moto answers one request at a time: these take minutes, and show how slow it is.
    test_16_processes_write_while_16_read = None  # type: ignore[assignment]
    test_any_long_order_of_calls_agrees_with_a_model = None  # type: ignore[assignment]

    @pytest.fixture(params=["sync"])
    def kind(self, request: pytest.FixtureRequest) -> str:
        """The driver is sync: an asyncio program calls the same methods, in a thread."""
        return str(request.param)

    @pytest.fixture
    def server_address(self, dynamodb_server: DynamoDb) -> tuple[str, int]:
        return "127.0.0.1", dynamodb_server.port

    @pytest.fixture
    def store_config(self, proxy: FaultProxy, request: pytest.FixtureRequest) -> dict[str, Any]:
        # As short as it may be where it runs out, as long as many processes need elsewhere.
        timeout = 1.0 if "hang" in request.node.name else 30.0
        endpoint = f"http://127.0.0.1:{proxy.port}"
        return {"name": DynamoDbStore, "endpoint": endpoint, "timeout": timeout}

    @pytest.fixture
    def plant(self, dynamodb_server: DynamoDb) -> Callable[[TokenIdentity, bytes], None]:
        def put(identity: TokenIdentity, content: bytes) -> None:
            item = {"id": {"S": identity.key}, "version": {"S": "x"}, "data": {"B": content}}
            dynamodb_server.client().put_item(TableName="flex-tokens", Item=item)

        return put
