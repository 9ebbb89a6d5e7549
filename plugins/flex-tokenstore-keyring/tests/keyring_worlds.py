"""A keyring as a value: each change makes a new state, so that all of them can be looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flex_tokenstore import Secret
from flex_tokenstore_keyring._record import Found, look, remove, save

BASE = "s/k"
State = tuple[tuple[str, str], ...]
"""The items, sorted by name."""


class Killed(BaseException):
    """The program is killed."""


class World:
    """Items that remember each state, and kill whoever makes the n-th change or later."""

    def __init__(self, state: State = (), largest: int | None = None, dies: int = -1) -> None:
        self.items = dict(state)
        self.largest = largest
        self.states = [state]
        self._left = dies

    @property
    def state(self) -> State:
        return tuple(sorted(self.items.items()))

    def get(self, name: str) -> Secret[str] | None:
        found = self.items.get(name)
        return None if found is None else Secret(found)

    def put(self, name: str, text: Secret[str]) -> None:
        assert name not in self.items, f"{name} is overwritten"
        assert self.largest is None or len(text.reveal()) <= self.largest
        self._change()
        self.items[name] = text.reveal()
        self.states.append(self.state)

    def drop(self, name: str) -> bool:
        if name not in self.items:
            return False
        self._change()
        del self.items[name]
        self.states.append(self.state)
        return True

    def _change(self) -> None:
        if self._left == 0:
            raise Killed
        self._left -= 1


class Rereading(World):
    """For a reader whose n-th read comes when others have written: it sees ``states`` in turn."""

    def __init__(self, states: list[State], largest: int | None) -> None:
        super().__init__((), largest)
        self._at = 0
        self._states = states
        self.moments: list[int] = []

    def see(self, choices: Iterator[int]) -> Rereading:
        self._choices = choices
        return self

    def get(self, name: str) -> Secret[str] | None:
        self._at = next(self._choices)
        found = dict(self._states[self._at]).get(name)
        self.moments.append(self._at)
        return None if found is None else Secret(found)


def token(name: str, size: int = 0) -> Secret[str]:
    return Secret(json.dumps({"access_token": name, "filling": "x" * size}, separators=(",", ":")))


def name_of(found: Found) -> str | None:
    """The token's name; None: nothing; a problem is an error."""
    assert not found.problem, found.problem
    assert not found.newer
    value: Any = None if found.token is None else found.token.reveal()["access_token"]
    assert value is None or isinstance(value, str)
    return value


def seen(state: State) -> str | None:
    return name_of(look(World(state), BASE))


def run(world: World, new: Secret[str] | None) -> None:
    """Saves, or removes if there is nothing to save."""
    found = look(world, BASE)
    if new is None:
        remove(world, BASE, found)
    else:
        save(world, BASE, found, new)
