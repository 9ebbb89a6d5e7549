"""The SDK against the sandbox: what goes over the wire, and what users see."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import stat
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flex_integration_sdk import LatLng, Money, create_async_instance, create_instance
from flex_integration_sdk.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    FlexError,
    NotFoundError,
    ServerError,
    TransportError,
    UnauthorizedError,
)
from flex_integration_sdk.sandbox import FaultKind, RunningSandbox
from flex_tokenstore import (
    StoreLoadError,
    StoreOptionsError,
    TokenIdentity,
    TokenLockTimeoutError,
    UnknownStoreError,
    file_store,
    open_store,
)


def instance(sandbox: RunningSandbox, **options: Any) -> Any:
    options.setdefault("client_secret", sandbox.client_secret)
    return create_instance(client_id=sandbox.client_id, base_url=sandbox.base_url, **options)


def counts(sandbox: RunningSandbox) -> tuple[int, int, int]:
    stats = sandbox.stats()
    return stats["client_credentials"], stats["refresh_token"], stats["api_calls"]


def test_the_four_endpoints(flex_sandbox: RunningSandbox) -> None:
    with instance(flex_sandbox) as sdk:
        assert sdk.marketplace.show().data["attributes"]["name"] == "Sandbox marketplace"
        assert sdk.users.query(per_page=5).meta["totalItems"] == 20
        user = sdk.users.show(email="user3@example.com").data
        assert isinstance(user["id"], UUID)
        assert sdk.users.show(id=user["id"]).data == user
        page = sdk.listings.query(
            author_id=user["id"],
            per_page=2,
            page=2,
            include=["author"],
            created_at_start=datetime.now(UTC) - timedelta(days=5000),
        )
        assert len(page.data) == 2
        assert [each["id"] for each in page.included] == [user["id"]]
        listing = page.data[0]["attributes"]
        assert isinstance(listing["price"], Money)
        assert isinstance(listing["geolocation"], LatLng)
        assert listing["createdAt"].tzinfo is not None
        assert sdk.listings.query().meta["totalItems"] == 250
        only = sdk.listings.query(per_page=1, fields={"listing": ["title"]}, pub_category="tent")
        assert set(only.data[0]["attributes"]) == {"title"}
    assert counts(flex_sandbox)[:2] == (1, 0)


def test_the_file_store_lives_on(flex_sandbox: RunningSandbox, tmp_path: Path) -> None:
    with instance(flex_sandbox, token_store="file") as sdk:
        sdk.marketplace.show()
        assert sdk.auth_info().grant_type == "refresh_token"
    file = tmp_path / "config" / "flex-integration-sdk" / "file-store-token.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    with instance(flex_sandbox, token_store="file", client_secret=None) as sdk:
        sdk.marketplace.show()
        flex_sandbox.expire()
        sdk.marketplace.show()
    assert counts(flex_sandbox) == (1, 1, 4)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        # Rows of the request tables: sign-ins, refreshes and API calls of one call after expiry.
        (None, (0, 1, 2)),
        ("reject", (1, 1, 2)),
    ],
)
def test_request_order_after_401(
    flex_sandbox: RunningSandbox, fault: str | None, expected: tuple[int, int, int]
) -> None:
    with instance(flex_sandbox) as sdk:
        sdk.marketplace.show()
        if fault == "reject":
            flex_sandbox.reset()
            before = (0, 0, 0)
        else:
            flex_sandbox.expire()
            before = counts(flex_sandbox)
        sdk.marketplace.show()
        after = counts(flex_sandbox)
    assert tuple(now - then for now, then in zip(after, before, strict=True)) == expected


def test_an_api_that_always_answers_401_costs_one_refresh_and_one_sign_in(
    flex_sandbox: RunningSandbox,
) -> None:
    with instance(flex_sandbox) as sdk:
        sdk.marketplace.show()
        before = counts(flex_sandbox)
        flex_sandbox.fault("status", target="api", status=401, count=30)
        for _ in range(5):
            with pytest.raises(UnauthorizedError) as caught:
                sdk.marketplace.show()
            assert caught.value.status == 401
        after = counts(flex_sandbox)
        assert (after[0] - before[0], after[1] - before[1]) == (1, 1)


def test_an_api_that_answers_401_from_the_start_is_tried_three_times(
    flex_sandbox: RunningSandbox,
) -> None:
    flex_sandbox.fault("status", target="api", status=401, count=10)
    with instance(flex_sandbox) as sdk:
        for _ in range(3):
            with pytest.raises(UnauthorizedError):
                sdk.marketplace.show()
    assert counts(flex_sandbox)[:2] == (2, 1)


@pytest.mark.parametrize("kind", ["status", "drop"])
def test_a_failed_refresh_is_no_reason_to_send_the_secret(
    flex_sandbox: RunningSandbox, kind: FaultKind
) -> None:
    with instance(flex_sandbox) as sdk:
        sdk.marketplace.show()
        flex_sandbox.expire()
        flex_sandbox.fault(kind, target="token", count=2)
        with pytest.raises(FlexError):
            sdk.marketplace.show()
    assert counts(flex_sandbox)[0] == 1


def test_an_answer_lost_after_rotation_costs_one_sign_in(flex_sandbox: RunningSandbox) -> None:
    with instance(flex_sandbox) as sdk:
        sdk.marketplace.show()
        flex_sandbox.expire()
        flex_sandbox.fault("lose_answer", target="token")
        sdk.marketplace.show()
    stats = flex_sandbox.stats()
    assert (stats["client_credentials"], stats["refresh_rejected"]) == (2, 1)


def test_revoke_and_auth_info(flex_sandbox: RunningSandbox) -> None:
    with instance(flex_sandbox) as sdk:
        assert sdk.auth_info().grant_type is None
        sdk.marketplace.show()
        flex_sandbox.expire()
        assert sdk.revoke() is True
        assert sdk.auth_info().grant_type is None
        assert sdk.revoke() is False
    stats = flex_sandbox.stats()
    assert (stats["client_credentials"], stats["refresh_token"], stats["revoke"]) == (1, 1, 2)


def test_errors_of_the_api_are_typed(flex_sandbox: RunningSandbox) -> None:
    with instance(flex_sandbox, max_retries=0) as sdk:
        with pytest.raises(NotFoundError, match="not-found") as caught:
            sdk.users.show(id="00000002-0000-4000-8000-0000000fffff")
        assert caught.value.errors[0]["code"] == "not-found"
        with pytest.raises(BadRequestError):
            sdk.users.query(per_page=1000)
        flex_sandbox.fault("status", target="api", status=503)
        with pytest.raises(ServerError):
            sdk.users.query()
        flex_sandbox.fault("html", target="api")
        with pytest.raises(TransportError, match="base_url"):
            sdk.users.query()
        flex_sandbox.fault("drop", target="api")
        with pytest.raises(TransportError):
            sdk.users.query()


@pytest.mark.parametrize(
    ("kind", "match"),
    [("html", "base_url may be wrong"), ("token_type", "Unknown token type: mac")],
)
def test_a_wrong_token_answer_is_not_saved(
    flex_sandbox: RunningSandbox, kind: FaultKind, match: str
) -> None:
    flex_sandbox.fault(kind, target="token")
    with instance(flex_sandbox) as sdk:
        with pytest.raises(FlexError, match=match):
            sdk.marketplace.show()
        assert sdk.auth_info().grant_type is None


def test_a_wrong_secret(flex_sandbox: RunningSandbox) -> None:
    with (
        instance(flex_sandbox, client_secret="SENTINEL") as sdk,
        pytest.raises(AuthenticationError, match="client_secret") as caught,
    ):
        sdk.marketplace.show()
    assert "SENTINEL" not in str(caught.value)


def test_a_missing_secret_is_named_when_it_is_needed(flex_sandbox: RunningSandbox) -> None:
    with (
        instance(flex_sandbox, client_secret=None) as sdk,
        pytest.raises(AuthenticationError, match="FLEX_INTEGRATION_CLIENT_SECRET"),
    ):
        sdk.marketplace.show()
    assert counts(flex_sandbox) == (0, 0, 0)


def test_lock_timeout_bounds_the_wait_for_another_program(
    flex_sandbox: RunningSandbox, tmp_path: Path
) -> None:
    store = file_store(path=str(tmp_path / "t.json"))
    client: dict[str, Any] = {
        "client_id": flex_sandbox.client_id,
        "base_url": flex_sandbox.base_url,
    }
    identity = TokenIdentity(flex_sandbox.base_url, flex_sandbox.client_id, "integ")

    async def asynchronous() -> None:
        async with create_async_instance(**client, token_store=store, lock_timeout=0.3) as sdk:
            await sdk.marketplace.show()

    def synchronous() -> None:
        with create_instance(**client, token_store=store, lock_timeout=0.3) as sdk:
            sdk.marketplace.show()

    with open_store(store, identity) as holder, holder.token_lock(0, 60):
        for call in (synchronous, lambda: asyncio.run(asynchronous())):
            with pytest.raises(TokenLockTimeoutError, match="lock_timeout"):
                call()
    assert counts(flex_sandbox) == (0, 0, 0)


def test_a_server_that_is_down() -> None:
    with (
        create_instance("id", "secret", base_url="http://127.0.0.1:1") as sdk,
        pytest.raises(TransportError, match=r"127\.0\.0\.1:1"),
    ):
        sdk.marketplace.show()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"client_id": None}, ConfigurationError),
        ({"base_url": "example.com"}, ConfigurationError),
        ({"base_url": "http://example.com"}, ConfigurationError),
        ({"token_store": "fil"}, UnknownStoreError),
        ({"token_store": {"name": "file", "pth": "x"}}, StoreOptionsError),
        ({"token_store": {"name": "file", "path": 5}}, StoreOptionsError),
        ({"token_store": {"name": "file", "permissions": "lax"}}, StoreOptionsError),
        ({"token_store": {"name": "file", "permissions": ["SENTINEL"]}}, StoreOptionsError),
        ({"token_store": object()}, StoreLoadError),
        ({"token_store": 5}, StoreOptionsError),
    ],
)
def test_wrong_settings_are_told_at_once(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        create_instance(**{"client_id": "id", **options})
    assert "SENTINEL" not in str(caught.value)


def test_settings_from_the_environment(
    flex_sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(flex_sandbox.client_secret + "\n")
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", flex_sandbox.client_id)
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET_FILE", str(secret))
    monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", flex_sandbox.base_url)
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE", "file")
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE__PATH", str(tmp_path / "t.json"))
    with create_instance() as sdk:
        sdk.marketplace.show()
    assert json.loads((tmp_path / "t.json").read_text())["token_type"] == "bearer"


def test_async_tasks_share_one_sign_in_and_one_refresh(flex_sandbox: RunningSandbox) -> None:
    async def main() -> None:
        async with create_async_instance(
            flex_sandbox.client_id,
            flex_sandbox.client_secret,
            base_url=flex_sandbox.base_url,
            token_store="file",
        ) as sdk:
            answers = await asyncio.gather(*(sdk.users.query(per_page=1) for _ in range(32)))
            assert all(answer.status == 200 for answer in answers)
            flex_sandbox.expire()
            await asyncio.gather(*(sdk.marketplace.show() for _ in range(32)))
            assert await sdk.revoke() is True
            assert (await sdk.auth_info()).grant_type is None

    asyncio.run(main())
    assert counts(flex_sandbox)[:2] == (1, 1)


def test_an_instance_works_after_a_fork(flex_sandbox: RunningSandbox) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    with instance(flex_sandbox, token_store="file") as sdk:
        sdk.marketplace.show()
        flex_sandbox.expire()
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                name = sdk.marketplace.show().data["attributes"]["name"]
                os.write(write, name.encode())
            finally:
                os._exit(0)
        os.close(write)
        os.waitpid(child, 0)
        assert os.read(read, 100) == b"Sandbox marketplace"
        os.close(read)
        sdk.marketplace.show()
    assert counts(flex_sandbox)[:2] == (1, 1)


def test_a_forgotten_instance_is_warned_of() -> None:
    sdk = create_instance("id")
    with pytest.warns(ResourceWarning, match="was not closed"):
        sdk.__del__()
    sdk.close()


def test_no_secret_is_shown(flex_sandbox: RunningSandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    with instance(flex_sandbox, token_store="file") as sdk:
        sdk.marketplace.show()
        token = sdk.session.token()
        shown += [repr(x) for x in (sdk, sdk.session, sdk.token_store, token, sdk.settings)]
        flex_sandbox.fault("drop", target="any", count=9)
        for work in (sdk.marketplace.show, sdk.revoke):
            try:
                work()
            except Exception as error:
                shown += _with_locals(error)
        for thing in (sdk, sdk.session, sdk.token_store, token):
            with pytest.raises(TypeError):
                pickle.dumps(thing)
    secrets = [flex_sandbox.client_secret, token.access_token.reveal()]
    assert token.refresh_token is not None
    secrets.append(token.refresh_token.reveal())
    everything = "\n".join([*shown, caplog.text])
    assert "flex" in everything
    assert not [secret[:4] for secret in secrets if secret in everything]


def _with_locals(error: BaseException) -> list[str]:
    """A traceback as debuggers and rich print it, with the locals of each frame of ours."""
    shown = ["".join(traceback.format_exception(error))]
    seen: BaseException | None = error
    while seen is not None:
        for frame, _ in traceback.walk_tb(seen.__traceback__):
            if "flex_" in frame.f_code.co_filename and "tests" not in frame.f_code.co_filename:
                shown.append(repr(frame.f_locals))
        seen = seen.__cause__
    return shown
