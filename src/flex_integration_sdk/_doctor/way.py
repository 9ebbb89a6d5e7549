"""The way to the server: what the checks of the network share.

Nothing that is sent on it carries a token or a secret.
"""

from __future__ import annotations

from flex_integration_sdk._endpoints.endpoint import API_PATH
from flex_integration_sdk._transport.probe import Probe
from flex_integration_sdk._transport.seen import Peer, Seen
from flex_integration_sdk._values.shown import host_of

from .finding import SkipCheck

# Its refusal of a request without a token tells that it is the API, and what time it is there.
_ENDPOINT = f"{API_PATH}marketplace/show"


class Way:
    """The way to one server; it is walked once, by the first check that needs to.

    Args:
        base_url: Address of the server.
        seconds: How long one request may take.
    """

    def __init__(self, base_url: str, seconds: float) -> None:
        self.base_url = base_url
        self.host = host_of(base_url)
        self.secure = base_url.startswith("https:")
        self.seconds = seconds
        self.is_api = False
        """The server has responded as the API does, so that a token may be sent to it."""
        self._probe = Probe(base_url, seconds)
        self._blocked = ""
        self._peer: Peer | None = None
        self._seen: Seen | None = None

    def block(self, id: str) -> None:
        """The check ``id`` found why there is no way; those after it are skipped."""
        self._blocked = self._blocked or id

    def open(self) -> None:
        """Raises SkipCheck if an earlier check found that there is no way."""
        if self._blocked:
            raise SkipCheck(f"No request can be sent so far; see {self._blocked}.")

    @property
    def peer(self) -> Peer:
        """Whom a request connects to: the server, or a proxy.

        Raises:
            SkipCheck: An earlier check found that there is no way.
        """
        self.open()
        if self._peer is None:
            self._peer = self._probe.peer(self._url)
        return self._peer

    @property
    def seen(self) -> Seen:
        """What came of a request.

        Raises:
            SkipCheck: An earlier check found that there is no way.
        """
        self.open()
        if self._seen is None:
            self._seen = self._probe.get(self._url)
        return self._seen

    def look_up(self) -> list[str]:
        """The addresses of the server.

        Raises:
            OSError: There are none; ``TimeoutError``: no name server responded in time.
        """
        return self._probe.look_up(self.peer.host, self.peer.port)

    def again(self) -> Seen:
        """What comes of another request, on the same connection if it was kept."""
        return self._probe.get(self._url)

    def certificate(self) -> bytes | None:
        """The server's certificate in DER, whoever issued it; None: it shows none."""
        return self._probe.certificate(self._url)

    def close(self) -> None:
        """Closes the connections."""
        self._probe.close()

    @property
    def _url(self) -> str:
        return self.base_url + _ENDPOINT
