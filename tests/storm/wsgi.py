"""A web application whose SDK instance is made and used when it is imported, before any fork."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from flex_integration_sdk import create_instance

sdk = create_instance()
sdk.marketplace.show()


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Calls the API; tells the access token's digest and the process."""
    sdk.marketplace.show()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"token": sdk.session.token().digest, "pid": os.getpid()}).encode()]
