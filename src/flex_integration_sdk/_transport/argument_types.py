"""Types of the arguments that are about connections."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Optional, Union

if TYPE_CHECKING:
    import ssl

    import httpx2

    from .request_event import RequestEvent

# With strings: to import ssl and httpx2 takes longer than to make an instance.
Verify = Union[bool, str, os.PathLike[str], "ssl.SSLContext"]
_Path = str | os.PathLike[str]
ClientCert = _Path | tuple[_Path, _Path] | tuple[_Path, _Path | None, str | bytes | None]
HttpClient = Optional["httpx2.Client"]
AsyncHttpClient = Optional["httpx2.AsyncClient"]
AnyHttpClient = Union["httpx2.Client", "httpx2.AsyncClient"]
OnRequest = Callable[["RequestEvent"], object]
