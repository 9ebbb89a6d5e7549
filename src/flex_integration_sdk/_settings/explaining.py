"""Each setting with its value, redacted, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore import Secret, StoreOptionsError, TokenStoreError, describe_store

from .base_url import DEFAULT_BASE_URL, server
from .client_secret import secret_source
from .config_file import SECRETS
from .given import Given
from .layers import Layers
from .redacting import HIDDEN, is_secret
from .secret_source import problem_of_secret, program_of
from .section import ARGUMENT, DEFAULT, Section
from .table import PROFILES
from .variables import Variables


class SettingInfo(NamedTuple):
    """One setting, for people. It shows no secret."""

    name: str
    """``"base_url"``; of an option of the store ``"token_store.url"``."""
    value: str
    """Empty if it is not set; stars if it is secret."""
    origin: str
    """``"argument"``, the name of a variable, file and line, or ``"default"``."""
    problem: str = ""
    """What is wrong with it, and what to do."""


def explain_layers(
    layers: Layers,
    variable: str,
    default_store: str,
    with_options: Callable[[Any], Any] | None = None,
) -> Iterator[SettingInfo]:
    """All settings of these layers.

    Args:
        layers: Where they come from.
        variable: The one that contains the store's name.
        default_store: The store's name if none is chosen.
        with_options: Completes the config of the token store.
    """
    yield SettingInfo("config", _path_text(layers), layers.path_origin)
    yield SettingInfo("profile", layers.profile.value, layers.profile.origin)
    yield _client_id(layers)
    yield _secret(layers)
    yield _base_url(layers)
    yield _switch(layers, "allow_http")
    yield _switch(layers, "require_encrypted", any_layer=True)
    try:
        config, origin = layers.store(variable, default_store)
    except StoreOptionsError as error:
        yield SettingInfo("token_store", "", variable, str(error))
    else:
        yield from explain_store(
            "token_store", with_options(config) if with_options else config, origin
        )


def explain_others(layers: Layers, variable: str, default_store: str) -> Iterator[SettingInfo]:
    """What is wrong with the profiles that these layers do not use, one row for each problem.

    Each is looked at by itself, without arguments and variables.

    Args:
        layers: Which config file it is, and which profile is in use.
        variable: See :func:`explain_layers`.
        default_store: See :func:`explain_layers`.
    """
    for name in layers.file.profiles:
        if name == layers.profile.value:
            continue
        given = Given(profile=name, config=layers.path)
        section = (PROFILES, name)
        try:
            others = Layers(given, Variables({}), layers.program, strict=True, lenient=True)
        except ConfigurationError as error:
            yield SettingInfo(".".join(section), "", layers.file.origin(section), str(error))
            continue
        own = Section(layers.file, section)
        for row in explain_layers(others, variable, default_store):
            # What it does not say itself, a variable may say where it is used.
            setting = row.name.partition(".")[0]
            if row.problem and _says(own, setting):
                origin = own.origin(setting) if row.origin in ("", DEFAULT) else row.origin
                yield row._replace(name=".".join((*section, row.name)), origin=origin)


def _says(section: Section, setting: str) -> bool:
    names = SECRETS if setting == "client_secret" else (setting,)
    return any(section.get(name) for name in names)


def _path_text(layers: Layers) -> str:
    if layers.path is None:
        return "none"
    state = "is not used" if layers.file.problem else "does not exist"
    return str(layers.path) + ("" if layers.file.path else f" ({state})")


def _client_id(layers: Layers) -> SettingInfo:
    found = layers.client_id
    problem = layers.client_id_problem
    if not (problem or found.value):
        problem = "is missing: set it, or run `flex-sdk init`"
    elif found.value and (
        said := problem_of_secret(Secret(found.value), quotes=not found.is_argument)
    ):
        problem = f"{found.subject} {said}"
    return SettingInfo("client_id", found.value, found.origin, problem)


def _secret(layers: Layers) -> SettingInfo:
    try:
        source, origin = secret_source(layers)
    except ConfigurationError as error:
        return SettingInfo("client_secret", "", "", str(error))
    if source is None:
        return SettingInfo("client_secret", "", DEFAULT)
    return SettingInfo("client_secret", source.described, origin)


def _base_url(layers: Layers) -> SettingInfo:
    try:
        found = layers.text("base_url")
    except ConfigurationError as error:  # a value in quotes
        return SettingInfo("base_url", "", "", str(error))
    try:
        return SettingInfo("base_url", server(layers)[0], found.origin)
    except ConfigurationError as error:
        # What is before an @ may be a password, however the address is written.
        shown = HIDDEN if "@" in found.value else found.value
        return SettingInfo("base_url", shown or DEFAULT_BASE_URL, found.origin, str(error))


def _switch(layers: Layers, name: str, *, any_layer: bool = False) -> SettingInfo:
    try:
        on, origin = layers.switch(name, any_layer=any_layer)
    except ConfigurationError as error:
        return SettingInfo(name, "", "", str(error))
    return SettingInfo(name, "yes" if on else "no", origin)


def explain_store(name: str, config: Any, origin: str) -> Iterator[SettingInfo]:
    """A store and its options; those of a store that it wraps, too."""
    if not isinstance(config, str | Mapping):
        yield SettingInfo(name, f"an object of {type(config).__name__}", origin)
        return
    options = {} if isinstance(config, str) else dict(config)
    store = config if isinstance(config, str) else options.pop("name", "")
    variables = getattr(config, "variables", {})
    known, problem = _known(store)
    shown = HIDDEN if not isinstance(store, str) or "://" in store else store
    yield SettingInfo(name, shown, variables.get("name") or origin, problem)
    for option, value in options.items():
        path, source = f"{name}.{option}", variables.get(option) or origin or ARGUMENT
        if option == "inner" or isinstance(value, Mapping):
            yield from explain_store(path, value, source)
            continue
        yield SettingInfo(path, _shown(option, value, known), source)


def _shown(option: str, value: Any, known: Mapping[str, bool] | None) -> str:
    """The value of an option, for people; stars if it may be secret."""
    if known is None or option not in known:  # nobody knows what it is
        return HIDDEN
    if option.endswith(("_cmd", "_command")):  # its arguments may be secret
        parts = value.split(",") if isinstance(value, str) else value
        return (
            f"printed by {program_of(parts)}" if parts and isinstance(parts, list | tuple) else ""
        )
    if is_secret((option,), value, known):
        return HIDDEN
    return str(value) if isinstance(value, str | int | float | list | tuple) else HIDDEN


def _known(store: Any) -> tuple[Mapping[str, bool] | None, str]:
    """Of each option of a store, whether it is secret; and why the store cannot be used."""
    try:
        info = describe_store(str(store))
    except TokenStoreError as error:
        return None, str(error)
    if info.options is None:
        return None, info.reason
    return {each.name: each.secret for each in info.options}, ""
