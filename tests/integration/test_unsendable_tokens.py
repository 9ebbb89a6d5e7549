"""An access token that a header cannot carry: a typed error, nothing sent, nothing shown."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance, file_store
from flex_tokenstore import GrantError, TokenCorruptError, TokenIdentity, WrapperStore
from flex_tokenstore._host import paths

SECRET = "AT-SENTINEL"
BAD = [f"{SECRET}\n", f"{SECRET}\r\nX-Admin: 1", f"{SECRET} ", f"{SECRET}\x00", f"{SECRET}é"]
KINDS = ("sync", "async")


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Corrupt content is looked at again after half a second; what comes of it is the same."""
    monkeypatch.setattr("flex_tokenstore._session.flow.reading.SECOND_LOOK", 0.0)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""

    def _answer(self, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.requests.append(self.path)
        self._answer(self.server.token)

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self._answer({"data": {}})


class Server(ThreadingHTTPServer):
    """A token endpoint that answers with :attr:`token`, and an API that takes any."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.token: dict[str, Any] = good()
        self.url = f"http://127.0.0.1:{self.server_port}"


def good(**changes: Any) -> dict[str, Any]:
    made = {"access_token": "good", "refresh_token": "RT", "token_type": "bearer"}
    return {**made, "expires_in": 3600, **changes}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()


class Row:
    """A store of the user's own that another tool fills."""

    def __init__(self, token: dict[str, Any] | None = None) -> None:
        self.token = token

    def get_token(self) -> dict[str, Any] | None:
        return self.token

    def set_token(self, token: dict[str, Any]) -> None:
        self.token = token

    def remove_token(self) -> None:
        self.token = None


def perform(kind: str, server: Server, store: Any, work: Callable[[Any], Any]) -> Any:
    """Has an instance of this kind do some work, and closes it."""
    options: dict[str, Any] = {"base_url": server.url, "token_store": store, "host_lock": "off"}
    if kind == "sync":
        with create_instance("c", "s", **options) as sdk:
            return work(sdk)

    async def main() -> Any:
        async with create_async_instance("c", "s", **options) as sdk:
            return await work(sdk)

    return asyncio.run(main())


def call(sdk: Any) -> Any:
    return sdk.marketplace.show()


def silent(error: BaseException) -> None:
    seen: BaseException | None = error
    while seen is not None:
        assert "SENTINEL" not in f"{seen} {seen!r} {seen.args!r} {vars(seen)!r}"
        for frame, _ in traceback.walk_tb(seen.__traceback__):
            if "/src/flex_" in frame.f_code.co_filename:
                assert "SENTINEL" not in repr(list(frame.f_locals.values()))
        seen = seen.__cause__ or seen.__context__
    assert "SENTINEL" not in "".join(traceback.format_exception(error))


def tagged(server: Server, access: str) -> dict[str, Any]:
    identity = TokenIdentity(server.url, "c", "integ")
    now = time.time()
    tag = {"format": 1, "identity": identity.key, "obtained_at": now, "expires_at": now + 3000}
    return good(access_token=access, flex_tokenstore=tag)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", BAD, ids=ascii)
def test_one_from_the_server_is_a_grant_error_and_is_not_saved(
    kind: str, bad: str, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    server.token, row = good(access_token=bad), Row()
    with pytest.raises(GrantError, match="token response is not valid: access_token") as caught:
        perform(kind, server, row, call)
    silent(caught.value)
    assert row.token is None
    assert [path for path in server.requests if "token" not in path] == []
    assert "SENTINEL" not in caplog.text


@pytest.mark.each_value
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", BAD, ids=ascii)
@pytest.mark.parametrize("work", [call, lambda sdk: sdk.token_store.get_token()])
def test_one_in_a_store_is_corrupt_and_is_not_sent(
    kind: str, bad: str, work: Any, server: Server
) -> None:
    row = Row(tagged(server, bad))
    with pytest.raises(TokenCorruptError, match="access_token contains") as caught:
        perform(kind, server, row, work)
    silent(caught.value)
    assert server.requests == []


@pytest.mark.parametrize("kind", KINDS)
def test_one_in_a_store_is_removed_by_revoke_which_does_not_send_it(
    kind: str, server: Server
) -> None:
    row = Row(tagged(server, BAD[0]))
    assert perform(kind, server, row, lambda sdk: sdk.revoke()) is False
    assert (row.token, server.requests) == (None, [])


@pytest.mark.parametrize("kind", KINDS)
def test_one_in_a_file_is_moved_aside(kind: str, server: Server, tmp_path: Path) -> None:
    path = tmp_path / "token.json"
    path.write_text(json.dumps(tagged(server, BAD[0])))
    path.chmod(0o600)
    perform(kind, server, file_store(path=str(path)), call)
    assert json.loads(path.read_text())["access_token"] == "good"
    (aside,) = tmp_path.glob("*.corrupt-*")
    assert json.loads(aside.read_text())["access_token"] == BAD[0]


@pytest.mark.parametrize("kind", KINDS)
def test_one_in_the_javascript_sdks_file_is_left_there(kind: str, server: Server) -> None:
    folder = paths.javascript_folder()
    folder.mkdir(parents=True, mode=0o700)
    path = folder / "file-store-token.json"
    path.write_text(json.dumps(good(access_token=BAD[0])))
    path.chmod(0o600)
    with pytest.raises(TokenCorruptError, match="access_token contains") as caught:
        perform(kind, server, file_store(share_with_js=True), call)
    silent(caught.value)
    assert json.loads(path.read_text())["access_token"] == BAD[0]
    assert server.requests == []


class Sealed(WrapperStore):
    """Keeps the token as JSON within one string; that string is no header."""

    def wrap(self, token: dict[str, Any]) -> dict[str, Any]:
        return {"access_token": f" {json.dumps(token)}\n"}

    def unwrap(self, token: dict[str, Any]) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(token["access_token"])
        return plain


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrapper_may_store_any_string_but_not_unwrap_to_any(
    kind: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import dataclass

    from flex_tokenstore._registry import catalogue

    @dataclass(kw_only=True)
    class Options:
        inner: Any

    Sealed.Options = Options  # type: ignore[attr-defined]  # as a class body would
    real = catalogue.load_store_class
    monkeypatch.setattr(
        catalogue, "load_store_class", lambda name: Sealed if name == "sealed" else real(name)
    )
    path = tmp_path / "token.json"
    store = {"name": "sealed", "inner": file_store(path=str(path))}
    perform(kind, server, store, call)
    sent = list(server.requests)
    stored = json.loads(path.read_text())
    assert stored["access_token"].endswith("}\n")
    perform(kind, server, store, call)  # reads what it wrote
    assert [path for path in server.requests[len(sent) :] if "token" in path] == []
    stored["access_token"] = json.dumps(tagged(server, BAD[0]))
    path.write_text(json.dumps(stored))
    before = list(server.requests)
    with pytest.raises(TokenCorruptError, match="access_token contains") as caught:
        perform(kind, server, store, call)
    silent(caught.value)
    assert server.requests == before
