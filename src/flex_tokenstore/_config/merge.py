"""A store config of the program, completed by the environment and by a config file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._values.secret import Secret
from ..errors import StoreOptionsError
from .env_text import is_quoted, misspelt, strip_value
from .store_config import OptionValues, config_of, hidden, options_in, store_config_from_env


def complete_store_config(
    given: Any, variable: str, environ: Mapping[str, str], defaults: Any = None
) -> tuple[Any, list[str]]:
    """Completes the store config of a program by the environment, and by a config file.

    What the program passes overrides the environment, and that the file. Options count whose source
    names the same store, or none.

    Args:
        given: The program's store config, as ``open_store`` takes it; None: the environment
            decides.
        variable: Name of the variable that contains the store's name, as for
            ``store_config_from_env``.
        environ: The environment, such as ``os.environ``.
        defaults: What the program's config file says: a store's name, or a mapping, which may
            have options only. An :class:`OptionValues` can say where each comes from.

    Returns:
        The config to use (None if none of them names a store), and warnings for the user: which
        variables are not used, and why. They show no value of an option.

    Raises:
        StoreOptionsError: The variables of the store contradict each other, or there are options
            and no store.
    """
    given, defaults = hidden(given), _as_options(hidden(defaults))
    # A traceback may show locals: so a copy that shows no value takes the place of os.environ.
    environ = OptionValues((name, environ[name]) for name in environ if name.startswith(variable))
    notes: list[str] = []
    if given is None:
        given = _from_environment(variable, environ, defaults)
    elif environ:
        given, notes = _by_environment(given, variable, environ)
    # An object of the program's own has no name, and no options.
    if defaults and (name := name_of(given)) and name_of(defaults) in (None, name):
        given = _merged(given, defaults, [])  # that something overrides the file is no news
    return given, notes


def _from_environment(variable: str, environ: OptionValues, defaults: OptionValues) -> Any:
    """The config if the program passes none."""
    named, found = Secret(strip_value(environ.get(variable, ""))), options_in(variable, environ)
    if named or "name" not in defaults:
        if defaults and not named and not found:
            raise _nameless(defaults)
        return store_config_from_env(variable, environ)
    name = OptionValues(name=defaults["name"])
    config = config_of(variable, name, found)
    config.variables = {**config.variables, "name": defaults.variables.get("name", "")}
    return config


def _nameless(defaults: OptionValues) -> StoreOptionsError:
    option = next((each for each in defaults if misspelt(each.upper(), ["NAME"])), None)
    hint = "add its name" if option is None else "did you mean name?"
    option = option or next(iter(defaults))
    source = next(_variables(defaults, option))
    return StoreOptionsError(
        f"the option {option!r} of a token store is set in {source}, but no store is named: {hint}",
        option="name",
    )


def _as_options(config: Any) -> OptionValues:
    if config is None:
        return OptionValues()
    return OptionValues(config) if isinstance(config, Mapping) else OptionValues(name=config)


def _by_environment(given: Any, variable: str, environ: OptionValues) -> tuple[Any, list[str]]:
    """The program's config, completed; and warnings."""
    # A Secret: some put an address with a password where the name belongs.
    named, found = Secret(strip_value(environ.get(variable, ""))), options_in(variable, environ)
    name = name_of(given)
    if not (named or found) or (name is None and not _is_own_object(given)):
        return given, []  # whoever opens it refuses what is not a config
    if name is None or (named and named != Secret(name)):
        others = ", ".join([variable] * bool(named) + list(found))
        what = "its own store object" if name is None else f"the token store {name!r}"
        said = named.reveal()
        shown = "" if not said or is_quoted(said) or "://" in said else f" (it says {said!r})"
        return given, [
            f"the program chooses {what}, so the environment's choice{shown} is not used: {others}"
        ]
    if not found:
        return given, []
    config = config_of(variable, OptionValues(name=name), found)
    notes: list[str] = []
    return _merged(given, config, notes), notes


def name_of(config: Any) -> str | None:
    """The store's name, if a config has one."""
    name = config.get("name") if isinstance(config, Mapping) else config
    if not isinstance(name, str) or "://" in name:  # an address, which may hold a password
        return None
    return name.strip() or None


def _merged(given: Any, found: OptionValues, notes: list[str]) -> Any:
    """``given``, with the options of ``found`` that it does not have; both are of one store."""
    config = OptionValues(given if isinstance(given, Mapping) else {"name": given})
    for option in found:
        if option == "name":
            continue
        if option not in config:
            config[option] = found[option]
            if option in found.variables:
                config.variables = {**config.variables, option: found.variables[option]}
        elif option == "inner":
            config[option] = _inner(config, found, notes)
        else:
            notes += [
                f"{variable} is not used: the program sets the option {option!r} itself"
                for variable in _variables(found, option)
            ]
    return config


def _inner(given: OptionValues, found: OptionValues, notes: list[str]) -> Any:
    own, other = hidden(given["inner"]), found["inner"]
    if not isinstance(other, OptionValues):
        other = OptionValues(name=other)
        other.variables = {"name": found.variables.get("inner", "")}
    named = name_of(other)
    if name_of(own) is not None and named in (None, name_of(own)):
        return _merged(own, other, notes)
    what = "its own store object" if name_of(own) is None else f"{name_of(own)!r}"
    variables = ", ".join(_all_variables(other))
    notes.append(f"the program chooses {what} as the inner store, so {variables} is not used")
    return own


def _variables(found: OptionValues, option: str) -> Iterator[str]:
    value = found[option]
    if isinstance(value, OptionValues):
        yield from _all_variables(value)
    else:
        yield found.variables.get(option, option)


def _all_variables(found: OptionValues) -> Iterator[str]:
    for option in found:
        yield from _variables(found, option)


def _is_own_object(config: Any) -> bool:
    return not isinstance(config, (str, Mapping, type)) and config is not None
