"""The questions of ``flex-sdk init`` about the token store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from flex_integration_sdk._settings.redacting import is_open_address

from ._given_store import with_options
from ._init_place import absolute
from ._init_profile import ConfigText
from ._init_questions import ask
from ._notices import tell
from ._side import Side
from ._words import in_cli_words

_URLS = ("url", "address")
_ASKED = 10  # options of one store that are asked for; none needs so many
_ADDRESS = (
    "an address with a password is not written into the config file: give it without the password, "
    "and put that into a file"
)


def ask_store(text: ConfigText, client_id: str) -> Any:
    """Asks which token store, and for its address and what else it needs.

    Args:
        text: The config file.
        client_id: The client.

    Returns:
        The store config; None: it stays as it is.

    Raises:
        Abort: The user pressed Ctrl-C or Ctrl-D.
    """
    from flex_tokenstore import describe_store, list_stores

    own = text.own.get("token_store")
    now = own or text.top.get("token_store") or "file"
    before = now if isinstance(now, str) else str(now.get("name") or "file")
    # Not memory: with that each command signs in.
    names = [each.name for each in list_stores() if each.status == "ok" and each.name != "memory"]
    name = ask(f"Token store: {', '.join(names)}", _problem_of_store, default=before)
    is_same = name == before
    base = now if is_same and isinstance(now, Mapping) else name
    options: dict[str, str] = {}
    for option in describe_store(name).options or ():
        if option.name in _URLS:
            _ask_address(name, option.name, base, options)
        elif option.required and not _has(base, option.name):
            options[option.name] = _ask_option(name, option.name, required=True)
    config = _completed(name, base, options, client_id)
    return None if is_same and own and not options else config


def warn_of_memory(store: Any) -> None:
    """Says what the store memory means for commands, if it was chosen."""
    if (store.get("name") if isinstance(store, Mapping) else store) == "memory":
        tell(
            "the token store memory forgets the token when a program ends: each command and each "
            "program signs in again. To keep it, use --store file"
        )


def _has(base: Any, option: str) -> bool:
    return isinstance(base, Mapping) and base.get(option) not in (None, "")


def _ask_address(name: str, option: str, base: Any, options: dict[str, str]) -> None:
    """Asks for the address; for the file with its password, if somebody typed one into it."""
    had = str(base[option]) if _has(base, option) else ""
    is_shown = bool(had) and is_open_address(had)
    more = "" if is_shown else f" (empty: {'as it is' if had else 'the default'})"
    asks_password = False
    while True:
        question = f"{option} of the token store {name}{more}"
        value = ask(question, lambda _: "", default=had if is_shown else "")
        if "://" not in value or is_open_address(value):
            break
        tell(_ADDRESS)
        asks_password = True
    if value and value != had:
        options[option] = value
    if asks_password:
        options["password_file"] = _ask_option(name, "password_file", required=True)


def _ask_option(name: str, option: str, *, required: bool) -> str:
    question = f"{option} of the token store {name}"
    value = ask(question, lambda _: "", default=None if required else "")
    return absolute(value) if value and option.endswith("_file") else value


def _completed(name: str, base: Any, options: dict[str, str], client_id: str) -> Any:
    """The store config, with what else the store says that it needs."""
    from flex_tokenstore import StoreOptionsError, describe_store

    known = {each.name: each for each in describe_store(name).options or ()}
    config = _merged(name, base, options)
    for _ in range(_ASKED):
        try:
            _open(config, client_id)
        except StoreOptionsError as error:
            option = error.option or ""
            if error.store != name or option not in known:
                return config  # told when all is known
            why = in_cli_words(str(error))
        else:
            return config
        tell(why)
        if known[option].secret and option not in _URLS:
            option = f"{option}_file"
            if option not in known:
                return config
        options[option] = _ask_option(name, option, required=True)
        config = _merged(name, base, options)
    return config


def _merged(name: str, base: Any, options: Mapping[str, str]) -> Any:
    given = tuple(f"{key}={value}" for key, value in options.items())
    return with_options(Side("store", name, given, None, has_env=False), base)


def _open(config: Any, client_id: str) -> None:
    from flex_integration_sdk.config import resolve
    from flex_tokenstore import open_store

    settings = resolve(client_id=client_id, token_store=config, config=os.devnull, environ={})
    open_store(settings.token_store, settings.identity).close()


def _problem_of_store(text: str) -> str:
    from flex_tokenstore import TokenStoreError, describe_store

    try:
        info = describe_store(text)
    except TokenStoreError as error:
        return in_cli_words(str(error))
    return "" if info.status == "ok" else f"the token store {text} cannot be used: {info.reason}"
