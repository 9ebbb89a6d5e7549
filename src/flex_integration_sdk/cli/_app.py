"""The group of all commands, and how an error is shown."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from flex_integration_sdk._version import __version__

from ._call import call
from ._completion import completion, register
from ._config import config
from ._demo import demo
from ._doctor import doctor
from ._events import events
from ._export import export
from ._group import Group
from ._init import init
from ._notices import show_warnings, tell
from ._sandbox import sandbox
from ._stores import stores
from ._token import token
from ._usage import usage_text
from ._words import in_cli_words

# 128 + SIGINT (2), as shells report it.
INTERRUPTED = 130
# 128 + SIGPIPE (13): what shells report of other programs whose output nobody reads any more.
UNREAD = 141
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF, errno.EFBIG}


@contextmanager
def _own_code_for_closed_pipe() -> Iterator[None]:
    """A block whose output nobody may read: click would exit with 1, as if the command failed."""
    try:
        yield
    except BrokenPipeError:
        _drop_output()  # the reader, `head` say, has seen enough
        raise click.exceptions.Exit(UNREAD) from None


class _Root(Group):
    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _own_code_for_closed_pipe():  # it prints help
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _own_code_for_closed_pipe():
            return super().invoke(ctx)


@click.group(cls=_Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="flex-sdk")
def flex_sdk() -> None:
    """Sharetribe's Integration API and its token stores, from the command line.

    `flex-sdk init` writes client, secret and token store into a config file. Variables override
    that: FLEX_INTEGRATION_CLIENT_ID, FLEX_INTEGRATION_CLIENT_SECRET (or
    FLEX_INTEGRATION_CLIENT_SECRET_FILE) and FLEX_INTEGRATION_TOKEN_STORE; and options of the
    commands override both. Without a choice the token is kept in the store `file`.

    Exit codes: 0 done, 1 failed, 2 usage error, 130 stopped by Ctrl-C, 141 the output went into a
    pipe whose reader had ended.
    """
    show_warnings()


for command in (
    init,
    stores,
    token,
    call,
    export,
    events,
    config,
    doctor,
    sandbox,
    demo,
    completion,
):
    flex_sdk.add_command(command)
register()


def run(arguments: Sequence[str]) -> int:
    """Runs one command; returns its exit code. Errors are one or two lines on stderr."""
    try:
        # standalone_mode=False: click would print errors in its own form, and exit.
        code = flex_sdk.main(list(arguments), prog_name="flex-sdk", standalone_mode=False)
        # Within `try`: a full disk or a closed pipe often shows only here.
        sys.stdout.flush()
    except click.Abort as abort:
        if abort.__cause__ is None:  # at a question, whose line is still open
            click.echo(err=True)
        return INTERRUPTED if not isinstance(abort.__context__, EOFError) else 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except click.ClickException as error:
        _show(error, arguments)
        return error.exit_code
    except BrokenPipeError:
        _drop_output()
        return UNREAD
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        if _is_closed_pipe(error):
            _drop_output()
            return UNREAD
        text = _said(error)
        if type(error) is OSError and error.filename is None and error.errno in _UNWRITABLE:
            _drop_output()
            text = f"standard output cannot be written to: {error.strerror or text}"
        tell(text)  # a server or a file name may have put control characters there
        return code
    return code if isinstance(code, int) else 0


def _show(error: click.ClickException, typed: Sequence[str]) -> None:
    if type(error).__name__ == "NoArgsIsHelpError":  # click 8.2 and newer: its text is the help
        error.show()
    elif isinstance(error, click.UsageError):
        click.echo(usage_text(error, typed), err=True)
    else:
        tell(error.format_message())


def _is_closed_pipe(error: Exception) -> bool:
    """Whether the reader of our output has ended; Windows says EINVAL then."""
    is_output = type(error) is OSError and error.filename is None
    return os.name == "nt" and is_output and getattr(error, "errno", None) == errno.EINVAL


def _drop_output() -> None:
    """Drops what is still buffered, since the interpreter would complain at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _said(error: Exception) -> str:
    """The error's message, with options of the command line in place of arguments."""
    from flex_integration_sdk.errors import MissingSecretError

    if isinstance(error, MissingSecretError):
        return error.advise(
            "use --client-secret-file FILE, or set FLEX_INTEGRATION_CLIENT_SECRET or "
            "FLEX_INTEGRATION_CLIENT_SECRET_FILE"
        )
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return in_cli_words(str(error)) or type(error).__name__


def _exit_code(error: Exception) -> int | None:
    """The exit code; None: an unknown error, which is our bug and must show its traceback."""
    from flex_integration_sdk.errors import ConfigurationError, FlexError, ParameterError
    from flex_tokenstore import StoreOptionsError, TokenStoreError, UnknownStoreError

    wrong_use = (ConfigurationError, ParameterError, StoreOptionsError, UnknownStoreError)
    if isinstance(error, wrong_use):
        return 2
    return 1 if isinstance(error, (FlexError, TokenStoreError, OSError)) else None
