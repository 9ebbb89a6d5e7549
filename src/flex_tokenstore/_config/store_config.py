"""Which store, with which options: the forms that a store config may have."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, TypeAlias

from .._values.secret import Secret
from ..errors import StoreOptionsError
from ..hookspecs import StoreHooks
from .env_text import is_quoted, strip_value

StoreConfig: TypeAlias = str | Mapping[str, Any] | StoreHooks
"""A store's name, a mapping with ``name`` and its options, or an object with the three hooks."""

# Passed by mistake, a password as bytes for example: hidden() then shows nothing of the value.
_NO_CONFIG = (bool, int, float, bytes, bytearray, list, tuple, set, frozenset, PurePath)


class OptionValues(dict[str, Any]):
    """A dict with settings, any of which may be secret: its ``repr`` shows the keys only.

    For the options of a store before they are checked, and for a copy of the environment. It cannot
    be pickled.

    Args:
        values: What ``dict`` takes: a mapping, or pairs.
        more: Further keys and their values.
    """

    variables: Mapping[str, str] = {}
    """By option, where it comes from: the name of an environment variable, or a place in a file,
    such as ``"/etc/acme.toml, line 3"``. A path that is relative is refused there."""

    def __init__(self, *values: Any, **more: Any) -> None:
        super().__init__(*values, **more)
        self.variables = dict(getattr(values[0], "variables", {})) if values else {}

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("the options of a store cannot be pickled: they may hold a secret")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.__rich_repr__())})"

    # Without it rich prints the values of each dict, whatever its repr says, also in tracebacks.
    def __rich_repr__(self) -> Iterator[str]:
        return (f"{key}=…" for key in self)

    __str__ = __repr__


def memory_store() -> dict[str, Any]:
    """The config of the ``memory`` store: each handle keeps its own token until it is closed.

    Returns:
        What ``token_store`` and :func:`open_store` take.
    """
    return {"name": "memory"}


def file_store(**options: Any) -> dict[str, Any]:
    """The config of the ``file`` store: the token is in a file that only this user can read.

    Args:
        options: The store's options; ``describe_store("file").options`` describes them. They are
            checked when the store is opened.

    Returns:
        What ``token_store`` and :func:`open_store` take.
    """
    return {"name": "file", **options}


def hidden(config: Any) -> Any:
    """The same store config, in a form that shows no value.

    First of all in each function that takes one: a traceback may show the function's locals.
    What is not a config becomes one that :func:`parse` refuses; raising here would show it.
    """
    if isinstance(config, OptionValues):
        return config
    if isinstance(config, Mapping):
        try:
            return OptionValues(config)
        except Exception:  # noqa: BLE001 - whatever a mapping of the user's own raises
            return OptionValues(name=Secret(config))
    url = isinstance(config, str) and "://" in config
    return OptionValues(name=Secret(config)) if url or isinstance(config, _NO_CONFIG) else config


@dataclass(frozen=True, repr=False, eq=False)
class ParsedConfig:
    """A store config, parsed once. It shows no value, and cannot be pickled.

    Also made from what is not a config: whoever raised at once would have that in its frame.
    """

    name: str | None = None
    """The store's name; None: an object of the user's own."""
    options: OptionValues = field(default_factory=OptionValues)
    """The store's options, not checked yet."""
    own: object | None = None
    error: StoreOptionsError | None = None
    """Why it is not a config; to be raised."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("the config of a store cannot be pickled: it may hold a secret")


def parse(config: Any) -> ParsedConfig:
    """A store config in any of its forms, as one value. It raises nothing."""
    config = hidden(config)
    if isinstance(config, str):
        return _named(config, OptionValues())
    if isinstance(config, Mapping):
        options = OptionValues(config)
        return _named(options.pop("name", None), options)
    if isinstance(config, type):
        return _refused(f"token_store got the class {config.__name__}; pass an object made from it")
    return _refused(_words_for(None)) if config is None else ParsedConfig(own=config)


def _named(name: Any, options: OptionValues) -> ParsedConfig:
    if isinstance(name, Secret):
        return _refused(_words_for(name.reveal()))
    if not isinstance(name, str):
        return _refused(
            "a token store's config needs the key 'name' with the store's name", option="name"
        )
    if "://" in name:
        return _refused(_words_for(name))
    if not name.strip():
        return _refused("the name of the token store is empty", option="name")
    if not all(isinstance(key, str) for key in options):
        return _refused(f"the options of token store {name!r} must have names that are strings")
    return ParsedConfig(name.strip(), options)


def _refused(why: str, option: str | None = None) -> ParsedConfig:
    return ParsedConfig(error=StoreOptionsError(why, option=option))


def _words_for(given: object) -> str:
    if isinstance(given, str):
        # Not a word of it: such an address often has a password in it.
        return (
            "token_store got an address; it takes the store's name, and the address as an option: "
            '{"name": …, "url": …}'
        )
    if isinstance(given, Mapping):
        return f"token_store got a mapping that cannot be read: {type(given).__name__}"
    if isinstance(given, PurePath):
        return "token_store got a path; to choose the file, use file_store(path=…)"
    return (
        "token_store must be a store's name, a mapping with 'name' and options, or an object "
        f"with get_token, set_token and remove_token; got {type(given).__name__}"
    )


def store_config_from_env(
    variable: str, environ: Mapping[str, str] | None = None
) -> dict[str, Any] | None:
    """Reads a store config from environment variables.

    Blanks and line ends around a value do not belong to it. An empty variable counts as unset.

    Args:
        variable: Name of the variable that contains the store's name, such as
            ``"ACME_TOKEN_STORE"``. ``<variable>__URL`` is the option ``url``;
            ``<variable>__INNER__NAME`` is the name of the store that a wrapper wraps.
        environ: The environment; ``os.environ`` if omitted.

    Returns:
        What :func:`open_store` takes; None if no variable is set.

    Raises:
        StoreOptionsError: Options are set and the name is not; or two variables contradict each
            other; or a value is in quotes.
    """
    environ = os.environ if environ is None else environ
    name = OptionValues(name=strip_value(environ.get(variable, "")))
    found = options_in(variable, environ)
    del environ  # a traceback that shows locals would show every secret in it
    if found and not name["name"]:
        raise StoreOptionsError(
            f"{next(iter(found))} is set, but not {variable}: set it to the name of the token "
            "store that the options are for",
            option="name",
        )
    if not name["name"]:
        return None
    return config_of(variable, name, found)


def options_in(variable: str, environ: Mapping[str, str]) -> OptionValues:
    """The store options in the environment, by variable; empty ones count as unset."""
    prefix = f"{variable}__"
    names = sorted(name for name in environ if name.startswith(prefix))
    found = OptionValues((name, strip_value(environ[name])) for name in names)
    # A name that is not an option's is reported even if the variable is empty.
    return OptionValues((name, found[name]) for name in found if found[name] or name == prefix)


def config_of(variable: str, name: OptionValues, found: OptionValues) -> OptionValues:
    """The store config from the variables of one store.

    Args:
        variable: The variable with the store's name.
        name: The store's name, as ``name``; empty: it is not in the environment.
        found: The variables of its options and their values.

    Raises:
        StoreOptionsError: Two variables contradict, or a value is in quotes.
    """
    prefix = f"{variable}__"
    for key, value in ((variable, name["name"]), *found.items()):
        quoted = is_quoted(value)
        del value  # a traceback may show locals
        if quoted:
            raise StoreOptionsError(
                f"the value of {key} is in quotes, which count as part of it: set it without them "
                "(a shell removes them; docker --env-file, systemd and YAML may not)"
            )
    config = OptionValues()
    for key in found:
        _put(config, key[len(prefix) :].lower().split("__"), key, found)
    if "name" in config:
        raise StoreOptionsError(
            f"{prefix}NAME is not an option: the store's name is the value of {variable}; unset it",
            option="name",
        )
    result = OptionValues(name)
    result.update(config)
    result.variables = {"name": variable, **config.variables}
    return result


def _free(text: str, source: OptionValues) -> str:
    """The variable of the first number that no store of a list has yet."""
    used = {name[len(text) :].split("__")[1] for name in source if name.startswith(f"{text}__")}
    number = next(each for each in range(1, len(used) + 2) if str(each) not in used)
    return f"{text}__{number}"


def _put(config: OptionValues, parts: list[str], variable: str, source: OptionValues) -> None:
    if not all(parts):
        raise StoreOptionsError(f"the variable {variable} does not name an option after its '__'")
    *parents, last = parts
    table = config
    for depth, parent in enumerate(parents, start=1):
        table = table.setdefault(parent, OptionValues())
        if not isinstance(table, OptionValues):
            # It may be a string with a secret, and a traceback may show locals.
            del table
            text = variable.rsplit("__", len(parts) - depth)[0]
            advice = f"for a store with options, put its name into {text}__NAME"
            if parts[depth].isdecimal():  # a list of stores, and one of them by its number
                advice = f"number all stores of the list: put the name into {_free(text, source)}"
            raise StoreOptionsError(
                f"{variable} and {text} are both set; {advice} and unset {text}", option=parent
            )
    if last in table:
        raise StoreOptionsError(f"{variable} is set twice, in upper and in lower case", option=last)
    table[last] = source[variable]
    table.variables = {**table.variables, last: variable}
