"""A local server with the wire behaviour of the Authentication and Integration APIs.

For programs and tests that should run offline. Needs the extra ``sandbox``.
"""

from __future__ import annotations

try:
    from ._data.database import SandboxFileError
    from ._server.asgi_app import create_app
    from ._server.planned_faults import FaultKind, FaultTarget
    from ._server.serve import RunningSandbox, SandboxAddressError, run, serve
    from ._settings import SandboxSettings
except ModuleNotFoundError as error:
    if error.name not in ("starlette", "uvicorn"):
        raise
    raise ModuleNotFoundError(
        f"the sandbox needs {error.name}: install flex-integration-sdk[sandbox]", name=error.name
    ) from None

__all__ = [
    "FaultKind",
    "FaultTarget",
    "RunningSandbox",
    "SandboxAddressError",
    "SandboxFileError",
    "SandboxSettings",
    "create_app",
    "run",
    "serve",
]
