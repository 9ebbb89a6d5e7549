"""moto's DynamoDB, which keeps all in memory. Needs the wheels ``moto`` and ``boto3``."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from types import TracebackType
from typing import Any

import boto3

from tests.servers import end_with_us, free_port, own_folder

TABLE = "flex-tokens"
# moto takes any; boto3 asks for some.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
REGION = {"AWS_DEFAULT_REGION": "eu-west-1"}


class DynamoDb:
    """A running server with one table. Stop it, or use it in a ``with`` statement."""

    def __init__(self) -> None:
        self.folder = own_folder("dynamodb")
        self.port = free_port()
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env={**os.environ, **CREDENTIALS, **REGION},
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
