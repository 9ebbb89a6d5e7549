"""What is seen of one request: whom it connects to, where it fails, what its response says."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from flex_integration_sdk._values.shown import host_of
from flex_integration_sdk.errors import TransportError

from .http_errors import chain

if TYPE_CHECKING:
    import httpx2

Stage = Literal["", "connect", "proxy", "tls", "request"]


class Peer(NamedTuple):
    """Whom a request connects to first."""

    host: str
    port: int
    variable: str = ""
    """The variable that names it, if it is a proxy."""

    @property
    def shown(self) -> str:
        """Host and port, for people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host_of(f"//{host}:{self.port}")


class Seen(NamedTuple):
    """What came of a request."""

    peer: Peer | None
    """None: nothing was sent, since no HTTP client could be made."""
    stage: Stage
    """Where it failed; "": it did not."""
    error: TransportError | None = None
    proxy_status: int = 0
    """HTTP status with which the proxy refused a connection to the server; 0: it did not."""
    verify_code: int = 0
    """OpenSSL's number for what is wrong with the server's certificate; 0: nothing was found."""
    tls_reason: str = ""
    """OpenSSL's name for why TLS failed, such as ``WRONG_VERSION_NUMBER``."""
    certificate: Mapping[str, Any] | None = None
    """Of the server, as ``ssl`` returns it, if it was accepted."""
    status: int = 0
    headers: Mapping[str, str] = {}
    body: bytes = b""
    """Its beginning, decompressed."""
    arrived: float = 0.0
    """Unix time in seconds at which the head of the response was there, by this machine's clock."""
    connecting: float = 0.0
    """Seconds until there was a connection, TLS included."""
    answering: float = 0.0
    """Seconds from the request to the head of its response, on that connection."""


class Enough(Exception):
    """Ends a request before it is sent: its TLS handshake was all that it was for."""


class Trace:
    """Is told by the HTTP library what it begins and has done.

    Args:
        url: Of the request.
        to_tls: Raise :class:`Enough` after the TLS handshake with the server.
    """

    def __init__(self, url: str, *, to_tls: bool = False) -> None:
        self.peer: Peer | None = None
        self.der: bytes | None = None
        """The server's certificate; only with ``to_tls``."""
        self._secure = url.startswith("https:")
        self._to_tls = to_tls
        self._doing = ""
        self._times: dict[str, float] = {}
        self._arrived, self._status = 0.0, 0
        self._certificate: Mapping[str, Any] | None = None
        self._private = False
        self._verify_code, self._tls_reason = 0, ""

    def __call__(self, name: str, info: Any) -> None:
        """Notes one event, such as ``connection.start_tls.complete``."""
        what, _, phase = name.rpartition(".")
        self._times[name.partition(".")[2]] = time.monotonic()
        if phase == "started":
            self._doing = what
        elif name == "http11.receive_response_headers.complete":
            self._arrived, self._status = time.time(), info["return_value"][1]
        elif what.endswith("start_tls"):
            if phase == "failed":
                self._note_failure(info.get("exception"))
            elif self._is_servers(what):
                self._note_tls(info["return_value"])

    def seen(self, response: httpx2.Response, body: bytes) -> Seen:
        """What came of a request that has a response."""
        times = self._times
        begun, sends = times.get("connect_tcp.started"), times["send_request_headers.started"]
        return Seen(
            self.peer,
            "",
            certificate=self._certificate,
            status=response.status_code,
            headers=response.headers,
            body=body,
            arrived=self._arrived,
            connecting=0.0 if begun is None else sends - begun,
            answering=times["receive_response_headers.complete"] - sends,
        )

    def failed(self, error: TransportError) -> Seen:
        """What came of a request that has none."""
        stage = self._stage()
        return Seen(
            self.peer,
            stage,
            error,
            proxy_status=self._status if stage == "proxy" else 0,
            verify_code=self._verify_code,
            tls_reason=self._tls_reason,
        )

    def _stage(self) -> Stage:
        to_proxy = self.peer is not None and self.peer.variable != ""
        if to_proxy and not self._private and self._secure and not self._is_servers(self._doing):
            return "proxy"
        if self._doing.endswith("connect_tcp"):
            return "proxy" if to_proxy else "connect"
        if self._doing.endswith("start_tls") and not self._private:
            return "tls"
        return "request" if self._doing else "connect"

    def _is_servers(self, what: str) -> bool:
        """Whether a TLS handshake is with the server; an https proxy has one of its own."""
        if not what.endswith("start_tls"):
            return False
        return (
            what != "connection.start_tls" or self.peer is None or not self.peer.variable
        ) and self._secure

    def _note_tls(self, stream: Any) -> None:
        tls = stream.get_extra_info("ssl_object")
        self._private = True
        if self._to_tls:
            self.der = tls.getpeercert(True)
            stream.close()  # the HTTP library does not know of it yet
            raise Enough
        self._certificate = tls.getpeercert()

    def _note_failure(self, error: BaseException | None) -> None:
        for each in () if error is None else chain(error):
            if isinstance(each, ssl.SSLCertVerificationError):
                self._verify_code = each.verify_code
            if isinstance(each, ssl.SSLError):
                self._tls_reason = str(getattr(each, "reason", None) or "")
                return
