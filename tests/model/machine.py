"""A process as an automaton: its local states are numbered, and each is made anew when needed."""

from __future__ import annotations

from .process import Begin, Event, Input, Process, Spec, View
from .world import Violation


class Endless(Violation):
    """A process can come back to this local state within its calls, again and again."""

    def __init__(self, local: int) -> None:
        self.local = local
        super().__init__("I5: a process may go on for ever")


class Machine:
    """All local states of one kind of process met so far.

    A local state is what the shipped frames and objects hold; two input sequences that lead to
    the same one have the same future, so the first is kept for both.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._inputs: list[tuple[Input, ...]] = []
        self._views: list[View] = []
        self._ids: dict[object, int] = {}
        self.edges: dict[tuple[int, Input], tuple[int, tuple[Event, ...]]] = {}
        process = Process(spec)
        self.initial = self._number(process, ())
        process.dispose()

    def step(self, local: int, given: Input) -> tuple[int, tuple[Event, ...]]:
        """The local state after one more input, and what ended thereby."""
        known = self.edges.get((local, given))
        if known is None:
            process = self.replay(local)
            events = tuple(process.feed(given))
            following = self._number(process, (*self._inputs[local], given))
            process.dispose()
            known = self.edges[local, given] = (following, events)
        return known

    def replay(self, local: int) -> Process:
        """A live process in this state."""
        process = Process(self.spec)
        for given in self._inputs[local]:
            process.feed(given)
        return process

    def view(self, local: int) -> View:
        return self._views[local]

    @property
    def states(self) -> int:
        return len(self._views)

    def longest_path(self) -> int:
        """The most inputs that a process can have; raises if it might go on for ever."""
        following: dict[int, set[int]] = {}
        for (local, given), (after, _) in self.edges.items():
            asks = {doing.name: doing.asks for doing in self._views[local].tasks}.get(given.task)
            if isinstance(asks, Begin) and asks.extra:
                continue  # the operations of this process had ended
            following.setdefault(local, set()).add(after)
        depth: dict[int, int] = {}
        on_path: set[int] = set()
        stack = [(self.initial, False)]
        while stack:
            local, leaving = stack.pop()
            if leaving:
                on_path.discard(local)
                depth[local] = 1 + max((depth[n] for n in following.get(local, ())), default=-1)
                continue
            if local in depth:
                continue
            on_path.add(local)
            stack.append((local, True))
            for after in following.get(local, ()):
                if after in on_path:
                    raise Endless(after)
                if after not in depth:
                    stack.append((after, False))
        return depth[self.initial]

    def _number(self, process: Process, inputs: tuple[Input, ...]) -> int:
        key = process.key()
        local = self._ids.get(key)
        if local is None:
            local = self._ids[key] = len(self._views)
            self._views.append(process.view())
            self._inputs.append(inputs)
        return local
