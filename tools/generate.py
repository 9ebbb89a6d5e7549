#!/usr/bin/env python3
"""Makes the SDK's sync and async methods, and their docs page, from the table of endpoints.

python tools/generate.py           writes them
python tools/generate.py --check   exit code 1 if they are not what the table gives
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

from flex_integration_sdk import resources as _resources
from flex_integration_sdk._endpoints import param_types, table
from flex_integration_sdk._endpoints.table import Endpoint, Param, snake

PACKAGE = Path(table.__file__).parents[1]
DOCS = Path(__file__).resolve().parents[1] / "docs"
WIDTH = 100
HEADER = '''"""{title} Made by tools/generate.py from _endpoints/table.py."""

from __future__ import annotations

from collections.abc import {send}
from typing import Any

from ._endpoints.param_types import (
    {arguments},
)
from ._endpoints.response import Response
from .resources import (
    {resources},
)

Send = {alias}
'''
PAGE = """# Endpoints

Made by `tools/generate.py` from the table in `_endpoints/table.py`: do not edit.

Each is a method of `IntegrationSDK` and, awaited, of `AsyncIntegrationSDK`; arguments are by
keyword. An argument with `Unset` is not sent unless it is given, and what is stored stays; None,
where the type has it, clears it. Further keywords are passed through: to a query's parameters
(`pub_…`, `meta_…`, `priv_…`, `prot_…` are filters by extended data) or to a command's body. A
command gives the id and type alone unless `expand=True`. Ids may be texts. What the API's
reference leaves open is accepted both ways."""


def main(arguments: list[str]) -> int:
    """Writes or checks both modules; returns the exit code."""
    stale = []
    made = {
        PACKAGE / "_sync_endpoints.py": module(is_async=False),
        PACKAGE / "_async_endpoints.py": module(is_async=True),
        DOCS / "endpoints.md": page(),
    }
    for path, text in made.items():
        if arguments == ["--check"]:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(path.name)
        else:
            path.write_text(text, encoding="utf-8", newline="\n")
    if stale:
        print(f"stale: {', '.join(stale)}; run python tools/generate.py")
    return 1 if stale else 0


def module(is_async: bool) -> str:
    """The text of one module."""
    classes = [_class(name, endpoints, is_async) for name, endpoints in table.resources()]
    body = "\n\n".join(classes).rstrip()
    names = [n for n in sorted(param_types.__all__, key=_isort) if _is_used(n, body)]
    types = [n for n in sorted(_resources.__all__, key=_isort) if f"[{n}]" in body]
    answer = "Awaitable[Response[Any]]" if is_async else "Response[Any]"
    header = HEADER.format(
        title="The endpoints for asyncio programs." if is_async else "The endpoints.",
        send="Awaitable, Callable, Mapping" if is_async else "Callable, Mapping",
        arguments=",\n    ".join(names),
        resources=",\n    ".join(types),
        alias=f"Callable[[str, Mapping[str, Any], Mapping[str, Any]], {answer}]",
    )
    return f"{header}\n\n{body}\n\n\n{_namespace()}"


def page() -> str:
    """The text of the docs page."""
    parts = [PAGE]
    for resource, endpoints in table.resources():
        parts.append(f"## {snake(resource)}")
        for each in endpoints:
            result = f"list of {each.result}" if each.many else each.result
            rows = (
                "\n".join(
                    f"| `{param.python_name}` | `{_argument(each, param).partition(': ')[2]}` "
                    f"| {param.doc.replace('``', '`').replace('|', '/')} |"
                    for param in each.all_params
                )
                .replace("| None", "\\| None")
                .replace("| Unset", "\\| Unset")
            )
            parts.append(
                f"### `sdk.{snake(resource)}.{snake(each.action)}`\n\n{each.doc}\n"
                f"`{each.name}` of the API, `{each.method} {each.path}`; gives {result}.\n\n"
                f"| argument | type | meaning |\n|---|---|---|\n{rows}"
            )
    return "\n\n".join(parts) + "\n"


def _isort(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def _is_used(name: str, body: str) -> bool:
    return re.search(rf"[ \[]{name}[ ,\n\]]", body) is not None


def class_name(resource: str) -> str:
    """``fileUploads`` as ``FileUploads``."""
    return resource[0].upper() + resource[1:]


def _class(resource: str, endpoints: list[Endpoint], is_async: bool) -> str:
    methods = "\n\n".join(_method(each, is_async) for each in endpoints)
    paths = ", ".join(f"``{each.path}``" for each in endpoints)
    doc = textwrap.fill(f'"""{paths}."""', WIDTH - 4)
    return f"""class {class_name(resource)}Endpoints:
{textwrap.indent(doc, "    ")}

    def __init__(self, send: Send) -> None:
        self._send = send

{methods}
"""


def _method(endpoint: Endpoint, is_async: bool) -> str:
    result = f"list[{endpoint.result}]" if endpoint.many else endpoint.result
    params = sorted(endpoint.all_params, key=lambda param: not param.required)
    signature = "".join(f"        {_argument(endpoint, param)},\n" for param in params)
    named = "".join(f'                "{p.name}": {p.python_name},\n' for p in endpoint.all_params)
    keyword, wait = ("async def", "await ") if is_async else ("def", "")
    return f'''    {keyword} {snake(endpoint.action)}(
        self,
        /,
        *,
{signature}        **further: Any,
    ) -> Response[{result}]:
{textwrap.indent(_doc(endpoint, params), "        ")}
        return {wait}self._send(
            "{endpoint.name}",
            {{
{named}            }},
            further,
        )'''


def _argument(endpoint: Endpoint, param: Param) -> str:
    if param.required:
        return f"{param.python_name}: {param.type}{' | None' if param.null else ''}"
    if endpoint.method == "POST" and param in endpoint.params:
        null = " | None" if param.null else ""
        return f"{param.python_name}: {param.type} | Unset{null} = UNSET"
    return f"{param.python_name}: {param.type} | None = None"


def _doc(endpoint: Endpoint, params: list[Param]) -> str:
    lines = [*textwrap.wrap(f'"""{endpoint.doc}', WIDTH - 8), "", "Args:"]
    for param in params:
        lines += _described(param.python_name, param.doc)
    rest = (
        "Further members of the body, passed through."
        if endpoint.method == "POST"
        else "Further parameters, passed through, such as the filters ``pub_…``, ``meta_…``, "
        "``priv_…`` and ``prot_…``."
        if endpoint.many
        else "Further parameters, passed through."
    )
    lines += [*_described("further", rest), "", "Raises:"]
    lines += _described("FlexError", "The API refuses, or does not answer; the class tells why.")
    lines += _described("TokenStoreError", "No token could be had.")
    return "\n".join([*lines, '"""'])


def _described(name: str, text: str) -> list[str]:
    return textwrap.wrap(
        f"{name}: {text}", WIDTH - 8, initial_indent="    ", subsequent_indent="        "
    )


def _namespace() -> str:
    names = [name for name, _ in table.resources()]
    lines = "\n".join(
        f"        self.{snake(name)} = {class_name(name)}Endpoints(send)" for name in names
    )
    return f'''class Endpoints:
    """All resources of the Integration API."""

    def __init__(self, send: Send) -> None:
{lines}
'''


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
