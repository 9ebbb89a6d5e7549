"""The profile that ``flex-sdk init`` writes: what it replaces, and the new text of config.toml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from flex_integration_sdk._settings.config_file import SECRETS, ConfigFile, read_config
from flex_integration_sdk._settings.redacting import HIDDEN, is_open_address
from flex_integration_sdk._settings.table import PROFILES
from flex_tokenstore import Secret, read_secret_file

_REDIS = (
    "For Redis, put this line in place of the one above (it needs flex-tokenstore-redis):",
    'token_store = { name = "redis", url = "redis://127.0.0.1:6379" }',
)
_READS = 20  # another `flex-sdk init` may replace the file between two of them
_BY_HAND = "write the profile into it with an editor"


class ConfigText:
    """A config file as it is, or an empty one.

    Args:
        path: Where it is, or will be.
        profile: Name of the profile.

    Raises:
        ConfigurationError: It is not TOML, or other users may change it.
        ClickException: It cannot be read, or other programs write it all the time.
    """

    def __init__(self, path: Path, profile: str) -> None:
        self.path, self.profile = path, profile
        file, self._text = _read_both(path)
        profiles = file.table(()).get(PROFILES) or {}
        if not isinstance(profiles, Mapping) or not isinstance(profiles.get(profile, {}), Mapping):
            raise click.ClickException(
                f"{path} has {PROFILES} in a form that cannot be changed here: {_BY_HAND}"
            )
        self.own: Mapping[str, Any] = profiles.get(profile) or {}
        self.is_new = profile not in profiles
        self.top: Mapping[str, Any] = file.table(())

    @property
    def has_secret(self) -> bool:
        """The profile says where the client secret is."""
        return any(self.own.get(name) for name in SECRETS)

    @property
    def base_url(self) -> str:
        """Address of the server that the profile has; that of the live API by default."""
        from flex_integration_sdk.config import DEFAULT_BASE_URL

        return str(self.own.get("base_url") or self.top.get("base_url") or DEFAULT_BASE_URL)

    @property
    def client_id(self) -> str:
        """Client id that the profile has, or ""."""
        return str(self.own.get("client_id") or self.top.get("client_id") or "")

    def keeps_secret(self, client_id: str, base_url: str) -> bool:
        """Whether the client secret that the profile has is of that client at that server.

        Args:
            client_id: The client.
            base_url: The server; "": it stays as it is.
        """
        from flex_tokenstore.embedding import normalise_url

        same = client_id == self.client_id
        if same and base_url and base_url != self.base_url:
            try:
                same = normalise_url(base_url) == normalise_url(self.base_url)
            except ValueError:  # one of them is wrong, which is told by itself
                same = False
        return same and self.has_secret

    def changes(self, values: Mapping[str, Any]) -> Iterator[str]:
        """What would change in an existing profile, one line for each setting; no secret."""
        for name, value in values.items():
            before = Secret(self.own.get(name))
            if before == Secret(value):
                continue
            after = "removed" if value is None else shown(name, Secret(value))
            is_new = before.reveal() is None
            yield f"{name}: {'not set' if is_new else shown(name, before)} -> {after}"

    def with_profile(self, values: Mapping[str, Any]) -> Secret[str]:
        """The text with the settings of the profile; comments and other profiles stay.

        Args:
            values: The settings; None: it is removed.

        Raises:
            ClickException: The file has a form that cannot be edited.
        """
        try:
            edited = _edited(self._text, self.profile, values)
        except Exception:  # noqa: BLE001 - tomlkit cannot change each form of TOML that it reads
            edited = None
        if edited is None or not self._is_right(edited, values):
            raise click.ClickException(
                f"{self.path} has a form that cannot be changed here: {_BY_HAND}. "
                "Nothing was changed"
            )
        return edited

    def _is_right(self, edited: Secret[str], values: Mapping[str, Any]) -> bool:
        """It says what it said before, but for this profile."""
        import tomllib

        try:
            new = Secret(tomllib.loads(edited.reveal()))
        except tomllib.TOMLDecodeError:
            return False
        own = Secret({**self.own, **values})
        expected = Secret(
            {
                **self.top,
                PROFILES: {
                    **(self.top.get(PROFILES) or {}),
                    self.profile: {
                        name: own.reveal()[name]
                        for name in own.reveal()
                        if own.reveal()[name] is not None
                    },
                },
            }
        )
        return bool(new == expected)

    def check_unchanged(self) -> None:
        """Raises ClickException if another program changed the file meanwhile."""
        now = read_secret_text(self.path) if self.path.exists() else Secret("")
        if now != self._text:
            raise click.ClickException(
                f"another program has changed {self.path} meanwhile. Nothing was changed; run "
                "`flex-sdk init` again"
            )


def _read_both(path: Path) -> tuple[ConfigFile, Secret[str]]:
    """What the file says, and its text: of one moment, though it is read twice."""
    import tomllib

    for _ in range(_READS):
        file = read_config(path, must_exist=False)
        text = read_secret_text(path) if file.path else Secret("")
        with suppress(tomllib.TOMLDecodeError):
            if Secret(tomllib.loads(text.reveal())) == Secret(file.table(())):
                return file, text
    raise click.ClickException(
        f"another program changes {path} again and again. Nothing was changed; stop that program, "
        "and run `flex-sdk init` again"
    )


def _edited(text: Secret[str], profile: str, values: Mapping[str, Any]) -> Secret[str]:
    import tomlkit  # here: only init needs it

    document = Secret(tomlkit.parse(text.reveal()))
    profiles = document.reveal().setdefault(PROFILES, tomlkit.table(is_super_table=True))
    if profile not in profiles:
        profiles[profile] = _new_section(values)
        return Secret(_with_end(tomlkit.dumps(document.reveal())))
    section = profiles[profile]
    for name, value in values.items():
        if value is None:
            section.pop(name, None)
        elif section.get(name) != value:
            section[name] = _item(value)
    return Secret(_with_end(tomlkit.dumps(document.reveal())))


def _new_section(values: Mapping[str, Any]) -> Any:
    import tomlkit

    section = tomlkit.table()
    for name, value in values.items():
        if value is not None:
            section.add(name, _item(value))
    if values.get("token_store") == "file":
        for line in _REDIS:
            section.add(tomlkit.comment(line))
    return section


def _item(value: Any) -> Any:
    """A value as TOML has it on one line."""
    if not isinstance(value, Mapping):
        return value
    import tomlkit

    table = tomlkit.inline_table()
    for name, each in value.items():
        table.append(name, _item(each))
    return table


def _with_end(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


def read_secret_text(path: Path) -> Secret[str]:
    """The content of a file; nothing is stripped from it.

    Raises:
        ClickException: It cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return Secret(file.read())
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
    raise click.ClickException(f"{path} cannot be read: {why}")


def has_content(path: Path, secret: Secret[str]) -> bool:
    """Whether a file contains that secret already."""
    try:
        return read_secret_file(path) == secret
    except ValueError:
        return False


def shown(name: str, value: Secret[Any]) -> str:
    """The value of a setting, for people; stars where it may be secret."""
    if name == "client_secret":
        return HIDDEN
    if name == "client_secret_cmd":
        return f"printed by {value.reveal()[0]}" if value else ""
    if isinstance(value.reveal(), Mapping):
        options = ", ".join(f"{key}={HIDDEN}" for key in value.reveal() if key != "name")
        store = value.reveal().get("name", "")
        return f"{store} ({options})" if options else f"{store}"
    if isinstance(value.reveal(), str):
        return value.reveal() if is_open_address(value.reveal()) else HIDDEN
    return str(value.reveal())
