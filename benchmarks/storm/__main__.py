"""``python -m benchmarks.storm``: the refresh storm of ours and of peers, in one table."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator

from benchmarks._common import keep, machine

from ._bound import EXPIRED, REFUSED, Series, measure
from ._clients import Client, Ours, OursAsync, OursRedis, OursRedisAsync, Reference
from ._javascript import JavaScript
from ._peers import PEERS
from ._redis import missing, redis_server
from ._report import Row, as_json, bound_table, main_table
from ._rounds import Control, play, server

BOUND_CASES: tuple[tuple[type[Client], str], ...] = (
    (Ours, EXPIRED), (Ours, REFUSED), (OursRedis, REFUSED), (Reference, EXPIRED),
)  # fmt: skip


def main() -> int:
    """Plays all rounds; 1 if the bound on ours does not hold."""
    parser = argparse.ArgumentParser(prog="benchmarks.storm", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="storms of each client, at most")
    parser.add_argument("--seconds", type=float, default=300, help="no round begins after them")
    parser.add_argument("--bound-rounds", type=int, default=20, help="rounds of the bound")
    parser.add_argument("--only", default="", help="clients whose name holds this text")
    options = parser.parse_args()
    kinds = [kind for kind in _available() if options.only.lower() in kind.name.lower()]
    deadline = time.monotonic() + options.seconds
    rows = [(Row(kind.name, mode), kind) for kind in kinds for mode in kind.modes]
    with server() as control, _redis(OursRedis in kinds) as redis_url:
        series = [
            _measure(kind, case, control, redis_url, options.bound_rounds)
            for kind, case in BOUND_CASES
            if kind in kinds and options.bound_rounds
        ]
        # In turns, so that noise hits all; the family's end once, after the first.
        for turn in [False, True, *[False] * (options.rounds - 1)]:
            for row, kind in rows:
                if time.monotonic() < deadline:
                    _play(row, kind, control, redis_url, family=turn)
    print(f"\n{machine()}\n\n{main_table([row for row, _ in rows])}\n\n{bound_table(series)}\n")
    print(
        f"all figures: {keep('storm', as_json([row for row, _ in rows], series))}", file=sys.stderr
    )
    return 0 if all(each.holds for each in series if each.client.startswith("ours")) else 1


def _available() -> Iterator[type[Client]]:
    yield from (Ours, OursAsync)
    if (lacks := missing()) is None:
        yield from (OursRedis, OursRedisAsync)
    else:
        _tell(f"without Redis: {lacks}")
    yield from PEERS
    if (lacks := JavaScript.missing()) is None:
        yield JavaScript
    else:
        _tell(f"without the JavaScript SDK: {lacks}")
    yield Reference


def _play(
    row: Row, kind: type[Client], control: Control, redis_url: str | None, *, family: bool
) -> None:
    _tell(f"{row.client}, {row.mode}{', family revoked' if family else ''}")
    try:
        played = play(kind, row.mode, control, redis_url, family=family)
    except Exception as error:  # shown in the table, and the others go on
        row.failed = f"{type(error).__name__}: {error}"
    else:
        (row.family if family else row.rounds).append(played)


def _measure(
    kind: type[Client], case: str, control: Control, redis_url: str | None, rounds: int
) -> Series:
    _tell(f"the bound: {kind.name}, {case}")
    return measure(kind, case, control, redis_url, rounds)


@contextlib.contextmanager
def _redis(wanted: bool) -> Iterator[str | None]:
    if not wanted:
        yield None
        return
    with redis_server() as url:
        yield url


def _tell(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
