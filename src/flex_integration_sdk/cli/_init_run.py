"""What ``flex-sdk init`` does: it writes a profile, tries it, and says what to do next."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._init_answers import Answers, answers_of
from ._init_check import check_profile, check_settings, overriding, try_secret
from ._init_files import NewFile, write_all, writing_alone
from ._init_place import absolute, refuse_git, refuse_mount, refuse_place
from ._init_profile import ConfigText, has_content
from ._init_store import warn_of_memory
from ._notices import tell
from ._shared_options import confirm
from ._words import in_cli_words

if TYPE_CHECKING:
    from flex_integration_sdk.config import Settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DEFAULT = "default"
_LINE = 'token_store = { name = "…", … }'


def write_and_try(
    profile: str, config: str | None, given: Mapping[str, Any], *, force: bool, no_check: bool
) -> str:
    """Writes a profile into the config file, and signs in once.

    Args:
        profile: Its name.
        config: The option ``--config``.
        given: The other options of the command.
        force: An existing profile may be changed, and what has a default is not asked for.
        no_check: Do not sign in.

    Returns:
        What was done, and what to do next, for people.

    Raises:
        ClickException: Something cannot be written, or the profile does not work.
    """
    if not _NAME.fullmatch(profile):
        raise click.UsageError(
            f"--profile takes letters, digits, dots, dashes and underscores, got {profile[:60]!r}"
        )
    path = _path(config)
    refuse_place(path)
    text = ConfigText(path, profile)
    with _changing_nothing():
        answers = answers_of({**given, "force": force}, text)
    warn_of_memory(answers.store)
    missing = _write(text, answers, force=force, no_check=no_check)
    tell(f"the profile {profile!r} is in {path}")
    if missing:
        raise click.ClickException(
            f"the profile {profile!r} does not work yet: {missing}. Write that into {path}: {_LINE}"
        )
    return _tried(path, profile, config, no_check=no_check)


def _path(config: str | None) -> Path:
    from flex_integration_sdk.config import config_path

    path, _ = config_path(config)
    if path is None:
        raise click.UsageError(
            "there is no config file to write to: name one with --config FILE, or set HOME"
        )
    return Path(absolute(str(path)))


@contextmanager
def _changing_nothing() -> Iterator[None]:
    """A block that asks and changes nothing; it says so if the user leaves a question."""
    try:
        yield
    except (click.Abort, KeyboardInterrupt) as end:
        click.echo(err=True)
        click.echo("nothing was changed", err=True)
        raise end from end.__context__


def _write(text: ConfigText, answers: Answers, *, force: bool, no_check: bool) -> str:
    """Writes the profile; returns why it cannot work yet, or ""."""
    secret_file = text.path.with_name(f"client-secret-{text.profile}")
    values = _values(text, answers, secret_file)
    settings = _settings(text, answers, values)
    missing = _missing_option(settings) if "token_store" in values else ""
    changes = list(text.changes(values))
    files = []
    if answers.secret is not None:
        refuse_git(secret_file)
        if not has_content(secret_file, answers.secret):
            refuse_mount(secret_file)
            files.append(NewFile(secret_file, answers.secret, is_secret=True))
            if os.path.lexists(secret_file):
                changes.append(f"the file {secret_file}: another client secret")
                _refuse_unused(text, secret_file, force=force)
    if text.is_new or changes:
        # Through a link: a folder of dotfiles keeps its file.
        new = NewFile(text.path.resolve(), text.with_profile(values), is_secret=False)
        files.append(new)
        if not text.is_new:
            for change in changes:
                tell(change)
            question = f"Change the profile {text.profile!r} in {text.path}"
            confirm(question, "change the profile", yes=force)
            if text.has_secret and settings.secret_source and not no_check:
                try_secret(settings)
    if not files:
        return missing
    with writing_alone():
        text.check_unchanged()
        notes = write_all(files)
    for note in notes:
        tell(note)
    return missing


def _refuse_unused(text: ConfigText, secret_file: Path, *, force: bool) -> None:
    is_own = text.own.get("client_secret_file") == str(secret_file)
    if not (force or is_own):
        raise click.UsageError(
            f"{secret_file} exists and contains another secret, which the profile "
            "does not use: use --force to replace it"
        )


def _values(text: ConfigText, answers: Answers, secret_file: Path) -> dict[str, Any]:
    """The settings to write; None: to remove."""
    values: dict[str, Any] = {"client_id": answers.client_id}
    if answers.secret is not None or answers.secret_file:
        values["client_secret"] = values["client_secret_cmd"] = None
        values["client_secret_file"] = (
            absolute(answers.secret_file) if answers.secret_file else str(secret_file)
        )
    if answers.base_url and answers.base_url != text.base_url:
        values["base_url"] = answers.base_url
    if answers.allow_http:
        values["allow_http"] = True
    store = answers.store
    if store is None and not (text.own.get("token_store") or text.top.get("token_store")):
        store = "file"
    if store is not None:
        if isinstance(store, Mapping) and {*store} == {"name"}:
            store = str(store["name"])
        values["token_store"] = store
    return values


def _settings(text: ConfigText, answers: Answers, values: dict[str, Any]) -> Settings:
    """Those of the new profile, before anything is written; its secret if that is a new one.

    Raises:
        ConfigurationError: They cannot be used.
    """
    from flex_integration_sdk.config import resolve

    return resolve(
        client_id=answers.client_id,
        client_secret=answers.secret,
        client_secret_file=values.get("client_secret_file") if answers.secret_file else None,
        base_url=answers.base_url or text.base_url,
        allow_http=answers.allow_http or text.own.get("allow_http") or text.top.get("allow_http"),
        token_store=values.get("token_store"),
        profile=text.profile,
        config=os.devnull,
        environ={},
    )


def _missing_option(settings: Settings) -> str:
    """Which secret option the store lacks, or "". Raises StoreOptionsError for what is wrong."""
    from flex_tokenstore import StoreOptionsError, describe_store, open_store

    try:
        open_store(settings.token_store, settings.identity).close()
    except StoreOptionsError as error:
        options = describe_store(str(error.store)).options or () if error.store else ()
        if any(each.name == error.option and each.secret for each in options):
            return in_cli_words(str(error)).rstrip(".")
        raise
    return ""


def _tried(path: Path, profile: str, config: str | None, *, no_check: bool) -> str:
    words = [] if profile == _DEFAULT else ["--profile", profile]
    words += [] if config is None else ["--config", config]
    options = f" {shlex.join(words)}" if words else ""
    try:
        if no_check:
            check_settings(path, profile, options)
            done = f"it was not tried; `flex-sdk doctor --online{options}` does that"
        else:
            done = check_profile(path, profile, options)
    finally:
        if others := overriding(path, profile):
            tell(
                "variables of this shell are used in place of the profile; to use the profile: "
                f"unset {' '.join(others)}"
            )
    arguments = [f'profile="{profile}"'] * (profile != _DEFAULT)
    arguments += [f'config="{path}"'] * (config is not None)
    return (
        f"{done}\n\nNext:\n\n  flex-sdk call marketplace.show{options}\n\nIn a program:\n\n"
        f"  create_instance({', '.join(arguments)})\n\n"
        f"`flex-sdk config show{options}` says where each setting comes from."
    )
