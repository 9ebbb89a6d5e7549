"""What a token endpoint's response means to a session, for a program without the SDK."""

from __future__ import annotations

import json
import re
import traceback
from typing import Any

import httpx2
import pytest

from flex_tokenstore import GrantError
from flex_tokenstore.auth import read_token_response
from tests.docs.test_docs import REFERENCE

TOKEN = {"access_token": "access-SENTINEL", "refresh_token": "refresh-SENTINEL"}
HTML = "text/html; charset=utf-8"
PAGE = b"<html>SENTINEL</html>"


def response(
    status: int, body: Any, kind: str = "application/json", **headers: str
) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx2.Response(status, content=content, headers={"Content-Type": kind, **headers})


@pytest.mark.parametrize("kind", [{}, {"token_type": "Bearer"}, {"token_type": " bearer"}])
def test_a_token_is_returned_and_not_shown(kind: dict[str, str]) -> None:
    for refreshing in (True, False):
        found = read_token_response(response(200, {**TOKEN, **kind}), refreshing=refreshing)
        assert found == {**TOKEN, **kind}
        assert "SENTINEL" not in repr(found)


@pytest.mark.parametrize(
    ("refused", "refresh", "sign_in"),
    [
        (response(400, {"error": "invalid_grant"}), "rejected", "failed"),
        (response(400, {"error": "invalid_scope"}), "failed", "failed"),
        (response(401, {"error": "invalid_client"}), "failed", "failed"),
        (response(401, {"error": "invalid_token"}), "rejected", "failed"),
        (response(401, {}), "rejected", "failed"),
        (response(401, b"Unauthorized", "text/plain"), "rejected", "failed"),
        (response(401, b"", ""), "rejected", "failed"),
        (response(401, PAGE, HTML), "doubtful", "failed"),
        (response(401, PAGE, "application/json"), "doubtful", "failed"),
        (response(401, b"%PDF-1.7 SENTINEL", "application/pdf"), "doubtful", "failed"),
        (response(400, PAGE, HTML), "failed", "failed"),
        (response(302, b""), "failed", "failed"),
        (response(403, PAGE, HTML), "failed", "failed"),
        (response(429, {}), "failed", "failed"),
        (response(500, {"error": "invalid_grant"}), "transient", "transient"),
        (response(503, PAGE, HTML), "transient", "transient"),
        (response(200, PAGE, HTML), "failed", "failed"),
        (response(200, [TOKEN]), "failed", "failed"),
        (response(200, {"access_token": ["SENTINEL"]}), "failed", "failed"),
        (response(200, {**TOKEN, "token_type": "mac-SENTINEL"}), "failed", "failed"),
        (response(200, {**TOKEN, "token_type": 7}), "failed", "failed"),
        (response(400, {"error": "ey.SENTINEL"}), "failed", "failed"),
        (response(400, {"error": ["SENTINEL"]}), "failed", "failed"),
    ],
)
def test_each_refusal_has_its_reason(refused: Any, refresh: str, sign_in: str) -> None:
    for refreshing, reason in ((True, refresh), (False, sign_in)):
        with pytest.raises(GrantError) as caught:
            read_token_response(refused, refreshing=refreshing)
        assert caught.value.reason == reason
        found = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        ours = [line for line in found.format() if "test_token_response" not in line]
        assert "SENTINEL" not in "".join(ours)


def test_the_error_code_and_the_wait_are_told() -> None:
    with pytest.raises(GrantError, match="HTTP 400, invalid_scope; check the address"):
        read_token_response(response(400, {"error": "invalid_scope"}), refreshing=False)
    limited = response(429, {}, **{"Retry-After": "7"})
    with pytest.raises(GrantError, match="HTTP 429; too many requests") as caught:
        read_token_response(limited, refreshing=True)
    assert caught.value.retry_after == 7.0


def test_the_reference_has_each_reason() -> None:
    table = REFERENCE.partition("`read_token_response` decides so:")[2].partition("\n## ")[0]
    reasons = ["reason", "rejected", "rejected", "doubtful", "transient", "failed"]
    assert re.findall(r"\| `(\w+)` \|$", table, re.MULTILINE) == reasons
