"""Keeps OAuth tokens in HashiCorp Vault or OpenBao, shared by all hosts that reach the server."""

from __future__ import annotations

from ._kv1 import AsyncVaultKv1Store, VaultKv1Store
from ._options import Options
from ._store import AsyncVaultStore, VaultStore

__all__ = ["AsyncVaultKv1Store", "AsyncVaultStore", "Options", "VaultKv1Store", "VaultStore"]
