"""Stores with a key of their own, in which a part of the identity does not count."""

from __future__ import annotations

import json
import re

from flex_tokenstore import TokenIdentity, hookimpl

from .beasts import caught_by
from .full import FullStore

ONE_PART = "test_identities_that_differ_in_one_part_share_nothing"


class _OwnKey(FullStore):
    parts: tuple[str, ...] = ("base_url", "client_id", "scope", "profile")

    def key_of(self, identity: TokenIdentity) -> str:
        return json.dumps([getattr(identity, part) for part in self.parts])


@caught_by(ONE_PART, case="scope")
class KeyWithoutScope(_OwnKey):
    """One client, one token."""

    parts = ("base_url", "client_id", "profile")


@caught_by(ONE_PART, case="profile", kind="async")
class KeyWithoutProfile(_OwnKey):
    """Who would have two?"""

    parts = ("base_url", "client_id", "scope")


@caught_by(ONE_PART, case="client id")
class KeyWithoutClient(_OwnKey):
    """The table is the client's own, it thinks."""

    parts = ("base_url", "scope", "profile")


@caught_by(ONE_PART, case="host")
class KeyWithoutHost(_OwnKey):
    """A test server's token is sent to the real one."""

    parts = ("client_id", "scope", "profile")


@caught_by(ONE_PART, case="port")
class KeyOfTheHostName(_OwnKey):
    """Without port, scheme and path."""

    def key_of(self, identity: TokenIdentity) -> str:
        host = re.sub(r"^\w+://([^/:]+).*", r"\1", identity.base_url)
        return json.dumps([host, identity.client_id, identity.scope, identity.profile])


@caught_by(ONE_PART, case="case of the client id")
class KeyInLowerCase(_OwnKey):
    """A column whose collation does not tell a from A."""

    def key_of(self, identity: TokenIdentity) -> str:
        return super().key_of(identity).lower()


@caught_by(ONE_PART, case="end of a long client id")
class KeyOf64Characters(_OwnKey):
    """`VARCHAR(64)`, in a mode that cuts without a word."""

    def key_of(self, identity: TokenIdentity) -> str:
        return f"{identity.base_url} {identity.profile} {identity.scope} {identity.client_id}"[:64]


@caught_by(ONE_PART, case="border between client_id and scope")
class KeyJoinedByColons(_OwnKey):
    """a:b and c make the same key as a and b:c."""

    def key_of(self, identity: TokenIdentity) -> str:
        return ":".join(getattr(identity, part) for part in self.parts)


@caught_by(ONE_PART, case="symbols of the client id")
class KeyForAFileName(_OwnKey):
    """What is not a letter becomes a line."""

    def key_of(self, identity: TokenIdentity) -> str:
        return re.sub(r"\W", "_", super().key_of(identity))


@caught_by(ONE_PART, case="profile")
class LockWithoutProfile(FullStore):
    """A token for each, and one lock for all profiles: one waits for the other."""

    def lock_key(self) -> str:
        return f"{self._identity.base_url} {self._identity.client_id} {self._identity.scope}"


@caught_by(ONE_PART, case="scope")
class LockIdWithoutScope(FullStore):
    """Two sessions of one program take one refresh for that of the other."""

    @hookimpl
    def lock_id(self) -> str:
        return f"{self._identity.base_url} {self._identity.client_id} {self._identity.profile}"
