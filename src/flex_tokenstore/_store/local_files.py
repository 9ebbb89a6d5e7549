"""Which files of this machine an opened store uses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .sync import TokenStore


class LocalFiles(NamedTuple):
    """The files of one identity in one store; each may be missing, since nothing was saved yet."""

    token: Path | None
    """The file with the token; None: the token is not in a file of this machine."""
    lock: Path | None
    """The lock file; None: the token lock is not a file of this machine."""


def local_files(store: TokenStore) -> LocalFiles:
    """The files of this machine that a store uses, to look at their rights, owner and disk.

    Of a store that wraps another one they are those of the innermost store. A store says where they
    are by its attributes ``token_file`` and ``lock_file``, which are optional: if it has none, they
    are not known. For a store without a lock, the lock file is the one that the framework adds.

    Args:
        store: The opened store; nothing of it is called.
    """
    opened = store._opened
    binding = opened.binding.innermost
    lock = binding.path("lock_file")
    if opened.binding.token_lock is None and (host_lock := opened.host_lock()) is not None:
        lock = host_lock.path
    return LocalFiles(binding.path("token_file"), lock)
