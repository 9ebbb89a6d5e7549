"""``flex-sdk call``: what goes over the wire for what was typed; and tables on narrow terminals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from flex_integration_sdk._wire.query import query_string
from flex_integration_sdk.cli import _app

COMMAND = [sys.executable, "-m", "flex_integration_sdk.cli"]


class Recorder(BaseHTTPRequestHandler):
    """Gives tokens and empty answers, and keeps the paths."""

    paths: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer({"access_token": "a", "token_type": "bearer", "expires_in": 60})

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self._answer({"data": []})

    def _answer(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def paths(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    found: list[str] = []
    handler = type("Handler", (Recorder,), {"paths": found})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", address)
        monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", "me")
        monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", "secret")
        yield found
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("typed", "name", "value"),
    [
        ("pub_category=tent", "pub_category", "tent"),
        ("meta_is_ok=has_all:a,b", "meta_is_ok", "has_all:a,b"),
        ("priv_note_to_self=x", "priv_note_to_self", "x"),
        ("prot_phone=%2B358 5", "prot_phone", "%2B358 5"),
        ("keywords=a=b&c=d", "keywords", "a=b&c=d"),
        ("keywords=", "keywords", ""),
        ("per_page=2", "perPage", "2"),
        ("perPage=2", "perPage", "2"),
        ("fields.listing=title,price", "fields.listing", "title,price"),
        ("fields.user=profile.publicData", "fields.user", "profile.publicData"),
        ("image_variant.my_small=w:320;fit:scale", "imageVariant.my_small", "w:320;fit:scale"),
        ("not_known_yet:=1", "notKnownYet", "1"),
        ("self:=1", "self", "1"),
        ("endpoint:=1", "endpoint", "1"),
    ],
)
def test_what_was_typed_goes_over_the_wire(
    typed: str, name: str, value: str, paths: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _app.run(["call", "listings.query", typed]) == 0
    assert json.loads(capsys.readouterr().out) == {"data": []}
    (path,) = paths
    query = urlsplit(path).query
    assert parse_qsl(query, keep_blank_values=True) == [(name, value)]


def test_names_after_a_dot_are_the_users() -> None:
    assert query_string({"image_variant": {"my_small": "w:1"}}) == query_string(
        {"image_variant.my_small": "w:1"}
    )


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    "columns", [40, *(pytest.param(wider, marks=pytest.mark.slow) for wider in (60, 80, 200))]
)
def test_words_are_whole_on_any_terminal(columns: int) -> None:
    import fcntl
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen(
        [*COMMAND, "stores", "list", "--check"],
        env={**environment, "TERM": "xterm"},
        stdout=slave,
        stdin=slave,
    ) as child:
        os.close(slave)
        shown = b""
        try:
            while chunk := os.read(master, 65536):
                shown += chunk
        except OSError:  # Linux ends a pseudo-terminal this way
            pass
        finally:
            os.close(master)
        assert child.wait(30) == 0
    for word in ("compare-and-set", "share_with_js", "permissions", "built-in"):
        assert word in shown.decode()
