"""What a library that wraps the HTTP client may record: no token of ours, none of Vault's."""

from __future__ import annotations

import secrets
from typing import Any

import httpx2
import pytest

from tests.servers.openbao import OpenBao
from tests.support.handles import opener, token
from tests.support.recording import Recorder
from vault_support import DATA, KEY, POLICY, config


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder(monkeypatch)
    for cls in (httpx2.Client, httpx2.AsyncClient):
        for name in ("request", "build_request"):
            made.watch(cls, name)
    for cls in (httpx2.Client, httpx2.AsyncClient):
        _watch_send(monkeypatch, cls, made)
    return made


def _watch_send(monkeypatch: pytest.MonkeyPatch, cls: Any, recorder: Recorder) -> None:
    """As OpenTelemetry and Sentry do: the request's address, headers, and body if it is there."""
    original = cls.send

    def send(self: Any, request: httpx2.Request, **keywords: Any) -> Any:
        recorder.calls += 1
        body = getattr(request, "_content", b"")
        recorder.texts.append(f"{request!r} {request.url} {request.headers!r} {body!r}")
        recorder.texts.append(f"{request.stream!r} {vars(request.stream)!r} {keywords!r}")
        return original(self, request, **keywords)

    monkeypatch.setattr(cls, "send", send)


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("version", [1, 2])
def test_no_request_shows_a_token(
    kind: str, version: int, recorder: Recorder, openbao_server: OpenBao
) -> None:
    named = {"id": f"SENTINEL-{secrets.token_hex(4)}"}
    vault_token = openbao_server.run("POST", "auth/token/create", named)["auth"]["client_token"]
    mount = {"mount": "kv1"} if version == 1 else {}
    choice = config(openbao_server, token=vault_token, **mount)
    choice["name"] = "vault-kv1" if version == 1 else "vault"
    path = f"kv1/{KEY}" if version == 1 else DATA
    recorder.calls, recorder.texts = 0, []
    with opener(kind) as within:
        store = within(choice)
        store.set_token(token("a"))
        assert store.get_token() is not None
        store.remove_token()
        openbao_server.run("POST", path, {"data": {"token": "x"}, "token": "x"})
        recorder.texts = []
        store.set_token(token("b"))  # over content that is no token
        kept = store.get_token()
    assert kept is not None
    assert kept == token("b") or kept.revision == token("b").revision
    assert recorder.calls > 8
    assert not recorder.shows("SENTINEL")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_no_sign_in_shows_a_secret(kind: str, recorder: Recorder, openbao_server: OpenBao) -> None:
    openbao_server.run("PUT", "sys/policies/acl/ours", {"policy": POLICY})
    role = openbao_server.login_role(token_policies=["ours"])
    recorder.calls, recorder.texts = 0, []
    with opener(kind) as within:
        within(config(openbao_server, auth="approle", **role)).set_token(token("a"))
    assert recorder.calls > 3
    assert not recorder.shows(role["secret_id"])
    assert not recorder.shows("SENTINEL")
