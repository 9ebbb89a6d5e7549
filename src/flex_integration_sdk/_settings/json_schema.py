"""A JSON schema of ``config.toml``, made from the table of settings and the installed stores.

It accepts what the SDK reads without an error or a warning. It is wider in places: it does not look
at the form of an address, and no option is required, since the environment may complete it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from .config_file import SECRETS
from .table import PROFILES, SETTINGS, Setting

if TYPE_CHECKING:
    from flex_tokenstore import OptionInfo, StoreInfo

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_STORE, _TABLE, _ANY, _SECTION = "token_store", "store_table", "options_of_any_store", "section"
_TEXT: Schema = {"type": "string"}
# A string stands for any value: the environment has nothing else.
_TYPES: dict[str, Schema] = {
    "str": _TEXT,
    "Secret[str]": _TEXT,
    "Path": _TEXT,
    "PurePath": _TEXT,
    "bool": {"anyOf": [{"type": "boolean"}, _TEXT]},
    "int": {"anyOf": [{"type": "integer"}, _TEXT]},
    "float": {"anyOf": [{"type": "number"}, _TEXT]},
}
_LIST = re.compile(r"(list|tuple|set|frozenset|Sequence|Set|Collection)\b")
_LITERAL = re.compile(r"'([^'\\]*)'")


def schema_of(stores: Iterable[StoreInfo]) -> Schema:
    """The schema, as JSON Schema 2020-12 has it.

    Args:
        stores: The stores that can be chosen, each with its options.
    """
    stores = sorted(stores, key=lambda store: store.name)
    names = [store.name for store in stores]
    named = {_definition(store): _of_store(store) for store in stores}
    section = _object({each.name: _of_setting(each) for each in SETTINGS if each.in_file})
    profiles = {
        "description": "The settings of each profile: [profiles.NAME].",
        "type": "object",
        "additionalProperties": _ref(_SECTION),
    }
    return {
        "$schema": DIALECT,
        "title": "config.toml of flex-integration-sdk",
        **_object({**section["properties"], PROFILES: profiles}),
        "allOf": _one_secret(),
        "$defs": {
            _SECTION: {**section, "allOf": _one_secret()},
            _STORE: {"anyOf": [{"enum": ["", *names]}, _ref(_TABLE)]},
            _TABLE: _table(stores, names),
            _ANY: _object(_options_of_any(stores)),
            **named,
        },
    }


def _of_setting(setting: Setting) -> Schema:
    kinds: dict[str, Schema] = {
        "text": _TEXT,
        "path": _TEXT,
        "switch": {"type": "boolean"},
        "command": {"type": "array", "items": {"type": "string", "minLength": 1}},
        "store": _ref(_STORE),
    }
    return {"description": setting.about, **kinds[setting.kind]}


def _one_secret() -> list[Schema]:
    """At most one of the settings that say where the client secret is; an empty one is unset."""
    filled = {"minLength": 1, "minItems": 1}
    return [
        {"not": {"required": [*pair], "properties": dict.fromkeys(pair, filled)}}
        for pair in combinations(SECRETS, 2)
    ]


def _table(stores: Sequence[StoreInfo], names: list[str]) -> Schema:
    """A store with its options, which depend on its name."""
    branches = [
        {
            "if": {"required": ["name"], "properties": {"name": {"const": store.name}}},
            "then": _ref(_definition(store)),
        }
        for store in stores
    ]
    # The name may be in another section, or in a variable.
    unnamed = {"if": {"not": {"required": ["name"]}}, "then": _ref(_ANY)}
    return {
        "type": "object",
        "properties": {"name": {"description": "Name of the store.", "enum": names}},
        "allOf": [*branches, unnamed],
    }


def _of_store(store: StoreInfo) -> Schema:
    options = {option.name: _of_option(option) for option in store.options or ()}
    return {"description": store.summary, **_object({"name": {}, **options})}


def _options_of_any(stores: Sequence[StoreInfo]) -> dict[str, Schema]:
    found: dict[str, list[Schema]] = {}
    for store in stores:
        for option in store.options or ():
            schemas = found.setdefault(option.name, [])
            if (schema := _of_option(option)) not in schemas:
                schemas.append(schema)
    return {name: {"anyOf": schemas} for name, schemas in found.items()}


def _of_option(option: OptionInfo) -> Schema:
    about = option.doc if option.required or not option.default else ""
    about = about or f"{option.doc} Default: {option.default}."
    if option.name == "inner":
        return {"description": about, **_ref(_STORE)}
    if option.name == "stores":
        numbered = {"type": "object", "additionalProperties": _ref(_STORE)}
        each = {"type": "array", "items": _ref(_STORE)}
        return {"description": about, "anyOf": [each, numbered, _TEXT]}
    return {"description": about.strip(), **_of_type(option.type)}


def _of_type(text: str) -> Schema:
    """The values of a type, as a store's author would write it; all, if it is not known."""
    literals = _LITERAL.findall(text)
    rest = _LITERAL.sub("", text)
    schemas: list[Schema] = [{"enum": literals}] if literals else []
    for part in (each.strip() for each in rest.split("|")):
        if part in ("", "None"):  # TOML has no None
            continue
        if part in _TYPES:
            schemas.append(_TYPES[part])
        elif _LIST.match(part):
            schemas.append({"anyOf": [{"type": "array"}, _TEXT]})
        else:
            return {}
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _object(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _definition(store: StoreInfo) -> str:
    return f"store_{store.name}"


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
