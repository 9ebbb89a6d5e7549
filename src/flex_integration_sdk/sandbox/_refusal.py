"""How an endpoint of the sandbox refuses."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

# A key of a body can have megabytes.
_MOST_OF_A_NAME = 100  # characters


class ApiFault(Exception):
    """An error response.

    Args:
        status: HTTP status.
        code: ``errors[0].code``, as the API's reference lists them.
        title: ``errors[0].title``.
        path: Where in the request it is, such as ``("price",)``.
        where: ``"body"`` or ``"query"``.
        headers: Headers of the response, such as ``Allow``.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        *,
        path: tuple[str, ...] = (),
        where: str = "query",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status, self.code, self.title = status, code, _sendable(title)
        self.path, self.where = tuple(map(_sendable, map(_short, path))), where
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The body of the response."""
        error: dict[str, Any] = {
            "id": uuid.uuid4(),
            "status": self.status,
            "code": self.code,
            "title": self.title,
        }
        if self.path:
            error["source"] = {"path": list(self.path), "type": self.where}
        return {"errors": [error]}


def _sendable(text: str) -> str:
    """Text of a request, for the response: half a surrogate pair is written as an escape."""
    return text.encode(errors="backslashreplace").decode()


def _short(name: str) -> str:
    return name if len(name) <= _MOST_OF_A_NAME else f"{name[:_MOST_OF_A_NAME]}…"


def not_found(what: str = "Not found") -> ApiFault:
    """404."""
    return ApiFault(404, "not-found", what)


def conflict(code: str, title: str) -> ApiFault:
    """409."""
    return ApiFault(409, code, title)
