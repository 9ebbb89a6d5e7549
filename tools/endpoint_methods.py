"""What ``tools/generate.py`` makes of the table of endpoints: a class for each resource."""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace
from typing import NamedTuple

from generated_text import NOTE, SDK, WIDTH, described, imported, isort

from flex_integration_sdk._endpoints import param_types, table
from flex_integration_sdk._endpoints.endpoint import Endpoint, Param, snake
from flex_integration_sdk._vocabulary import names as closed_sets

RESOURCE = '''{title}

{note}
"""

from __future__ import annotations

from typing import {typing}

{lazy}
from flex_integration_sdk._endpoints.param_types import {arguments}
from flex_integration_sdk._endpoints.response import Response
{suggesting}from flex_integration_sdk.resources import {resources}
{sets}

{classes}
'''
ITERATE = "Walks through all pages{order}; after an error it can go on."
RESUME = Param(
    "resume", "str", "``position`` of an iterator with the same arguments: goes on there."
)
NAMESPACE = '''"""The attributes of an instance, one for each resource of the API.

{note}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flex_integration_sdk._endpoints.lazy import AsyncSend, Send, resource
from flex_integration_sdk._endpoints.suggesting import Suggesting

if TYPE_CHECKING:
{imports}


{classes}
'''


class Base(NamedTuple):
    """Two classes in ``_endpoints``, written by hand, that the classes of a resource inherit."""

    module: str
    name: str
    attribute: str
    """Of the instance: what they need beside ``_send``."""
    type: str
    """Its type, in the same module."""
    method: str
    """What they add to the resource."""


# What resources have beside the methods of their endpoints.
BASES = {"files": Base("file_uploading", "FileUploading", "_upload", "UploadFile", "upload")}


def resource_module(resource: str, endpoints: list[Endpoint]) -> str:
    """The text of one resource's module, with both its classes."""
    body = "\n\n\n".join(_class(resource, endpoints, is_async) for is_async in (False, True))
    paths = ", ".join(f"``{each.path}``" for each in endpoints)
    return RESOURCE.format(
        title=textwrap.fill(f'"""``sdk.{snake(resource)}``: {paths}.', WIDTH),
        note=NOTE.format(source="_endpoints/table.py"),
        typing=_typing(body, endpoints),
        lazy=_base_import(BASES[resource])
        if resource in BASES
        else f"from {SDK.name}._endpoints.lazy import AsyncSend, Send",
        suggesting=""
        if resource in BASES
        else f"from {SDK.name}._endpoints.suggesting import Suggesting\n",
        arguments=imported(n for n in param_types.__all__ if _is_used(n, body)),
        resources=imported(
            {each.result for each in endpoints}
            | {p.shape for each in endpoints for p in each.all_params if p.shape}
        ),
        sets=_sets(endpoints),
        classes=body,
    )


def _typing(body: str, endpoints: list[Endpoint]) -> str:
    names = {"TYPE_CHECKING"} if _sets(endpoints) else set[str]()
    names |= {name for name in ("Any", "Unpack") if re.search(rf": {name}\b", body)}
    return ", ".join(sorted(names | ({"overload"} if "@overload" in body else set()), key=isort))


def _sets(endpoints: list[Endpoint]) -> str:
    """The imports of the closed sets: for types only, since they would take time."""
    used = {each.set_of(param) for each in endpoints for param in each.all_params} - {""}
    modules = {
        "names": {name for name in used if hasattr(closed_sets, name)},
        "includes": {name for name in used if not hasattr(closed_sets, name)},
    }
    lines = [
        f"from {SDK.name}._vocabulary.{module} import {imported(names)}"
        for module, names in sorted(modules.items())
        if names
    ]
    if any(each.many for each in endpoints):
        paging = f"{SDK.name}._endpoints.paging"
        lines += [
            f"from {paging}.aio import AsyncResourceIterator",
            f"from {paging}.sync import ResourceIterator",
        ]
    lines.sort()
    block = textwrap.indent("\n".join(lines), "    ")
    return f"\nif TYPE_CHECKING:\n{block}\n" if lines else ""


def namespace() -> str:
    """The text of the module with the attributes of an instance."""
    names = sorted(name for name, _ in table.resources())
    types = [
        f"    from {SDK.name}._endpoints.{each.module} import Async{each.type}, {each.type}"
        for each in BASES.values()
    ]
    imports = "\n".join([*types, "", *(_imported_classes(name) for name in names)])
    classes = "\n\n\n".join(_attributes(is_async) for is_async in (False, True))
    return NAMESPACE.format(
        note=NOTE.format(source="_endpoints/table.py"), imports=imports, classes=classes
    )


def _imported_classes(resource: str) -> str:
    kinds = [f"Async{class_name(resource)}", class_name(resource)]
    line = f"    from .{snake(resource)} import {', '.join(kinds)}"
    if len(line) <= WIDTH:
        return line
    return f"    from .{snake(resource)} import (\n        {kinds[0]},\n        {kinds[1]},\n    )"


def _attributes(is_async: bool) -> str:
    prefix, programs = ("Async", "asyncio") if is_async else ("", "sync")
    parts = [
        f'''class {prefix}Endpoints(Suggesting):
    """All resources of the Integration API, for {programs} programs."""

    _send: {prefix}Send
{_needed(prefix)}'''
    ]
    for name, endpoints in table.resources():
        actions = [snake(each.action) for each in endpoints]
        own = [BASES[name].method] if name in BASES else []
        methods = ", ".join(f"``{each}``" for each in [*actions, *own])
        doc = textwrap.indent(textwrap.fill(f'"""{methods}."""', WIDTH - 8), "        ")
        kind, given = f"{prefix}{class_name(name)}", _given_to(name)
        parts.append(
            f"    @resource\n    def {snake(name)}(self) -> {kind}:\n{doc}\n"
            f"        from .{snake(name)} import {kind}\n\n        return {kind}({given})\n"
        )
    return "\n".join(parts).rstrip()


def _base_import(base: Base) -> str:
    names = f"Async{base.name}, {base.name}"
    return f"from {SDK.name}._endpoints.{base.module} import {names}"


def _needed(prefix: str) -> str:
    return "".join(f"    {each.attribute}: {prefix}{each.type}\n" for each in BASES.values())


def _given_to(resource: str) -> str:
    return f"self._send, self.{BASES[resource].attribute}" if resource in BASES else "self._send"


def _is_used(name: str, body: str) -> bool:
    return re.search(rf"[ \[]{name}[ ,\n\]\[]", body) is not None


def class_name(resource: str) -> str:
    """``fileUploads`` as ``FileUploadsEndpoints``."""
    return f"{resource[0].upper()}{resource[1:]}Endpoints"


def _class(resource: str, endpoints: list[Endpoint], is_async: bool) -> str:
    prefix, programs = ("Async", "asyncio") if is_async else ("", "sync")
    methods = "\n\n".join(text for each in endpoints for text in _methods(each, is_async))
    base, made = (
        "Suggesting",
        f"""
    def __init__(self, send: {prefix}Send) -> None:
        self._send = send
""",
    )
    if resource in BASES:
        base, made = f"{prefix}{BASES[resource].name}", ""
    return f'''class {prefix}{class_name(resource)}({base}):
    """``sdk.{snake(resource)}`` of {programs} programs."""
{made}
{methods}'''


def _methods(endpoint: Endpoint, is_async: bool) -> list[str]:
    """The method of an endpoint, and for a query the one that walks through all pages."""
    walk = [_iterate(endpoint, is_async)] if endpoint.many else []
    return [_method(endpoint, is_async), *walk]


def _method(endpoint: Endpoint, is_async: bool) -> str:
    params = sorted(endpoint.arguments, key=lambda param: not param.required)
    arguments = [argument(endpoint, param, is_async) for param in params]
    named = "".join(f'                "{p.name}": {p.python_name},\n' for p in endpoint.arguments)
    wait = "await " if is_async else ""
    return f'''{_overloads(endpoint, is_async)}{_signature(endpoint, arguments, is_async)}:
{textwrap.indent(_doc(endpoint, params), "        ")}
        return {wait}self._send(
            "{endpoint.name}",
            {{
{named}            }},
            further,
        )'''


def _iterate(endpoint: Endpoint, is_async: bool) -> str:
    prefix, module = ("Async", "aio") if is_async else ("", "sync")
    params = [param for param in endpoint.all_params if param.name != "page"]
    params.sort(key=lambda param: not param.required)
    named = "".join(f'                "{p.name}": {p.python_name},\n' for p in params)
    doc = endpoint.doc.partition(". There are no further")[0].removesuffix(", at most 100")
    doc = doc.removesuffix(".").removesuffix(", newest first")
    doc = f"{doc}. {ITERATE.format(order=_order(endpoint))}"
    walk = replace(endpoint, action="iterate", params=(*params, RESUME), doc=doc)
    arguments = [argument(walk, param) for param in walk.params]
    return f'''{_overloads(walk, is_async)}{_signature(walk, arguments, is_async)}:
{textwrap.indent(_doc(walk, [*params, RESUME]), "        ")}
        from {SDK.name}._endpoints.paging.{module} import {prefix}ResourceIterator

        return {prefix}ResourceIterator(
            self._send,
            "{endpoint.name}",
            {{
{named}            }},
            further,
            resume,
        )'''


def _order(endpoint: Endpoint) -> str:
    names = {param.name for param in endpoint.params}
    return ", oldest first unless ``sort`` says otherwise" if "sort" in names else ""


def _signature(endpoint: Endpoint, arguments: list[str], is_async: bool) -> str:
    lines = "".join(f"        {each},\n" for each in arguments)
    return f"""    {_kind(endpoint, is_async)} {snake(endpoint.action)}(
        self,
        /,
        *,
{lines}        **further: {_further(endpoint)},
    ) -> {_returned(endpoint, is_async)}"""


def _further(endpoint: Endpoint) -> str:
    """The type of further arguments.

    Where extended data filters, its keys are the marketplace's own. Elsewhere the types know all
    names. ``QueryOptions`` can be passed to queries without pages too.
    """
    if endpoint.filters:
        return "Any"
    pages = endpoint.action == "iterate" or any(p.name == "page" for p in endpoint.params)
    more = "NothingMore" if pages or endpoint.method == "POST" else "UnusedPaging"
    return f"Unpack[{more}]"


def _kind(endpoint: Endpoint, is_async: bool) -> str:
    return "async def" if is_async and endpoint.action != "iterate" else "def"


def _returned(endpoint: Endpoint, is_async: bool) -> str:
    if endpoint.action == "iterate":
        return f"{'Async' if is_async else ''}ResourceIterator[{endpoint.result}]"
    return f"Response[{f'list[{endpoint.result}]' if endpoint.many else endpoint.result}]"


def _overloads(endpoint: Endpoint, is_async: bool) -> str:
    """A form of the method for each parameter of which exactly one is needed."""
    forms = []
    for needed in endpoint.one_of:
        arguments = [_in_form(endpoint, param, needed) for param in endpoint.all_params]
        arguments.sort(key=lambda text: "=" in text)
        forms.append(f"    @overload\n{_signature(endpoint, arguments, is_async)}: ...\n")
    return "".join(forms)


def _in_form(endpoint: Endpoint, param: Param, needed: str) -> str:
    if param.name == needed:
        return f"{param.python_name}: {_annotation(endpoint, param)}"
    if param.name in endpoint.one_of:
        absent = ("Unset", "UNSET") if endpoint.method == "POST" else ("None", "None")
        return f"{param.python_name}: {absent[0]} = {absent[1]}"
    return argument(endpoint, param)


def argument(endpoint: Endpoint, param: Param, is_async: bool = False) -> str:
    """An argument of a method, as its signature has it."""
    kind = _annotation(endpoint, param)
    if is_async and kind == "Upload":
        kind = "AsyncUpload"
    if param.required:
        return f"{param.python_name}: {kind}{' | None' if param.null else ''}"
    if endpoint.method == "POST" and param in endpoint.params:
        null = " | None" if param.null else ""
        return f"{param.python_name}: {kind} | Unset{null} = UNSET"
    return f"{param.python_name}: {kind} | None = None"


def _annotation(endpoint: Endpoint, param: Param) -> str:
    closed = endpoint.set_of(param)
    if param.shape:
        return param.shape
    if not closed:
        # Of a resource without relationships, the types know no path.
        return "AnyNames" if param.name == "include" else param.type
    return f"NamesOf[{closed}]" if param.type == "Names" else f"{closed} | AnyName"


def _doc(endpoint: Endpoint, params: list[Param]) -> str:
    lines = [*textwrap.wrap(f'"""{endpoint.doc}', WIDTH - 8), "", "Args:"]
    for param in params:
        lines += described(param.python_name, param.doc)
    rest = (
        "Filters by extended data, ``pub_…``, ``meta_…``, ``priv_…`` and ``prot_…``, and other "
        "parameters that this version does not know."
        if endpoint.filters
        else f"{'Members of the body' if endpoint.method == 'POST' else 'Parameters'} that this "
        "version does not know, passed through. Type checkers take them as ``**`` with a "
        "``dict[str, Any]`` only."
    )
    lines += [*described("further", rest), "", "Raises:"]
    lines += described("ParameterError", "A name is misspelt, or a value cannot be sent.")
    lines += described("FlexError", "The API refuses, or does not respond; the class says why.")
    lines += described("TokenStoreError", "No access token could be obtained.")
    return "\n".join([*lines, '"""'])
