"""One request and its response, as both kinds of client send and read them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from flex_integration_sdk._values.shown import host_of
from flex_integration_sdk._wire.redirects import redirected
from flex_integration_sdk._wire.token_messages import AuthAnswer, AuthRequest
from flex_integration_sdk.errors import TransportError
from flex_tokenstore import Secret

from .deadline import Ended, Watch

if TYPE_CHECKING:
    import httpx2

    from flex_integration_sdk._wire.requests import ApiRequest
    from flex_tokenstore import Token

ANSWER_LIMIT = 1 << 20  # bytes of a token answer
# Of an API answer, decompressed: a page of 100 with all that can be included has less, with the
# API's limit of 50 KB for each piece of extended data. Without one a few KB could fill the memory.
API_ANSWER_LIMIT = 128 << 20


class ApiAnswer(NamedTuple):
    """The response to an API request, read to its end."""

    status_code: int
    headers: Mapping[str, str]
    """By their names in any case."""
    content: bytes
    """Decompressed."""


Timeouts = tuple[float | None, ...]


def api_request(
    client: Any, api: ApiRequest, token: Token, trace: Any, timeouts: Timeouts
) -> httpx2.Request:
    request: httpx2.Request = client.build_request(
        api.method,
        api.url,
        headers=api.headers,
        content=api.content,
        files=api.files,
        timeout=timeouts,
    )
    request.headers["Authorization"] = token.authorization
    request.extensions["trace"] = trace
    return request


def auth_request(client: Any, auth: AuthRequest, timeouts: Timeouts) -> httpx2.Request:
    request: httpx2.Request = client.build_request(
        "POST",
        auth.url,
        content=auth.body.reveal().encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        timeout=timeouts,
    )
    if auth.token is not None:
        request.headers["Authorization"] = auth.token.authorization
    return request


async def hidden(chunks: AsyncIterator[bytes]) -> AsyncIterator[Secret[bytes]]:
    async for chunk in chunks:
        yield Secret(chunk)


def auth_answer(response: Any, body: Secret[bytearray]) -> AuthAnswer:
    return AuthAnswer(
        response.status_code,
        Secret(bytes(body.reveal())),
        response.headers.get("retry-after"),
        response.headers.get("content-type", ""),
    )


def next_request(api: ApiRequest, response: Any, count: int) -> ApiRequest | None:
    return redirected(api, response.status_code, response.headers.get("location"), count)


def take(watch: Watch, api: ApiRequest, body: bytearray, chunk: bytes) -> None:
    body += chunk
    watch.moved(len(chunk))
    if len(body) > API_ANSWER_LIMIT:
        raise TransportError(
            f"{host_of(api.url)} sent a response of more than {API_ANSWER_LIMIT >> 20} MB: ask for "
            "fewer resources at once (per_page, fields), or check base_url"
        )


def check_token_size(url: str, size: int) -> None:
    if size > ANSWER_LIMIT:
        raise TransportError(
            f"{host_of(url)} sent a token response that is too large: base_url may be wrong, or a "
            "proxy may have responded"
        )


def check_whole(watch: Watch, response: Any) -> None:
    """Refuses a body without a length, if its connection was ended by the watch."""
    framed = "content-length" in response.headers or "transfer-encoding" in response.headers
    if watch.ended and not framed:
        raise Ended
