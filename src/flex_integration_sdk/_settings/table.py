"""Every setting, once: its name, its variable, its kind, and where it may be set."""

from __future__ import annotations

from typing import Literal, NamedTuple

PREFIX = "FLEX_INTEGRATION_"
PROFILES = "profiles"
"""The table of the config file that has a section for each profile."""

Kind = Literal["text", "path", "switch", "store", "command"]


class Setting(NamedTuple):
    """One setting of an instance; ``create_instance`` has an argument of that name."""

    name: str
    kind: Kind
    about: str
    """One sentence, for the JSON schema and the command line."""
    secret: bool = False
    """Nobody else may see the value."""
    only_in_file: bool = False
    """There is neither an argument nor a variable for it."""
    in_file: bool = True
    """``config.toml`` may have it, at the top level and in each profile."""

    @property
    def variable(self) -> str:
        """The environment variable; "" if there is none."""
        return "" if self.only_in_file else f"{PREFIX}{self.name.upper()}"


SETTINGS = (
    Setting("config", "path", "Path of the config file.", in_file=False),
    Setting(
        "profile",
        "text",
        "Which [profiles.NAME] of the config file is used; it also keeps tokens apart.",
        in_file=False,
    ),
    Setting("client_id", "text", "Client id of an application of type Integration API."),
    Setting(
        "client_secret",
        "text",
        "The client secret. Better keep it in a file of its own: client_secret_file.",
        secret=True,
    ),
    Setting("client_secret_file", "path", "Path of a file that contains the client secret."),
    Setting(
        "client_secret_cmd",
        "command",
        "A program that prints the client secret, and its arguments. No shell runs it.",
        secret=True,
        only_in_file=True,
    ),
    Setting("base_url", "text", "Address of the server; by default the live API."),
    Setting(
        "allow_http",
        "switch",
        "Accept plain http to another host: the client secret travels unencrypted.",
    ),
    Setting(
        "require_encrypted",
        "switch",
        "Refuse a token store that would keep the token as plain text.",
    ),
    Setting("token_store", "store", "The token store: its name, or a table with its options."),
)

BY_NAME = {each.name: each for each in SETTINGS}
VARIABLES = {each.name: each.variable for each in SETTINGS}
"""By name of a setting, its environment variable; "" if it has none."""
