"""The commands, and how they end: 0 done, 1 failed, 2 wrong use, 130 interrupted."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from flex_integration_sdk._version import __version__
from flex_integration_sdk.errors import ConfigurationError, FlexError
from flex_tokenstore import StoreOptionsError, TokenStoreError, UnknownStoreError

from ._call import call
from ._stores import stores
from ._token import token


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="flex-sdk")
def flex_sdk() -> None:
    """Sharetribe's Integration API, its token stores, and a local sandbox.

    The client id and the token store come from options or from FLEX_INTEGRATION_… variables; the
    client secret from FLEX_INTEGRATION_CLIENT_SECRET or a file, never from an argument: others
    on this machine can read those.
    """


@flex_sdk.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=0, show_default=True, help="Port; 0: any free one.")
@click.option("--client-id", default="sandbox-client", show_default=True)
@click.option("--client-secret", default=None, help="A made-up one; random if left out.")
@click.option("--access-ttl", default=3600.0, show_default=True, help="Seconds.")
@click.option("--no-rotate", is_flag=True, help="Refresh tokens stay the same.")
@click.option("--reuse-revokes-family", is_flag=True, help="As RFC 9700 section 4.14.2.")
@click.option("--latency-ms", default=0.0, show_default=True, help="Of the token endpoint.")
def sandbox(host: str, port: int, no_rotate: bool, client_secret: str | None, **rest: Any) -> None:
    """Serve a local sandbox; one JSON line tells its address and credentials."""
    _need_sandbox()
    from flex_integration_sdk.sandbox import SandboxSettings, run

    if client_secret is not None:
        rest["client_secret"] = client_secret
    try:
        run(SandboxSettings(rotate=not no_rotate, **rest), host, port)
    except (OSError, OverflowError) as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error}") from None


@flex_sdk.command()
def demo() -> None:
    """Show the main job on a sandbox: one sign-in, then only refreshes, one for eight processes."""
    _need_sandbox()
    from flex_integration_sdk.demo import main

    sys.exit(main())


flex_sdk.add_command(stores)
flex_sdk.add_command(token)
flex_sdk.add_command(call)


def run(arguments: list[str] | None = None) -> int:
    """Runs a command; gives its exit code."""
    try:
        flex_sdk.main(arguments, prog_name="flex-sdk", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except (FlexError, TokenStoreError) as error:
        click.echo(f"flex-sdk: {error}", err=True)
        wrong_use = (ConfigurationError, StoreOptionsError, UnknownStoreError)
        return 2 if isinstance(error, wrong_use) else 1
    except BrokenPipeError:
        # Whoever read our output has gone; nothing of it may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def _need_sandbox() -> None:
    import importlib.util

    if any(importlib.util.find_spec(name) is None for name in ("starlette", "uvicorn")):
        raise click.UsageError(
            "this needs the extra sandbox: pip install 'flex-integration-sdk[sandbox]'"
        )
