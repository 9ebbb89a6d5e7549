"""``flex-sdk token move``: from one store to another, without a sign-in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ._given_store import (
    STORE_VARIABLE,
    command_for,
    full_commands,
    side_of,
    side_options,
)
from ._group import Command
from ._notices import tell
from ._output import plugins_apart, print_json
from ._progress import waiting_for
from ._shared_options import chosen_of, client_options, confirm, names_in
from ._side import Side
from ._time_limit import timeout_option
from ._two_stores import configs_of
from ._waiting import LEASE, patiently
from ._words import in_words_of

if TYPE_CHECKING:
    from flex_tokenstore import TokenIdentity, TokenStore, TokenStoreError
    from flex_tokenstore.embedding import Move


@click.command(cls=Command, short_help="Move the token to another store, without a sign-in.")
@client_options
@side_options("from", "Store that holds the token.", " Default: as --store of `token show`.")
@side_options("to", "Store that it is to be in.")
@timeout_option
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--overwrite", is_flag=True, help="Replace a different token in the other store.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def move(dry_run: bool, overwrite: bool, yes: bool, as_json: bool, **chosen: Any) -> None:
    """Move the stored token from one store to another, without a sign-in.

    Both stores are locked; the token is copied, read back and compared, and removed from the first
    store last. If this is interrupted, run it again: it ends the same.

    Stop the programs that use the token first, or point them to the other store: the store that
    was emptied looks to them as if the token was revoked.
    """
    from flex_tokenstore.embedding import find_move

    sides = side_of("from", chosen), side_of("to", chosen)
    ours = chosen_of(chosen)
    settings, commands = ours.settings, _Commands(*sides, ours.client)
    with plugins_apart():
        first, second = configs_of(*sides, settings.token_store)
        encrypted = settings.require_encrypted
        first_name, second_name = (" over ".join(names_in(each)) for each in (first, second))
        with (
            full_commands(commands.after),
            waiting_for(f"the token stores {first_name} and {second_name}"),
            # Whether or not it encrypts: else no token could leave where it must not be.
            _opened("--from", first, settings.identity) as source,
            _opened("--to", second, settings.identity, encrypted=encrypted) as destination,
        ):
            commands.place = destination.place
            found = find_move(source, destination)
            told = _Told(source, destination, found, commands)
            moves = found.source is not None and (found.state != "different" or overwrite)
            if moves:
                _warn(source, destination, found, replaced="would be" if dry_run else "is")
            if moves and not dry_run:
                confirm(f"Move {told.whose} ({told.client})", f"move {told.whose}", yes=yes)
                _move(source, destination, found)
            facts = {**told.facts, "moved": moves and not dry_run, "dry_run": dry_run}
            said = told.said(moves=moves, dry_run=dry_run)
    ends_well = moves or found.state == "moved"
    if as_json:
        print_json(facts)
    elif ends_well:
        click.echo(said)
    if not ends_well:
        tell(said)
        raise click.exceptions.Exit(1)


def _opened(
    flag: str, config: Any, identity: TokenIdentity, *, encrypted: bool = False
) -> TokenStore:
    """A store; what is wrong with it is told in the words of the options of this command."""
    from flex_tokenstore import TokenStoreError, open_store

    try:
        return open_store(config, identity, require_encrypted=encrypted)
    except TokenStoreError as error:
        error.message = in_words_of(flag, error.message)
        error.args = (error.message,)
        raise


class _Commands:
    """The commands that act on one of the two stores."""

    def __init__(self, source: Side, destination: Side, client: Sequence[str]) -> None:
        self._source = source
        self._destination = destination
        self._client = client
        self.place: str | None = None  # of the destination

    def of_source(self, action: str, option: str = "") -> str:
        """On the store that the token leaves."""
        return command_for(self._source, self._client, action, option)

    def of_destination(self, action: str, option: str = "") -> str:
        """On the other one."""
        command = command_for(self._destination, self._client, action, option)
        here, there = self._source, self._destination
        if there.is_bare and here.prefix is None and here.name in (None, there.name):
            # The variables are of the source, unless the environment names another store.
            return f"{STORE_VARIABLE}=memory {command}"
        return command

    def after(self, error: TokenStoreError, action: str, option: str) -> str:
        """On the store that an error is of."""
        # Both are one location if an error advises to encrypt the token where it is.
        of_destination = action == "rekey" or error.place == self.place
        return (self.of_destination if of_destination else self.of_source)(action, option)


class _Told:
    """What is said of two stores and what they hold."""

    def __init__(
        self, source: TokenStore, destination: TokenStore, found: Move, commands: _Commands
    ) -> None:
        self._commands = commands
        identity = source.identity
        self.whose = f"the token of {identity.key} from {source.place} to {destination.place}"
        self.client = f"client {identity.client_id} at {identity.base_url}"
        self._places = source.place, destination.place
        self._found = found
        self.facts = {
            "identity": identity.key,
            "client_id": identity.client_id,
            "base_url": identity.base_url,
            "profile": identity.profile,
            "from": {"store": source.name, "place": source.place},
            "to": {"store": destination.name, "place": destination.place},
            "found": found.state,
            "newer": {"source": "from", "destination": "to", None: None}[found.newer],
        }

    def said(self, *, moves: bool, dry_run: bool) -> str:
        """The result in one line."""
        here, there = self._places
        if moves:
            done = "would move" if dry_run else "moved"
            both = f"; {there} has a copy already" if self._found.state == "copied" else ""
            return f"{done} {self.whose}{both if dry_run else ''}"
        identity = self.facts["identity"]
        if self._found.state == "moved":
            return f"already moved: {here} is empty, and {there} holds the token of {identity}"
        if self._found.state == "empty":
            return f"nothing to move: neither {here} nor {there} holds a token of {identity}"
        newer = {"from": f"the one in {here} is newer", "to": f"the one in {there} is newer"}
        age = newer.get(str(self.facts["newer"]), "which one is newer is not known")
        return (
            f"{here} and {there} hold different tokens of {identity}; {age}. Nothing was changed. "
            f"To replace the one in {there}, use --overwrite; to keep it, remove the other one "
            f"with `{self._commands.of_source('remove')}`"
        )


def _warn(source: TokenStore, destination: TokenStore, found: Move, *, replaced: str) -> None:
    tell(
        f"a program that still uses {source.place} will find it empty, as after a revocation, and "
        f"sign in again or fail. Stop such programs, or point them to {destination.place}, before "
        "you go on"
    )
    if found.state == "different":
        age = ", which is newer" if found.newer == "destination" else ""
        tell(f"{destination.place} holds a different token{age}; it {replaced} replaced, and lost")


def _move(source: TokenStore, destination: TokenStore, found: Move) -> None:
    from flex_tokenstore.embedding import move_token

    # Only the token that the user was told of.
    there = found.destination if found.state == "different" else None
    replace = None if there is None else there.revision
    try:
        patiently(
            lambda wait: move_token(source, destination, wait=wait, lease=LEASE, replace=replace)
        )
    except KeyboardInterrupt:
        tell("interrupted. Run the same command again: it goes on where it was stopped")
        raise
