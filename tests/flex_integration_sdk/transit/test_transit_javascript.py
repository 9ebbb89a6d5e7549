"""Transit against transit-js, and against what the official JavaScript SDK reads and writes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flex_integration_sdk import LatLng, Money
from flex_integration_sdk._transit import dumps, loads

MODULES = Path(sys.prefix) / "js" / "node_modules"

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed"),
    pytest.mark.skipif(
        not (MODULES / "sharetribe-flex-integration-sdk").exists(),
        reason="the JavaScript SDK is not installed; `dev.py test` does it where npm can",
    ),
]

# An adapter in place of the network: the SDK reads a text as an answer, and sends what it read.
PROGRAM = """
const [, modules] = process.argv;
const transit = require(modules + '/transit-js');
const lib = require(modules + '/sharetribe-flex-integration-sdk');
let answer, sent;
const adapter = async config => {
  if (config.url.endsWith('auth/token')) {
    const token = { access_token: 'a', refresh_token: 'r', token_type: 'bearer' };
    return { status: 200, data: JSON.stringify(token), headers: {}, config };
  }
  sent = config.data;
  const headers = { 'content-type': 'application/transit+json' };
  return { status: 200, data: answer, headers, config };
};
const make = transitVerbose => lib.createInstance({
  clientId: 'id', clientSecret: 'secret', adapter, transitVerbose,
  tokenStore: lib.tokenStore.memoryStore(),
});
const sdks = { false: make(false), true: make(true) };
const library = (text, verbose) => {
  const format = verbose ? 'json-verbose' : 'json';
  return transit.writer(format).write(transit.reader('json').read(text));
};
const official = async (text, verbose) => {
  answer = text;
  const sdk = sdks[verbose];
  const read = (await sdk.marketplace.show()).data;
  await sdk.users.updateProfile(read);
  return sent;
};
const lines = require('readline').createInterface({ input: process.stdin });
const next = async line => {
  const [who, text, verbose] = JSON.parse(line);
  try {
    const found = await (who === 'library' ? library : official)(text, verbose);
    console.log(JSON.stringify({ text: found }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
};
let queue = Promise.resolve();
lines.on('line', line => { queue = queue.then(() => next(line)); });
"""

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(-(2**53), 2**53).filter(lambda number: number != 0),  # -0.0 loses its sign there
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(["~", "^", "`", "^ ", "^0", "~#mn", "~:a", ""]),
    st.uuids(),
    st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - as Hypothesis wants
        lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    ),
    st.sampled_from([Decimal("1.50"), Decimal("0"), Decimal("-12345678901234567890.5")]),
    st.builds(Money, st.integers(-(10**9), 10**9), st.sampled_from(["EUR", "JPY"])),
    st.builds(LatLng, st.floats(-90, 90), st.floats(-180, 180)),
)
KEYS = st.sampled_from(["id", "type", "abc", "title", "publicData", "price", "length"])
VALUES = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
        max_leaves=15,
    ),
    max_size=6,
)


class Oracle:
    """A Node process that answers one line by one."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, who: str, text: str, *, verbose: bool) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([who, text, verbose]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, (answer, text)
        found: str = answer["text"]
        return found


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    command = ["node", "-e", PROGRAM, str(MODULES)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            yield Oracle(process)
        finally:
            process.kill()


def same(one: Any, other: Any) -> bool:
    """Equal, but for JavaScript's one kind of number."""
    return bool(json.dumps(one, default=repr) == json.dumps(other, default=repr) or one == other)


@given(VALUES, st.booleans(), st.booleans())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_transit_js_reads_what_we_write_and_we_what_it_writes(
    oracle: Oracle, value: Any, ours: bool, theirs: bool
) -> None:
    back = oracle.ask("library", dumps(value, verbose=ours), verbose=theirs)
    assert same(loads(back), value)


@given(VALUES, st.booleans(), st.booleans())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.slow
def test_the_official_sdk_reads_what_we_write_and_we_what_it_writes(
    oracle: Oracle, value: Any, ours: bool, theirs: bool
) -> None:
    back = oracle.ask("official", dumps(value, verbose=ours), verbose=theirs)
    assert same(loads(back), value)


def test_many_keys_start_the_cache_over_for_all(oracle: Oracle) -> None:
    # Where exactly each writer starts over may differ; each reader follows.
    value = {"data": [{f"key{number}": number, "title": "x"} for number in range(2500)]}
    for who in ("library", "official"):
        assert loads(oracle.ask(who, dumps(value), verbose=False)) == value
