"""One request without credentials, and what was seen on the way to its response.

It goes over the same connections, proxies and certificates as the requests of an instance, so that
it meets what they would meet. It never follows a redirect.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from flex_integration_sdk._wire.requests import TRANSIT, ApiRequest
from flex_integration_sdk.errors import TransportError

from .deadline import Ended, Watch, watchdog
from .new_connections import Connecting
from .proxy_and_tls import proxy_variable
from .seen import Peer, Seen, Trace
from .sync import Http

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")

# Bytes of a body that are read: the API's refusal has about 200, and the rest would tell no more.
READ_LIMIT = 64 << 10
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


class Probe(Http):
    """Makes requests that carry no token and no secret.

    Args:
        base_url: Address of the server.
        seconds: How long one request may take.
    """

    kind = "probe"  # its connections are its own: it is to see how one is made

    def __init__(self, base_url: str, seconds: float) -> None:
        super().__init__(base_url, seconds, seconds)

    def look_up(self, host: str, port: int) -> list[str]:
        """The addresses of a host name.

        Raises:
            OSError: There are none, or no name server responded in time (``TimeoutError``).
        """
        watch, dog = Watch(self._timeout, self), watchdog()
        life = watch.live()
        watch.begin()
        dog.add(watch)
        try:
            with Connecting(watch) as connecting:
                return connecting.look_up(host, port)
        except Ended:
            raise TimeoutError(f"no name server responded within {self._timeout:g} s") from None
        finally:
            dog.remove(watch)
            del life

    def peer(self, url: str) -> Peer:
        """Whom a request to ``url`` connects to: the server, or a proxy.

        Raises:
            TransportError: A variable is wrong.
        """
        return self._with_client(url, lambda client, watch: _peer(client, url))

    def get(self, url: str) -> Seen:
        """Requests ``url``; says what was seen, also if the request failed."""
        trace = Trace(url)

        def request(client: Any, watch: Watch) -> Seen:
            trace.peer = _peer(client, url)
            response = self._sent(client, url, trace)
            try:
                return trace.seen(response, _beginning(response, watch))
            finally:
                response.close()

        failure: list[TransportError] = []
        try:
            return self._with_client(url, request)
        except TransportError as error:
            failure.append(error.with_traceback(None))
        return trace.failed(failure[0])

    def certificate(self, url: str) -> bytes | None:
        """The server's certificate in DER, whoever issued it; None: no TLS handshake succeeds.

        The connection is closed before anything is sent on it.
        """
        taker = _CertificateTaker(self.base_url, self._timeout)
        try:
            return taker.take(url)
        finally:
            taker.close()

    def _with_client(self, url: str, use: Callable[[Any, Watch], T]) -> T:
        watch = Watch(self._timeout, self)
        return self._watched(watch, ApiRequest("GET", url, {}), lambda client: use(client, watch))

    def _sent(self, client: Any, url: str, trace: Trace) -> httpx2.Response:
        request = client.build_request(
            "GET", url, headers={"Accept": TRANSIT}, timeout=self._timeouts(self._timeout)
        )
        request.extensions["trace"] = trace
        response: httpx2.Response = client.send(request, stream=True)
        return response


class _CertificateTaker(Probe):
    kind = "certificate"  # no request of anybody else may go over connections that trust anybody

    def take(self, url: str) -> bytes | None:
        trace = Trace(url, to_tls=True)

        def request(client: Any, watch: Watch) -> None:
            trace.peer = _peer(client, url)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            _pool_for(client, url)._ssl_context = context
            self._sent(client, url, trace).close()

        with suppress(TransportError):
            self._with_client(url, request)
        return trace.der


def _pool_for(client: Any, url: str) -> Any:
    # httpx2 and httpcore2 do not say otherwise which proxy they use; a test tells if that changes.
    return client._transport_for_url(_url(url))._pool


def _url(url: str) -> Any:
    import httpx2

    return httpx2.URL(url)


def _peer(client: Any, url: str) -> Peer:
    proxy = getattr(_pool_for(client, url), "_proxy_url", None)
    own = _url(url)
    if proxy is None:
        return Peer(own.host, own.port or _PORTS[own.scheme])
    scheme = proxy.scheme.decode()
    return Peer(proxy.host.decode(), proxy.port or _PORTS[scheme], proxy_variable(url))


def _beginning(response: httpx2.Response, watch: Watch) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        watch.moved(len(chunk))
        if len(body) >= READ_LIMIT:
            break
    return bytes(body[:READ_LIMIT])
