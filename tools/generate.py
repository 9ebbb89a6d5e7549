#!/usr/bin/env python3
"""Makes what is written twice, once for sync and once for asyncio programs, and its docs page.

python tools/generate.py           writes the files
python tools/generate.py --check   exit code 1 if they are not what this tool makes

The methods of the endpoints and docs/endpoints.md come from the table in
src/flex_integration_sdk/_endpoints/table.py. The functions create_instance and
create_async_instance come from InstanceOptions in src/flex_integration_sdk/_client/builder.py.
The paths of ``include`` and the classes of resources come from the table in
src/flex_integration_sdk/_vocabulary/relationships.py.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

# This tool makes what is imported here, so that an old or broken version of it may be there.
from flex_integration_sdk._endpoints import param_types, table
from flex_integration_sdk._endpoints.endpoint import Endpoint, Param, snake
from flex_integration_sdk._vocabulary import names as closed_sets

sys.path.insert(0, str(Path(__file__).parent))  # as a script has it, where something runs its path
import vocabulary

ROOT = Path(__file__).resolve().parents[1]
SDK = Path("src/flex_integration_sdk")
GENERATED = SDK / "_endpoints" / "generated"
KEPT = {"__init__.py"}  # of the folder GENERATED: written by hand
WIDTH = 100
NOTE = vocabulary.NOTE
RESOURCE = '''{title}

{note}
"""

from __future__ import annotations

from typing import {typing}

from flex_integration_sdk._endpoints.lazy import AsyncSend, Send
from flex_integration_sdk._endpoints.param_types import {arguments}
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk.resources import {resources}
{sets}

{classes}
'''
NAMESPACE = '''"""The attributes of an instance, one for each resource of the API.

{note}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flex_integration_sdk._endpoints.lazy import AsyncSend, Send, resource

if TYPE_CHECKING:
{imports}


{classes}
'''
CREATE = '''"""The functions that make an instance; both have the same arguments.

{note}
"""

from __future__ import annotations

{imports}

from .builder import InstanceOptions, build

if TYPE_CHECKING:
    from .aio import AsyncIntegrationSDK
    from .sync import IntegrationSDK


{functions}
'''
CREATE_ONE = """def {name}(
{signature}) -> {prefix}IntegrationSDK:
{doc}
    options = InstanceOptions(
{values}    )
    # A traceback may show the locals of this function.
    del client_secret, client_secret_file, token_store, base_url
    from .{module} import PARTS

    return build(PARTS, options)
"""
SYNC = """Makes an SDK for a sync program.

Make one for each process. Threads can share it. Close it, or use it in a ``with`` statement."""
ASYNC = """Makes an SDK for an asyncio program.

Make one for each process. Close it with ``aclose``, or use it in an ``async with`` statement.

Call this before the event loop runs or in it; the instance belongs to the loop of its first
call. It imports the store and reads the secret's file at once, so that it can raise here. That
takes some milliseconds, or as long as a plugin's driver takes to import. If the loop must not
wait for that, use ``asyncio.to_thread(create_async_instance, …)``."""
RAISES = {
    "ConfigurationError": "An argument or a variable is missing or wrong.",
    "UnknownStoreError": "No installed store has that name.",
    "StoreLoadError": "The store's plugin cannot be loaded.",
    "StoreOptionsError": "An option of the store is unknown, missing or wrong.",
    "TokenUnavailableError": "The store could not be opened.",
}
RAISES_ASYNC = {"AsyncioRequiredError": "It was called under trio or curio."}
BY_POSITION = 2  # arguments that can be passed without their names: client_id and client_secret
PAGE = """# Endpoints

Made by `tools/generate.py` from the table in `_endpoints/table.py`: do not edit.

Each endpoint is a method of `IntegrationSDK`, and a coroutine of `AsyncIntegrationSDK`. Pass
its arguments by keyword.

- An argument whose default is `Unset` is not sent if you omit it: the stored value stays. If
  its type has None, None clears the stored value.
- Other keywords are passed on, to a query's parameters or to a command's body. In a query,
  `pub_…`, `meta_…`, `priv_…` and `prot_…` filter by extended data.
- The response to a command has only id and type, unless you pass `expand=True`.
- An id can be a string or a `UUID`.
- `NamesOf[…]` is a name of one of the [closed sets](#closed-sets) below, or several in a list. A
  name that the set does not have is passed as `AnyName("pub_gears")`.
- Where the API's reference does not say which of two forms is right, both are accepted."""
SETS = """## Closed sets

The types are in `flex_integration_sdk.names`. A type checker compares your program with them; the
SDK compares no values when the program runs. Paths of `include` have up to three relationships, do
not come back to a type that they have passed, and have `marketplace` only at their start.

| type | members | which |
|---|---|---|
"""


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Writes or checks the files; returns the exit code."""
    rows = [each for _, endpoints in table.resources() for each in endpoints]
    if wrong := [text for each in rows for text in mistakes(each, rows)]:
        print("\n".join(wrong))
        return 1
    made = {root / name: text for name, text in files()}
    left = {path for path in (root / GENERATED).glob("*.py") if path.name not in KEPT} - {*made}
    if arguments == ["--check"]:
        stale = {p for p, text in made.items() if not p.exists() or p.read_text("utf-8") != text}
        if stale | left:
            names = ", ".join(path.relative_to(root).as_posix() for path in sorted(stale | left))
            print(f"not what the tool makes: {names}; run python tools/generate.py")
        return 1 if stale | left else 0
    for path, text in made.items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"wrote {path.relative_to(root).as_posix()}")
    for path in left:
        path.unlink()  # of a resource that the table does not have any more
    return 0


def mistakes(endpoint: Endpoint, rows: list[Endpoint]) -> Iterable[str]:
    """What is wrong with a row of the table, of which the code made from it would not tell."""
    if [each.name for each in rows].count(endpoint.name) > 1:
        yield f"{endpoint.name} is in _endpoints/table.py more than once"
    if endpoint.result not in _resource_classes():
        kind = endpoint.result
        yield (
            f"{endpoint.name} returns {kind}, which is not in resources/__init__.py: add "
            f"{endpoint.result_type} to _vocabulary/relationships.py, the class {kind}Attributes "
            f"to resources/_attributes.py, and both names to resources/__init__.py, in the imports "
            "and in __all__"
        )
    for param in endpoint.all_params:
        if param.type not in param_types.__all__ and not hasattr(builtins, param.type):
            yield (
                f"{endpoint.name}: the parameter {param.name} has the type {param.type}, which is "
                "not in _endpoints/param_types.py: use a type of its __all__ (an id's is Id), or "
                "add one"
            )
        if param.names and not hasattr(closed_sets, param.names):
            yield (
                f"{endpoint.name}: values of the parameter {param.name} are of {param.names}, "
                "which is not in _vocabulary/names.py"
            )


def _resource_classes() -> set[str]:
    """The names in ``__all__`` of resources, which may lack a module that is to be made."""
    tree = ast.parse((ROOT / SDK / "resources" / "__init__.py").read_text("utf-8"))
    lists = [each.value for each in tree.body if isinstance(each, ast.Assign)]
    return {name for each in lists for name in ast.literal_eval(each)}


def files() -> Iterable[tuple[Path, str]]:
    """Each file that is made: its path from the repository's root, and its text."""
    yield GENERATED / "namespace.py", namespace()
    for resource, endpoints in table.resources():
        yield GENERATED / f"{snake(resource)}.py", resource_module(resource, endpoints)
    yield SDK / "_vocabulary" / "includes.py", vocabulary.includes()
    yield SDK / "resources" / "_kinds.py", vocabulary.kinds()
    yield Path("docs/endpoints.md"), page()
    yield SDK / "_client" / "create.py", create_module()


def resource_module(resource: str, endpoints: list[Endpoint]) -> str:
    """The text of one resource's module, with both its classes."""
    body = "\n\n\n".join(_class(resource, endpoints, is_async) for is_async in (False, True))
    paths = ", ".join(f"``{each.path}``" for each in endpoints)
    return RESOURCE.format(
        title=textwrap.fill(f'"""``sdk.{snake(resource)}``: {paths}.', WIDTH),
        note=NOTE.format(source="_endpoints/table.py"),
        typing=_typing(body, endpoints),
        arguments=_imported(n for n in param_types.__all__ if _is_used(n, body)),
        resources=_imported({each.result for each in endpoints}),
        sets=_sets(endpoints),
        classes=body,
    )


def _typing(body: str, endpoints: list[Endpoint]) -> str:
    names = {"Any", *(["TYPE_CHECKING"] if _sets(endpoints) else [])}
    return ", ".join(sorted(names | ({"overload"} if "@overload" in body else set()), key=_isort))


def _sets(endpoints: list[Endpoint]) -> str:
    """The imports of the closed sets: for types only, since they would take time."""
    used = {each.set_of(param) for each in endpoints for param in each.all_params} - {""}
    modules = {
        "names": {name for name in used if hasattr(closed_sets, name)},
        "includes": {name for name in used if not hasattr(closed_sets, name)},
    }
    lines = [
        f"from {SDK.name}._vocabulary.{module} import {_imported(names)}"
        for module, names in sorted(modules.items())
        if names
    ]
    block = textwrap.indent("\n".join(lines), "    ")
    return f"\nif TYPE_CHECKING:\n{block}\n" if lines else ""


def namespace() -> str:
    """The text of the module with the attributes of an instance."""
    names = sorted(name for name, _ in table.resources())
    imports = "\n".join(_imported_classes(name) for name in names)
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
        f'''class {prefix}Endpoints:
    """All resources of the Integration API, for {programs} programs."""

    _send: {prefix}Send
'''
    ]
    for name, endpoints in table.resources():
        methods = ", ".join(f"``{snake(each.action)}``" for each in endpoints)
        doc = textwrap.indent(textwrap.fill(f'"""{methods}."""', WIDTH - 8), "        ")
        kind = f"{prefix}{class_name(name)}"
        parts.append(
            f"    @resource\n    def {snake(name)}(self) -> {kind}:\n{doc}\n"
            f"        from .{snake(name)} import {kind}\n\n        return {kind}(self._send)\n"
        )
    return "\n".join(parts).rstrip()


def create_module() -> str:
    """The text of the module with both functions that make an instance."""
    source = (ROOT / SDK / "_client" / "builder.py").read_text("utf-8")
    tree = ast.parse(source)
    options = next(each for each in tree.body if isinstance(each, ast.ClassDef))
    fields = [each for each in options.body if isinstance(each, ast.AnnAssign)]
    docs = [each.value.value for each in options.body[1:] if isinstance(each, ast.Expr)]
    texts = [ast.get_source_segment(source, each) or "" for each in fields]
    functions = [_create(texts, docs, is_async) for is_async in (False, True)]
    return CREATE.format(
        note=NOTE.format(source="_client/builder.py"),
        imports=_imports(fields, tree),
        functions="\n\n".join(functions).rstrip(),
    )


def _imports(fields: list[ast.AnnAssign], tree: ast.Module) -> str:
    """The imports of the names in the fields' types, as ``builder.py`` has them."""
    used = {n.id for each in fields for n in ast.walk(each.annotation) if isinstance(n, ast.Name)}
    found = {"typing": {"TYPE_CHECKING"}}
    for each in tree.body:
        if isinstance(each, ast.ImportFrom):
            names = {alias.name for alias in each.names} & used
            found.setdefault(each.module or "", set()).update(names)
    found[f"{SDK.name}._settings.client_secret"].add("ClientSecret")
    lines = {
        module: f"from {module} import {', '.join(sorted(names, key=_isort))}"
        for module, names in sorted(found.items())
        if names
    }
    ours = [line for module, line in lines.items() if module.startswith("flex_")]
    return "\n".join([*(line for line in lines.values() if line not in ours), "", *ours])


def _create(fields: list[str], docs: list[str], is_async: bool) -> str:
    names = [field.partition(":")[0] for field in fields]
    signature = ""
    for number, field in enumerate(fields):
        kind = field if is_async else field.replace("AsyncClientSecret", "ClientSecret")
        signature += "    *,\n" if number == BY_POSITION else ""
        signature += f"    {kind},\n"
    lines = [f'"""{ASYNC if is_async else SYNC}', "", "Args:"]
    for name, doc in zip(names, docs, strict=True):
        lines += _described(name, " ".join(doc.split()), WIDTH - 4)
    lines += ["", "Raises:"]
    for error, when in {**RAISES, **(RAISES_ASYNC if is_async else {})}.items():
        lines += _described(error, when, WIDTH - 4)
    return CREATE_ONE.format(
        name="create_async_instance" if is_async else "create_instance",
        prefix="Async" if is_async else "",
        signature=signature,
        doc=textwrap.indent("\n".join([*lines, '"""']), "    "),
        module="aio" if is_async else "sync",
        values="".join(f"        {name}={name},\n" for name in names),
    )


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
                + "\n".join(_row(each, param) for param in each.all_params)
            )
    return "\n\n".join([*parts, SETS + vocabulary.sets_as_rows()]) + "\n"


def _needs(endpoint: Endpoint) -> str:
    names = " and ".join(f"`{snake(each)}`" for each in endpoint.one_of)
    return f" It needs exactly one of {names}." if names else ""


def _row(endpoint: Endpoint, param: Param) -> str:
    kind = _argument(endpoint, param).partition(": ")[2]
    kind = kind.replace("|", "\\|")
    return (
        f"| `{param.python_name}` | `{kind}` | {param.doc.replace('``', '`').replace('|', '/')} |"
    )


def _imported(names: Iterable[str]) -> str:
    """Names of an import, in the order and form of the formatter."""
    ordered = sorted(names, key=_isort)
    lines = "".join(f"    {name},\n" for name in ordered)
    return f"(\n{lines})" if len(ordered) > 1 else ordered[0]


def _isort(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def _is_used(name: str, body: str) -> bool:
    return re.search(rf"[ \[]{name}[ ,\n\]\[]", body) is not None


def class_name(resource: str) -> str:
    """``fileUploads`` as ``FileUploadsEndpoints``."""
    return f"{resource[0].upper()}{resource[1:]}Endpoints"


def _class(resource: str, endpoints: list[Endpoint], is_async: bool) -> str:
    prefix, programs = ("Async", "asyncio") if is_async else ("", "sync")
    methods = "\n\n".join(_method(each, is_async) for each in endpoints)
    return f'''class {prefix}{class_name(resource)}:
    """``sdk.{snake(resource)}`` of {programs} programs."""

    def __init__(self, send: {prefix}Send) -> None:
        self._send = send

{methods}'''


def _method(endpoint: Endpoint, is_async: bool) -> str:
    params = sorted(endpoint.all_params, key=lambda param: not param.required)
    arguments = [_argument(endpoint, param) for param in params]
    named = "".join(f'                "{p.name}": {p.python_name},\n' for p in endpoint.all_params)
    wait = "await " if is_async else ""
    return f'''{_overloads(endpoint, is_async)}{_signature(endpoint, arguments, is_async)}:
{textwrap.indent(_doc(endpoint, params), "        ")}
        return {wait}self._send(
            "{endpoint.name}",
            {{
{named}            }},
            further,
        )'''


def _signature(endpoint: Endpoint, arguments: list[str], is_async: bool) -> str:
    result = f"list[{endpoint.result}]" if endpoint.many else endpoint.result
    lines = "".join(f"        {each},\n" for each in arguments)
    return f"""    {"async def" if is_async else "def"} {snake(endpoint.action)}(
        self,
        /,
        *,
{lines}        **further: Any,
    ) -> Response[{result}]"""


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
    return _argument(endpoint, param)


def _argument(endpoint: Endpoint, param: Param) -> str:
    kind = _annotation(endpoint, param)
    if param.required:
        return f"{param.python_name}: {kind}{' | None' if param.null else ''}"
    if endpoint.method == "POST" and param in endpoint.params:
        null = " | None" if param.null else ""
        return f"{param.python_name}: {kind} | Unset{null} = UNSET"
    return f"{param.python_name}: {kind} | None = None"


def _annotation(endpoint: Endpoint, param: Param) -> str:
    closed = endpoint.set_of(param)
    if not closed:
        # Of a resource without relationships, the types know no path.
        return "AnyNames" if param.name == "include" else param.type
    return f"NamesOf[{closed}]" if param.type == "Names" else f"{closed} | AnyName"


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
    lines += _described("FlexError", "The API refuses, or does not respond; the class says why.")
    lines += _described("TokenStoreError", "No access token could be obtained.")
    return "\n".join([*lines, '"""'])


def _described(name: str, text: str, width: int = WIDTH - 8) -> list[str]:
    return textwrap.wrap(
        f"{name}: {text}", width, initial_indent="    ", subsequent_indent="        "
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
