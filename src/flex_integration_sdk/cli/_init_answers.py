"""What ``flex-sdk init`` is told: by options, and on a terminal by questions."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from flex_integration_sdk._settings.secret_source import problem_of_secret
from flex_tokenstore import Secret

from ._given_store import given_config
from ._init_profile import ConfigText
from ._init_questions import ask, fitted
from ._init_store import ask_store
from ._notices import tell
from ._side import Side

# More than any client secret has; a wrong file on standard input is not read to its end.
_MOST = 65536


@dataclass(repr=False)
class Answers:
    """What the user said."""

    client_id: str = ""
    secret: Secret[str] | None = None
    """What was typed, or came from standard input."""
    secret_file: str | None = None
    base_url: str = ""
    store: Any = None
    """The config of the token store; None: as it is, or the default."""
    allow_http: bool = False
    asks: bool = field(default=False)
    """Somebody is there to ask."""


def answers_of(given: Mapping[str, Any], text: ConfigText) -> Answers:
    """The answers, from the options and, where those are missing, from a person.

    Raises:
        UsageError: Something is missing, and nobody can be asked; or two options contradict.
        Abort: The user pressed Ctrl-C.
    """
    side = Side("store", given["store_name"], given["store_options"], None, has_env=False)
    if given["client_secret_stdin"] and given["client_secret_file"]:
        raise click.UsageError(
            "--client-secret-stdin and --client-secret-file contradict each other"
        )
    found = Answers(
        client_id=(given["client_id"] or "").strip(),
        secret=_from_stdin() if given["client_secret_stdin"] else None,
        secret_file=given["client_secret_file"],
        base_url=(given["base_url"] or "").strip(),
        store=given_config(side),
        allow_http=given["allow_http"],
        asks=not given["client_secret_stdin"] and sys.stdin.isatty(),
    )
    if found.asks:
        _ask_needed(found, text)
        if not given["force"]:
            _ask_more(found, text)
        if not (found.secret or found.secret_file or _keeps_secret(found, text)):
            tell("the client secret that the profile has is of another server")
            found.secret = _ask_secret("Client secret (it is not shown)", may_be_empty=False)
    else:
        _complete(found, text)
    return found


def _from_stdin() -> Secret[str]:
    if sys.stdin.isatty():
        raise click.UsageError(
            "--client-secret-stdin needs the client secret on standard input, from a program or a "
            "file; omit it, and you are asked"
        )
    from flex_tokenstore.embedding import strip_value

    try:
        secret = Secret(strip_value(sys.stdin.read(_MOST)))
    except UnicodeError:
        secret, problem = Secret(""), "is not UTF-8 text"
    else:
        problem = problem_of_secret(secret, quotes=True)
    if problem:
        raise click.UsageError(f"the client secret on standard input {problem}")
    return secret


def _complete(found: Answers, text: ConfigText) -> None:
    """Without a terminal: what was not given stays as it is."""
    found.client_id = found.client_id or str(text.own.get("client_id") or "")
    if not found.client_id:
        raise click.UsageError("--client-id ID is missing")
    if problem := _problem_of_id(found.client_id):
        raise click.UsageError(f"--client-id: {problem}")
    if not (found.secret or found.secret_file or _keeps_secret(found, text)):
        why = "the client secret is missing"
        if text.has_secret:
            why += ": the one that the profile has is of another client or server"
        raise click.UsageError(
            f"{why}: use --client-secret-file FILE, or --client-secret-stdin and write it to "
            "standard input"
        )


def _keeps_secret(found: Answers, text: ConfigText) -> bool:
    return text.keeps_secret(found.client_id, found.base_url)


def _ask_needed(found: Answers, text: ConfigText) -> None:
    own = text.own
    if not found.client_id:
        click.echo(
            "Client id and client secret are in Console, with the application of type "
            "Integration API.",
            err=True,
        )
        found.client_id = ask("Client id", _problem_of_id, default=own.get("client_id") or None)
    if not (found.secret or found.secret_file):
        hint = "; empty: as it is" if _keeps_secret(found, text) else ""
        typed = _ask_secret(f"Client secret (it is not shown{hint})", may_be_empty=bool(hint))
        found.secret = typed or None


def _ask_more(found: Answers, text: ConfigText) -> None:
    """Asks for what has a default."""
    if not found.base_url:
        allowed = found.allow_http or text.own.get("allow_http") is True
        found.base_url = ask(
            "Address of the server",
            lambda url: _problem_of_url(url, allowed),
            default=text.base_url,
        )
    if found.store is None:
        found.store = ask_store(text, found.client_id)


def _ask_secret(question: str, *, may_be_empty: bool) -> Secret[str]:
    from getpass import getpass

    from flex_tokenstore.embedding import strip_value

    while True:
        try:
            # Not click's: it prints the question first, and what is typed at once would be shown.
            answer = Secret(strip_value(getpass(f"{fitted(question)}: ")))
        except (KeyboardInterrupt, EOFError) as error:
            raise click.Abort from error
        problem = problem_of_secret(answer, quotes=True)
        if not problem or (may_be_empty and not answer):
            return answer
        tell(f"the client secret {problem}")


def _problem_of_id(text: str) -> str:
    problem = problem_of_secret(Secret(text), quotes=True)
    return f"the client id {problem}" if problem else ""


def _problem_of_url(text: str, allowed: bool) -> str:
    from flex_integration_sdk.config import resolve
    from flex_integration_sdk.errors import ConfigurationError

    from ._words import in_cli_words

    try:
        resolve(client_id="c", base_url=text, allow_http=allowed, config=os.devnull, environ={})
    except ConfigurationError as error:
        return in_cli_words(str(error))
    return ""
