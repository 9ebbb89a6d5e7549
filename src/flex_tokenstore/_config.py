"""Which store, with which options: the forms that a store config may have."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .errors import StoreOptionsError


def memory_store() -> dict[str, Any]:
    """The config of the store that forgets."""
    return {"name": "memory"}


def file_store(**options: Any) -> dict[str, Any]:
    """The config of the ``file`` store; for the options see ``flex-sdk stores list --check``."""
    return {"name": "file", **options}


def normalise(config: Any) -> tuple[str | None, dict[str, Any], object | None]:
    """A store config as name and options, or as an object of the user's own.

    Raises:
        StoreOptionsError: It is neither.
    """
    if isinstance(config, str):
        if not config.strip():
            raise StoreOptionsError("the name of the token store is empty", option="name")
        return config.strip(), {}, None
    if isinstance(config, Mapping):
        options = dict(config)
        name = options.pop("name", None)
        if not isinstance(name, str) or not name:
            raise StoreOptionsError(
                "a token store's config needs the key 'name' with the store's name", option="name"
            )
        return name, options, None
    if config is None or isinstance(config, (bool, int, float, bytes, list, tuple, set)):
        raise StoreOptionsError(
            "token_store takes a store's name, a mapping with 'name' and options, or an object "
            f"with get_token, set_token and remove_token; got {type(config).__name__}"
        )
    if isinstance(config, type):
        raise StoreOptionsError(
            f"token_store got the class {config.__name__}; pass an object made from it"
        )
    return None, {}, config


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
        StoreOptionsError: There are options, and no name.
    """
    environ = os.environ if environ is None else environ
    config: dict[str, Any] = {}
    prefix = f"{variable}__"
    for key in sorted(environ):
        if not key.startswith(prefix) or len(key) == len(prefix):
            continue
        *parents, last = key[len(prefix) :].lower().split("__")
        place = config
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise StoreOptionsError(f"{key} is an option of {parent}, which is set to a text")
        place[last] = environ[key]
    name = environ.get(variable, "").strip()
    if name:
        return {**config, "name": name}
    if config:
        raise StoreOptionsError(
            f"options of a token store are set, but {variable}, which names the store, is not",
            option="name",
        )
    return None
