"""Encrypts OAuth tokens before another token store keeps them."""

from __future__ import annotations

from ._options import Options
from ._store import EncryptedStore

__all__ = ["EncryptedStore", "Options"]
