"""``flex-sdk call``."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ._argument_values import endpoint_of, endpoints, value_of
from ._notices import TokenNotices, show_log
from ._output import plugins_apart, print_json
from ._shared_options import arguments_of, commands_with, settings_options, store_is_chosen

if TYPE_CHECKING:
    from flex_integration_sdk import IntegrationSDK, Response
    from flex_integration_sdk._endpoints.endpoint import Endpoint, Param

_ENDPOINT = "flex-sdk.endpoint"


class _Call(click.Command):
    """A command that shows the help of the endpoint, if one is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        found = map(endpoint_of, args)
        ctx.meta[_ENDPOINT] = next((each for each in found if each is not None), None)
        return super().parse_args(ctx, args)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        endpoint = ctx.meta.get(_ENDPOINT)
        if endpoint is None:
            super().format_help_text(ctx, formatter)
            with formatter.section("Calls"):
                formatter.write_dl([(name, each.doc) for name, each in sorted(endpoints().items())])
            return
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(endpoint.doc.replace("``", ""))
        with formatter.section("Parameters"):
            formatter.write_dl([(_usage(param), _about(param)) for param in endpoint.all_params])


def _complete_endpoint(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    return [
        CompletionItem(name, help=endpoint.doc)
        for name, endpoint in sorted(endpoints().items())
        if name.startswith(incomplete)
    ]


def _complete_param(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    endpoint = endpoint_of(ctx.params.get("endpoint") or "")
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
    """Call the Integration API and print the response as JSON.

    \b
    flex-sdk call marketplace.show
    flex-sdk call users.show email=joe@example.com
    flex-sdk call listings.query per_page=10 fields.listing=title,price
    flex-sdk call listings.update id=ID title=Bike publicData='{"gears": 22}'
    flex-sdk call listings.update --help

    KEY:=JSON passes any value as JSON, such as a parameter that this version does not know.
    """
    from flex_integration_sdk._endpoints.endpoint import snake

    found = endpoint_of(endpoint)
    if found is None:
        raise click.UsageError(f"no call is named {endpoint!r}. {_meant(endpoint)}")
    given = _arguments(found, params)
    with plugins_apart(), commands_with(chosen), ExitStack() as stack:
        sdk = stack.enter_context(_instance(chosen))
        action = getattr(getattr(sdk, snake(found.resource)), snake(found.action))
        body = _answer(action, given)
        closing = stack.pop_all()
    try:
        print_json(body)
    finally:
        with plugins_apart():
            closing.close()


def _answer(action: Callable[..., Response[Any]], given: dict[str, Any]) -> Any:
    from flex_integration_sdk.errors import FlexError
    from flex_tokenstore import TokenStoreError

    try:
        return action(**given).body
    except (FlexError, TokenStoreError):
        raise  # some of them are ValueErrors too
    except (TypeError, ValueError, RecursionError) as error:  # what KEY:=JSON may hold
        raise click.UsageError(str(error)) from None


def _meant(word: str) -> str:
    """What to type in place of a word that is not an endpoint."""
    resource = word.partition(".")[0]
    actions = [name for name in endpoints() if name.partition(".")[0] == resource]
    if word == resource and actions:
        return f"Name its action too: {', '.join(sorted(actions))}."
    near = difflib.get_close_matches(word, endpoints(), n=1)
    if near:
        return f"Did you mean {near[0]}?"
    resources = sorted({name.partition(".")[0] for name in endpoints()})
    return f"Calls are of the form RESOURCE.ACTION, with the resources {', '.join(resources)}."


def _instance(chosen: dict[str, Any]) -> IntegrationSDK:
    from flex_integration_sdk import create_instance

    show_log()
    is_chosen = store_is_chosen(chosen)
    return create_instance(
        **arguments_of(chosen),
        # A store that nobody chose must not fail the call: a container may have no home folder.
        on_store_error="raise" if is_chosen else "memory",
        on_event=TokenNotices(chosen=is_chosen),
    )


def _arguments(endpoint: Endpoint, texts: Sequence[str]) -> dict[str, Any]:
    """The method's arguments, from strings ``key=value``."""
    by_name = {name: p for p in endpoint.all_params for name in (p.name, p.python_name)}
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        is_json = name.endswith(":")
        name = name.removesuffix(":")
        if not equals or not name:
            raise click.UsageError(f"{text!r} does not have the form key=value")
        param = by_name.get(name)
        key = name if param is None else param.python_name
        if key in found:
            raise click.UsageError(f"{name} is given twice; separate several values with commas")
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
    from ._argument_values import form_of

    form = form_of(param)
    return param.doc.replace("``", "") + (f" [{form}]" if form else "")
