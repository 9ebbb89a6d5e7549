"""A client that shows what is on the wire, for tests of the sandbox."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from flex_integration_sdk.sandbox import RunningSandbox


class Client:
    """A signed-in client of one sandbox."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox
        form = {
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "grant_type": "client_credentials",
        }
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.send("POST", "/v1/auth/token", urlencode(form), kind)[2]
        self.access: str = json.loads(answer)["access_token"]

    def send(
        self, method: str, path: str, body: str, headers: dict[str, str]
    ) -> tuple[int, str, bytes]:
        netloc = urlsplit(self.sandbox.base_url).netloc
        connection = http.client.HTTPConnection(netloc, timeout=10)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read()
        finally:
            connection.close()

    def raw(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, bytes]:
        found = {"Authorization": f"Bearer {self.access}"}
        found |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(method, f"/v1/integration_api/{path}", "", found)

    def get(self, path: str, **query: str) -> Any:
        status, _, body = self.raw(f"{path}?{urlencode(query)}")
        assert status == 200, body
        return json.loads(body)

    def refused(self, path: str, **query: str) -> tuple[int, str]:
        status, _, body = self.raw(f"{path}?{urlencode(query)}")
        return status, json.loads(body)["errors"][0]["code"]
