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
import sys
from collections.abc import Iterable
from pathlib import Path

# This tool makes what is imported here, so that an old or broken version of it may be there.
from flex_integration_sdk._endpoints import param_types, table
from flex_integration_sdk._endpoints.endpoint import Endpoint, snake
from flex_integration_sdk._vocabulary import names as closed_sets

sys.path.insert(0, str(Path(__file__).parent))  # as a script has it, where something runs its path
import create_functions
import endpoint_methods
import endpoints_page
import vocabulary
from generated_text import ROOT, SDK

GENERATED = SDK / "_endpoints" / "generated"
KEPT = {"__init__.py"}  # of the folder GENERATED: written by hand


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
    yield GENERATED / "namespace.py", endpoint_methods.namespace()
    for resource, endpoints in table.resources():
        yield (
            GENERATED / f"{snake(resource)}.py",
            endpoint_methods.resource_module(resource, endpoints),
        )
    yield SDK / "_vocabulary" / "includes.py", vocabulary.includes()
    yield SDK / "resources" / "_kinds.py", vocabulary.kinds()
    yield Path("docs/endpoints.md"), endpoints_page.page()
    yield SDK / "_client" / "create.py", create_functions.create_module()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
