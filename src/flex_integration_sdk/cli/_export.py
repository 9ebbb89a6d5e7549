"""``flex-sdk export``."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from flex_integration_sdk._export.kinds import KINDS

from ._call import complete_parameter
from ._call_parameters import arguments
from ._complete import complete_path
from ._group import Command
from ._instance import instance_of
from ._notices import tell
from ._output import plugins_apart
from ._progress import waiting_for
from ._repetitions import max_retries_option
from ._shared_options import chosen_of, commands_of, store_options
from ._time_limit import timeout_option
from ._words import in_cli_words

if TYPE_CHECKING:
    from flex_integration_sdk._export.run import Progress

_LINES = (".jsonl", ".ndjson")
# A long job meets more trouble than a single call: with 8 it outwaits some minutes of it.
_RETRIES = 8


def _complete_param(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    kind = KINDS.get(ctx.params.get("kind") or "")
    return [] if kind is None else complete_parameter(kind.endpoint, incomplete)


@click.command(cls=Command)
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("params", metavar="[KEY=VALUE]...", nargs=-1, shell_complete=_complete_param)
@click.option(
    "--to",
    "target",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    shell_complete=complete_path,
    help="The file to write: .jsonl (one resource in a line) or .csv.",
)
@click.option("--restart", is_flag=True, help="Start again, whatever an earlier run has left.")
@max_retries_option(_RETRIES)
@click.option(
    "--rate-limits",
    type=click.Choice(["dev", "live"]),
    help="Wait before each request, as that environment's limits ask for. Default: do not wait.",
)
@store_options
@timeout_option
def export(
    kind: str,
    params: Sequence[str],
    target: Path,
    *,
    restart: bool,
    max_retries: int,
    rate_limits: str | None,
    **options: Any,
) -> None:
    """Write all listings, users or others into a file.

    \b
    flex-sdk export listings --to listings.jsonl
    flex-sdk export listings states=published include=author --to published.jsonl
    flex-sdk export users created_at_start=2026-01-01T00:00:00Z --to new-users.csv

    The file is there when it is whole. A run that is stopped or killed leaves FILE.part and
    FILE.part.json; the same command then goes on from there, within 12 hours.

    KEY=VALUE are parameters of the query: of `listings.query`, say. Messages, bookings and reviews
    are found by `transactions.query`. What `include` names is in place of its reference.
    """
    from flex_integration_sdk._export.run import export as write

    convert = _converter(target)
    found = KINDS[kind]
    given = arguments(found.endpoint, params)
    if "page" in given:
        raise click.UsageError("page: an export has all pages; omit it")
    chosen = chosen_of(options)
    began = time.monotonic()
    with plugins_apart(), commands_of(chosen), waiting_for("the token store"):
        sdk = instance_of(chosen, rate_limits=rate_limits, max_retries=max_retries)
    with (
        plugins_apart(),
        commands_of(chosen),
        _ended_by_signals(),
        sdk,
        _told_how_to_go_on(target),
        _bar(kind) as progress,
    ):
        rows = write(
            sdk,
            found,
            given,
            target,
            convert=convert,
            restart=restart,
            patience=max_retries,
            told=lambda text: tell(in_cli_words(text)),
            progress=progress,
        )
    tell(f"{rows:,} {kind} in {target} ({time.monotonic() - began:.0f} s)")


def _converter(target: Path) -> Callable[[Path, Path], None] | None:
    """What makes the file of the lines; None: it has them.

    Raises:
        UsageError: The name does not say which form the file has, or it cannot be there.
    """
    if target.exists() and not target.is_file():
        raise click.UsageError(
            f"--to: {target} is not a regular file; to print the resources, use `flex-sdk call "
            "… --all`"
        )
    if not target.parent.is_dir():
        raise click.UsageError(f"--to: there is no folder {target.parent}")
    if target.suffix.lower() in _LINES:
        return None
    if target.suffix.lower() == ".csv":
        from ._export_csv import make_csv

        return make_csv
    raise click.UsageError(f"--to must end in .jsonl or .csv, got {target.name!r}")


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """A block that `kill` and a closed terminal end tidily, as Ctrl-C does: with 128 + N."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        names = []
    before = {name: signal.signal(getattr(signal, name), end) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


@contextmanager
def _told_how_to_go_on(target: Path) -> Iterator[None]:
    from flex_integration_sdk._export.part import part_of, real, state_of
    from flex_integration_sdk.errors import ExportError

    try:
        yield
    except ExportError:
        raise
    except BaseException:
        found = real(target)
        if state_of(found).exists():
            part = part_of(found)
            tell(f"what is done so far is in {part}: the same command goes on from there")
        raise


@contextmanager
def _bar(what: str) -> Iterator[Callable[[Progress], None]]:
    """A block that shows a progress bar, if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with ExitStack() as stack:
        shown: list[Callable[[Progress], None]] = []

        def update(now: Progress) -> None:
            if not shown:  # not before: messages of the beginning have lines of their own
                shown.append(stack.enter_context(_drawn(what)))
            shown[0](now)

        yield update


@contextmanager
def _drawn(what: str) -> Iterator[Callable[[Progress], None]]:
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeRemainingColumn(),
    )
    # Soft: what is printed above the bar, such as a log line, is not broken at the width.
    console = Console(stderr=True, soft_wrap=True)
    with bars.Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda now: shown.update(task, completed=now.done, total=now.total)
