"""Keeps OAuth tokens in the keyring of the user's system."""

from __future__ import annotations

from ._options import Options
from ._store import KeyringStore

__all__ = ["KeyringStore", "Options"]
