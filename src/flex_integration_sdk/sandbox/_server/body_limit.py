"""Refuses bodies that are too large to be kept in memory."""

from __future__ import annotations

from typing import Any

from .bodies import MOST_BODY

_MOST_FORM = 64 * 1024  # bytes; a form holds a secret or two tokens
_MOST_FILE = 1_000_000_000  # bytes; what the API says of a file
# A client that is answered while it sends may see a broken connection in place of the answer. So
# what is a few times too large is read to its end.
_STILL_READ = 4


class TooLarge(Exception):
    """A body is larger than ``most`` bytes."""

    def __init__(self, most: int) -> None:
        super().__init__(f"The body is larger than {most} bytes: send less in one request")


class BodyLimit:
    """An ASGI application around another one, which raises :class:`TooLarge` in it."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Passes the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most, come = _most(scope["path"]), 0
        announced = int(dict(scope["headers"]).get(b"content-length", b"0"))

        async def limited() -> Any:
            nonlocal come
            if announced > most * _STILL_READ:
                raise TooLarge(most)
            message = await receive()
            come += len(message.get("body", b""))
            if come <= most:
                return message
            while message.get("more_body") and come <= most * _STILL_READ:
                message = await receive()
                come += len(message.get("body", b""))
            raise TooLarge(most)

        await self._app(scope, limited, send)


def _most(path: str) -> int:
    if path.startswith("/v1/auth/"):
        return _MOST_FORM
    return _MOST_FILE if path.startswith("/_sandbox/files/") else MOST_BODY
