"""``python -m tests.model [quick|full]``: explores, and prints a table."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable

from . import configs
from .explore import Count, Explorer
from .invariants import Most
from .model import Config

HEAD = (
    f"{'configuration':84} {'states':>8} {'transitions':>12} {'leaves':>7} {'longest':>8} "
    f"{'cost':>9} {'s':>6}"
)


def line(count: Count) -> str:
    return (
        f"{count.name:84} {count.states:8} {count.transitions:12} {count.leaves:7} "
        f"{count.longest:8} {cost(count.most):>9} {count.seconds:6.1f}"
    )


def cost(most: Most) -> str:
    """The most token requests/secrets of one call without a fault, and with faults."""
    return f"{most.calm_requests}/{most.calm_secrets} {most.requests}/{most.secrets}"


def main(chosen: Iterable[Config]) -> None:
    print(HEAD)
    counts = []
    for config in chosen:
        counts.append(Explorer(config).run())
        print(line(counts[-1]), flush=True)
    print(line(total(counts)))


def total(counts: list[Count]) -> Count:
    most = Most()
    for name in vars(most):
        setattr(most, name, max(getattr(count.most, name) for count in counts))
    return Count(
        f"{len(counts)} configurations",
        sum(count.states for count in counts),
        sum(count.transitions for count in counts),
        sum(count.leaves for count in counts),
        sum(count.local_states for count in counts),
        max(count.longest for count in counts),
        sum(count.seconds for count in counts),
        most,
    )


if __name__ == "__main__":
    logging.disable()  # what the flow warns of is what is tried here
    main(configs.full() if sys.argv[1:] == ["full"] else configs.quick())
