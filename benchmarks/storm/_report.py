"""The tables of the storm."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks._common import table

from ._bound import BOUND, Series
from ._rounds import CALLERS, PROCESSES, Calls, Round
from ._server import LATENCY

HEAD = (
    "client", "holders", "rounds", "token requests", "rejected", "calls failed", "secret sent",
    "ms, median caller", "ms, worst caller", "ms, worst, valid token", "ratio",
    "failed once more", "family revoked: stored token", "commonest error",
)  # fmt: skip
BOUND_HEAD = (
    "client", "access token", "rounds", "ms, worst caller", "ms, worst, valid token", "ratio",
    f"at most {BOUND}", "discarded", "wrong",
)  # fmt: skip


@dataclass
class Row:
    """All rounds of one client and one kind of holders."""

    client: str
    mode: str
    rounds: list[Round] = field(default_factory=list)
    family: list[Round] = field(default_factory=list)
    """Rounds with the server that revokes the family of a refresh token used twice."""
    failed: str | None = None
    """Why the rounds could not be played to the end."""

    def cells(self) -> list[str]:
        holders = f"{PROCESSES} processes" if self.mode == "processes" else f"{CALLERS} {self.mode}"
        if not self.rounds:
            return [self.client, holders, *[""] * 11, self.failed or "not run"]
        storms = [each.storm for each in self.rounds]
        valid = statistics.median(each.valid.worst for each in self.rounds)
        worst = statistics.median(storm.worst for storm in storms)
        return [
            self.client,
            holders,
            str(len(self.rounds)),
            *(_count(storms, name) for name in ("token_requests", "rejected")),
            _median(len(storm.errors) for storm in storms),
            _count(storms, "secret_sent"),
            _ms(statistics.median(storm.median for storm in storms)),
            _ms(worst),
            _ms(valid),
            f"{worst / (LATENCY + valid):.2f}",
            _median(len(each.again.errors) for each in self.rounds),
            ", ".join(sorted({each.stored for each in self.family})) or "not run",
            self._commonest(),
        ]

    def _commonest(self) -> str:
        notes = [note for each in [*self.rounds, *self.family] for note in each.notes]
        errors = Counter(error for each in self.rounds for error in each.storm.errors)
        found = [error for error, _ in errors.most_common(1)]
        said = [*([self.failed] if self.failed else []), *notes[:1], *found]
        return "; ".join(said)[:100].replace("|", "/").replace("\n", " ")


def main_table(rows: Sequence[Row]) -> str:
    return table(HEAD, [row.cells() for row in rows])


def bound_table(series: Sequence[Series]) -> str:
    return table(
        BOUND_HEAD,
        [
            (
                each.client, each.case, len(each.storms), _ms(each.storm),
                _ms(statistics.median(each.valid)), f"{each.ratio:.2f}",
                "holds" if each.holds else "FAILS", each.discarded,
                "; ".join(sorted(set(each.wrong)))[:100],
            )
            for each in series
        ],
    )  # fmt: skip


def as_json(rows: Sequence[Row], series: Sequence[Series]) -> dict[str, Any]:
    """Everything measured, in seconds."""
    return {"rows": [asdict(row) for row in rows], "bound": [asdict(each) for each in series]}


def _count(storms: Sequence[Calls], name: str) -> str:
    return _median(storm.counts[name] for storm in storms)


def _median(numbers: Any) -> str:
    return f"{statistics.median(numbers):g}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
