"""What the options of a command say about one token store."""

from __future__ import annotations

from typing import NamedTuple


class Side(NamedTuple):
    """What the user said about one of the two stores."""

    flag: str
    name: str | None
    options: tuple[str, ...]
    prefix: str | None
    has_env: bool = True
    """The command has the option ``--<flag>-env``."""

    @property
    def is_bare(self) -> bool:
        """Only a name was given, so that options may come from the environment."""
        return self.name is not None and not self.options and self.prefix is None
