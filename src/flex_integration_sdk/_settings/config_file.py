"""``config.toml``: where it is, who may touch it, and what is in it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore import Secret, TokenUnavailableError, read_secret_file
from flex_tokenstore.embedding import (
    HostProgram,
    OptionValues,
    config_folder,
    expand_path,
    problem_of_path,
    strip_value,
)

from .rights import of_another, secret_for_others, touched_by_others
from .table import BY_NAME, PROFILES, SETTINGS, VARIABLES

NAME = "config.toml"
KEYS = tuple(each.name for each in SETTINGS if each.in_file)

SECRETS = ("client_secret", "client_secret_file", "client_secret_cmd")
_ALIASES = {
    "id": "client_id",
    "client": "client_id",
    "secret": "client_secret",
    "url": "base_url",
    "host": "base_url",
    "store": "token_store",
    "profile": PROFILES,
}
_TYPES: dict[str, tuple[Any, str]] = {
    "text": (str, 'a string in quotes, such as "…"'),
    "path": (str, 'a path in quotes, such as "~/secret"'),
    "switch": (bool, "true or false"),
    "command": (list, 'a list, such as ["op", "read", "…"]'),
    "store": (
        (str, Mapping),
        'the name of a store in quotes, or a table such as { name = "file" }',
    ),
}


class ConfigFile:
    """What a config file says; nothing, where there is none. It shows no value.

    Args:
        path: Where it is; None: there is none.
        data: Its content.
        lines: Of each key, the line on which it begins.
        status: Of the file, as ``stat`` gives it.
        problem: Why a file that nobody named is not used.
    """

    def __init__(
        self,
        path: Path | None = None,
        data: OptionValues | None = None,
        lines: Mapping[tuple[str, ...], int] | None = None,
        status: os.stat_result | None = None,
        problem: str = "",
    ) -> None:
        self.path = path
        self.problem = problem
        self.status = status
        self._data = OptionValues() if data is None else data
        self._lines = lines or {}

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a config file cannot be pickled: the secret would travel in the clear")

    @property
    def profiles(self) -> tuple[str, ...]:
        """The names of its profiles."""
        found = self._data.get(PROFILES)
        return tuple(found) if isinstance(found, Mapping) else ()

    def table(self, path: Sequence[str]) -> OptionValues:
        """The table at that path."""
        found: OptionValues = self._data
        for key in path:
            found = found[key]
        return found

    def origin(self, path: Sequence[str]) -> str:
        """File and line of a key, for people."""
        line = self._lines.get(tuple(path))
        return f"{self.path}, line {line}" if line else str(self.path)


def config_path(given: Any, variable: str, value: str, program: HostProgram) -> tuple[Any, str]:
    """The path of the config file, and where that comes from: "argument", a variable, "default".

    The path is None if no file is to be read, or if this user has no folder for one.

    Args:
        given: The argument.
        variable: Name of the variable.
        value: Of the variable.
        program: It says which folder the file is in by default.

    Raises:
        ConfigurationError: It is not a path.
    """
    named, origin = (value, variable) if given is None else (given, "argument")
    if not isinstance(named, str | os.PathLike):
        raise ConfigurationError(f"config must be a path, got {type(named).__name__}")
    text = strip_value(os.fspath(named))
    if not text:
        return _default(program), "default"
    if text.lower() == os.devnull.lower():  # Windows writes NUL either way
        return None, origin
    problem = problem_of_path(text, relative=origin == "argument")
    if problem:
        subject = "config" if origin == "argument" else variable
        # Somebody may have put the secret in its place.
        shown = f"; got {text[:200]!r}" if "/" in text or "\\" in text else ""
        raise ConfigurationError(f"{subject} {problem}{shown}")
    return Path(expand_path(text)), origin


def _default(program: HostProgram) -> Path | None:
    try:
        return config_folder(program) / NAME
    except TokenUnavailableError:
        return None  # this user has no home folder, and so no config file in it


def read_config(path: Path | None, *, must_exist: bool) -> ConfigFile:
    """Reads a config file. What it says is checked by :func:`check_section`.

    Args:
        path: Where it is; None: there is none.
        must_exist: The user named it.

    Raises:
        ConfigurationError: It cannot be read, is not TOML, or others may touch it.
    """
    if path is None:
        return ConfigFile()
    try:
        status = path.stat()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        problem = error.strerror or type(error).__name__
    else:
        foreign = of_another(status)
        # As with sudo: what another user requires does not count here, nor stops this one.
        return ConfigFile(problem=foreign) if foreign and not must_exist else _read(path, status)
    if not must_exist:
        # A folder on the way may belong to another user.
        return ConfigFile(problem="" if missing else f"cannot be looked at: {problem}")
    advice = "check the path, or write the file with `flex-sdk init`"
    problem = f"does not exist: {advice}" if missing else f"cannot be read: {problem}"
    raise ConfigurationError(f"the config file {path} {problem}")


def _read(path: Path, status: os.stat_result) -> ConfigFile:
    text, problem = _text(path)
    problem = problem or of_another(status) or touched_by_others(path, status)
    data = None
    if not problem:
        data, problem = _parsed(text)
    if problem:
        raise ConfigurationError(f"the config file {path} {problem}")
    from .toml_lines import lines_of

    return ConfigFile(path, data, lines_of(text), status)


def _text(path: Path) -> tuple[Secret[str], str]:
    try:
        return read_secret_file(path), ""
    except ValueError as error:
        return Secret(""), str(error)


def _parsed(text: Secret[str]) -> tuple[OptionValues | None, str]:
    """The content, or what is wrong. It does not raise: an error's frames would hold the text."""
    import tomllib  # here: most programs have no such file

    try:
        return _hidden(tomllib.loads(text.reveal())), ""
    except RecursionError:
        return None, "has values that are nested too deeply"
    except tomllib.TOMLDecodeError as error:
        said = str(error)
    except ValueError:
        return None, "has a number with too many digits"
    from .toml_problems import explain

    return None, explain(said, text)


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return OptionValues((key, _hidden(inner)) for key, inner in value.items())
    return [_hidden(each) for each in value] if isinstance(value, list) else value


def check_section(file: ConfigFile, path: tuple[str, ...]) -> list[str]:
    """Checks the settings of one section, or of the top level.

    A fault in the section of another profile must not stop a program that does not use it.

    Returns:
        Warnings: keys that a newer version may know.

    Raises:
        ConfigurationError: A key is misspelt, has a value of a wrong type, or is secret in a file
            that others may read.
    """
    table = file.table(path[:-1]).get(path[-1]) if path else file.table(())
    if not isinstance(file.table(()).get(PROFILES, {}), Mapping):
        raise ConfigurationError(f"{file.origin((PROFILES,))}: write profiles as [profiles.NAME]")
    if not isinstance(table, Mapping):
        name = ".".join(path)
        raise ConfigurationError(
            f"{file.origin(path)}: {name} must be a section, [{name}], with the settings of that "
            "profile"
        )
    warnings = [
        _check_key(file, (*path, key), Secret(table[key]))
        for key in table
        if path or key != PROFILES
    ]
    given = [key for key in SECRETS if table.get(key)]
    if len(given) > 1:
        raise ConfigurationError(
            f"{file.origin((*path, given[1]))}: {' and '.join(given)} are both set; keep one"
        )
    if file.status and (secret := secret_for_others(table, path, file.status)):
        raise ConfigurationError(
            f"{file.origin(secret)}: {'.'.join(secret)} may be secret, and other users can read "
            f"the file: chmod 600 {file.path}, or keep the secret in a file of its own"
        )
    return [each for each in warnings if each]


def _check_key(file: ConfigFile, path: tuple[str, ...], value: Secret[Any]) -> str:
    key = path[-1]
    if key not in KEYS:
        return _unknown(file, path, is_table=isinstance(value.reveal(), Mapping))
    expected, words = _TYPES[BY_NAME[key].kind]
    wrong = not isinstance(value.reveal(), expected)
    if key == "client_secret_cmd" and not wrong:
        wrong = not all(isinstance(each, str) and each for each in value.reveal())
    if wrong:
        raise ConfigurationError(f"{file.origin(path)}: {key} must be {words}")
    if key == "token_store" and _is_address(value):
        raise ConfigurationError(
            f"{file.origin(path)}: {key} takes the name of a store, and the address is an option: "
            f'{key} = {{ name = "redis", url = "redis://…" }}'
        )
    return ""


def _is_address(value: Secret[Any]) -> bool:
    found = value.reveal()
    name = found.get("name") if isinstance(found, Mapping) else found
    return isinstance(name, str) and "://" in name


def _unknown(file: ConfigFile, path: tuple[str, ...], *, is_table: bool) -> str:
    """A warning for a key that no setting has. Raises ConfigurationError if one was meant."""
    *section, key = path
    where = f"[{'.'.join(section)}]" if section else "the top level of the file"
    from difflib import get_close_matches  # here: few files have such a key

    near = get_close_matches(key.lower().replace("-", "_"), [*KEYS, PROFILES], n=1)
    meant = _ALIASES.get(key.lower(), near[0] if near else "")
    hint = f"did you mean {meant}?" if meant else ""
    if key in BY_NAME and not is_table:  # such as profile
        hint = f"it is set by --{key} or {VARIABLES[key]}, not in the file"
    elif is_table and not section and not meant:
        hint = f"for a profile, write [{PROFILES}.{key}]"
    said = f"{file.origin(path)}: the key {key!r:.60} in {where} is not known"
    if hint:
        raise ConfigurationError(f"{said}; {hint}")
    return f"{said} to this version and is not used (known are: {', '.join(KEYS)})"
