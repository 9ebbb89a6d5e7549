"""The id of each request, which the response and the events of a command tell."""

from __future__ import annotations

import uuid
from typing import Any

from starlette.requests import Request

_HEADER = b"x-request-id"
_KEY = "flex_sandbox.request_id"


class RequestIds:
    """An ASGI application around another one, whose responses get the header ``x-request-id``."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Passes the request on."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        id = uuid.uuid4()

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                if _HEADER not in {name.lower() for name, _ in headers}:  # a planned fault's own
                    message = {**message, "headers": [*headers, (_HEADER, str(id).encode())]}
            await send(message)

        await self._app({**scope, _KEY: id}, receive, sent)


def id_of(request: Request) -> uuid.UUID:
    """The id of a request to the API."""
    found: uuid.UUID = request.scope[_KEY]
    return found
