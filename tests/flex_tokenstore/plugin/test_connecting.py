"""A store that connects in ``__init__`` is told so: when it fails, and when it is checked."""

from __future__ import annotations

import socket
import sys
import types
import uuid
from pathlib import Path

import pytest

from flex_tokenstore import TokenUnavailableError, describe_store, list_stores, open_store
from tests.support.fakes import IDENTITY
from tests.support.plugins import GOOD, install

INIT = "        self.token = None\n"
RULE = "A store must not connect, or read files, in __init__"


class DriverError(Exception):
    """A driver's own."""

    __module__ = "driver"


def installed(folder: Path, monkeypatch: pytest.MonkeyPatch, init: str, head: str = "") -> str:
    """A plugin whose ``__init__`` has these lines; gives the name of its store."""
    monkeypatch.syspath_prepend(str(folder))
    module = f"plugin_{uuid.uuid4().hex}"
    name = f"s{uuid.uuid4().hex[:8]}"
    source = head + GOOD.replace(INIT, f"        {init}\n{INIT}", 1)
    install(folder, name, f"{name} = {module}:Store", **{module: source})
    return name


@pytest.mark.parametrize(
    "raised",
    [
        ConnectionRefusedError(111, "no"),
        TimeoutError(),
        socket.gaierror(),
        EOFError(),
        DriverError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_outage_in_init_says_that_a_store_must_not_connect_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    driver = types.ModuleType("driver_of_tests")
    vars(driver)["error"] = raised
    monkeypatch.setitem(sys.modules, "driver_of_tests", driver)
    name = installed(tmp_path, monkeypatch, "raise driver_of_tests.error", "import driver_of_tests")
    with pytest.raises(TokenUnavailableError) as caught:
        open_store(name, IDENTITY)
    told = str(caught.value)
    assert f"could not be opened: {type(raised).__name__}" in told
    assert f"in __init__ of class Store (distribution {name})" in told
    assert ".py:" in told
    assert RULE in told


def test_a_wrong_value_in_init_is_not_taken_for_an_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = installed(tmp_path, monkeypatch, "raise ValueError('the url')")
    with pytest.raises(TokenUnavailableError, match="ValueError") as caught:
        open_store(name, IDENTITY)
    assert RULE not in str(caught.value)


@pytest.mark.parametrize(
    ("init", "call"),
    [
        ("self.db = sqlite3.connect(options.url)", "sqlite3.connect"),
        ("with closing(connect(options.url)) as db: pass", "connect"),
        ("self.client = redis.Redis(); self.client.ping()", "self.client.ping"),
        ("self.reply = httpx.get(options.url)", "httpx.get"),
        ("Client().session.connect()", "session.connect"),
        ("self.get_token()", ""),
        ("self.client = redis.Redis(options.url)", ""),
        ("self.connect = lambda: sqlite3.connect(options.url)", ""),
        ("self.connect = partial(sqlite3.connect, options.url)", ""),
        ("self.url = vars(options).get('url')", ""),
    ],
)
def test_a_check_sees_a_call_that_connects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, init: str, call: str
) -> None:
    name = installed(tmp_path, monkeypatch, init)
    (info,) = [info for info in list_stores(check=True) if info.name == name]
    assert info == describe_store(name)
    assert info.status == "ok"  # it works while its backend is up
    if call:
        assert f"its __init__ calls {call} (at plugin_" in info.reason
        assert RULE in info.reason
    else:
        assert info.reason == ""


def test_a_check_looks_into_methods_that_init_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = "\n    def _open(self):\n        import socket; socket.create_connection(('a', 1))\n"
    name = installed(tmp_path, monkeypatch, "self._open()")
    (path,) = tmp_path.glob("plugin_*.py")
    path.write_text(path.read_text() + method)
    line = len(path.read_text().splitlines())
    assert f"socket.create_connection (at {path.name}:{line})" in describe_store(name).reason


def test_no_store_of_ours_connects_there() -> None:
    assert not [info.reason for info in list_stores(check=True) if info.reason]
