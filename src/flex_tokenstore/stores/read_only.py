"""The built-in wrapper for a program that uses a token and never renews it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from flex_tokenstore._plugin.wrapper import WrapperStore
from flex_tokenstore.errors import TokenReadOnlyError
from flex_tokenstore.hookspecs import hookimpl


class ReadOnlyStore(WrapperStore):
    """Reads the token of another store and changes nothing; another program renews it."""

    read_only: ClassVar[bool] = True

    @dataclass(kw_only=True)
    class Options:
        """The store that is read."""

        inner: Any  #: the store that holds the token: its name, or a table with name and options

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> NoReturn:
        """Refuses to save."""
        raise self._refusal("saved")

    @hookimpl
    def remove_token(self, expected: str | None) -> NoReturn:
        """Refuses to remove."""
        raise self._refusal("removed")

    # Marked: else the inner store's own would be bound, which may say that it can save.
    @hookimpl
    def prepare_save(self, expected: str | None) -> NoReturn:
        """Refuses, before anything is requested."""
        raise self._refusal("saved")

    @hookimpl
    def token_lock(self, wait: float, lease: float) -> NoReturn:
        """Refuses: the program that renews the token needs the inner store's lock."""
        raise self._refusal("locked")

    def _refusal(self, done: str) -> TokenReadOnlyError:
        place = self.place
        return TokenReadOnlyError(
            f"the token in {place} cannot be {done} here, since the store 'read-only' only reads "
            "it: use the inner store itself in the program that is to do so",
            store="read-only",
            place=place,
        )
