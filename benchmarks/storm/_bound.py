"""The bound on the storm of 16 processes, over many rounds with the same processes."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from ._clients import Client, Place
from ._holders import Holder
from ._rounds import Calls, Control, call_all, holders_of
from ._server import LATENCY

BOUND = 1.5  # times: the token endpoint's latency and a round with a valid token
SHORT_LIFE = 1  # seconds; a round with a valid token must follow within it
REFUSED, EXPIRED = "refused with 401", "expired by its own clock"


@dataclass
class Series:
    """The worst caller's seconds in each round."""

    client: str
    case: str
    storms: list[float] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    discarded: int = 0
    """Rounds in which the machine was so slow that the token ended before all had used it."""
    wrong: list[str] = field(default_factory=list)
    """Failed calls, and storms with another count of token requests than one."""

    @property
    def storm(self) -> float:
        return statistics.median(self.storms)

    @property
    def allowed(self) -> float:
        """Seconds of which 1.5 times may be taken."""
        return LATENCY + statistics.median(self.valid)

    @property
    def ratio(self) -> float:
        return self.storm / self.allowed

    @property
    def holds(self) -> bool:
        return not self.wrong and self.ratio <= BOUND


def measure(
    kind: type[Client], case: str, control: Control, redis_url: str | None, rounds: int
) -> Series:
    """Storm, a round with the token just had, and so on; every process was warm before."""
    series = Series(kind.name, case)
    life = SHORT_LIFE if case == EXPIRED else 3600
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        client = kind(Place(control.base_url, Path(folder), redis_url))
        token = control.reset(life=life)
        client.seed({**token, "expires_at": time.time() + life})
        with holders_of(client, "processes") as holders:
            call_all(control, holders)
            for _ in range(2 * rounds):
                _round(series, control, holders, life)
                if len(series.storms) == rounds:
                    break
    return series


def _round(series: Series, control: Control, holders: list[Holder], life: int) -> None:
    if series.case == EXPIRED:
        time.sleep(life + 0.1)
    control.expire()
    storm = call_all(control, holders)
    valid = call_all(control, holders)
    series.wrong += storm.errors + valid.errors
    if valid.counts["token_requests"]:
        series.discarded += 1
        return
    _check(series, storm)
    series.storms.append(storm.worst)
    series.valid.append(valid.worst)


def _check(series: Series, storm: Calls) -> None:
    if storm.counts["token_requests"] != 1 or storm.counts["secret_sent"]:
        series.wrong.append(f"a storm with {storm.counts}")
