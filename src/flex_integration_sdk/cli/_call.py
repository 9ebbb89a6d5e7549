"""``flex-sdk call``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ._argument_values import endpoint_of, endpoints
from ._call_parameters import arguments, is_parameter
from ._complete import complete_file, complete_names
from ._endpoint_names import call_hint
from ._group import Command
from ._instance import instance_of
from ._notices import is_token_kept, tell
from ._output import lines_out, output_option, plugins_apart, show
from ._progress import sent_of, waiting_for
from ._repetitions import max_retries_option
from ._resources import OWN, pages_of, records_of, without_relationships
from ._shared_options import chosen_of, commands_of, store_options
from ._time_limit import timeout_option
from ._usage import SUBJECT

if TYPE_CHECKING:
    from flex_integration_sdk import Response
    from flex_integration_sdk._endpoints.endpoint import Endpoint, Param

_ENDPOINT = "flex-sdk.endpoint"


class _Call(Command):
    """A command that shows the help of the endpoint, if one is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        found = map(endpoint_of, args)
        endpoint = next((each for each in found if each is not None), None)
        ctx.meta.update({_ENDPOINT: endpoint, SUBJECT: "" if endpoint is None else endpoint.name})
        return super().parse_args(ctx, args)

    def option_hint(self, name: str, ctx: click.Context) -> str:
        """For a parameter that was typed as an option."""
        endpoint = ctx.meta.get(_ENDPOINT)
        word = name.lstrip("-").replace("-", "_")
        if endpoint is None or not is_parameter(endpoint, word):
            return ""
        return f"A parameter of the call is typed without dashes: {word}=VALUE"

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
    return [] if endpoint is None else complete_parameter(endpoint, incomplete)


def complete_parameter(endpoint: Endpoint, incomplete: str) -> list[CompletionItem]:
    """Completes ``KEY=VALUE`` of a call."""
    key, equals, value = incomplete.partition("=")
    if equals:
        named = next((p for p in endpoint.all_params if key in (p.name, p.python_name)), None)
        if named is None:
            return []
        path = value.removeprefix("@")
        if named.type == "Upload" or path != value:
            return complete_file(path, incomplete.removesuffix(path))
        return complete_names(endpoint.set_of(named), value, key, several=named.type == "Names")
    return [
        CompletionItem(f"{each.python_name}=", help=each.doc)
        for each in endpoint.all_params
        if each.python_name.startswith(incomplete)
    ]


@click.command(cls=_Call)
@click.argument("endpoint", metavar="RESOURCE.ACTION", shell_complete=_complete_endpoint)
@click.argument("params", metavar="[KEY=VALUE]...", nargs=-1, shell_complete=_complete_param)
@store_options
@timeout_option
@max_retries_option()
@output_option("json")
@click.option(
    "--all",
    "is_all",
    is_flag=True,
    help="Of a query: all that it finds, page after page; JSON has a resource in each line.",
)
def call(
    endpoint: str,
    params: Sequence[str],
    output: str,
    *,
    is_all: bool,
    max_retries: int,
    **options: Any,
) -> None:
    """Call the Integration API and print the response.

    \b
    flex-sdk call marketplace.show
    flex-sdk call users.show email=joe@example.com
    flex-sdk call listings.query per_page=10 fields.listing=title,price
    flex-sdk call listings.update id=ID title=Bike publicData='{"gears": 22}'
    flex-sdk call listings.update --help

    A parameter that the call does not have is an error. KEY:=JSON passes any, and any value, as
    JSON. KEY=@FILE reads a JSON object from a file; image=FILE and image=@FILE upload one, and
    image=- what comes from standard input.

    --all walks through all pages of a query, however many. What `include` names is in place of
    its reference, and createdAt is among the `fields`. To write a file: `flex-sdk export`.

    --output table and csv show the resources in `data`: id, type and attributes. csv has the ids
    of related resources, too. json has the whole response.
    """
    from flex_integration_sdk._endpoints.endpoint import snake

    found = endpoint_of(endpoint)
    if found is None:
        raise click.UsageError(f"no call is named {endpoint!r}. {call_hint([endpoint, *params])}")
    if is_all and not found.many:
        raise click.UsageError(f"--all is for queries, such as listings.query: not {found.name}")
    given = arguments(found, params)
    if is_all and "page" in given:
        raise click.UsageError("page and --all contradict each other")
    chosen = chosen_of(options)
    with (
        lines_out() as line,
        plugins_apart(),
        commands_of(chosen),
        waiting_for("the token store") as say,
        ExitStack() as stack,
    ):
        sdk = stack.enter_context(instance_of(chosen, max_retries=max_retries))
        store = sdk.token_store
        say(f"{store.identity.base_url} (token store: {' over '.join(store.layers)})")
        # The names were compared, all but those of KEY:=JSON, which is to pass any.
        as_it_is = sdk.with_options(unknown_parameters="send")
        action = getattr(getattr(as_it_is, snake(found.resource)), snake(found.action))
        if found.multipart:
            given["on_progress"] = sent_of("the upload")
        body = _all(as_it_is, found, given, output, line) if is_all else _answer(action, given)
        closing = stack.pop_all()
    try:
        if not (is_all and output == "json"):
            _print(output, body)
    finally:
        with plugins_apart(), waiting_for("the token store to be closed"):
            closing.close()
    if chosen.is_store_chosen and not is_token_kept():
        raise click.exceptions.Exit(1)  # it was told why; else each run would sign in unnoticed


def _print(output: str, body: Any) -> None:
    from flex_integration_sdk import to_plain

    if output == "json":
        show(output, body)
        return
    plain = to_plain(body)
    records = records_of(plain)
    is_list = isinstance(plain.get("data"), list)
    if records and not is_list:
        show(output, records[0], columns=OWN)
        return
    more = pages_of(plain, len(records))
    if records or output == "csv" or not is_list:  # of CSV, programs read the header line
        show(output, records if output == "csv" else without_relationships(records), columns=OWN)
    elif more is None:
        more = "nothing was found"
    if more:
        tell(more)


def _answer(action: Callable[..., Response[Any]], given: dict[str, Any]) -> Any:
    from flex_integration_sdk.errors import FlexError
    from flex_tokenstore import TokenStoreError

    try:
        return action(**given).body
    except (FlexError, TokenStoreError):
        raise  # some of them are ValueErrors too
    except (TypeError, ValueError, RecursionError) as error:  # what KEY:=JSON may hold
        raise click.UsageError(str(error)) from None


def _all(
    sdk: Any, endpoint: Endpoint, given: dict[str, Any], output: str, line: Callable[[str], None]
) -> Any:
    """Prints all resources, each as a line of JSON, or returns them in the form of a response."""
    from flex_integration_sdk import to_json
    from flex_integration_sdk._export.kinds import Kind
    from flex_integration_sdk._export.run import rows

    found = rows(sdk, Kind(endpoint.resource, endpoint.name), given)
    if output != "json":
        return {"data": list(found)}
    for row in found:
        line(to_json(row))
    return None


def _usage(param: Param) -> str:
    return f"{param.python_name}=" + (" (required)" if param.required else "")


def _about(param: Param) -> str:
    from ._argument_values import form_of

    form = form_of(param)
    return param.doc.replace("``", "") + (f" [{form}]" if form else "")
