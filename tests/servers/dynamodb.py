"""moto's DynamoDB, which keeps all in memory. Needs the wheels ``moto`` and ``boto3``.

Run as a program, this module is the server. moto's own program answers requests at the same time,
and compares and writes in two steps: updates are lost then, as they never are in DynamoDB.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3

from tests.servers import end_with_us, free_port, own_folder

ROOT = Path(__file__).resolve().parents[2]
TABLE = "flex-tokens"
# moto takes any; boto3 asks for some.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
REGION = {"AWS_DEFAULT_REGION": "eu-west-1"}


class DynamoDb:
    """A running server with one table. Stop it, or use it in a ``with`` statement."""

    def __init__(self) -> None:
        self.folder = own_folder("dynamodb")
        self.port = free_port()
        command = [sys.executable, "-m", "tests.servers.dynamodb", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env={**os.environ, **CREDENTIALS, **REGION},
                cwd=ROOT,
                preexec_fn=end_with_us,
            )
        try:
            self._await()
            self.make_table(TABLE)
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Any:
        """A client of its own for the caller."""
        return boto3.Session("x", "x", region_name=REGION["AWS_DEFAULT_REGION"]).client(
            "dynamodb", endpoint_url=self.url
        )

    def make_table(self, name: str, key: str = "id") -> None:
        """Makes a table with this partition key, a string."""
        self.client().create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def stop(self) -> None:
        """Ends the server and removes its folder; twice is fine."""
        self._process.kill()  # it keeps nothing
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _await(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.02)

    def __enter__(self) -> DynamoDb:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def serve(port: int) -> None:
    """Answers one request after the other, on connections that stay open."""
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import run_simple

    class Handler(MotoRequestHandler):
        protocol_version = "HTTP/1.1"

    app = DomainDispatcherApplication(create_backend_app)
    turn = threading.Lock()

    def one_at_a_time(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        # All of it first: nobody else waits for a client that is slow.
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with turn:
            return list(app({**environ, "wsgi.input": io.BytesIO(body)}, start))

    run_simple("127.0.0.1", port, one_at_a_time, threaded=True, request_handler=Handler)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
