"""Stores that do not give back what they were given, or give it to the wrong one."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable
from typing import Any, ClassVar

from flex_tokenstore import (
    ANY_REVISION,
    TokenCorruptError,
    TokenIdentity,
    TokenUnavailableError,
    hookimpl,
    is_newer,
)

from .beasts import caught_by
from .forty_lines import FortyLineStore
from .full import AsyncFullStore, FullStore, T, TwinStore

Connection = sqlite3.Connection


@caught_by("test_no_reader_sees_a_torn_token")
class TruncatesThenWrites(FortyLineStore):
    """As most programs write files."""

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:
        with self._path.open("w", encoding="utf-8") as file:
            json.dump(token, file)


@caught_by("test_two_identities_have_a_token_each")
class OneKeyForAll(FullStore):
    """The key is a constant."""

    def key_of(self, identity: TokenIdentity) -> str:
        return "token"


@caught_by("test_two_identities_never_meet")
class KeyOfTheClientAlone(FullStore):
    """Scope, profile and server are left out of the key."""

    def key_of(self, identity: TokenIdentity) -> str:
        return identity.client_id.lower()


@caught_by("test_what_a_wrapper_stored_is_no_token")
class DropsARevision(FullStore):
    """Keeps the fields of the tag that it has columns for: nobody sees what a wrapper stored."""

    def encode(self, token: dict[str, Any]) -> str:
        tag = {**token["flex_tokenstore"]}
        tag.pop("revision", None)
        return json.dumps({**token, "flex_tokenstore": tag})


@caught_by("test_every_json_shape_comes_back", case="unknown fields")
class DropsUnknownFields(FullStore):
    """Keeps what it has columns for."""

    def encode(self, token: dict[str, Any]) -> str:
        known = ("access_token", "refresh_token", "token_type", "expires_in", "flex_tokenstore")
        return json.dumps({name: token[name] for name in known if name in token})


@caught_by("test_a_token_is_replaced_whole")
class MergesFields(FullStore):
    """Updates what is stored, as Vault's `patch` and Redis' hashes do."""

    def write(self, connection: Connection, token: dict[str, Any]) -> None:
        text = self.text(connection)
        super().write(connection, {**(self.decode(text) if text else {}), **token})


@caught_by("test_a_shorter_token_leaves_no_rest")
class OverwritesInPlace(FortyLineStore):
    """Writes over the old text and does not cut the file."""

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:
        with self._path.open("r+b" if self._path.exists() else "wb") as file:
            file.write(json.dumps(token).encode())


@caught_by("test_a_large_token_comes_back")
class CutsAt64Kilobytes(FullStore):
    """As MySQL's TEXT in its lax mode."""

    def encode(self, token: dict[str, Any]) -> str:
        return super().encode(token)[: 2**16 - 1]


@caught_by("test_every_json_shape_comes_back", case="unicode")
class AsciiOnly(FullStore):
    """A column that is not UTF-8."""

    def encode(self, token: dict[str, Any]) -> str:
        return json.dumps(token, ensure_ascii=False).encode("ascii", "replace").decode()


@caught_by("test_every_json_shape_comes_back", case="big integers")
class BigIntegersToFloats(FullStore):
    """As JavaScript and Lua read numbers."""

    def decode(self, text: Any) -> Any:
        return json.loads(text, parse_int=lambda digits: int(float(digits)))


@caught_by("test_every_json_shape_comes_back", case="empty")
class EmptyToNull(FullStore):
    """As Oracle's texts, and many an ORM."""

    def decode(self, text: Any) -> Any:
        return json.loads(text.replace(': ""', ": null"))


@caught_by("test_every_json_shape_comes_back", case="quoting")
class QuotesByHand(FullStore):
    """SQL put together from texts, with the quotes left out."""

    def encode(self, token: dict[str, Any]) -> str:
        return super().encode(token).replace("'", "")


@caught_by("test_a_token_of_a_newer_format_is_left_alone", case="set")
class TakesAnyFormatForItsOwn(FullStore):
    """Puts its own format on all that it reads."""

    def decode(self, text: Any) -> Any:
        token = super().decode(text)
        if isinstance(token, dict) and "flex_tokenstore" in token:
            token["flex_tokenstore"]["format"] = 1
        return token


@caught_by("test_a_token_of_a_newer_format_is_left_alone", case="remove")
class PutsNewerFormatsAside(FullStore):
    """Takes a newer format for corrupt content that it may move away, and reads as empty then."""

    def read(self, connection: Connection) -> Any:
        text = self.text(connection)
        token = None if text is None else self.decode(text)
        if is_newer(token):
            self.delete(connection, ANY_REVISION)
            raise TokenCorruptError("a newer version wrote it; upgrade", revision="newer")
        return token


@caught_by("test_removing_twice_is_fine")
class RemovingNothingRaises(FortyLineStore):
    """An error where there is nothing to do."""

    @hookimpl
    def remove_token(self) -> None:
        self._path.unlink()


@caught_by("test_a_removed_token_is_gone")
class RemovesNothing(FullStore):
    """Empties the token instead of removing it, and finds it again."""

    def delete(self, connection: Connection, expected: str | None) -> None:
        self.check(connection, expected)


@caught_by("test_the_object_given_is_not_changed")
class ChangesWhatItIsGiven(FullStore):
    """Takes its own key out of the caller's object while it saves it."""

    def encode(self, token: dict[str, Any]) -> str:
        tag = token.pop("flex_tokenstore")
        return json.dumps({**token, "flex_tokenstore": tag})


@caught_by("test_a_second_handle_sees_each_write")
class CachesForEver(FullStore):
    """Reads the backend once."""

    _cache: Any = None

    @hookimpl
    def get_token(self) -> Any:
        if self._cache is None:
            self._cache = self.transact(self.read)
        return self._cache

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        super().set_token(token, expected)
        self._cache = token

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        super().remove_token(expected)
        self._cache = None


@caught_by("test_a_second_process_sees_each_write")
class KeepsItInTheProcess(FullStore):
    """A class attribute as the backend."""

    _tokens: ClassVar[dict[tuple[str, str], Any]] = {}

    def text(self, connection: Connection) -> Any:
        return self._tokens.get((self._options.path, self._key))

    def write(self, connection: Connection, token: dict[str, Any]) -> None:
        self._tokens[self._options.path, self._key] = self.encode(token)

    def delete(self, connection: Connection, expected: str | None) -> None:
        super().delete(connection, expected)
        self._tokens.pop((self._options.path, self._key), None)


@caught_by("test_a_token_outlives_its_handle")
class RemovesItAtTheEnd(FullStore):
    """Cleans up more than its own."""

    @hookimpl
    def close(self) -> None:
        self.remove_token("*")


class _OtherKey(AsyncFullStore):
    def made(self, options: Any, identity: TokenIdentity) -> FullStore:
        store = FullStore(options, identity)
        store._key = f"async:{identity.key}"
        return store


@caught_by("test_sync_and_async_programs_share_the_token")
class AsyncClassUsesAnotherKey(TwinStore):
    """The twin was written later, by another."""

    async_class: ClassVar[type] = _OtherKey


@caught_by("test_a_handle_works_in_a_forked_child")
class BoundToItsProcess(FullStore):
    """A connection that a fork breaks."""

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        self._pid = os.getpid()

    def transact(self, work: Callable[[Connection], T]) -> T:
        if os.getpid() != self._pid:
            raise TokenUnavailableError("the connection is another process's")
        return super().transact(work)


@caught_by("test_a_killed_writer_leaves_a_whole_token", swift=False)
class LeavesAMarkWhileItWrites(FortyLineStore):
    """Readers wait until the mark is gone, and nobody removes that of the dead."""

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:
        mark = self._path.with_suffix(".writing")
        mark.touch()
        super().set_token(token)
        time.sleep(0.005)
        mark.unlink(missing_ok=True)

    @hookimpl
    def get_token(self) -> Any:
        for _ in range(1000):
            if not self._path.with_suffix(".writing").exists():
                return super().get_token()
            time.sleep(0.001)
        raise TokenUnavailableError("another process writes it")
