"""The built-in store that keeps the token in a file of this computer."""

from .store import FileStore

__all__ = ["FileStore"]
