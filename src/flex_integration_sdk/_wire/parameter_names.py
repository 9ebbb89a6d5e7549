"""Which parameter a name means, and which was meant by a name that is near to one.

Programs and the command line share it. A name that is near to none may be newer than this SDK.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flex_integration_sdk._endpoints.endpoint import Endpoint, Param, snake
from flex_integration_sdk._endpoints.param_types import UNSET
from flex_integration_sdk._vocabulary.elsewhere import called_here
from flex_integration_sdk._vocabulary.misspelling import near
from flex_integration_sdk._vocabulary.relationships import RELATIONSHIPS
from flex_integration_sdk.errors import ParameterError

from .query import wire_name

# Parameters that take names, by type: the type of one value, and what a program passes.
_FAMILIES = {"Fields": "Names", "Limits": "int", "ImageVariants": "str"}
_EXAMPLES = {
    "Fields": '{"user": ["email"]}',
    "Limits": '{"images": 1}',
    "ImageVariants": '{"small": {"w": 320}}',
}
# Filters by extended data: after the underscore stands a key of the marketplace.
_FILTER = re.compile(r"(pub|meta|priv|prot)_(.*)", re.DOTALL)
# How people write them otherwise: `pub-gears`, `publicData.gears`, `public_gears`, `pubGears`,
# `pubgears` (not `published`); and `public_data`, without a key.
_JOINED = re.compile(r"(?P<kind>pub)(?!li)(?P<key>[a-z]{3,}.*)", re.DOTALL)
_LIKE_FILTER = re.compile(
    r"(?i:(?P<kind>pub|meta|priv|prot)(?:(?<=b)lic|(?<=v)ate|(?<=t)ected)?)"
    r"(?:_?(?i:data)|(?:_?(?i:data))?(?:[-._]+(?P<key>.*)|(?P<camel>[A-Z][a-z0-9].*)))",
    re.DOTALL,
)
_LOOSELY = re.compile(r"(?i:(?P<kind>pub|meta|priv|prot)[a-z]*)[-._](?P<key>.+)", re.DOTALL)
_EXTENDED = {
    "pub": "publicData",
    "meta": "metadata",
    "priv": "privateData",
    "prot": "protectedData",
}
# Options of a call, some as other SDKs call them, and how each is passed.
_TIMEOUT, _RETRIES, _HEADERS = "timeout=0.5", "max_retries=5", 'headers={"X-Name": "value"}'
_OPTIONS = {
    "timeout": _TIMEOUT,
    "request_timeout": _TIMEOUT,
    "total_timeout": "total_timeout=60",
    "max_retries": _RETRIES,
    "retries": _RETRIES,
    "headers": _HEADERS,
    "extra_headers": _HEADERS,
    "unknown_parameters": 'unknown_parameters="send"',
}
_MOST_OF_A_NAME = 60  # letters that a message quotes


def check_names(endpoint: Endpoint, named: Mapping[str, Any], others: Iterable[str]) -> None:
    """Refuses names that are surely wrong; the API would often answer as if they were not there.

    Args:
        endpoint: What is called.
        named: Arguments by the API's names.
        others: Names of further ones, as the program spelled them.

    Raises:
        ParameterError: A name is near to a parameter's, or is that of an option of the call, or
            names are missing: ``limit=10``.
    """
    for name in [*others, *_keys(endpoint, named)]:
        quoted = name[:_MOST_OF_A_NAME]
        if found := meant(endpoint, name):
            names = " or ".join(_in_python(name, each) for each in found)
            raise ParameterError(
                f"{_called(endpoint)} has no parameter {quoted!r}; did you mean {names}? To send "
                'it as it is: sdk.with_options(unknown_parameters="send")'
            )
        # No command line has those.
        if local := called_here(name, [each.python_name for each in endpoint.local]):
            raise ParameterError(
                f"{_called(endpoint)} has no parameter {quoted!r}; did you mean {local}?"
            )
        if parameter_of(endpoint, name) is None and (option := option_meant(name)):
            raise ParameterError(
                f"{quoted} is an option of the call, not a parameter of the API: "
                f"sdk.with_options({_OPTIONS[option]}).{_called(endpoint)}(…)"
            )


def parameter_of(endpoint: Endpoint, name: str) -> Param | None:
    """The parameter of a name, also one of a family, such as ``fields.user``, or a filter.

    Args:
        endpoint: The endpoint.
        name: As Python or as the API spells it.
    """
    wire = wire_name(name)
    head, dot, rest = wire.partition(".")
    for param in endpoint.all_params:
        if param.name == wire:
            return param
        if param.name == head and dot and rest and param.type in _FAMILIES:
            return Param(wire, _FAMILIES[param.type], param.doc)
    filters = _FILTER.fullmatch(name) if endpoint.filters else None
    return Param(name, "str", "") if filters is not None and filters[2] else None


def meant(endpoint: Endpoint, name: str, *, loosely: bool = False) -> list[str]:
    """The parameters that were meant by a name; empty: it is one itself, or near to none.

    Args:
        endpoint: The endpoint.
        name: What was typed.
        loosely: Also what was meant probably only.

    Returns:
        Their names in Python, such as ``per_page``, ``fields.user`` or ``pub_gears``; where a key
        is missing, ``fields.NAME=…`` or ``pub_KEY=…``.
    """
    known = parameter_of(endpoint, name)
    if known in endpoint.all_params:
        return []
    if found := _of_a_family(endpoint, name):
        return found
    if known is not None:
        return []
    joined = [_JOINED] if endpoint.filters else []
    for pattern in (_LIKE_FILTER, *joined, *([_LOOSELY] if loosely else [])):
        if found := _of_extended_data(endpoint, name, pattern):
            return found
    names = [each.python_name for each in endpoint.all_params]
    if found := near(name, names):
        return found
    if elsewhere := called_here(name, names):
        return [elsewhere]
    return near(name, names, loosely=True) if loosely else []


def option_meant(name: str) -> str:
    """The option of a call that has this name, or a near one; empty: none."""
    return next(iter(near(name, _OPTIONS)), "")


def _called(endpoint: Endpoint) -> str:
    return f"{snake(endpoint.resource)}.{snake(endpoint.action)}"


def _keys(endpoint: Endpoint, named: Mapping[str, Any]) -> Iterator[str]:
    """The keys of ``fields={"listing": …}`` and its like, as names: ``fields.listing``."""
    for param in endpoint.all_params:
        value = named.get(param.name) if param.type in _FAMILIES else None
        if isinstance(value, Mapping):
            yield from (f"{param.python_name}.{key}" for key in value if isinstance(key, str))
        elif value is not None and value is not UNSET:
            raise ParameterError(_no_names(endpoint, param, value))


def _no_names(endpoint: Endpoint, param: Param, value: Any) -> str:
    text = (
        f"{param.python_name} of {_called(endpoint)} must be a mapping, such as "
        f"{_EXAMPLES[param.type]}, got {type(value).__name__}"
    )
    has_pages = any(each.name == "perPage" for each in endpoint.params)
    # Other APIs call the size of a page so.
    of_page = param.name == "limit" and has_pages and isinstance(value, int)
    return f"{text}; for the size of a page pass per_page" if of_page else text


def _in_python(typed: str, found: str) -> str:
    """``fields.user`` as a program passes it, if it was not typed with a dot."""
    family, dot, name = found.partition(".")
    return f'{family}={{"{name}": …}}' if dot and "." not in typed else found


def _of_a_family(endpoint: Endpoint, name: str) -> list[str]:
    """Corrects ``feilds.user``, ``fields.usr``, ``fields.`` and ``fields_user``."""
    families = {each.python_name: each for each in endpoint.all_params if each.type in _FAMILIES}
    head, dot, rest = name.partition(".")
    if not dot:
        found = (_joined(family, each, name) for family, each in families.items())
        return [each for each in found if each]
    for family in near(head, families):
        key = rest if rest.strip(".") else "NAME=…"
        known = _names_of(families[family])
        if key not in known:
            key = next(iter(near(key, known)), key)
        if key != rest or wire_name(head) != families[family].name:
            return [f"{family}.{key}"]
    return []


def _joined(family: str, param: Param, name: str) -> str:
    """Corrects ``fields_user``; empty: it is nothing like it."""
    key = re.fullmatch(rf"{family}[-_](.+)|{param.name}[-_]?([A-Z].*)", name, re.DOTALL)
    if key is None:
        return ""
    rest = key[1] or key[2]
    if param.type == "ImageVariants":
        return f"{family}.{rest}"
    return next((f"{family}.{each}" for each in near(rest, _names_of(param))), "")


def _names_of(param: Param) -> list[str]:
    """The names that the API knows of a family; those of image variants are the program's own."""
    if param.type == "Fields":
        return [*RELATIONSHIPS]
    if param.type == "Limits":
        each = (of_type.items() for of_type in RELATIONSHIPS.values())
        return [name for pairs in each for name, relation in pairs if relation.is_many]
    return []


def _of_extended_data(endpoint: Endpoint, name: str, pattern: re.Pattern[str]) -> list[str]:
    """Corrects ``publicData.gears``; for a command ``pub_gears``, which is a filter of queries."""
    like = pattern.fullmatch(name)
    if like is None:
        return []
    kind, groups = like["kind"].lower(), like.groupdict()
    if not endpoint.filters:
        names = [each.python_name for each in endpoint.params if each.name == _EXTENDED[kind]]
        return names if endpoint.method == "POST" else []
    camel = groups.get("camel") or ""
    key = groups["key"] or f"{camel[:1].lower()}{camel[1:]}"
    return [f"{kind}_{key}" if key else f"{kind}_KEY=…"]
