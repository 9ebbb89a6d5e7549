"""Whether what a store keeps can be read without its key: its attribute ``encrypted_at_rest``.

It is looked up statically, so that no property of a stranger's runs and no mock answers, and only
``True`` counts.
"""

from __future__ import annotations

import inspect

NAME = "encrypted_at_rest"
# Optional, of the class: the name of the option with which an instance lowers it, for messages.
LOWERED_BY = "plaintext_option"


def class_encrypts(cls: type) -> bool:
    """Whether the class says that nobody reads its tokens where they lie.

    A class of another package does not inherit it: what it adds to the base may write anywhere.
    """
    for each in cls.__mro__:
        if NAME in vars(each):
            return vars(each)[NAME] is True and _package(each) == _package(cls)
    return False


def object_encrypts(store: object) -> bool:
    """The same of a store that was made: it may set the attribute to False, but not to True."""
    return class_encrypts(type(store)) and inspect.getattr_static(store, NAME) is True


def lowered_by(store: object) -> str | None:
    """The option because of which a store of an encrypting class does not encrypt, if it tells."""
    name = inspect.getattr_static(type(store), LOWERED_BY, None)
    return name if isinstance(name, str) else None


def _package(cls: type) -> str:
    return cls.__module__.partition(".")[0]
