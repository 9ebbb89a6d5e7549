"""``python -m tests.flex_tokenstore.explorer [quick|full]``: explores, and prints a table."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from . import configs
from .explore import Count, Explorer
from .model import Config

HEAD = (
    f"{'configuration':84} {'states':>8} {'transitions':>12} {'leaves':>7} {'longest':>8} {'s':>6}"
)


def line(count: Count) -> str:
    return (
        f"{count.name:84} {count.states:8} {count.transitions:12} {count.leaves:7} "
        f"{count.longest:8} {count.seconds:6.1f}"
    )


def main(chosen: Iterable[Config]) -> None:
    print(HEAD)
    counts = []
    for config in chosen:
        counts.append(Explorer(config).run())
        print(line(counts[-1]), flush=True)
    print(line(total(counts)))


def total(counts: list[Count]) -> Count:
    return Count(
        f"{len(counts)} configurations",
        sum(count.states for count in counts),
        sum(count.transitions for count in counts),
        sum(count.leaves for count in counts),
        sum(count.local_states for count in counts),
        max(count.longest for count in counts),
        sum(count.seconds for count in counts),
    )


if __name__ == "__main__":
    main(configs.full() if sys.argv[1:] == ["full"] else configs.quick())
