"""The program that embeds the framework, as far as folders and messages name it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import NamedTuple


class HostProgram(NamedTuple):
    """The program that embeds the framework: its folder, its command and its variable.

    Pass it with each ``TokenIdentity``; it is not a part of whose token it is. A store finds it as
    ``identity.program``, such as for an advice in a message. Two programs of one process have one
    each.

    Args:
        folder: Name of the folder for the program's files in ``~/.config`` and
            ``~/.local/state``, without a slash. Programs that share a token need the same one:
            it has the default file of the store ``file``, and the lock of a store without one.
        command: Its command, such as ``"acme"``, if that has the subcommands ``token remove`` and
            ``stores list``. "": it has none; messages then name the functions of Python.
        store_variable: Name of the environment variable that contains the store's name, such as
            ``"ACME_TOKEN_STORE"``; ``ACME_TOKEN_STORE__PATH`` is then the option ``path``. "":
            the program takes no store from the environment.
    """

    # The distribution that this framework is in. A token that is kept there must be found after an
    # upgrade, also by programs that use the framework alone.
    folder: str = "flex-integration-sdk"
    command: str = ""
    store_variable: str = ""

    @property
    def removal(self) -> str:
        """What removes a stored token, for messages: ``f"{program.removal} moves it aside"``."""
        return f"`{self.command} token remove`" if self.command else "`remove_token()`"

    @property
    def listing(self) -> str:
        """What lists the installed stores, for messages."""
        return f"`{self.command} stores list`" if self.command else "`list_stores()`"

    @property
    def path_option(self) -> str:
        """The option ``path`` of a store, for messages, with its variable if it has one."""
        if not self.store_variable:
            return "the option path"
        return f"the option path (in the environment {self.store_variable}__PATH)"


NOBODY = HostProgram()
"""For programs that use the framework alone."""

current: ContextVar[HostProgram] = ContextVar("flex_tokenstore_program", default=NOBODY)
"""That of the store which is being opened or called, for code too deep in it to see an identity."""
