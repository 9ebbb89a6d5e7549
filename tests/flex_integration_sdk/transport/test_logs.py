"""All loggers at DEBUG, over all kinds of requests: no secret, signature or personal value."""

from __future__ import annotations

import asyncio
import io
import logging
import logging.config
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpcore2
import httpx2
import pytest

from flex_integration_sdk import (
    async_upload_file,
    create_async_instance,
    create_instance,
    upload_file,
)
from flex_integration_sdk._transport.quiet import LOGGERS
from flex_integration_sdk.errors import ForbiddenError, NotFoundError, TransportError
from flex_integration_sdk.sandbox import RunningSandbox
from flex_tokenstore import Token, memory_store

EMAIL = "user1@example.com"
PERSONAL = "a very personal title"


class Capture:
    """What all loggers wrote at DEBUG."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(logging.Formatter("%(name)s|%(message)s|%(args)s"))

    def start(self) -> None:
        root = logging.getLogger()
        root.addHandler(self.handler)
        root.setLevel(logging.DEBUG)

    @property
    def text(self) -> str:
        return self.stream.getvalue()


@pytest.fixture
def capture(monkeypatch: pytest.MonkeyPatch) -> Iterator[Capture]:
    found = Capture()
    root, level = logging.getLogger(), logging.getLogger().level
    yield found
    root.removeHandler(found.handler)
    root.setLevel(level)


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Recorder:
    """A token store of the test's own, which keeps every token that was ever saved."""

    def __init__(self) -> None:
        self.tokens: list[dict[str, Any]] = []
        self._now: dict[str, Any] | None = None

    def get_token(self) -> dict[str, Any] | None:
        return self._now

    def set_token(self, token: dict[str, Any]) -> None:
        self.tokens.append(token)
        self._now = token

    def remove_token(self) -> None:
        self._now = None

    def secrets(self) -> set[str]:
        found = {
            str(each[name]) for each in self.tokens for name in ("access_token", "refresh_token")
        }
        return found | {Token(each).authorization for each in self.tokens}


def use(sandbox: RunningSandbox, options: dict[str, Any]) -> str:
    """A sign-in, a refresh, queries, commands, uploads that succeed and fail, a revocation."""
    with create_instance(**options) as sdk:
        user = sdk.users.show(email=EMAIL).data
        sandbox.expire()
        sdk.users.update_profile(id=user.id, display_name=PERSONAL, expand=True)
        with pytest.raises(NotFoundError):
            sdk.users.show(email="nobody-" + EMAIL)
        made = sdk.files.create(name="a.pdf", mime_type="application/pdf", size=1).data
        upload = sdk.file_uploads.create(file_id=made.id, expand=True).data
        upload_file(upload, b"x")
        url = upload["attributes"]["url"]
        for wrong, error in wrong_urls(url):
            upload["attributes"]["url"] = wrong
            with pytest.raises(error):
                upload_file(upload, b"x")
        sdk.revoke()
    return str(url)


async def use_async(sandbox: RunningSandbox, options: dict[str, Any]) -> str:
    """As :func:`use`, and asyncio tells of every step of the loop."""
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0
    async with create_async_instance(**options) as sdk:
        user = (await sdk.users.show(email=EMAIL)).data
        sandbox.expire()
        await sdk.users.update_profile(id=user.id, display_name=PERSONAL, expand=True)
        with pytest.raises(NotFoundError):
            await sdk.users.show(email="nobody-" + EMAIL)
        made = (await sdk.files.create(name="a.pdf", mime_type="application/pdf", size=1)).data
        upload = (await sdk.file_uploads.create(file_id=made.id, expand=True)).data
        await async_upload_file(upload, b"x")
        url = upload["attributes"]["url"]
        for wrong, error in wrong_urls(url):
            upload["attributes"]["url"] = wrong
            with pytest.raises(error):
                await async_upload_file(upload, b"x")
        await sdk.revoke()
    return str(url)


def wrong_urls(url: str) -> list[tuple[str, type[Exception]]]:
    """The signature is one of another file; nobody listens."""
    return [
        (
            url.replace("signature=", "signature=0") if "signature=" in url else url + "0",
            ForbiddenError,
        ),
        (re.sub(r":\d+/", ":1/", url), TransportError),
    ]


def used(kind: str, sandbox: RunningSandbox, store: Recorder) -> str:
    options = {
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "base_url": sandbox.base_url,
        "token_store": store,
    }
    if kind == "sync":
        return use(sandbox, options)
    return asyncio.run(use_async(sandbox, options))


def check(capture: Capture, sandbox: RunningSandbox, store: Recorder, url: str) -> None:
    query = {value for _, value in parse_qsl(urlsplit(url).query) if len(value) > 8}
    assert query, "the sandbox signs its URLs"
    assert len(store.tokens) >= 2
    hidden = {sandbox.client_secret, EMAIL, EMAIL.replace("@", "%40"), PERSONAL, *query}
    shown = [each for each in hidden | store.secrets() if each in capture.text]
    assert shown == []
    for name in ("Bearer", "signature", "email="):
        assert name.lower() not in capture.text.lower()


@pytest.mark.each_value
@pytest.mark.parametrize("configured", ["before", "after", "by dictConfig"])
def test_no_log_has_a_secret_or_a_personal_value(
    capture: Capture, kind: str, configured: str, flex_sandbox: RunningSandbox
) -> None:
    store = Recorder()
    if configured == "before":
        capture.start()
    elif configured == "after":
        with create_instance(
            flex_sandbox.client_id, flex_sandbox.client_secret, base_url=flex_sandbox.base_url
        ) as sdk:
            sdk.marketplace.show()
        for logger in LOGGERS:
            logger.filters.clear()  # a program may do that
        capture.start()
    else:
        levels = {name: {"level": "DEBUG"} for name in ("httpx2", "httpcore2", "asyncio")}
        logging.config.dictConfig(
            {"version": 1, "disable_existing_loggers": False, "loggers": levels}
        )
        capture.start()
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            url = used(kind, flex_sandbox, store)
        capture.stream.write("\n".join(str(each.message) for each in warned))
        check(capture, flex_sandbox, store, url)
        # What is left is of use: the requests without their queries, and the phases.
        assert "/v1/integration_api/users/show" in capture.text
        assert "/v1/auth/token" in capture.text
        assert "receive_response_headers.complete" in capture.text
        assert ("asyncio|Executing" in capture.text) is (kind == "async")
    finally:
        for name in ("httpx2", "httpcore2", "asyncio"):
            logging.getLogger(name).setLevel(logging.NOTSET)


class LoudFile(io.BytesIO):
    """A program's own, which gets what it reads by HTTP."""

    def __init__(self, url: str) -> None:
        super().__init__(b"xy")
        self.url = url

    def read(self, size: int | None = -1) -> bytes:
        with httpx2.Client(trust_env=False) as client:
            client.get(self.url)
        return super().read(size)


def test_the_programs_own_clients_log_as_before(
    capture: Capture, kind: str, flex_sandbox: RunningSandbox
) -> None:
    capture.start()
    options: dict[str, Any] = {
        "client_id": flex_sandbox.client_id,
        "client_secret": flex_sandbox.client_secret,
        "base_url": flex_sandbox.base_url,
        "token_store": memory_store(),
    }
    own = f"{flex_sandbox.base_url}/_sandbox/stats?mine=1"

    async def main() -> None:
        async with (
            create_async_instance(**options) as sdk,
            httpx2.AsyncClient(trust_env=False) as client,
        ):
            made = (await sdk.files.create(name="a", mime_type="a/b", size=2)).data
            upload = (await sdk.file_uploads.create(file_id=made.id, expand=True)).data
            await asyncio.gather(
                *(client.get(own) for _ in range(5)),
                *(sdk.users.show(email=EMAIL) for _ in range(5)),
            )
            await async_upload_file(upload, LoudFile(own + "2"))

    if kind == "sync":
        with create_instance(**options) as sdk, httpx2.Client(trust_env=False) as client:
            sdk.users.show(email=EMAIL)
            client.get(own)
            made = sdk.files.create(name="a", mime_type="a/b", size=2).data
            upload = sdk.file_uploads.create(file_id=made.id, expand=True).data
            upload_file(upload, LoudFile(own + "2"))
    else:
        asyncio.run(main())
    lines = capture.text.splitlines()
    requests = [line for line in lines if line.startswith("httpx2|") and "/_sandbox/stats" in line]
    assert sum(f'{own} "HTTP/1.1 200 OK"' in line for line in requests) == (
        1 if kind == "sync" else 5
    )
    assert any(f'{own}2 "HTTP/1.1 200 OK"' in line for line in requests)
    assert any("receive_response_headers.complete return_value=" in line for line in lines)
    assert EMAIL not in capture.text.replace("%40", "@")


def test_every_logger_of_the_libraries_is_known() -> None:
    found = set()
    for package in (httpx2, httpcore2):
        for file in Path(str(package.__file__)).parent.rglob("*.py"):
            found |= set(re.findall(r'getLogger\("([^"]+)"\)', file.read_text(encoding="utf-8")))
    assert found == {logger.name for logger in LOGGERS}
