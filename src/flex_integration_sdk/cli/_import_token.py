"""``flex-sdk token import --from-js``: the token of a JavaScript program, without a sign-in."""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ._group import Command
from ._notices import tell
from ._output import plugins_apart, print_json
from ._shared_options import confirm, open_lasting_store, store_options
from ._time_limit import timeout_option
from ._waiting import LEASE, patiently

if TYPE_CHECKING:
    from flex_tokenstore import Token, TokenIdentity, TokenStore

FILE = "file-store-token.json"
OTHERS = 0o077  # the rights of the group and of all others
PAUSE = 0.5  # seconds; the JavaScript SDK empties the file before it writes it


class Found(NamedTuple):
    """A token of the JavaScript SDK, and its file."""

    path: str
    token: Token


@click.command("import", cls=Command, short_help="Take over the token of a JavaScript program.")
@store_options
@timeout_option
@click.option(
    "--from-js",
    "path",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="The JavaScript SDK's file; without FILE, the one in the folders that it uses.",
)
@click.option("--overwrite", is_flag=True, help="Replace a different token in the store.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def import_(path: str | None, overwrite: bool, yes: bool, as_json: bool, **chosen: Any) -> None:
    """Copy the token of a JavaScript program into the token store, without a sign-in.

    The JavaScript SDK's file stays as it is. It does not say whose token it has: you say that it
    is the one of this client. From then on only one of the two programs may refresh the token.
    """
    if path is None:
        raise click.UsageError("say which program stored the token: --from-js [FILE]")
    from flex_tokenstore import TokenConflictError
    from flex_tokenstore.embedding import copy_token, is_same_token

    with plugins_apart(), open_lasting_store(chosen, may_be_plain=False) as store:
        found = _found(path, store.identity)
        _refuse_same(found, store)
        there = store.get_token()
        new = there is None or not is_same_token(there, found.token)
        whose = f"the token in {found.path} into {store.place} as the token of {store.identity.key}"
        if new and there is not None and not overwrite:
            raise TokenConflictError(
                f"{store.place} holds a different token of {store.identity.key}; nothing was "
                "changed. To replace it, use --overwrite"
            )
        if new:
            _warn(found, store, there)
            confirm(f"Copy {whose}", f"copy {whose}", yes=yes)
            replace = None if there is None else there.revision
            patiently(
                lambda wait: copy_token(found.token, store, wait=wait, lease=LEASE, replace=replace)
            )
        place = store.place
        facts = {"store": store.name, "place": place, "identity": store.identity.key}
    if as_json:
        print_json({**facts, "file": found.path, "imported": new})
    else:
        click.echo(f"copied {whose}" if new else f"{place} has the token in {found.path} already")


def _warn(found: Found, store: TokenStore, there: Token | None) -> None:
    identity = store.identity
    tell(
        f"{found.path} does not say whose token it has. Go on only if it is the one of client "
        f"{identity.client_id} at {identity.base_url}"
    )
    tell(
        "a refresh uses the refresh token up, so from now on only one program may refresh it: stop "
        "the JavaScript program. If both are to run, use its file with the option share_with_js of "
        "the store `file` instead"
    )
    if os.name != "nt" and Path(found.path).stat().st_mode & OTHERS:
        tell(
            f"other users can read or change {found.path}, which stays as it is; if only one user "
            f"is to: chmod 600 {shlex.quote(found.path)}"
        )
    if there is not None:
        tell(f"{store.place} holds a different token; it is replaced, and lost")


def _found(path: str, identity: TokenIdentity) -> Found:
    """The token in the named file, or in the one file of the JavaScript SDK that there is."""
    if path:
        token = _token_in(path, identity)
        if token is None:
            raise click.UsageError(f"there is no file {path}")
        return Found(str(Path(path).expanduser().absolute()), token)
    used, documented = _paths(identity)
    found = []
    for each in dict.fromkeys((used, documented)):  # on macOS they are the same
        # In the documented folder the store `file` keeps tokens of Python programs.
        if each == documented and not _is_untagged(each, identity):
            continue
        token = _token_in(each, identity)
        if token is not None:
            found.append(Found(each, token))
    if not found:
        raise click.ClickException(
            f"there is no token of the JavaScript SDK in {used} or {documented}. Its folder "
            "follows XDG_CONFIG_HOME; name the file with --from-js FILE"
        )
    if len(found) > 1:
        raise click.UsageError(
            f"both {used} and {documented} hold a token of the JavaScript SDK: name the one that "
            "is meant with --from-js FILE"
        )
    return found[0]


def _paths(identity: TokenIdentity) -> tuple[str, str]:
    """Its file in the folder that it uses, and in the one that its documentation names."""
    from flex_tokenstore import open_store

    stores = {"name": "file", "share_with_js": True}, {"name": "file"}
    used, documented = (open_store(each, identity).place for each in stores)
    return used, str(Path(documented).with_name(FILE))


def _is_untagged(path: str, identity: TokenIdentity) -> bool:
    """Whether something is there that no Python program tagged with its owner."""
    from flex_tokenstore import TokenIdentityError, TokenStoreError, open_store

    try:
        with open_store(_unchanged(path), identity) as store:
            store.get_token()
    except TokenIdentityError:  # it is somebody else's, or it is not known whose it is
        try:
            with open_store(_shared(path), identity) as store:
                return store.get_token() is not None
        except TokenStoreError:
            return False
    except TokenStoreError:
        pass
    return False


def _unchanged(path: str) -> dict[str, Any]:
    # Else a read takes the rights of others away, which the JavaScript program may rely on.
    return {"name": "file", "path": path, "permissions": "off"}


def _shared(path: str) -> dict[str, Any]:
    return {**_unchanged(path), "share_with_js": True}


def _token_in(path: str, identity: TokenIdentity) -> Token | None:
    from flex_tokenstore import TokenCorruptError, TokenIdentityError, open_store

    with open_store(_shared(path), identity) as store:
        for pause in (PAUSE, 0):
            try:
                token = store.get_token()
            except TokenIdentityError:
                raise _stored_by_python(path) from None
            except TokenCorruptError as error:
                if error.reason is not None:
                    raise _stored_by_python(path) from None
                time.sleep(pause)
                continue
            if token is not None and _is_tagged(path, token, identity):
                raise _stored_by_python(path)
            return token
        raise TokenCorruptError(
            f"{store.place} does not hold a whole token. If the JavaScript program is writing it, "
            "try again; if not, name another file with --from-js FILE",
            place=store.place,
        )


def _is_tagged(path: str, token: Token, identity: TokenIdentity) -> bool:
    """Whether a Python program wrote the file; not what was added when it was read."""
    from flex_tokenstore import TokenIdentityError, open_store

    if set(token.to_dict()["flex_tokenstore"]) - {"format", "identity"}:
        return True
    try:
        with open_store(_unchanged(path), identity) as store:
            return store.get_token() is not None
    except TokenIdentityError:
        return False


def _stored_by_python(path: str) -> click.UsageError:
    option = shlex.quote(f"path={Path(path).expanduser().absolute()}")
    return click.UsageError(
        f"a Python program stored what is in {path}, and only one program may refresh a token, so "
        f"nothing was copied. `flex-sdk token move --from file --from-option {option} --to NAME` "
        "takes the token of this client to another store; if another store wraps that file, such "
        "as one that encrypts, name it with --from, and the file with --from-option inner.path=…"
    )


def _refuse_same(found: Found, store: TokenStore) -> None:
    if Path(store.place) == Path(found.path):
        raise click.UsageError(
            f"the token store is this file, {found.path}; with share_with_js both programs use it, "
            "and there is nothing to copy"
        )
