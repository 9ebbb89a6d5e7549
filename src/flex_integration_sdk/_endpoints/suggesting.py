"""What is said of an attribute that an SDK instance, or a resource of it, does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

# Actions as other SDKs call them.
_ACTIONS = {
    "show": ("fetch", "find_one", "get", "load", "read", "retrieve"),
    "query": ("all", "filter", "find", "list", "search"),
    "iterate": ("auto_paging_iter", "iter", "paginate", "walk"),
    "create": ("add", "insert", "new"),
    "update": ("edit", "modify", "patch", "save"),
    "delete": ("destroy", "remove"),
    "upload": ("create", "add"),
}


class Suggesting:
    """Base of what a program names attributes of: names the one that was meant."""

    if not TYPE_CHECKING:  # type checkers know which attributes there are

        def __getattr__(self, name: str) -> NoReturn:
            text = f"{type(self).__name__!r} object has no attribute {name!r}"
            # Python asks each object for methods with underscores that few have.
            found = "" if name.startswith("_") else _meant(type(self), name)
            if found:
                text += f"; did you mean {found}?"
            # Without `name` Python would set both and, in a traceback, say what was meant again.
            raise AttributeError(text, name=name)


def _meant(owner: type, name: str) -> str:
    from flex_integration_sdk._vocabulary.misspelling import (
        near,  # here: nearly no program needs it
    )

    known = [each for each in dir(owner) if not each.startswith("_")]
    if found := near(name, known):
        return found[0]
    others = (action for action, words in _ACTIONS.items() if action in known and name in words)
    return next(others, "")
