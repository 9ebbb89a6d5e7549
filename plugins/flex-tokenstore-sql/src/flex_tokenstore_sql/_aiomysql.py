"""aiomysql's connections, which do not go on in the clear. Imported only when one is made."""

from __future__ import annotations

from typing import Any

import aiomysql  # type: ignore[import-untyped]  # it has no types
from pymysql.constants import CLIENT
from pymysql.err import OperationalError


class Encrypted(aiomysql.Connection):  # type: ignore[misc]  # it has no types
    """With TLS, or not at all: aiomysql itself sends all in the clear if the server has none."""

    _writer = None  # ``__del__`` asks for it, also if ``__init__`` was never reached

    async def _request_authentication(self) -> Any:
        if self._ssl_context is not None and not self.server_capabilities & CLIENT.SSL:
            raise OperationalError(2026, "the server has no TLS")
        return await super()._request_authentication()

    async def _connect(self) -> Encrypted:
        await super()._connect()
        return self


async def connect(**keywords: Any) -> Encrypted:
    """As ``aiomysql.connect``."""
    return await Encrypted(**keywords)._connect()
