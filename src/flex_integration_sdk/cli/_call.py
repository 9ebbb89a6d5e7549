"""``flex-sdk call``."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ._output import print_json
from ._settings import arguments_of, settings_options
from ._values import value_of

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints import Endpoint, Param

_ENDPOINT = "flex-sdk.endpoint"


class _Call(click.Command):
    """A command whose help is of the endpoint, if one is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        found = map(_endpoint, args)
        ctx.meta[_ENDPOINT] = next((each for each in found if each is not None), None)
        return super().parse_args(ctx, args)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        endpoint = ctx.meta.get(_ENDPOINT)
        if endpoint is None:
            super().format_help_text(ctx, formatter)
            with formatter.section("Calls"):
                formatter.write_dl([(name, each.doc) for name, each in sorted(_table().items())])
            return
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(endpoint.doc.replace("``", ""))
        with formatter.section("Parameters"):
            formatter.write_dl([(_usage(param), _about(param)) for param in endpoint.all_params])


def _table() -> dict[str, Endpoint]:
    from flex_integration_sdk._endpoints import ENDPOINTS

    return ENDPOINTS


def _endpoint(name: str) -> Endpoint | None:
    """By the API's spelling or by Python's, ``users.update_profile``."""
    from flex_integration_sdk._endpoints import snake

    found = _table()
    python = {f"{snake(each.resource)}.{snake(each.action)}": each for each in found.values()}
    return found.get(name) or python.get(name)


def _complete_endpoint(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    return [
        CompletionItem(name, help=endpoint.doc)
        for name, endpoint in sorted(_table().items())
        if name.startswith(incomplete)
    ]


def _complete_param(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    endpoint = _endpoint(ctx.params.get("endpoint") or "")
    if endpoint is None or "=" in incomplete:
        return []
    return [
        CompletionItem(f"{each.python_name}=", help=each.doc)
        for each in endpoint.all_params
        if each.python_name.startswith(incomplete)
    ]


@click.command(cls=_Call)
@click.argument("endpoint", metavar="RESOURCE.ACTION", shell_complete=_complete_endpoint)
@click.argument("params", metavar="[KEY=VALUE]...", nargs=-1, shell_complete=_complete_param)
@settings_options
def call(endpoint: str, params: Sequence[str], **chosen: Any) -> None:
    """Call the Integration API and print its answer as JSON.

    \b
    flex-sdk call marketplace.show
    flex-sdk call users.show email=joe@example.com
    flex-sdk call listings.query per_page=10 fields.listing=title,price
    flex-sdk call listings.update id=ID title=Bike publicData='{"gears": 22}'
    flex-sdk call listings.update --help

    KEY:=JSON gives any value as JSON, such as one that this version does not know.
    """
    from flex_integration_sdk import create_instance
    from flex_integration_sdk._endpoints import snake

    found = _endpoint(endpoint)
    if found is None:
        near = difflib.get_close_matches(endpoint, _table(), n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        known = ", ".join(sorted(_table()))
        raise click.UsageError(f"no call is named {endpoint!r}. {hint}There are: {known}")
    given = _arguments(found, params)
    with create_instance(**arguments_of(chosen)) as sdk:
        action = getattr(getattr(sdk, snake(found.resource)), snake(found.action))
        print_json(action(**given).body)


def _arguments(endpoint: Endpoint, texts: Sequence[str]) -> dict[str, Any]:
    """``key=value`` texts as the method's arguments."""
    by_name = {name: p for p in endpoint.all_params for name in (p.name, p.python_name)}
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        is_json = name.endswith(":")
        name = name.removesuffix(":")
        if not equals or not name:
            raise click.UsageError(f"{text!r} is not of the form key=value")
        param = by_name.get(name)
        key = name if param is None else param.python_name
        if key in found:
            raise click.UsageError(f"{name} is given twice; separate several values by commas")
        try:
            found[key] = value_of(param, value, is_json=is_json)
        except (ValueError, OSError) as error:
            raise click.UsageError(f"{name}: {error}") from None
    missing = [p.python_name for p in endpoint.params if p.required and p.python_name not in found]
    if missing:
        raise click.UsageError(
            f"{endpoint.name} needs {' and '.join(missing)}; see "
            f"`flex-sdk call {endpoint.name} --help`"
        )
    return found


def _usage(param: Param) -> str:
    return f"{param.python_name}=" + (" (required)" if param.required else "")


def _about(param: Param) -> str:
    from ._values import form_of

    form = form_of(param)
    return param.doc.replace("``", "") + (f" [{form}]" if form else "")
