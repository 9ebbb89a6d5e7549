"""The flow: how a session obtains a token, without I/O.

Each flow is a generator of steps (:mod:`.steps`): the sync and the async session perform them and
send what came of them. What a session knows is in :mod:`.state`; each other module is one part of
the flow, with the decisions that belong to it as small functions.

The driver releases the lock when a flow ends, however it ends: no generator here yields while it is
being closed.
"""

from __future__ import annotations

from .obtaining import look, obtain
from .revoking import remove, revoke
from .saving import save_again

__all__ = ["look", "obtain", "remove", "revoke", "save_again"]
