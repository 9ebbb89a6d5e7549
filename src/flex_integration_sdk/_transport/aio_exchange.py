"""One request and its response in an event loop: :mod:`.exchange` with ``await``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from flex_integration_sdk._wire.token_messages import AuthAnswer, AuthRequest
from flex_tokenstore import Secret

from .bodies import apieces
from .exchange import (
    ApiAnswer,
    Timeouts,
    api_request,
    auth_answer,
    auth_request,
    check_sent,
    check_token_size,
    check_whole,
    next_request,
    take,
)

if TYPE_CHECKING:
    from flex_integration_sdk._wire.requests import ApiRequest
    from flex_tokenstore import Token

    from .deadline import Watch


async def send(
    client: Any, watch: Watch, api: ApiRequest, token: Token, trace: Any, timeouts: Timeouts
) -> ApiAnswer:
    """Sends an API request, follows its redirects and reads the response."""
    count = 0
    while True:
        content = api.content if api.body is None else apieces(api.body)
        request = api_request(client, api, token, trace, timeouts, content)
        response = await client.send(request, stream=True)
        try:
            another = next_request(api, response, count)
            if another is None:
                return await read(watch, api, response)
        finally:
            await response.aclose()
        api, count = another, count + 1


async def read(watch: Watch, api: ApiRequest, response: Any) -> ApiAnswer:
    """Reads a response, bounded in size."""
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            take(watch, api, body, chunk)
    finally:
        await response.aclose()
    check_whole(watch, response)
    check_sent(api, response.status_code)
    return ApiAnswer(response.status_code, response.headers, bytes(body))


async def authenticate(
    client: Any, watch: Watch, auth: AuthRequest, timeouts: Timeouts
) -> AuthAnswer:
    """Sends a request to the token endpoint, and reads its response, bounded in size."""
    request = auth_request(client, auth, timeouts)
    response = await client.send(request, stream=True)
    try:
        body = Secret(bytearray())
        async for chunk in _hidden(response.aiter_bytes()):
            body.reveal().extend(chunk.reveal())
            check_token_size(auth.url, len(body.reveal()))
        check_whole(watch, response)
        return auth_answer(response, body)
    finally:
        await response.aclose()


async def _hidden(chunks: AsyncIterator[bytes]) -> AsyncIterator[Secret[bytes]]:
    async for chunk in chunks:
        # A chunk may hold a token, and a traceback may show the locals of each frame.
        yield Secret(chunk)
