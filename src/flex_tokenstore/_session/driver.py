"""Performs the steps of a flow for a sync program."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from .base import Report, reply_to
from .flow.steps import Reply, Step
from .single_flight import Abandoned, Flight

if TYPE_CHECKING:
    from .._store.sync import TokenStore
    from .grants import Grants


class Port:
    """Performs steps for a sync program."""

    def __init__(self, store: TokenStore, grants: Grants) -> None:
        self.load = store.get_token
        self.save = store.set_token
        self.prepare = store.prepare_save
        self.remove = store.remove_token
        self.refresh = grants.refresh
        self.sign_in = grants.sign_in
        self.revoke = grants.revoke
        self.pause = time.sleep
        self._store = store
        self._held, self._place = contextlib.ExitStack(), contextlib.ExitStack()
        self._places = getattr(grants, "place", contextlib.nullcontext)

    def lock(self, wait: float, lease: float) -> float | None:
        self._place.close()  # whoever waits for another program's lock is in nobody's way
        self._place.enter_context(self._places())
        return self._held.enter_context(self._store.token_lock(wait, lease))

    def unlock(self) -> None:
        self._held.close()

    def end(self) -> None:
        try:
            # First the lock, which other programs wait for.
            self._held.close()
        finally:
            self._place.close()


def drive(flow: Generator[Step, Reply, Any], port: Port, flight: Flight, report: Report) -> Any:
    """Drives the flow to its end, and releases the lock however it ends."""
    try:
        step = next(flow)
        while True:
            report(step)
            if flight.stops_before(step):
                raise Abandoned
            try:
                reply = reply_to(step.perform(port), None)
            except Exception as error:  # noqa: BLE001 - the flow judges it
                reply = reply_to(None, error)
            step = flow.send(reply)
    except StopIteration as stop:
        return stop.value
    finally:
        try:
            port.end()
        finally:
            # After the release: a slow callback or log handler must not keep the lock.
            report(None)
