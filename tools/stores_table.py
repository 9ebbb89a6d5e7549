#!/usr/bin/env python3
"""Makes the README's table of token stores.

python tools/stores_table.py              writes it, with the kit's results of the last run
python tools/stores_table.py --run        runs the conformance kit on each store's real server first
python tools/stores_table.py --run redis  on those rows alone whose name has this word in it
python tools/stores_table.py --read FILE  takes the results from reports of pytest (--junitxml)
python tools/stores_table.py --check      exit code 1 if it is not what the installed stores give

What a store can do is asked of the installed store. Who shares it is seen from the run: where other
processes do not see the storage, the kit says so. Hosts share what is on a server, if the store's
own lock and compare-and-set hold there. Results are kept in tools/stores_table.json; ``--check``
runs no test, but sees that as many were run as the kit has now.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from flex_tokenstore import StoreInfo, list_stores

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
RESULTS = Path(__file__).with_suffix(".json")
BEGIN, END = "<!-- made by tools/stores_table.py: do not edit -->\n", "<!-- end -->\n"
HEADERS = ["store", "keeps the token in", "shared by processes", "by hosts", "compare-and-set"]
HEADERS += ["lock", "native async", "conformance kit"]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]


class Row(NamedTuple):
    """One line: a store on one backend."""

    store: str
    backend: str
    contract: str
    """Test module, and the words that the names of its classes for this row have in them."""
    server: bool = True
    """It is reached over the network."""

    @property
    def title(self) -> str:
        return f"{self.store}: {self.backend}"


_BUILT_IN = "tests/flex_tokenstore/stores/test_contract.py"
_SQL = "plugins/flex-tokenstore-sql/tests/test_sql_contract.py"
_VAULT = "plugins/flex-tokenstore-vault/tests/test_vault_contract.py"
_REDIS = "plugins/flex-tokenstore-redis/tests/test_redis_contract.py"
ROWS = [
    Row("memory", "one instance, until it ends", f"{_BUILT_IN}::Memory", server=False),
    Row("file", "a private file, replaced whole", f"{_BUILT_IN}::File", server=False),
    Row("redis", "Redis or Valkey, also Sentinel and Cluster", f"{_REDIS}::Redis"),
    Row("sql", "PostgreSQL", f"{_SQL}::Postgres"),
    Row("sql", "MySQL or MariaDB", f"{_SQL}::MariaDb"),
    Row("sql", "SQLite", f"{_SQL}::Sqlite", server=False),
    Row("vault", "Vault or OpenBao, KV version 2", f"{_VAULT}::VaultStore"),
    Row("vault-kv1", "Vault or OpenBao, KV version 1", f"{_VAULT}::VaultKv1"),
]


def main(arguments: list[str]) -> int:
    """Writes or checks the table; returns the exit code."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    collected = collect()
    match arguments:
        case [] | ["--check"]:
            problems = []
        case ["--run", *words]:
            rows = [row for row in ROWS if all(w.lower() in row.title.lower() for w in words)]
            problems = put_down(rows, run(rows, collected), collected, results)
        case ["--read", _, *_]:
            found = [case for file in arguments[1:] for case in cases(Path(file))]
            problems = put_down(ROWS, found, collected, results)
        case _:
            print(__doc__)
            return 2
    results = {row.title: results[row.title] for row in ROWS if row.title in results}
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    made = before + BEGIN + table(results) + END + rest.partition(END)[2]
    if arguments == ["--check"]:
        problems += ["README.md: the table"] if made != text else []
        problems += stale(results, collected)
    else:
        README.write_text(made, encoding="utf-8", newline="\n")
        kept = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
        RESULTS.write_text(kept, encoding="utf-8", newline="\n")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def collect() -> Counter[str]:
    """How many tests each class of the contracts has, by its node id."""
    modules = sorted({row.contract.partition("::")[0] for row in ROWS})
    command = [*PYTEST, "--collect-only", *modules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    found = [line.split("::") for line in done.stdout.splitlines() if line.count("::") >= 2]
    return Counter(f"{module}::{cls}" for module, cls, *_ in found)


def classes(row: Row, collected: Counter[str]) -> list[str]:
    """Those that test this row."""
    module, _, word = row.contract.partition("::")
    parts = [node.partition("::") for node in collected]
    return [f"{m}::{cls}" for m, _, cls in parts if m == module and word.lower() in cls.lower()]


def run(rows: list[Row], collected: Counter[str]) -> list[ElementTree.Element]:
    """What came of the kit on these rows, test by test; some minutes."""
    nodes = [node for row in rows for node in classes(row, collected)]
    if not nodes:
        sys.exit("no contract test has that name")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "junit.xml")
        command = [*PYTEST, "-n", "2", "--tb=short", f"--junitxml={report}", *nodes]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        if code not in (0, 1):  # 1: some tests failed, which is a result
            sys.exit("pytest did not come to its end: all results are as they were")
        return cases(report)


def cases(report: Path) -> list[ElementTree.Element]:
    """The tests of a report of pytest."""
    return list(ElementTree.parse(report).iter("testcase"))  # noqa: S314 - the developer's own


def put_down(
    rows: list[Row],
    found: list[ElementTree.Element],
    collected: Counter[str],
    results: dict[str, Any],
) -> list[str]:
    """Changes the results to what was found; gives what went wrong."""
    problems = []
    for row in rows:
        names = {node.replace("/", ".").replace(".py::", ".") for node in classes(row, collected)}
        result = summary([case for case in found if case.get("classname") in names])
        if not result["passed"]:
            problems.append(f"{row.title}: nothing was run; its result is as it was")
            continue
        results[row.title] = result
        if result["failed"]:
            problems.append(f"{row.title}: {result['failed']} failed")
    return problems


def summary(cases: list[ElementTree.Element]) -> dict[str, Any]:
    """What a report of pytest says about one row."""
    skips = [case.find("skipped") for case in cases]
    reasons = [skip.get("message", "") for skip in skips if skip is not None]
    failed = [c for c in cases if c.find("failure") is not None or c.find("error") is not None]
    return {
        "passed": len(cases) - len(reasons) - len(failed),
        "skipped": len(reasons),
        "failed": len(failed),
        "shared_by_processes": not any(reason.startswith("shared_by") for reason in reasons),
    }


def stale(results: dict[str, Any], collected: Counter[str]) -> list[str]:
    """What was run that is not what there is to run."""
    problems = []
    for row in ROWS:
        now = sum(collected[node] for node in classes(row, collected))
        counts = results.get(row.title, {})
        then = sum(counts.get(key, 0) for key in ("passed", "skipped", "failed"))
        if now != then:
            problems.append(f"{row.title}: {then} tests were run, there are {now}: use --run")
    ours = {info.name for info in list_stores() if link(info) or info.origin == "built-in"}
    problems += [f"{name}: has no row" for name in sorted(ours - {row.store for row in ROWS})]
    return problems


def table(results: dict[str, Any]) -> str:
    """The table, as Markdown."""
    infos = {info.name: info for info in list_stores(check=True)}
    lines = [HEADERS, ["---"] * len(HEADERS)]
    lines += [cells(row, infos[row.store], results.get(row.title)) for row in ROWS]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cells(row: Row, info: StoreInfo, result: dict[str, Any] | None) -> list[str]:
    """One line of the table."""
    name = f"[`{row.store}`]({link(info)})" if link(info) else f"`{row.store}`"
    hosts = bool(row.server and info.lock and info.compare_and_set)
    abilities = [info.compare_and_set, info.lock, info.native_async]
    if result is None:
        return [name, row.backend, "not run", yes(hosts), *map(yes, abilities), "not run"]
    kit = f"{result['passed']} passed, {result['skipped']} skipped"
    if result["failed"]:
        kit = f"**{result['failed']} failed**, {kit}"
    shared = [yes(result["shared_by_processes"]), yes(hosts)]
    return [name, row.backend, *shared, *map(yes, abilities), kit]


def link(info: StoreInfo) -> str:
    """Where the README of its plugin is, seen from the project's; "" if it is none of ours."""
    path = Path("plugins", info.distribution, "README.md")
    return path.as_posix() if (ROOT / path).exists() else ""


def yes(value: bool | None) -> str:
    """As a word."""
    return "yes" if value else "no"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
