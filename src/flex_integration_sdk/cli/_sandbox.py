"""``flex-sdk sandbox``."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any

import click

from ._group import Command


@click.command(cls=Command, short_help="Run a local sandbox of the Integration API.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--allow-host",
    "allow_hosts",
    metavar="NAME",
    multiple=True,
    help=(
        "Another name that clients use for this machine, such as the name of a container. "
        "Repeatable. Loopback names and --host are always allowed; requests for other names are "
        "refused."
    ),
)
@click.option(
    "--port", default=0, type=click.IntRange(0, 65535), show_default=True, help="0: any free one."
)
@click.option("--client-id", default="sandbox-client", show_default=True)
@click.option(
    "--client-secret", help="The client secret of this sandbox only. Default: a random one."
)
@click.option(
    "--access-ttl",
    metavar="SECONDS",
    default=3600.0,
    type=click.FloatRange(0, min_open=True),
    show_default=True,
    help="How long an access token lives.",
)
@click.option("--no-rotate", is_flag=True, help="A refresh returns the same refresh token again.")
@click.option(
    "--reuse-revokes-family",
    is_flag=True,
    help=(
        "If a refresh token is used again after it was rotated, revoke all tokens that came from "
        "it."
    ),
)
@click.option(
    "--latency-ms",
    metavar="N",
    default=0.0,
    type=click.FloatRange(0),
    show_default=True,
    help="How long a token request takes.",
)
@click.option(
    "--db",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help=(
        "SQLite file that keeps data and tokens. Default: they are lost when the sandbox stops. To "
        "continue with a file, pass the same --port and --client-secret again."
    ),
)
@click.option(
    "--seed",
    type=click.Choice(["rich", "small"]),
    default="rich",
    show_default=True,
    help=(
        "What a new marketplace has: 20 users and 250 listings in every state, with events of the "
        "last days; or a handful of each type, without events."
    ),
)
@click.option(
    "--listings",
    metavar="N",
    type=int,
    help=(
        "How many listings a new marketplace has, for example 25000. Many of them share a moment "
        "of creation. Default: as many as --seed has."
    ),
)
@click.option(
    "--page-wall",
    metavar="N",
    default=10_000,
    type=click.IntRange(1),
    show_default=True,
    help="How many items the pages of a query reach that filters or sorts.",
)
@click.option(
    "--limits",
    type=click.Choice(["dev", "live", "off"]),
    default="off",
    show_default=True,
    help="Rate limits as in a development or in the live environment.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Refuse also what the live API only might refuse, such as an unknown name in include.",
)
@click.option(
    "--file-verification",
    metavar="SECONDS",
    default=0.5,
    type=click.FloatRange(0),
    show_default=True,
    help="How long an uploaded file is pendingVerification before it is available.",
)
@click.option(
    "--auth-errors",
    type=click.Choice(["json", "text", "html"]),
    default="json",
    show_default=True,
    help=(
        "How a token request is refused with 401: an OAuth error, the word Unauthorized, or an "
        "HTML page such as a gateway sends."
    ),
)
def sandbox(
    host: str, port: int, no_rotate: bool, client_secret: str | None, **chosen: Any
) -> None:
    """Run a local server that behaves like the Integration API, until Ctrl-C.

    It prints one JSON line when it listens: base_url, client_id and client_secret.
    GET /_sandbox/stats returns how many requests it received.
    """
    require_sandbox()
    from flex_integration_sdk.sandbox import SandboxSettings, run

    if client_secret:
        chosen["client_secret"] = client_secret
    try:
        settings = SandboxSettings(rotate=not no_rotate, **chosen)
    except ValueError as error:  # nan, say, which click takes for a number
        # In the words of the options, which are those of the settings with dashes.
        names = "|".join((*chosen, "client_secret"))
        said = re.sub(rf"\b({names})\b", lambda name: _option(name[0]), str(error))
        raise click.UsageError(said) from None
    run(settings, host, port)
    # It returns when Ctrl-C has ended it.
    raise KeyboardInterrupt


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def require_sandbox() -> None:
    """Says what to install if the sandbox's libraries are missing."""
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise click.ClickException(
            f"the sandbox needs {' and '.join(missing)}: install the extra `sandbox`, in the "
            "folder of your clone with: python -m pip install '.[cli,sandbox]'"
        )
