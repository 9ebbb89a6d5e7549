"""What to do about an error of the SDK or of a token store: by its class and store."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flex_integration_sdk.errors import ClientSecretError, ConfigurationError
from flex_tokenstore import (
    StoreLoadError,
    StoreOptionsError,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenPermissionError,
    TokenReadOnlyError,
    TokenUnavailableError,
    UnknownStoreError,
)

from .advice import advice_of
from .finding import SkipCheck

if TYPE_CHECKING:
    from flex_integration_sdk._settings.explaining import SettingInfo

    from .ground import Ground

_STORE = "FLEX_INTEGRATION_TOKEN_STORE"
_VARIABLE = re.compile(r"\bFLEX_(?:INTEGRATION|TOKENSTORE)_\w+")
_ARGUMENT = re.compile(
    r"\b(client_id|client_secret_file|client_secret|base_url|allow_http|profile|token_store|"
    r"require_encrypted)\b"
)
_AGAIN = "and run `flex-sdk doctor` again"


def remedy_for(error: Exception, ground: Ground) -> str:
    """What to do next, as an imperative sentence."""
    # The narrower class first.
    for kind, remedy in _BY_CLASS:
        if isinstance(error, kind):
            return remedy if isinstance(remedy, str) else remedy(error, ground)
    return ""


def remedy_for_warning(text: str) -> str:
    """What to do about a warning that the SDK or the framework has logged."""
    named = _VARIABLE.findall(text)
    return f"Unset {named[0]}, unless that is meant so" if named else "Change that, if it can be"


def remedy_of_setting(row: SettingInfo) -> str:
    """What to do about a setting whose value is wrong, by where it comes from."""
    named = _VARIABLE.findall(row.problem)
    if row.name == "client_id" and not row.value:
        return _CLIENT_ID
    what = f"{row.name} in {row.origin}"
    if row.origin in ("argument", "default", ""):
        what = named[0] if named else row.name
    elif row.origin.startswith("FLEX_INTEGRATION_"):
        what = f"the variable {row.origin}"
    return _form_of(what, row.problem) or f"Correct {what}, {_AGAIN}"


def _form_of(what: str, problem: str) -> str:
    """How to write the value, where the problem tells it; else ""."""
    if meant := re.search(r"did you mean (https?://[^?\s]+)\?", problem):
        return f"Write {meant[1]} in {what}"
    if "is plain http" in problem:
        return (
            f"Write https:// in {what}; or, in a private network only, set "
            "FLEX_INTEGRATION_ALLOW_HTTP=1"
        )
    return f"Write the value of {what} without the quotes" if "is in quotes" in problem else ""


_CLIENT_ID = (
    "Set FLEX_INTEGRATION_CLIENT_ID, use --client-id ID, or run `flex-sdk init`: you find the "
    "client id in Console, with the application of type Integration API"
)


def _of_setting(error: Any, ground: Ground) -> str:
    """An argument or a variable is wrong: the message says which, and this names it."""
    text = str(error)
    if "client_id must be provided" in text:
        return _CLIENT_ID
    if "has no profile" in text or "no profile was chosen" in text:
        return "Choose one of its profiles with --profile or FLEX_INTEGRATION_PROFILE"
    if "config file" in text and "belongs to another user" in text:
        return "Run it as that user, or name a config file of your own in FLEX_INTEGRATION_CONFIG"
    if command := re.search(r"chmod \S+ \S+", text):
        return f"Take that right away: {command[0].rstrip(',')}"
    if "config file" in text or ", line " in text:
        return _of_file(text)
    named = _VARIABLE.findall(text)
    if "did you mean FLEX_" in text and len(named) > 1:
        return f"Rename the variable {named[0]} to {named[1]}, or unset it"
    if named:
        what = f"the variable {named[0]}"
        return _form_of(what, text) or f"Correct {what}, {_AGAIN}"
    argument = _ARGUMENT.search(text)
    return f"Correct {argument[1] if argument else 'that setting'}, {_AGAIN}"


def _of_file(text: str) -> str:
    """Something in the config file is wrong, or it is not there."""
    place = re.search(r"(/\S+\.toml\S*?)(?:, line (\d+))?(?=[:; ]|$)", text)
    where = "" if place is None else f" {place[1]}" + (f", line {place[2]}" if place[2] else "")
    if "did you mean" in text:
        meant = re.search(r"did you mean '?(\w+)'?\?", text)
        return f"Write {meant[1] if meant else 'that name'} in{where}"
    if "does not exist" in text:
        return "Correct --config or FLEX_INTEGRATION_CONFIG, or write the file with `flex-sdk init`"
    if line := re.search(r"is not TOML.*? in line (\d+), column \d+: (.+)", text):
        return f"Correct line {line[1]} of{where}: {line[2]}"
    return f"Correct the config file{where}, {_AGAIN}"


def _of_secret(error: Any, ground: Ground) -> str:
    text = str(error)
    if "Permission denied" in text:
        return "Give this user the right to read that file (chmod 600), or run as its owner"
    if "No such file" in text:
        place = re.search(r"(/[^()]*, line \d+)", text.partition("cannot be read: ")[2])
        setting = "FLEX_INTEGRATION_CLIENT_SECRET_FILE"
        if place is not None:
            setting = f"client_secret_file in {place[1]}"
        return (
            "Create that file with the client secret of Console in it (chmod 600), or correct "
            f"{setting}"
        )
    if program := re.search(r"the program '?([^\s',]+)", text):
        return f"Run that program ({program[1]}) by hand and see why, or correct client_secret_cmd"
    return f"Correct where the client secret comes from, {_AGAIN}"


def _of_option(error: Any, ground: Ground) -> str:
    """An option of a store is wrong."""
    text, option = str(error), error.option
    if option is None or option in ("require_encrypted", "host_lock"):
        named = _VARIABLE.findall(text)
        return f"Correct {named[0] if named else 'that setting of the token store'}, {_AGAIN}"
    variable = f"{_STORE}__" + "__".join(part.upper() for part in option.split("."))
    if made := re.search(r"make one with: (.+?)(?: \(set by|$)", text):
        return f"Correct {variable}; or, if nothing is encrypted yet, make a key: {made[1]}"
    return f"Correct the option {option!r} of the token store: {variable}, or --store-option"


def _of_unknown_store(error: Any, ground: Ground) -> str:
    meant = re.search(r"did you mean '([a-z0-9-]+)'", str(error))
    other = meant[1] if meant else "one of the installed stores (`flex-sdk stores list`)"
    return f"Set {_STORE} to {other}, or install the plugin in this environment"


def _of_corrupt(error: Any, ground: Ground) -> str:
    """What is stored is not a token that can be read here. Only some of it may be removed."""
    if "newer version" in str(error) or error.reason == "newer format":
        return "Upgrade flex-integration-sdk to the version that wrote it, or use another profile"
    if error.reason == "wrapped":
        return (
            f"Choose the store that wrapped it: {_STORE}=encrypted, with this one as its inner "
            f"store ({_STORE}__INNER__NAME)"
        )
    if error.reason == "unknown key":
        return (
            f"Add the missing key to those of this program ({_STORE}__KEY_FILE), after the first "
            "one. Only if it is lost: `flex-sdk token remove`, and the next call signs in"
        )
    if error.reason is not None:
        return (
            "Check the options of the store, its key above all. If they are right: `flex-sdk token "
            "remove`, and the next call signs in"
        )
    return "Remove it with `flex-sdk token remove`; the next call signs in, with the client secret"


def _of_permission(error: Any, ground: Ground) -> str:
    place = error.place
    if error.store == "file" and place:
        other = f"set {_STORE}__PATH to another path"
        if "read-only" in str(error):
            return f"Mount the file system of {place} with write access, or {other}"
        if "chattr" in str(error):
            return f"Take the mark away: chattr -i -a {place}; or {other}"
        return f"Give this user the rights to {place} and its folder, or {other}"
    return _advice(error, ground) or (
        "Give this user the right that is missing, as the message says, or choose another store"
    )


def _of_outage(error: Any, ground: Ground) -> str:
    place = error.place
    if error.store == "file":
        return f"Move away what is at {place}, or name another file in {_STORE}__PATH"
    if "not an SQLite database" in str(error):
        return f"Move that file away, or name another one in {_STORE}__URL"
    which = f" {error.store!r}" if error.store else ""
    return _advice(error, ground) or f"Make the token store{which} reachable, {_AGAIN}"


def _advice(error: Any, ground: Ground) -> str:
    """What the store itself says; "" if that is nothing."""
    try:
        return advice_of(error, ground.store_config)
    except SkipCheck:
        return advice_of(error, None)


_BY_CLASS: tuple[tuple[type[Exception], str | Callable[[Any, Ground], str]], ...] = (
    (ClientSecretError, _of_secret),
    (ConfigurationError, _of_setting),
    (StoreOptionsError, _of_option),
    (UnknownStoreError, _of_unknown_store),
    (StoreLoadError, "Install the plugin again; `flex-sdk stores list --check` shows all of them"),
    (TokenReadOnlyError, "Have the program run that renews this token, or choose its store here"),
    (TokenPermissionError, _of_permission),
    (TokenIdentityError, f"Choose another path for this client ({_STORE}__PATH), or --profile"),
    (TokenLockTimeoutError, "Find the program that holds the lock, and end or resume it"),
    (TokenConflictError, "Run `flex-sdk doctor` again: another program saved a token meanwhile"),
    (TokenCorruptError, _of_corrupt),
    (TokenUnavailableError, _of_outage),
)
