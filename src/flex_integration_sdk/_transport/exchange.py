"""One request and its response: what both kinds of client share, and the sync one.

The async one, which differs by ``await``, is in :mod:`.aio_exchange`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from flex_integration_sdk._values.shown import host_of
from flex_integration_sdk._wire.redirects import redirected
from flex_integration_sdk._wire.token_messages import AuthAnswer, AuthRequest
from flex_integration_sdk.errors import TransportError
from flex_tokenstore import Secret

from .bodies import pieces
from .deadline import Ended, Watch

if TYPE_CHECKING:
    import httpx2

    from flex_integration_sdk._wire.requests import ApiRequest
    from flex_tokenstore import Token

    from .reporting import Exchange

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


class Told:
    """What came of a request, for whoever is told of it."""

    answer: ApiAnswer | AuthAnswer | None = None


@contextmanager
def telling(exchange: Exchange | None, watch: Watch) -> Iterator[Told]:
    """A block that makes a request, at whose end ``exchange`` tells what came of it.

    Args:
        exchange: None: nobody is told.
        watch: Of the request.
    """
    told = Told()
    watch.exchange = exchange
    try:
        yield told
    except BaseException as error:
        if exchange is not None:
            exchange.failed(error)
        raise
    answer = told.answer
    if exchange is None or answer is None:
        return
    if isinstance(answer, AuthAnswer):
        exchange.answered(answer.status, answer.headers, len(answer.body.reveal()))
    else:
        exchange.answered(answer.status_code, answer.headers, len(answer.content))


def api_request(
    client: Any, api: ApiRequest, token: Token, trace: Any, timeouts: Timeouts, content: Any
) -> httpx2.Request:
    headers = api.headers if api.body is None else {**api.headers, **api.body.headers}
    request: httpx2.Request = client.build_request(
        api.method, api.url, headers=headers, content=content, timeout=timeouts
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


def upload_request(
    client: Any, upload: ApiRequest, content: Any, trace: Any, timeouts: Timeouts
) -> httpx2.Request:
    headers = upload.headers if upload.body is None else {**upload.headers, **upload.body.headers}
    # What the program's own client adds to each request is not for a server of somebody else.
    build = getattr(client, "build_bare_request", client.build_request)
    request: httpx2.Request = build(
        upload.method, upload.url, headers=headers, content=content, timeout=timeouts
    )
    request.extensions["trace"] = trace
    return request


def auth_answer(response: Any, body: Secret[bytearray]) -> AuthAnswer:
    return AuthAnswer(
        response.status_code,
        Secret(bytes(body.reveal())),
        response.headers.get("retry-after"),
        response.headers.get("content-type", ""),
        response.headers,
    )


def next_request(api: ApiRequest, response: Any, count: int) -> ApiRequest | None:
    return redirected(api, response.status_code, response.headers.get("location"), count)


def take(watch: Watch, api: ApiRequest, body: bytearray, chunk: bytes) -> None:
    body += chunk
    watch.moved(len(chunk))
    if watch.unseen:
        watch.check()  # nothing shuts its connection down
    # Counted after decompression, chunk by chunk: a few KB can unpack to gigabytes.
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
    # Without a length the end of the connection is the end of the body (RFC 9112 section 6.3), and
    # the watch may have ended it.
    framed = "content-length" in response.headers or "transfer-encoding" in response.headers
    if watch.ended and not framed:
        raise Ended


def check_sent(api: ApiRequest, status: int) -> None:
    """Refuses a success of which the server did not take the upload to its end.

    The HTTP library takes a response that is there when a connection ends during a request.
    """
    if api.body is None or not api.body.is_cut or not 200 <= status < 300:
        return
    failure = TransportError(
        f"{host_of(api.url)} responded with HTTP {status} and closed the connection before it had "
        "the whole upload: it cannot have the file. Check the network and the address; a proxy may "
        "have responded"
    )
    failure.sent = True
    raise failure


def send(
    client: Any, watch: Watch, api: ApiRequest, token: Token, trace: Any, timeouts: Timeouts
) -> ApiAnswer:
    """Sends an API request, follows its redirects and reads the response."""
    count = 0
    while True:
        content = api.content if api.body is None else pieces(api.body)
        request = api_request(client, api, token, trace, timeouts, content)
        # stream=True: the body is counted while it arrives, and its head alone may be a redirect.
        response = client.send(request, stream=True)
        try:
            another = next_request(api, response, count)
            if another is None:
                return read(watch, api, response)
        finally:
            response.close()
        api, count = another, count + 1


def read(watch: Watch, api: ApiRequest, response: Any) -> ApiAnswer:
    """Reads a response, bounded in size."""
    body = bytearray()
    try:
        for chunk in response.iter_bytes():
            take(watch, api, body, chunk)
    finally:
        response.close()
    check_whole(watch, response)
    check_sent(api, response.status_code)
    return ApiAnswer(response.status_code, response.headers, bytes(body))


def authenticate(client: Any, watch: Watch, auth: AuthRequest, timeouts: Timeouts) -> AuthAnswer:
    """Sends a request to the token endpoint, and reads its response, bounded in size."""
    request = auth_request(client, auth, timeouts)
    response = client.send(request, stream=True)
    try:
        body = Secret(bytearray())
        for chunk in map(Secret, response.iter_bytes()):
            body.reveal().extend(chunk.reveal())
            check_token_size(auth.url, len(body.reveal()))
        check_whole(watch, response)
        return auth_answer(response, body)
    finally:
        response.close()
