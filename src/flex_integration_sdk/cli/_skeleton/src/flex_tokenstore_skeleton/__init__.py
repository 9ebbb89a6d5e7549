"""The token store ``skeleton`` for flex-integration-sdk."""

from __future__ import annotations

from ._store import SkeletonStore

__all__ = ["SkeletonStore"]
