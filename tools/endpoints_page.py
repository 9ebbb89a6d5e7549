"""What ``tools/generate.py`` makes of the table of endpoints: the page docs/endpoints.md."""

from __future__ import annotations

import vocabulary
from endpoint_methods import argument

from flex_integration_sdk._endpoints import table
from flex_integration_sdk._endpoints.endpoint import Endpoint, Param, snake

PAGE = """# Endpoints

Made by `tools/generate.py` from the table in `_endpoints/table.py`: do not edit.

Each endpoint is a method of `IntegrationSDK`, and a coroutine of `AsyncIntegrationSDK`. Pass
its arguments by keyword.

- An argument whose default is `Unset` is not sent if you omit it: the stored value stays. If
  its type has None, None clears the stored value.
- Other keywords are passed on, to a query's parameters or to a command's body, unless they are
  [near to a known name](how-to/call-the-api.md#misspelt-parameters). In the queries of users,
  listings and transactions `pub_…`, `meta_…`, `priv_…` and `prot_…` filter by extended data.
- The response to a command has only id and type, unless you pass `expand=True`.
- An id can be a string or a `UUID`.
- `NamesOf[…]` is a name of one of the [closed sets](#closed-sets) below, or several in a list. A
  name that the set does not have is passed as `AnyName("pub_gears")`.
- Where the API's reference does not say which of two forms is right, both are accepted."""
REPEATED = """## What is repeated

A call that fails is repeated if that can do no harm, at most `max_retries` times (two by default):

- after HTTP 429: the API did nothing;
- after a connection that could not be made: nothing was sent;
- after HTTP 500, 502, 503 and 504, a time-out, a lost connection, or a response that is cut or
  damaged: the API may have done what was asked, so that only some calls are repeated.

| call | repeated after | why |
|---|---|---|
"""
SETS = """## Closed sets

The types are in `flex_integration_sdk.names`. A type checker compares your program with them; the
SDK compares no values when the program runs. Paths of `include` have up to three relationships, do
not come back to a type that they have passed, and have `marketplace` only at their start.

| type | members | which |
|---|---|---|
"""


def page() -> str:
    """The text of the docs page."""
    parts = [PAGE]
    for resource, endpoints in table.resources():
        parts.append(f"## {snake(resource)}")
        for each in endpoints:
            result = f"list of {each.result}" if each.many else each.result
            parts.append(
                f"### `sdk.{snake(resource)}.{snake(each.action)}`\n\n{each.doc}{_needs(each)}\n"
                f"`{each.name}` of the API, `{each.method} {each.path}`; returns {result}.\n\n"
                "| argument | type | meaning |\n|---|---|---|\n"
                + "\n".join(_row(each, param) for param in each.arguments)
            )
    repeated = REPEATED + "\n".join(map(_repeated, table.ENDPOINTS.values()))
    return "\n\n".join([*parts, repeated, SETS + vocabulary.sets_as_rows()]) + "\n"


def _repeated(endpoint: Endpoint) -> str:
    if endpoint.method == "GET":
        when, why = "any of these", "It changes nothing."
    elif endpoint.repeatable:
        when, why = "any of these", endpoint.repeatable
    else:
        when, why = "429, not sent", endpoint.once
    return f"| `{endpoint.name}` | {when} | {why.replace('``', '`')} |"


def _needs(endpoint: Endpoint) -> str:
    names = " and ".join(f"`{snake(each)}`" for each in endpoint.one_of)
    return f" It needs exactly one of {names}." if names else ""


def _row(endpoint: Endpoint, param: Param) -> str:
    kind = argument(endpoint, param).partition(": ")[2]
    kind = kind.replace("|", "\\|")
    return (
        f"| `{param.python_name}` | `{kind}` | {param.doc.replace('``', '`').replace('|', '/')} |"
    )
