"""What ``tools/generate.py`` makes from the table of relationships: paths and classes.

The paths of ``include`` become types. Each type of resource becomes a class, whose methods
``related`` and ``related_list`` know what its relationships lead to.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import get_args

from generated_text import NOTE, WIDTH

from flex_integration_sdk._endpoints import table
from flex_integration_sdk._vocabulary import names as closed_sets
from flex_integration_sdk._vocabulary.relationships import RELATIONSHIPS

DEEPEST = 3  # relationships in a path: longer ones are rare, and an editor offers them all
SOURCE = "_vocabulary/relationships.py"
UNIONS = {"EventFilter": ("EventType", "EventSubject")}  # sets that are shown by their parts
BY_HAND = {"event"}  # has a class of its own, in resources/_event.py
INCLUDES = '''"""The paths that ``include`` takes, as types: up to {deepest} relationships deep.

A path does not come back to a type that it has passed, and ``marketplace``, of which there is one,
is only at its start. Others can be passed as :data:`AnyName`.

{note}
"""

from __future__ import annotations

from typing import Literal

{sets}
'''
KINDS = '''"""The classes of resources, which know what their relationships lead to.

{note}
The overrides take fewer names than ``Resource`` does, so that a checker finds a wrong one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from ._attributes import (
{attributes})
from ._resource import Resource

if TYPE_CHECKING:
    from flex_integration_sdk._vocabulary.names import AnyName


{classes}
'''


def includes() -> str:
    """The text of the module with the paths of ``include``."""
    return (
        INCLUDES.format(
            deepest=DEEPEST,
            note=NOTE.format(source=SOURCE),
            sets="\n".join(_set(kind) for kind in _included_kinds()),
        ).rstrip("\n")
        + "\n"
    )


def _included_kinds() -> list[str]:
    """The types that an endpoint returns and that have relationships."""
    found = {each.result_type for each in table.ENDPOINTS.values()}
    return sorted(kind for kind in found if RELATIONSHIPS.get(kind))


def _set(kind: str) -> str:
    found = list(paths(kind))
    members = "".join(f'    "{path}",\n' for path in found)
    doc = f'"""The {len(found)} paths from a {kind}."""'
    return f"{class_of(kind)}Include = Literal[\n{members}]\n{doc}"


def paths(kind: str, passed: tuple[str, ...] = ()) -> Iterator[str]:
    """The paths of ``include`` that begin at a type.

    Args:
        kind: The type, such as ``"listing"``.
        passed: The types that led to it.
    """
    passed = (*passed, kind)
    for name, (target, _) in RELATIONSHIPS[kind].items():
        if target in passed or (target == "marketplace" and len(passed) > 1):
            continue
        yield name
        if len(passed) < DEEPEST:
            yield from (f"{name}.{rest}" for rest in paths(target, passed))


def kinds() -> str:
    """The text of the module with a class for each type of resource."""
    found = [kind for kind in sorted(RELATIONSHIPS) if kind not in BY_HAND]
    return KINDS.format(
        note=NOTE.format(source=SOURCE),
        attributes="".join(sorted(f"    {class_of(kind)}Attributes,\n" for kind in found)),
        classes="\n\n\n".join(_class(kind) for kind in found),
    )


def class_of(kind: str) -> str:
    """``fileUpload`` as ``FileUpload``."""
    return kind[0].upper() + kind[1:]


def _class(kind: str) -> str:
    name, relationships = class_of(kind), RELATIONSHIPS[kind]
    one = {each: to.target for each, to in relationships.items() if not to.is_many}
    many = {each: to.target for each, to in relationships.items() if to.is_many}
    lines = [
        *_doc(kind, one, many),
        "",
        "    __slots__ = ()",
        "    if TYPE_CHECKING:",
        "",
        *_overloads("related", one, "{} | None"),
        "",
        *_overloads("related_list", many, "list[{}]"),
    ]
    head = f'class {name}(Resource[{name}Attributes], kind="{kind}"):'
    if len(head) > WIDTH:
        head = f'class {name}(\n    Resource[{name}Attributes], kind="{kind}"\n):'
    return "\n".join([head, *lines])


def _doc(kind: str, one: Iterable[str], many: Iterable[str]) -> list[str]:
    told: list[str] = []
    for form, names in (("Related to one", one), ("Related to many", many)):
        text = f"    {form}: {', '.join(f'``{each}``' for each in names)}."
        told += textwrap.wrap(text, WIDTH, subsequent_indent="    ") if names else []
    first = f'    """A resource of type ``{kind}``.'
    return [first, "", *told, '    """'] if told else [f'{first}"""']


def _overloads(method: str, relationships: dict[str, str], form: str) -> list[str]:
    by_target: dict[str, list[str]] = {}
    for name, target in relationships.items():
        by_target.setdefault(class_of(target), []).append(f'"{name}"')
    forms = [(f"Literal[{', '.join(n)}]", form.format(to)) for to, n in by_target.items()]
    forms.append(("AnyName", form.format("Resource[Any]")))
    indent = " " * 8
    # A subclass takes fewer names than its base, so that a wrong one is found.
    if len(forms) == 1:
        ((takes, gives),) = forms
        return [
            f"{indent}def {method}(  # type: ignore[override]",
            f"{indent}    self, name: {takes}",
            f"{indent}) -> {gives}: ...",
        ]
    lines: list[str] = []
    for number, (takes, gives) in enumerate(forms):
        lines.append(f"{indent}@overload{'' if number else '  # type: ignore[override]'}")
        lines.append(f"{indent}def {method}(self, name: {takes}) -> {gives}: ...")
    return [*lines, f"{indent}def {method}(self, name: str) -> Any: ..."]


def sets_as_rows() -> str:
    """The closed sets as rows of the table in the docs page of the endpoints."""
    rows = [
        f"| `{name}` | {len(get_args(found))} | {_members(UNIONS.get(name) or get_args(found))} |"
        for name, found in vars(closed_sets).items()
        if get_args(found)
    ]
    rows += [
        f"| `{class_of(kind)}Include` | {len(found)} | {_members(found)} |"
        for kind in _included_kinds()
        for found in [list(paths(kind))]
    ]
    return "\n".join(rows)


def _members(found: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in found)
