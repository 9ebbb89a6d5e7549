"""Which store, with which options: the forms that a store config may have."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from ._secret import Secret
from .errors import StoreOptionsError

_NO_CONFIG = (bool, int, float, bytes, bytearray, list, tuple, set, frozenset, PurePath)


class OptionValues(dict[str, Any]):
    """A store's options before they are checked: which are secret is not known yet, so it
    shows none of them."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.__rich_repr__())})"

    def __rich_repr__(self) -> Iterator[str]:
        return (f"{key}=…" for key in self)

    __str__ = __repr__


def memory_store() -> dict[str, Any]:
    """The config of the store that forgets."""
    return {"name": "memory"}


def file_store(**options: Any) -> dict[str, Any]:
    """The config of the ``file`` store; for the options see ``flex-sdk stores show file``."""
    return {"name": "file", **options}


def hidden(config: Any) -> Any:
    """The same store config, in a form that shows no value.

    First of all in each function that takes one: a traceback may show the function's locals.
    What is no config becomes one that :func:`normalise` refuses; raising here would show it.
    """
    if isinstance(config, OptionValues):
        return config
    if isinstance(config, Mapping):
        return OptionValues(config)
    url = isinstance(config, str) and "://" in config
    return OptionValues(name=Secret(config)) if url or isinstance(config, _NO_CONFIG) else config


def normalise(config: Any) -> tuple[str | None, dict[str, Any], object | None]:
    """A store config as name and options, or as an object of the user's own.

    Raises:
        StoreOptionsError: It is neither.
    """
    config = hidden(config)
    if isinstance(config, str):
        if not config.strip():
            raise StoreOptionsError("the name of the token store is empty", option="name")
        return config.strip(), OptionValues(), None
    if isinstance(config, Mapping):
        options = OptionValues(config)
        name = options.pop("name", None)
        if isinstance(name, str) and "://" in name:
            name = Secret(name)
        if isinstance(name, Secret):
            raise _no_config(name)
        if not isinstance(name, str) or not name.strip():
            raise StoreOptionsError(
                "a token store's config needs the key 'name' with the store's name", option="name"
            )
        if not all(isinstance(key, str) for key in options):
            raise StoreOptionsError(f"the options of token store {name!r} must have text names")
        return name.strip(), options, None
    if config is None:
        raise _no_config(None)
    if isinstance(config, type):
        raise StoreOptionsError(
            f"token_store got the class {config.__name__}; pass an object made from it"
        )
    return None, OptionValues(), config


def _no_config(given: object) -> StoreOptionsError:
    value = given.reveal() if isinstance(given, Secret) else given
    if isinstance(value, str):
        # Not a word of it: such an address often has a password in it.
        text = (
            "token_store got an address; it takes the store's name, and the address as an option: "
            '{"name": …, "url": …}'
        )
    elif isinstance(value, PurePath):
        text = "token_store got a path; for a file of your own use file_store(path=…)"
    else:
        text = (
            "token_store takes a store's name, a mapping with 'name' and options, or an object "
            f"with get_token, set_token and remove_token; got {type(value).__name__}"
        )
    return StoreOptionsError(text)


def store_config_from_env(
    variable: str, environ: Mapping[str, str] | None = None
) -> dict[str, Any] | None:
    """The store config that the environment holds; None if it holds none.

    Args:
        variable: Name of the variable with the store's name, such as
            ``"FLEX_INTEGRATION_TOKEN_STORE"``. ``<variable>__URL`` is the option ``url``,
            ``<variable>__INNER__NAME`` the name of the store that a wrapper wraps.
        environ: The environment; ``os.environ`` if left out.

    Raises:
        StoreOptionsError: There are options, and no name; or two variables contradict.
    """
    source = os.environ if environ is None else environ
    name = OptionValues(name=source.get(variable, "").strip())
    prefix = f"{variable}__"
    found = OptionValues((key, source[key]) for key in sorted(source) if key.startswith(prefix))
    del source, environ  # a traceback that shows locals would show every secret in them
    if found and not name["name"]:
        raise StoreOptionsError(
            f"{next(iter(found))} is set, but not {variable}: set it to the name of the token "
            "store that the options are for",
            option="name",
        )
    config = OptionValues()
    for key in found:
        _put(config, key[len(prefix) :].lower().split("__"), key, found)
    if "name" in config:
        raise StoreOptionsError(
            f"{prefix}NAME is no option: the store's name is the value of {variable}; unset it",
            option="name",
        )
    return OptionValues({**name, **config}) if name["name"] else None


def _put(config: OptionValues, parts: list[str], variable: str, source: OptionValues) -> None:
    if not all(parts):
        raise StoreOptionsError(f"the variable {variable} does not name an option after its '__'")
    *parents, last = parts
    place = config
    for depth, parent in enumerate(parents, start=1):
        place = place.setdefault(parent, OptionValues())
        if not isinstance(place, OptionValues):
            del place
            text = variable.rsplit("__", len(parts) - depth)[0]
            raise StoreOptionsError(
                f"{variable} and {text} are both set; for a store with options, put its name "
                f"into {text}__NAME and unset {text}",
                option=parent,
            )
    if last in place:
        raise StoreOptionsError(f"{variable} is set twice, in upper and in lower case", option=last)
    place[last] = source[variable]
