"""Where files go, for this user."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platformdirs.api import PlatformDirsABC

APP = "flex-integration-sdk"


def config_folder() -> Path:
    """``~/.config/flex-integration-sdk`` (``XDG_CONFIG_HOME`` honoured, on macOS too)."""
    return Path(_dirs(APP).user_config_dir)


def state_folder() -> Path:
    """``~/.local/state/flex-integration-sdk`` (``XDG_STATE_HOME`` honoured)."""
    return Path(_dirs(APP).user_state_dir)


def javascript_folder() -> Path:
    """Where the JavaScript SDK's file store really writes."""
    if sys.platform == "win32":
        return Path(_dirs(f"{APP}-nodejs").user_config_dir) / "Config"
    suffix = "" if sys.platform == "darwin" else "-nodejs"
    return Path(_dirs(f"{APP}{suffix}").user_config_dir)


def _dirs(name: str) -> PlatformDirsABC:
    if sys.platform == "win32":
        from platformdirs.windows import Windows

        return Windows(name, appauthor=False, roaming=True)
    from platformdirs.unix import Unix

    return Unix(name, appauthor=False)
