"""The HTTP clients: shared by all instances of a process that talk to one server in the same way.

A process with a thousand instances has ten connections to a server, not two thousand. What is
shared belongs to one process (a fork makes its own), in asyncio to one event loop, and to one set
of TLS and proxy variables. The last instance that uses it closes it; until then, connections that
nobody used for a while are closed one by one.
"""

from __future__ import annotations

import weakref
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar
from urllib.parse import urlsplit

from flex_integration_sdk.config import is_loopback
from flex_tokenstore.embedding import PerProcess
from flex_tokenstore.errors import SessionClosedError

from .call_deadline import CallDeadline, spending
from .closing import Closing
from .connection_pool import Slot, Slots
from .connection_settings import ConnectionSettings
from .deadline import CHORES, Watch
from .http_errors import unmade
from .new_clients import make_client
from .proxy_and_tls import Options, tls_context

if TYPE_CHECKING:
    from flex_integration_sdk._wire.requests import ApiRequest
    from flex_integration_sdk._wire.token_messages import AuthRequest

    from .reporting import Exchange

# Seconds to make a connection. The HTTP library takes it for TCP and for TLS, one after the other.
CONNECT_TIMEOUT = 5.0
# Seconds that a connection is kept for the next request. Servers and balancers close theirs after 5
# to 60 s; a program that calls every minute makes a new one each time.
KEEP_IDLE = 5.0
# Seconds that a token request may wait for a connection while its session holds the token lock. Its
# lease has 5 s besides two whole requests: twice this, and time to save.
TOKEN_WAIT = 2.0
# What the HTTP library's traces call the moment right before a request is sent. A connection may
# have been opened since the call began, and a close in that time finds nothing that it could close.
SENDS = "send_request_headers.started"


Maker: TypeAlias = "ClientMaker[Any]"


class Key(NamedTuple):
    """What instances of one process must have in common to share connections."""

    kind: str
    loop: int
    origin: str
    options: Options


class Shared:
    """The connections to one server, and the instances that use them."""

    def __init__(self, key: Key, maker: Maker, loop: Any) -> None:
        self.key, self.loop = key, loop
        self.slots = Slots()
        self.places = Slots()
        """Of sessions that are about to make a token request."""
        self.backend = maker._backend()
        self.closed = False
        """No connection outlives its request any more."""
        self.timer: Any = None
        self._class = maker._client_class()
        self._users: dict[weakref.ref[Maker], None] = {}

    def start(self) -> None:
        """Called once, when all instances can find it."""

    def let_go(self) -> None:
        """Closes the connections of a closed event loop."""

    def join(self, user: Maker) -> None:
        """Notes an instance that uses it, weakly: a program may forget one without closing it."""
        self._users[weakref.ref(user, self._forget)] = None

    def leave(self, user: Maker) -> bool:
        """Removes an instance; True: it was the last one, so all connections must be closed."""
        self._users.pop(weakref.ref(user, self._forget), None)
        if self._users:
            return False
        # In this order, and whoever joins in the other: one of the two sees what the other did.
        self.closed = True
        self.retire()
        return True

    def retire(self) -> None:
        """No instance gets these connections any more; those that use them get others."""
        registry = _registry.get()
        if registry.get(self.key) is self:
            registry.pop(self.key, None)
        for user in self.users():
            used = user._used.get()
            for loop, shared in list(used.items()):
                if shared is self:
                    used.pop(loop, None)

    def users(self) -> list[Maker]:
        """The instances that still exist."""
        return [user for user in [ref() for ref in list(self._users)] if user is not None]

    def client(self, slot: Slot) -> Any:
        """The HTTP client of a connection that the caller has claimed."""
        if slot.client is None:
            slot.client = self._made()
        return slot.client

    def expired(self, now: float, by: object) -> list[Slot]:
        """The slots whose connections nobody used for long; ``by`` claims them."""
        found: list[Slot] = []
        for slot in self.slots.all:
            if slot.client is None or not slot.claim(by):
                continue
            # Looked at again: a request may have used it before it was claimed.
            if slot.client is not None and now - slot.idle_since >= KEEP_IDLE:
                found.append(slot)
            else:
                slot.release(by)
                self.slots.wake()
        return found

    def _forget(self, user: weakref.ref[Maker]) -> None:
        self._users.pop(user, None)

    def _made(self) -> Any:
        try:
            return make_client(self._class, self.key.options, self.backend, KEEP_IDLE)
        except Exception as error:  # noqa: BLE001 - texts that hold a proxy's password, and paths
            failure = unmade(error)
        raise failure


_registry: PerProcess[dict[Key, Shared]] = PerProcess(dict)


def shared_with(user: Maker, kind: str, options: Options, loop: Any) -> Any:
    """What ``user`` shares with all instances of the same key; made at the first call."""
    key = Key(kind, id(loop), user.origin, options)
    registry = _registry.get()
    while True:
        found = registry.get(key)
        # A new loop may have the id of one that was collected.
        if found is None or found.loop is not loop:
            _tidy()
            # Of two threads that get here at once one wins; the other's has no connection.
            made = user._make_shared(key, loop)
            found = registry.setdefault(key, made)
            if found is made:
                made.start()
        found.join(user)
        if not found.closed:
            return found
        found.retire()


def _tidy() -> None:
    """Drops what belongs to an event loop that is closed."""
    for shared in list(_registry.get().values()):
        if shared.loop is not None and shared.loop.is_closed():
            shared.let_go()


def close_idle(now: float) -> bool:
    """Closes connections of sync programs that nobody used for long; True: there are more."""
    more = False
    by = Reaper()
    for shared in list(_registry.get().values()):
        if shared.loop is not None:
            continue
        for slot in shared.expired(now, by):
            client, slot.client = slot.client, None
            slot.release(by)
            shared.slots.wake()
            client.close()
        more = more or any(slot.client is not None for slot in shared.slots.all)
    return more


class Reaper:
    """The holder of a connection while that is closed because nobody uses it."""


CHORES.append(close_idle)


S = TypeVar("S", bound=Shared)


class ClientMaker(Generic[S]):
    """What the sync and the async side share: one for each instance."""

    kind = ""

    def __init__(
        self,
        base_url: str,
        timeout: float,
        request_timeout: float,
        busy_timeout: float | None = None,
        connection: ConnectionSettings | None = None,
    ) -> None:
        self.connection = connection or ConnectionSettings()
        self._timeout = timeout
        self._request_timeout = request_timeout
        self._busy_timeout = busy_timeout
        self.base_url = base_url
        parts = urlsplit(base_url)
        self.origin = f"{parts.scheme}://{parts.netloc}".lower()
        # A proxy cannot reach this machine's own loopback address.
        self._trust_env = not is_loopback(base_url)
        # By event loop.
        # Per process: a fork must not use the sockets of its parent.
        self._used: PerProcess[dict[int, S]] = PerProcess(dict)
        self._closed = False
        # Of the instance: it may raise SessionClosedError right before an API request is sent.
        self.closing = Closing()

    def begin(self, request: ApiRequest, attempt: int = 1) -> Exchange | None:
        """Notes that a request begins; whoever sends it says what came of it. None: nobody asks.

        Args:
            request: An API request, or an upload.
            attempt: 1, or more for a repetition.
        """
        if self.connection.reporting is None:
            return None
        return self.connection.reporting.begin(
            request.method,
            request.url,
            parameters=request.parameters,
            attempt=attempt,
            headers=request.headers,
            size=None if request.content is None else len(request.content),
        )

    def _begin_auth(self, auth: AuthRequest) -> Exchange | None:
        if self.connection.reporting is None:
            return None
        names = tuple(pair.partition("=")[0] for pair in auth.body.reveal().split("&"))
        return self.connection.reporting.begin("POST", auth.url, parameters=names)

    @property
    def timeout(self) -> float:
        """Seconds to wait for a response, and then for each further 64 KB of it."""
        return self._timeout

    @property
    def limit(self) -> float:
        """Seconds that a token request may take."""
        return self._request_timeout

    def refuse_closed(self) -> None:
        """Raises SessionClosedError if this instance is closed."""
        if self._closed:
            raise SessionClosedError("this SDK instance is closed; make a new one")

    def _joined(self, loop: Any, options: Options) -> S:
        found: S = shared_with(self, self.kind, options, loop)
        self._used.get()[id(loop)] = found
        return found

    def _options(self) -> Options:
        """What the environment says; may read files.

        Raises:
            TransportError: One of the variables is wrong.
        """
        options = self.connection.options(self.base_url, trust_env=self._trust_env)
        if options.client is None:
            tls_context(options)
        return options

    @staticmethod
    def _waiting(watch: Watch) -> AbstractContextManager[CallDeadline | None]:
        """A block that waits for a connection; a token request has no deadline of a call."""
        return nullcontext() if watch.token else spending("connection")

    def _wait_limit(self, watch: Watch, *, revokes: bool = False) -> float | None:
        """Seconds that a request may wait for a connection."""
        if not watch.token:
            return self._busy_timeout
        # Nobody starts a revocation again when it was too busy.
        return self._request_timeout if revokes else TOKEN_WAIT

    def _timeouts(self, limit: float) -> tuple[float | None, ...]:
        """The HTTP library's own timeouts: connect, read, write, and to wait in its pool."""
        if self.connection.http_client is not None:
            # Nothing else ends its requests.
            return min(CONNECT_TIMEOUT, limit), limit, limit, limit
        # Where the watch comes first, it says what took so long.
        connect = CONNECT_TIMEOUT if limit > CONNECT_TIMEOUT else self._fallback(limit)
        return connect, self._fallback(limit), self._fallback(limit), None

    def _make_shared(self, key: Key, loop: Any) -> S:
        raise NotImplementedError

    def _client_class(self) -> Any:
        raise NotImplementedError

    def _backend(self) -> Any:
        raise NotImplementedError

    def _fallback(self, limit: float) -> float | None:
        """The HTTP library's own time-out for one read or write."""
        raise NotImplementedError
