"""The parameters of ``flex-sdk call``: from ``key=value`` to the arguments of the method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ._argument_values import value_of

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.endpoint import Endpoint

_LISTS = {"Ids", "Names"}
# What the command calls an option of a call.
_OPTIONS = {"timeout": "--timeout SECONDS", "request_timeout": "--timeout SECONDS"}


def arguments(endpoint: Endpoint, texts: Sequence[str]) -> dict[str, Any]:
    """The method's arguments, from strings ``key=value``.

    A name that the endpoint does not have is an error, however far it is from all others: the API
    does not refuse it, and a query would answer as if it was not there. ``KEY:=JSON`` passes it.
    So the SDK must not compare the names again.

    Raises:
        UsageError: One has another form, is unknown, is given twice or has a wrong value, or one
            that is needed is missing.
    """
    from flex_integration_sdk._wire.parameter_names import meant, parameter_of

    found: dict[str, Any] = {}
    for text in texts:
        name, is_json, value = _split(endpoint, text)
        param = parameter_of(endpoint, name)
        if not is_json and (param is None or meant(endpoint, name)):
            raise click.UsageError(_of_unknown(endpoint, name))
        # The key of a filter or of a family is the marketplace's or the API's own.
        key = param.python_name if param in endpoint.all_params else name
        if key in found:
            lists = param is not None and param.type in _LISTS
            remedy = "separate its values with commas" if lists else "give it once"
            raise click.UsageError(f"{name} is given twice; {remedy}")
        try:
            found[key] = value_of(param, value, is_json=is_json)
        except ValueError as error:
            raise click.UsageError(f"{name}: {error}") from None
    _check_needed(endpoint, found)
    return found


def is_parameter(endpoint: Endpoint, name: str) -> bool:
    """Whether the endpoint has a parameter of that name, or takes it as a filter."""
    from flex_integration_sdk._wire.parameter_names import parameter_of

    return parameter_of(endpoint, name) is not None


def _split(endpoint: Endpoint, text: str) -> tuple[str, bool, str]:
    """The name, whether the value is JSON, and the value."""
    name, equals, value = text.partition("=")
    is_json = name.endswith(":")
    name = name.removesuffix(":")
    if equals and name and name == name.strip():
        return name, is_json, value
    if not equals and is_parameter(endpoint, text):
        raise click.UsageError(f"{text} needs a value: {text}=VALUE, without blanks around the =")
    name, at, path = text.partition("@")
    if not equals and at and name and is_parameter(endpoint, name):
        raise click.UsageError(
            f"{name}@… does not have the form KEY=VALUE. Did you mean {name}=@{path[:200]}?"
        )
    if not equals and (meant := _only_needed(endpoint, text)):
        raise click.UsageError(f"{text[:200]!r} does not have the form KEY=VALUE. {meant}")
    raise click.UsageError(
        f"{text[:200]!r} does not have the form KEY=VALUE, without blanks around the =; a value "
        "with blanks needs quotes: title='A bike'"
    )


def _only_needed(endpoint: Endpoint, text: str) -> str:
    """For the value of the one parameter that is needed, without its name."""
    needed = [param for param in endpoint.params if param.required]
    if len(needed) != 1 or needed[0].type not in ("Id", "Upload"):
        return ""
    try:
        value_of(needed[0], text, is_json=False)
    except ValueError:
        return ""
    return f"Did you mean {needed[0].python_name}={text[:200]}?"


def _of_unknown(endpoint: Endpoint, name: str) -> str:
    from flex_integration_sdk._wire.parameter_names import meant, option_meant

    text = f"{endpoint.name} has no parameter {name[:60]!r}"
    option = _OPTIONS.get(option_meant(name), "")
    if found := meant(endpoint, name, loosely=not option):
        return f"{text}. Did you mean {' or '.join(found)}?"
    if option:
        return f"{text}. It is an option of the command: {option}"
    return (
        f"{text} (to pass one that this version does not know: {name[:60]}:=JSON); see `flex-sdk "
        f"call {endpoint.name} --help`"
    )


def _check_needed(endpoint: Endpoint, found: dict[str, Any]) -> None:
    see = f"see `flex-sdk call {endpoint.name} --help`"
    missing = [p.python_name for p in endpoint.params if p.required and p.python_name not in found]
    if missing:
        raise click.UsageError(f"{endpoint.name} needs {' and '.join(missing)}; {see}")
    if endpoint.one_of:
        names = [p.python_name for p in endpoint.params if p.name in endpoint.one_of]
        given = [name for name in names if name in found]
        if not given:
            raise click.UsageError(f"{endpoint.name} needs {' or '.join(names)}; {see}")
        if len(given) > 1:
            raise click.UsageError(f"{endpoint.name} takes only one of {' and '.join(given)}")
