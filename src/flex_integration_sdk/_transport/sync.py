"""API calls and token requests of sync programs. A watch ends each of them in time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from flex_integration_sdk._wire.token_messages import AuthAnswer, AuthRequest
from flex_integration_sdk.errors import TransportError
from flex_tokenstore.errors import SessionClosedError

from . import exchange as _exchange
from .bodies import pieces
from .call_deadline import CALL, bounding
from .clients import SENDS, ClientMaker, Key, Shared
from .connection_pool import Busy, Place, Slot, Slots
from .deadline import CURRENT, Watch, watchdog
from .exchange import ApiAnswer, telling, upload_request
from .http_errors import busy, failed
from .signal_handlers import raised_by_handler

if TYPE_CHECKING:
    from flex_integration_sdk._wire.requests import ApiRequest
    from flex_tokenstore import Token

    from .connection_settings import ConnectionSettings
    from .reporting import Exchange

T = TypeVar("T")

SENT = "send_request_headers.complete"
# The HTTP library's own time-outs are for a sync program whose interpreter ends, where there is no
# watchdog; they come later than it.
FALLBACK = 2.0
# Seconds that a close waits for a request whose head is being written: until then, nobody could say
# whether it is sent. A socket takes one at once, unless it is full of earlier ones.
WRITING, LOOK = 1.0, 0.001


class Http(ClientMaker[Shared]):
    """For sync programs."""

    kind = "sync"

    def __init__(
        self,
        base_url: str,
        timeout: float,
        request_timeout: float,
        busy_timeout: float | None = None,
        connection: ConnectionSettings | None = None,
    ) -> None:
        super().__init__(base_url, timeout, request_timeout, busy_timeout, connection)
        # Requests under way, and their processes. Closing a socket that another thread reads from
        # would not wake that thread, and would let a new socket take its number.
        self._sending: dict[Watch, int] = {}
        # Those whose head is being written.
        self._writing: dict[Watch, int] = {}

    def send(self, api: ApiRequest, token: Token, exchange: Exchange | None = None) -> ApiAnswer:
        """An API request and its response; ``timeout`` is for each piece of a long one.

        Args:
            api: The request.
            token: Its token.
            exchange: Whom to tell about the connection; see ``begin``.
        """
        limit = api.timeout or self._timeout
        limits = self._within_call(limit)
        watch = Watch(limit, self, bounded=api.body is None)
        watch.exchange = exchange
        send = partial(
            _exchange.send, watch=watch, api=api, token=token, trace=self._trace, timeouts=limits
        )
        with bounding(watch):
            return self._watched(watch, api, send)

    def authenticate(self, auth: AuthRequest) -> AuthAnswer:
        """A request to the token endpoint, within ``request_timeout`` seconds in all."""
        watch = Watch(self._request_timeout, self, token=True)
        limits = self._timeouts(self._request_timeout)
        send = partial(_exchange.authenticate, watch=watch, auth=auth, timeouts=limits)
        with telling(self._begin_auth(auth), watch) as told:
            answer = told.answer = self._watched(watch, auth, send)
        return answer

    def upload(self, upload: ApiRequest) -> ApiAnswer:
        """Sends a body to an address that needs no token; ``timeout`` as for ``send``."""
        watch = Watch(self._timeout, self, bounded=False)

        def request(client: Any) -> ApiAnswer:
            content = None if upload.body is None else pieces(upload.body)
            built = upload_request(
                client, upload, content, self._trace, self._within_call(self._timeout)
            )
            return _exchange.read(watch, upload, client.send(built, stream=True))

        with telling(self.begin(upload), watch) as told, bounding(watch):
            answer = told.answer = self._watched(watch, upload, request)
        return answer

    def _within_call(self, limit: float) -> tuple[float | None, ...]:
        """The HTTP library's own time-outs: none ends after ``total_timeout`` does."""
        deadline = CALL.get()
        left = limit if deadline is None else deadline.left()
        return self._timeouts(max(0.001, min(limit, left)))

    @contextmanager
    def place(self) -> Iterator[None]:
        """A session holds this from before it acquires its lock until its token request is done.

        Raises:
            TransportError: There was none for ``busy_timeout``.
        """
        places, mine = self._places(), Place()
        if places is None:
            yield
            return
        failure: TransportError | None = None
        try:
            if places.take(mine) is None:
                try:
                    places.wait(mine, self._busy_timeout, self.closing)
                except SessionClosedError:
                    # A session that is being closed may want its lock to save a token.
                    pass
                except Busy:
                    failure = busy(self.base_url, mine, self._busy_timeout)
            if failure is not None:
                raise failure
            yield
        finally:
            places.give_back(mine)

    def _places(self) -> Slots | None:
        """The slots; None if they cannot be made: a request will then raise the reason.

        A session asks before each lock, and may want the lock only to save a token.
        """
        try:
            return self._shared().places
        except (SessionClosedError, TransportError):
            return None

    def abandon(self) -> None:
        """Ends the token requests that are under way; from any thread."""
        for watch in tuple(watchdog().watches):
            if watch.owner is self and watch.token:
                watch.stop("abandoned")

    def close(self) -> None:
        """Leaves the connections to the other instances; this one sends nothing any more.

        If requests are under way, the end of the last one does it.
        """
        self._closed = True
        end = time.monotonic() + WRITING
        while self._any_of(self._writing) and time.monotonic() < end:
            threading.Event().wait(LOOK)
        self._leave_if_idle()

    def _leave_if_idle(self) -> None:
        if self._any_of(self._sending):
            return
        shared = self._used.get().pop(id(None), None)
        if shared is not None and shared.leave(self):
            for slot in shared.slots.all:
                self._close_slot(shared.slots, slot)

    @staticmethod
    def _any_of(requests: dict[Watch, int]) -> bool:
        """Whether a request of this process in ``requests`` is still under way."""
        pid = os.getpid()
        return any(each == pid and not watch.gone() for watch, each in list(requests.items()))

    def _close_slot(self, slots: Slots, slot: Slot) -> None:
        """Closes a slot, unless a request uses it: the end of that request closes it."""
        if slot.client is None or not slot.claim(self):
            return
        client, slot.client = slot.client, None
        slot.release(self)
        slots.wake()
        if client is not None:
            client.close()

    def _shared(self) -> Shared:
        """The connections of this process.

        Raises:
            SessionClosedError: This instance is closed.
        """
        found = self._used.get().get(id(None))
        if found is None or found.closed:
            self.refuse_closed()
            found = self._joined(None, self._options())
        return found

    def _make_shared(self, key: Key, loop: Any) -> Shared:
        return Shared(key, self, loop)

    def _client_class(self) -> Any:
        if self.connection.http_client is not None:
            from .own_client import OwnClient

            return OwnClient
        from .quiet import QuietClient

        return QuietClient

    def _trace(self, name: str, _: object) -> None:
        if name.endswith(SENDS):
            # In this order, and ``close`` in the other: one of the two sees what the other did.
            if watch := CURRENT.get():
                self._writing[watch] = os.getpid()
            self.closing.check()
        elif name.endswith(SENT) and (watch := CURRENT.get()):
            self._writing.pop(watch, None)

    def _backend(self) -> Any:
        from .network import Backend

        return Backend()

    def _fallback(self, limit: float) -> float | None:
        return limit + FALLBACK

    def _watched(
        self, watch: Watch, sent: ApiRequest | AuthRequest, request: Callable[[Any], T]
    ) -> T:
        # Over plain http the first byte is of the request; over TLS the handshake comes first.
        watch.plain = sent.url.startswith("http:")
        closed: str | None = None
        failure: TransportError | None = None
        own: BaseException | None = None
        life = watch.live()
        dog, mark = watchdog(), CURRENT.set(watch)
        dog.add(watch)
        self._sending[watch] = os.getpid()
        whole = False
        try:
            answer = request(self._borrowed(watch, sent))
            whole = True
            return answer
        except TransportError:
            raise
        except SessionClosedError as error:
            closed = str(error)  # its frames may be the HTTP library's, with a token in them
        except Exception as error:  # noqa: BLE001 - none may escape with its frames and its text
            own = raised_by_handler(error)
            failure = None if own else failed(sent.url, error, watch, self.connection)
        finally:
            dog.remove(watch)
            CURRENT.reset(mark)
            self._give_back(watch, whole=whole)
            self._sending.pop(watch, None)
            self._writing.pop(watch, None)
            # The traceback of an error keeps this frame, and would keep the request alive with it.
            del life
            # Of a program's own client nobody knows.
            if watch.exchange is not None and not watch.unseen and (watch.opened or watch.sent):
                watch.exchange.connected(new=bool(watch.opened))
            # The instance was closed during this request: the last one closes the connections.
            if self._closed:
                self._leave_if_idle()
        if own is not None:
            try:
                raise own
            finally:
                del own  # its traceback keeps this frame
        if not isinstance(sent, AuthRequest) and sent.body is not None:
            sent.body.raise_failure()
        if failure is None:
            raise SessionClosedError(closed or "")
        # If the instance was closed meanwhile, that is what the caller should be told.
        if not failure.sent:
            self.refuse_closed()
        raise failure

    def _borrowed(self, watch: Watch, sent: ApiRequest | AuthRequest) -> Any:
        """The HTTP client of a connection that only this request uses."""
        shared = watch.lender = self._shared()
        slot = shared.slots.take(watch)
        if slot is None:
            limit = self._wait_limit(watch, revokes=getattr(sent, "token", None) is not None)
            failure: TransportError | None = None
            with self._waiting(watch) as deadline:
                shorter = deadline is not None and (limit is None or deadline.left() < limit)
                wait = deadline.left() if deadline is not None and shorter else limit
                try:
                    slot = shared.slots.wait(watch, wait, self.closing)
                except Busy:
                    failure = None if shorter else busy(sent.url, watch, limit)
            if slot is None and failure is None and deadline is not None:
                failure = deadline.error()
            if slot is None:
                raise failure or AssertionError
        watch.begin()
        return shared.client(slot)

    def _give_back(self, watch: Watch, *, whole: bool) -> None:
        shared = watch.lender
        if shared is None:
            return
        dropped, holder = [], watch.holder
        for slot in shared.slots.held_by(holder):
            slot.idle_since = time.monotonic()
            if not whole or shared.closed:
                # What is left of an exchange that failed could be taken for the next answer.
                client, slot.client = slot.client, None
                dropped += [client, *watch.opened]
        # First: the next request need not wait until a connection is closed.
        shared.slots.give_back(holder)
        for client in dropped:
            if client is not None:
                client.close()
