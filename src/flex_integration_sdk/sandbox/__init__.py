"""A local server with the wire behaviour of the Authentication and Integration APIs.

For programs and tests that should run offline. Needs the extra ``sandbox``.
"""

from __future__ import annotations

from ._app import create_app
from ._serve import RunningSandbox, run, serve
from ._settings import SandboxSettings

__all__ = ["RunningSandbox", "SandboxSettings", "create_app", "run", "serve"]
