"""``config.toml``: where it is, who may touch it, and what is in it."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore import Secret, TokenUnavailableError, read_secret_file
from flex_tokenstore.embedding import (
    HostProgram,
    OptionValues,
    config_folder,
    expand_path,
    owner_named,
    problem_of_path,
    strip_value,
)

from .table import BY_NAME, SETTINGS, VARIABLES

NAME = "config.toml"
PROFILES = "profiles"
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
_OTHERS = 0o077  # the rights of the group and of all others
_ANYBODY = 0o007
_MAY_WRITE = 0o022
_ROOT = 0


class ConfigFile:
    """What a config file says; nothing, where there is none. It shows no value.

    Args:
        path: Where it is; None: there is none.
        data: Its content.
        lines: Of each key, the line on which it begins.
        status: Of the file, as ``stat`` gives it.
    """

    def __init__(
        self,
        path: Path | None = None,
        data: OptionValues | None = None,
        lines: Mapping[tuple[str, ...], int] | None = None,
        status: os.stat_result | None = None,
    ) -> None:
        self.path = path
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
    problem = problem_of_path(text, relative=origin == "argument")
    if problem:
        subject = "config" if origin == "argument" else variable
        # Somebody may have put the secret in its place.
        shown = f"; got {text[:200]!r}" if "/" in text or "\\" in text else ""
        raise ConfigurationError(f"{subject} {problem}{shown}")
    return None if text == os.devnull else Path(expand_path(text)), origin


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
        return _read(path, status)
    if not must_exist:
        return ConfigFile()  # also where a folder on the way belongs to another user
    advice = "check the path, or write the file with `flex-sdk init`"
    problem = f"does not exist: {advice}" if missing else f"cannot be read: {problem}"
    raise ConfigurationError(f"the config file {path} {problem}")


def _read(path: Path, status: os.stat_result) -> ConfigFile:
    text, problem = _text(path)
    problem = problem or _touched_by_others(path, status)
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
    except tomllib.TOMLDecodeError as error:
        said = str(error)
    head, _, place = said.partition(" (at ")
    # What it quotes may be a part of a secret.
    what = head if "'" not in head and '"' not in head else "a character that may not be there"
    where = f" (at {place}" if place else ""
    return None, (
        f"is not TOML: {what}{where}. A value that is a string needs quotes around it; one with a "
        "backslash needs single quotes"
    )


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
        _check_key(file, (*path, key), table[key]) for key in table if path or key != PROFILES
    ]
    given = [key for key in SECRETS if table.get(key)]
    if len(given) > 1:
        raise ConfigurationError(
            f"{file.origin((*path, given[1]))}: {' and '.join(given)} are both set; keep one"
        )
    _check_readers(file, path)
    return [each for each in warnings if each]


def _check_key(file: ConfigFile, path: tuple[str, ...], value: Any) -> str:
    key = path[-1]
    if key not in KEYS:
        return _unknown(file, path, value)
    expected, words = _TYPES[BY_NAME[key].kind]
    wrong = not isinstance(value, expected)
    if key == "client_secret_cmd" and not wrong:
        wrong = not all(isinstance(each, str) and each for each in value)
    if wrong:
        raise ConfigurationError(f"{file.origin(path)}: {key} must be {words}")
    return ""


def _unknown(file: ConfigFile, path: tuple[str, ...], value: Any) -> str:
    """A warning for a key that no setting has. Raises ConfigurationError if one was meant."""
    *section, key = path
    where = f"[{'.'.join(section)}]" if section else "the top level of the file"
    near = difflib.get_close_matches(key.lower().replace("-", "_"), [*KEYS, PROFILES], n=1)
    meant = _ALIASES.get(key.lower(), near[0] if near else "")
    hint = f"did you mean {meant}?" if meant else ""
    if key in BY_NAME and not isinstance(value, Mapping):  # such as profile
        hint = f"it is set by --{key} or {VARIABLES[key]}, not in the file"
    elif isinstance(value, Mapping) and not section and not meant:
        hint = f"for a profile, write [{PROFILES}.{key}]"
    said = f"{file.origin(path)}: the key {key!r:.60} in {where} is not known"
    if hint:
        raise ConfigurationError(f"{said}; {hint}")
    return f"{said} to this version and is not used (known are: {', '.join(KEYS)})"


def _touched_by_others(path: Path, status: os.stat_result) -> str:
    """Why the file is not to be trusted: others could have the client secret sent elsewhere, or a
    command of theirs run. "" if they cannot; Windows is not looked at."""
    if os.name == "nt":
        return ""
    if status.st_uid not in (os.geteuid(), _ROOT):
        return (
            f"belongs to another user, {owner_named(status.st_uid)}, and this program runs as "
            f"{owner_named(os.geteuid())}: run it as that user, or name a config file of your own "
            f"in {VARIABLES['config']}"
        )
    if status.st_mode & _MAY_WRITE:
        return f"can be changed by other users, who could learn the secret: chmod go-w {path}"
    for folder in {path.parent, path.resolve().parent}:
        mode = folder.stat().st_mode
        # In a sticky folder, such as /tmp, others cannot rename or remove this user's files.
        if not mode & _MAY_WRITE or mode & stat.S_ISVTX or _is_read_only(folder):
            continue
        return f"can be replaced by other users, who may write in its folder: chmod go-w {folder}"
    return ""


def _is_read_only(folder: Path) -> bool:
    """As a volume of Kubernetes is, whose folder everybody may write in by its mode."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def _check_readers(file: ConfigFile, path: tuple[str, ...]) -> None:
    """Raises ConfigurationError for a secret in a file that other users may read."""
    status = file.status
    if os.name == "nt" or status is None:
        return
    is_own = status.st_uid == os.geteuid()
    # One of root's, for a group: as Kubernetes mounts a secret with fsGroup.
    if not status.st_mode & (_OTHERS if is_own else _ANYBODY):
        return
    found = next(_secrets(file.table(path), path), None)
    if found is None:
        return
    remedy = f"chmod 600 {file.path}" if is_own else "keep secrets in a file with mode 0600"
    raise ConfigurationError(
        f"{file.origin(found)}: {'.'.join(found)} may be secret, and other users can read the "
        f"file: {remedy}, or keep the secret in a file of its own"
    )


def _secrets(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The keys of values that may be secret."""
    from .redacting import is_secret

    if isinstance(value, Mapping):
        for key in value:
            if not path and key == PROFILES:
                continue  # each is looked at by itself
            yield from _secrets(value[key], (*path, key))
    elif isinstance(value, list) and not is_secret(path, value):
        for number, each in enumerate(value, start=1):
            yield from _secrets(each, (*path, str(number)))
    elif is_secret(path, value):
        yield path
