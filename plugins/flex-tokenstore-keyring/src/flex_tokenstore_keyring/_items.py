"""The items of a keyring, each read back once it is written."""

from __future__ import annotations

import time
from typing import Any

from flex_tokenstore import Secret

from ._problems import Failed, Problem, close_connections, explain

USER = "token"
"""The user name of each item. The same for all: each item has a service name of its own, since the
Windows Credential Manager has one item for a service name, and keyring moves that of another user
to another name, in two steps that another program may come between."""
_TRIES = 3  # deletions of one item; on Windows, and after two hosts wrote, there may be two of it
_PAUSES = (0.01, 0.05, 0.2, 0.0)  # seconds. gnome-keyring at times says that there is no such
# item, or no keyring, while it answers several programs at once
_AT_ONCE = 0.5  # seconds


class KeyringItems:
    """What a record needs of a keyring.

    Args:
        keyring: A backend of keyring.
        largest: Characters of the largest item that it takes.
    """

    def __init__(self, keyring: Any, largest: int | None) -> None:
        self._keyring = keyring
        self.largest = largest

    def get(self, name: str) -> Secret[str] | None:
        found = self._call("get_password", name)
        if found.reveal() is None:
            return None
        if not isinstance(found.reveal(), str):
            raise Failed(Problem("it returned something that is not a string"))
        return found

    def put(self, name: str, text: Secret[str]) -> None:
        self._call("set_password", name, text)
        # Some backends do not tell that they kept nothing, or only a part.
        if self.get(name) != text:
            raise Failed(
                Problem(f"it did not keep {name}, and did not say why. See `keyring diagnose`")
            )

    def drop(self, name: str) -> bool:
        for tries in range(_TRIES):
            if self.get(name) is None:
                return tries > 0
            self._delete(name)
        if self.get(name) is not None:
            raise Failed(Problem(f"it still has {name}, although it deleted it"))
        return True

    def _delete(self, name: str) -> None:
        problem = None
        try:
            self._call("delete_password", name)
        except Failed as failed:
            problem = failed.problem
        # keyring has one error for "not found" and for all other reasons.
        if problem is not None and self.get(name) is not None:
            raise Failed(problem)

    def _call(self, method: str, name: str, *texts: Secret[str]) -> Secret[Any]:
        for pause in _PAUSES:
            began = time.monotonic()
            try:
                call = getattr(self._keyring, method)
                return Secret(call(name, USER, *(text.reveal() for text in texts)))
            except Exception as error:  # noqa: BLE001 - each backend has errors of its own
                close_connections(error)
                problem = explain(error)
            if time.monotonic() - began > _AT_ONCE:
                # It has asked somebody, who should not be asked the same again.
                problem = problem._replace(passing=False, again=False)
            if not problem.again:
                break
            time.sleep(pause)
        # After the block: else keyring's error would be the context, with the token in its frames.
        raise Failed(problem)
