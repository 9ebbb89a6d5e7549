"""One value and its origin, and the sections of the config file that values come from."""

from __future__ import annotations

from typing import Any, NamedTuple

from flex_tokenstore import Secret

from .config_file import ConfigFile, check_section

DEFAULT = "default"
ARGUMENT = "argument"


class Found(NamedTuple):
    """A value, and where it comes from. It does not show the value: an address may have a password
    in it, and somebody may put the secret in the place of anything."""

    kept: Secret[str]
    subject: str
    """The setting as the subject of a sentence: the argument, the variable, or key and line."""
    origin: str = DEFAULT
    """For people who ask where it comes from."""

    @property
    def value(self) -> str:
        """The value; "" if there is none."""
        return self.kept.reveal()

    @property
    def is_argument(self) -> bool:
        """The program passed it."""
        return self.origin == ARGUMENT


class Section:
    """A part of a config file with settings."""

    def __init__(self, file: ConfigFile, path: tuple[str, ...]) -> None:
        self._file = file
        self.path = path

    def check(self) -> list[str]:
        """See :func:`check_section`."""
        return check_section(self._file, self.path)

    def get(self, name: str) -> Any:
        """The value of a setting; None: it is not there, or empty."""
        value = self._file.table(self.path).get(name)
        return None if value in ("", []) else value

    def origin(self, name: str) -> str:
        """File and line of a setting."""
        return self._file.origin((*self.path, name))

    def subject(self, name: str) -> str:
        """A setting as the subject of a sentence."""
        return f"{name} (in {self.origin(name)})"
