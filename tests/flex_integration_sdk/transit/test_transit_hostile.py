"""Documents of 50 MB that are made to take time or memory, each in a process with limits.

A right value or the typed error within a minute of CPU time and 700 MB beyond the text. What is
quadratic, or holds all that such a text can stand for, does not get there.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from flex_integration_sdk._transit import TaggedValue, TransitError, loads

SIZE = 50 << 20  # bytes
CPU = 60  # seconds
MEMORY = 700 << 20  # bytes beyond the document

CHILD = """
import resource, sys
from flex_integration_sdk._transit import TransitError, loads
import msgspec.json

def peak():
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else found * 1024

cpu = int(sys.argv[1])
text = sys.stdin.buffer.read()
resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
before = peak()
try:
    kind = type(loads(text)).__name__
except TransitError as error:
    kind = str(error)
print(peak() - before, kind, sep="|")
"""

ID = "5f1d1a6e-0000-4000-8000-000000000001"


def repeated(unit: str, head: str = "[") -> str:
    """An array of the same thing as often as it fits."""
    return head + ",".join([unit] * (SIZE // (len(unit) + 1))) + "]"


def numbered(unit: str, head: str, tail: str) -> str:
    """Different things: ``unit`` with a number of six hexadecimal digits in it."""
    size = len(unit % 0) + 1
    return head + ",".join([unit % number for number in range(SIZE // size)]) + tail


def long(head: str, tail: str, fill: str = "9") -> str:
    return head + fill * (SIZE // len(fill)) + tail


DOCUMENTS = {
    # nesting
    "open arrays": lambda: "[" * SIZE,
    "open objects": lambda: '{"a":' * (SIZE // 5),
    "open maps": lambda: '["^ ","a",' * (SIZE // 10),
    "open tags": lambda: '["~#set",' * (SIZE // 9),
    "as deep as allowed": lambda: repeated("[" * 190 + "]" * 190),
    # many values
    "empty arrays": lambda: repeated("[]"),
    "small objects": lambda: repeated('{"a":1}'),
    "small maps": lambda: repeated('["^ ","a",1]'),
    "numbers": lambda: repeated("1000"),
    "texts": lambda: repeated('"€"'),
    "decimals": lambda: repeated('"~f1"'),
    "times": lambda: repeated('"~m1"'),
    "money": lambda: repeated('["~#mn",[1,"EUR"]]'),
    "unknown tags": lambda: repeated('["~#a",1]'),
    "ids": lambda: numbered('"~u00%06x-0000-4000-8000-000000000001"', "[", "]"),
    "keys of a map": lambda: numbered('"~:%06x0000000000",1', '["^ ",', "]"),
    "keys of a verbose map": lambda: numbered('"~:%06x0000000000":1', "{", "}"),
    "pairs of a cmap": lambda: numbered('"%06x0000000000",1', '["~#cmap",[', "]]"),
    # the cache
    "entries of the cache": lambda: numbered('"~:%06x000000"', "[", "]"),
    "one code": lambda: repeated('"^0"', '["~:a text that is cached, and as long as that",'),
    "a code of nothing": lambda: repeated('"^["'),
    "a code of a long text": lambda: '["~:' + "a" * (SIZE - 20_000_000) + '",'
    + ",".join(['"^0"'] * 3_900_000) + "]",
    # long texts and numbers
    "a text": lambda: long('["', '"]', "a"),
    "escapes": lambda: long('["', '"]', "\\u20ac"),
    "an integer": lambda: long("[", "]"),
    "a fraction": lambda: long("[0.", "]"),
    "an exponent": lambda: long("[1e", "]"),
    "~i": lambda: long('["~i', '"]'),
    "~n": lambda: long('["~n-', '"]'),
    "~f": lambda: long('["~f', '"]'),
    "~f of no number": lambda: long('["~f', 'x"]'),
    "~f of a fraction": lambda: long('["~f0.', '"]'),
    "~f of an exponent": lambda: long('["~f1e', '"]'),
    "~d": lambda: long('["~d', '"]'),
    "~d of no number": lambda: long('["~d', 'x"]'),
    "~d of no exponent": lambda: long('["~d1e', 'x"]'),
    "~m": lambda: long('["~m', '"]'),
    "~t": lambda: long('["~t', '"]'),
    "~b": lambda: long('["~b', '"]', "aaaa"),
    "~u": lambda: long('["~u', '"]', "a"),
    "~z": lambda: long('["~z', '"]'),
    "an unknown letter": lambda: long('["~Y', '"]'),
    "a long key": lambda: long('["^ ","~:', '",1]', "a"),
    "a long tag": lambda: long('["~#', '",1]', "a"),
    "a long currency": lambda: long('["~#mn",[1,"', '"]]', "A"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits of a process")
@pytest.mark.timeout(CPU * 5)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_fifty_megabytes(name: str) -> None:
    text = DOCUMENTS[name]().encode()
    assert len(text) > SIZE * 0.9
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(CPU)], input=text, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]  # SIGXCPU is -24
    grown, kind = done.stdout.decode().split("|", 1)
    assert int(grown) < MEMORY, f"{int(grown) >> 20} MB, {kind}"


@pytest.mark.parametrize("start", ["~f", "~d", "~f-.", "~d1e", "~i", "~t", "~f1."])
def test_no_wrong_number_takes_time_by_its_square(start: str) -> None:
    text = "1" * 400_000 + "x"
    assert loads(f'["{start}{text}"]') == [TaggedValue(start[1], start[2:] + text)]


def test_more_values_than_any_page_has() -> None:
    with pytest.raises(TransitError, match="more than 4000000 values"):
        loads("[" + "1," * 4_000_000 + "1]")
    for text in ("," * 3_999_000, "[" * 3_999_000, ",[{" * 1_333_000):
        assert loads(f'["{text}"]') == [text]
    assert len(loads(b"[" + b"1," * 3_999_000 + b"1]")) == 3_999_001
