"""For programs that call an API with httpx2, httpx or requests, and keep their token here.

:class:`TokenAuth` puts a session's token into each request, and sends a request again with a newer
token if the API refuses the first. :func:`read_token_response` reads what a token endpoint
answered, for the :class:`~flex_tokenstore.Grants` that you write.

>>> import httpx2
>>> from flex_tokenstore import TokenIdentity, TokenSession, open_store
>>> from flex_tokenstore.auth import TokenAuth
>>> def client_for(grants, identity=TokenIdentity("https://auth.example.com", "a-client")):
...     session = TokenSession(open_store("memory", identity), grants)
...     return httpx2.Client(base_url="https://api.example.com", auth=TokenAuth(session))

This module imports none of the three libraries: it works with those that your program uses.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncGenerator, Generator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from ._values.origin import is_page
from ._values.token_response import read_token_response

if TYPE_CHECKING:
    from ._session.aio import AsyncTokenSession
    from ._session.sync import TokenCall, TokenSession
    from ._values.token import Token

__all__ = ["TokenAuth", "read_token_response"]

R = TypeVar("R")  # a request of any library

_NAME = "Authorization"


class TokenAuth:
    """Sends a session's token with each request of httpx2, httpx or requests.

    Pass it as ``auth``, to a client or to one call. Threads and tasks can share one. If the API
    answers 401, the session is asked for a newer token, and the request is sent again; so at most
    three times. A 401 that is an HTML page comes from a gateway: it is returned as it is. So is the
    401 of a request whose body cannot be sent twice, such as a generator; the next request then has
    the newer token. A redirect to another host is followed without the token.

    Args:
        session: Where the token comes from: a :class:`TokenSession` for requests and the sync
            clients, an :class:`AsyncTokenSession` for the async ones. Close it yourself.

    Raises:
        TypeError: ``session`` is not a session.
    """

    __slots__ = ("__weakref__", "_session")

    def __init__(self, session: TokenSession | AsyncTokenSession) -> None:
        if not hasattr(session, "new_call"):
            raise TypeError(
                "TokenAuth takes a TokenSession or an AsyncTokenSession, got "
                f"{type(session).__name__}"
            )
        self._session: Any = session

    def __repr__(self) -> str:
        return f"<TokenAuth of {self._session!r}>"

    if not TYPE_CHECKING:

        @property
        def __class__(self) -> type:
            # httpx2 and httpx ask isinstance(auth, Auth), which looks here. They take anything else
            # for a function, which would not see the response. A real base class would have to be
            # imported, from each of them, before the first TokenAuth is made.
            loaded = (sys.modules.get(name) for name in ("httpx2", "httpx", "requests.auth"))
            found = (getattr(each, "Auth", getattr(each, "AuthBase", None)) for each in loaded)
            return _class_of(tuple(each for each in found if each is not None))

    def __call__(self, request: R) -> R:
        """Prepares a request of the library requests, which calls this.

        Args:
            request: A ``requests.PreparedRequest``.

        Returns:
            The same request, with the token and a hook that looks at the response.

        Raises:
            TokenStoreError: No token could be obtained.
            TypeError: The session is async, or the request is another library's.
        """
        prepared: Any = request
        if not hasattr(prepared, "register_hook"):
            raise TypeError(
                "TokenAuth can be called with a requests.PreparedRequest only, got "
                f"{type(request).__name__}; pass it to a client of httpx2 as auth="
            )
        session = self._checked(is_async=False)
        call: TokenCall = session.new_call(_endpoint(prepared))
        prepared.headers[_NAME] = _Header.of(_Sent(call.token(), call))
        prepared.register_hook("response", _Hook(session))
        return request

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Sends one request of a sync client of httpx2 or httpx, which calls this.

        Args:
            request: The client's request.
        """
        call = self._checked(is_async=False).new_call(_endpoint(request))
        token: Token | None = call.token()
        while token is not None:
            request.headers[_NAME] = token.authorization
            response = yield request
            if response.status_code != 401:
                call.accepted()
                return
            response.read()  # also so that its connection is free for the token request
            if not _carried(response, token) or not _refuses_token(response):
                return
            if not _can_be_sent_again(request):
                with contextlib.suppress(Exception):  # the next request raises it
                    call.refused(token)
                return
            token = call.refused(token)

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Sends one request of an async client of httpx2 or httpx, which calls this.

        Args:
            request: The client's request.
        """
        call = self._checked(is_async=True).new_call(_endpoint(request))
        token: Token | None = await call.token()
        while token is not None:
            request.headers[_NAME] = token.authorization
            response = yield request
            if response.status_code != 401:
                call.accepted()
                return
            await response.aread()  # as in the sync flow
            if not _carried(response, token) or not _refuses_token(response):
                return
            if not _can_be_sent_again(request):
                with contextlib.suppress(Exception):
                    await call.refused(token)
                return
            token = await call.refused(token)

    def _checked(self, *, is_async: bool) -> Any:
        session = self._session
        if hasattr(session, "aclose") is not is_async:
            kinds = ("a sync client needs a TokenSession", "an async client an AsyncTokenSession")
            raise TypeError(f"{kinds[is_async]}, and this TokenAuth has {session!r}")
        if session.renews_here:
            # It would wait for itself.
            raise RuntimeError(
                "the grants of this session used a client that asks the session for a token: give "
                "the grants a client of their own, without this TokenAuth"
            )
        return session


@lru_cache
def _class_of(bases: tuple[type, ...]) -> type:
    return type("TokenAuth", (TokenAuth, *bases), {"__doc__": TokenAuth.__doc__})


def _endpoint(request: Any) -> str:
    """What the session calls an endpoint: a 401 from one says nothing about the others."""
    return f"{request.method} {str(request.url).partition('?')[0]}"


def _refuses_token(response: Any) -> bool:
    """Whether the API itself refuses the token; ``response`` was read to its end."""
    is_html = is_page(response.headers.get("content-type") or "", response.content or b"")
    return response.status_code == 401 and not is_html


def _carried(response: Any, token: Token) -> bool:
    """Whether the request that it answers had this token: not after a redirect to another host."""
    carried: bool = response.request.headers.get(_NAME) == token.authorization
    return carried


def _can_be_sent_again(request: Any) -> bool:
    """Of httpx2 and httpx: its body is in memory, or in files that are read from their start."""
    try:
        request.content  # noqa: B018 - it raises if the body is a stream
    except RuntimeError:
        fields = getattr(request.stream, "fields", None)  # of a multipart form
        files = [getattr(field, "file", b"") for field in fields or ()]
        return fields is not None and all(
            isinstance(each, (str, bytes)) or (hasattr(each, "seekable") and each.seekable())
            for each in files
        )
    return True


class _Sent:
    """What one request of requests was sent with."""

    def __init__(self, token: Token, call: TokenCall) -> None:
        self.token = token
        self._call: TokenCall | None = call

    def take(self, session: TokenSession, request: Any) -> TokenCall:
        """The call; a new one if a program sends one prepared request for the second time."""
        taken, self._call = self._call, None
        return taken or session.new_call(_endpoint(request))


class _Header(str):
    """An ``Authorization`` header that does not print itself, in a traceback's locals, say."""

    sent: _Sent

    @classmethod
    def of(cls, sent: _Sent) -> _Header:
        header = cls(sent.token.authorization)
        header.sent = sent
        return header

    def __repr__(self) -> str:
        return "'Bearer **********'"

    def __reduce_ex__(self, protocol: Any) -> Any:
        return str, ("Bearer **********",)  # a pickled response has its request in it


class _Hook:
    """Called by requests with each response, also with those of redirects."""

    def __init__(self, session: TokenSession) -> None:
        self._session = session

    def __reduce__(self) -> Any:
        return _no_hook, ()  # a pickled response has its request in it, and that its hooks

    def __call__(self, response: Any, **options: Any) -> Any:
        while (sent := _sent_with(response)) is not None:
            call = sent.take(self._session, response.request)
            if response.status_code != 401:
                call.accepted()
                break
            # Reads it, also so that its connection is free for the token request.
            if not _refuses_token(response):
                break
            response.close()
            again = response.request.copy()
            if not _rewound(again):
                with contextlib.suppress(Exception):  # the next request raises it
                    call.refused(sent.token)
                break
            token = call.refused(sent.token)
            if token is None:
                break
            response = self._sent_again(response, again, _Sent(token, call), options)
        return response

    def _sent_again(self, refused: Any, request: Any, sent: _Sent, options: Any) -> Any:
        from requests.cookies import extract_cookies_to_jar

        # As requests.auth.HTTPDigestAuth does: a load balancer may have set one.
        extract_cookies_to_jar(request._cookies, refused.request, refused.raw)
        request.prepare_cookies(request._cookies)
        request.headers[_NAME] = _Header.of(sent)
        # A redirect is followed with the headers of the request that the program made.
        refused.request.headers[_NAME] = request.headers[_NAME]
        response = refused.connection.send(request, **options)
        response.history = [*refused.history, refused]
        response.request = request
        return response


def _no_hook() -> None:
    """What is left of a hook in a pickled request."""


def _sent_with(response: Any) -> _Sent | None:
    """What the request had from us; None after a redirect to another host, which has nothing."""
    sent: _Sent | None = getattr(response.request.headers.get(_NAME), "sent", None)
    return sent


def _rewound(request: Any) -> bool:
    """Of requests: whether the body can be sent again; a file is then at its beginning."""
    from requests.exceptions import UnrewindableBodyError
    from requests.utils import rewind_body

    if request.body is None or isinstance(request.body, (str, bytes)):
        return True
    try:
        rewind_body(request)
    except UnrewindableBodyError:
        return False
    return True
