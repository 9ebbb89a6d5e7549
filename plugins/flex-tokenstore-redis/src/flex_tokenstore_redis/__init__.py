"""Keeps OAuth tokens in Redis or Valkey, shared by all hosts that reach the server."""

from __future__ import annotations

from ._options import Options
from ._store import AsyncRedisStore, RedisStore

__all__ = ["AsyncRedisStore", "Options", "RedisStore"]
