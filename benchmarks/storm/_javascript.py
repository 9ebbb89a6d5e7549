"""The official JavaScript SDK, where Node and the package are."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from ._clients import Client

MODULES = Path(sys.prefix) / "js" / "node_modules"
PACKAGE = "sharetribe-flex-integration-sdk"


class JavaScript(Client):
    name = "JavaScript SDK, file store"
    modes = ("processes", "tasks")

    @property
    def path(self) -> Path:
        return self.place.folder / "flex-integration-sdk-nodejs" / "file-store-token.json"

    @staticmethod
    def missing() -> str | None:
        """Why it cannot be run; None: it can."""
        if sys.platform != "linux":
            return "its folder can be chosen on Linux only"
        if shutil.which("node") is None:
            return "Node is not installed"
        return None if (MODULES / PACKAGE).exists() else f"the npm package {PACKAGE} is not there"

    def seed(self, token: dict[str, Any]) -> None:
        self.path.parent.mkdir(mode=0o700)
        self.path.write_text(json.dumps(token))

    def stored_refresh_token(self) -> str:
        return str(json.loads(self.path.read_text())["refresh_token"])

    @property
    def environment(self) -> dict[str, str]:
        return {"XDG_CONFIG_HOME": str(self.place.folder), "NODE_PATH": str(MODULES)}
