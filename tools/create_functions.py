"""What ``tools/generate.py`` makes of InstanceOptions: the functions that make an instance."""

from __future__ import annotations

import ast
import textwrap

from generated_text import NOTE, ROOT, SDK, WIDTH, described, imported, isort

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
    del client_secret, client_secret_file, token_store, base_url, client_cert, proxy
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
# The type of an argument in InstanceOptions, and in the function for sync and for asyncio programs.
KINDS = (
    {"AsyncClientSecret": "ClientSecret", "AnyHttpClient": "HttpClient"},
    {"AsyncClientSecret": "AsyncClientSecret", "AnyHttpClient": "AsyncHttpClient"},
)
BY_POSITION = 2  # arguments that can be passed without their names: client_id and client_secret


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
    for types in KINDS:
        for general, kind in types.items():
            module = next(each for each, names in found.items() if {general, kind} & names)
            found[module].add(kind)
    for general in {name for types in KINDS for name in types}:
        if general not in {kind for types in KINDS for kind in types.values()}:
            for names in found.values():
                names.discard(general)
    lines = {module: _line(module, names) for module, names in sorted(found.items()) if names}
    ours = [line for module, line in lines.items() if module.startswith("flex_")]
    return "\n".join([*(line for line in lines.values() if line not in ours), "", *ours])


def _line(module: str, names: set[str]) -> str:
    line = f"from {module} import {', '.join(sorted(names, key=isort))}"
    return line if len(line) <= WIDTH else f"from {module} import {imported(names)}"


def _create(fields: list[str], docs: list[str], is_async: bool) -> str:
    names = [field.partition(":")[0] for field in fields]
    signature = ""
    for number, field in enumerate(fields):
        kind = field
        for general, own in KINDS[is_async].items():
            kind = kind.replace(general, own)
        signature += "    *,\n" if number == BY_POSITION else ""
        signature += f"    {kind},\n"
    lines = [f'"""{ASYNC if is_async else SYNC}', "", "Args:"]
    for name, doc in zip(names, docs, strict=True):
        lines += described(name, " ".join(doc.split()), WIDTH - 4)
    lines += ["", "Raises:"]
    for error, when in {**RAISES, **(RAISES_ASYNC if is_async else {})}.items():
        lines += described(error, when, WIDTH - 4)
    return CREATE_ONE.format(
        name="create_async_instance" if is_async else "create_instance",
        prefix="Async" if is_async else "",
        signature=signature,
        doc=textwrap.indent("\n".join([*lines, '"""']), "    "),
        module="aio" if is_async else "sync",
        values="".join(f"        {name}={name},\n" for name in names),
    )
