"""The parameters of ``flex-sdk call``: from ``key=value`` to the arguments of the method."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ._argument_values import value_of

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.endpoint import Endpoint, Param

# Filters by extended data, of queries: after the underscore stands a key of the marketplace.
_FILTER = re.compile(r"(pub|meta|priv|prot)_(.*)", re.DOTALL)
_NEAR_FILTER = re.compile(r"(pub|meta|priv|prot)[a-z]*(?:data)?[-._](.+)", re.IGNORECASE)
# Parameters by the type of what they shape, and the type of one value.
_FAMILIES = {"Fields": "Names", "Limits": "int", "ImageVariants": "str"}
_LISTS = {"Ids", "Names"}
_EXTENDED = {
    "pub": "public_data",
    "meta": "metadata",
    "priv": "private_data",
    "prot": "protected_data",
}


def arguments(endpoint: Endpoint, texts: Sequence[str]) -> dict[str, Any]:
    """The method's arguments, from strings ``key=value``.

    A name that the endpoint does not have is an error, however far it is from all others: the API
    does not refuse it, and a query would answer as if it was not there. ``KEY:=JSON`` passes it.

    Raises:
        UsageError: One has another form, is unknown, is given twice or has a wrong value, or one
            that is needed is missing.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, is_json, value = _split(endpoint, text)
        param = _named(endpoint, name)
        if param is None and not is_json:
            raise click.UsageError(_of_unknown(endpoint, name))
        key = name if param is None or "." in name else param.python_name
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
    return _named(endpoint, name) is not None


def _split(endpoint: Endpoint, text: str) -> tuple[str, bool, str]:
    """The name, whether the value is JSON, and the value."""
    name, equals, value = text.partition("=")
    is_json = name.endswith(":")
    name = name.removesuffix(":")
    if equals and name and name == name.strip():
        return name, is_json, value
    if not equals and _named(endpoint, text) is not None:
        raise click.UsageError(f"{text} needs a value: {text}=VALUE, without blanks around the =")
    name, at, path = text.partition("@")
    if not equals and at and name and _named(endpoint, name) is not None:
        raise click.UsageError(
            f"{name}@… does not have the form KEY=VALUE. Did you mean {name}=@{path[:200]}?"
        )
    if not equals and (meant := _only_needed(endpoint, text)):
        raise click.UsageError(f"{text[:60]!r} does not have the form KEY=VALUE. {meant}")
    raise click.UsageError(
        f"{text[:60]!r} does not have the form KEY=VALUE, without blanks around the =; a value "
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
    return f"Did you mean {needed[0].python_name}={text[:60]}?"


def _named(endpoint: Endpoint, name: str) -> Param | None:
    """The parameter of a name, also of one of a family such as ``fields.user``."""
    from flex_integration_sdk._endpoints.endpoint import Param

    for param in endpoint.all_params:
        if name in (param.name, param.python_name):
            return param
    head, dot, rest = name.partition(".")
    family = _named(endpoint, head) if dot and rest else None
    if family is not None and family.type in _FAMILIES:
        return Param(name, _FAMILIES[family.type], family.doc)
    filters = _FILTER.fullmatch(name) if _has_filters(endpoint) else None
    return Param(name, "str", "") if filters is not None and filters[2] else None


def _has_filters(endpoint: Endpoint) -> bool:
    return endpoint.method == "GET" and endpoint.many


def _of_unknown(endpoint: Endpoint, name: str) -> str:
    text = f"{endpoint.name} has no parameter {name[:60]!r}"
    if near := _near(endpoint, name):
        return f"{text}. Did you mean {near}?"
    return (
        f"{text} (to pass one that this version does not know: {name[:60]}:=JSON); see `flex-sdk "
        f"call {endpoint.name} --help`"
    )


def _near(endpoint: Endpoint, name: str) -> str:
    """What was probably meant; "" if nothing is near."""
    head, dot, rest = name.partition(".")
    families = [each.python_name for each in endpoint.all_params if each.type in _FAMILIES]
    if name.rstrip(".") in families:
        return f"{name.rstrip('.')}.NAME=…"
    if dot and (found := difflib.get_close_matches(_plain(head), families, n=1)):
        return f"{found[0]}.{rest}"
    if _has_filters(endpoint):
        if filters := _NEAR_FILTER.fullmatch(name):
            return f"{filters[1].lower()}_{filters[2]}"
        if _FILTER.fullmatch(name):
            return f"{name}KEY=…"
    elif filters := _FILTER.fullmatch(name):
        name = _EXTENDED[filters[1]]
    names = {_plain(each.python_name): each.python_name for each in endpoint.all_params}
    # Not the default of 0.6, by which "state" is near to "title".
    found = difflib.get_close_matches(_plain(name), names, n=1, cutoff=0.65)
    return names[found[0]] if found else ""


def _plain(name: str) -> str:
    """A name without what people write differently: dashes, capitals, underscores."""
    return re.sub(r"[-_ ]", "", name).lower()


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
