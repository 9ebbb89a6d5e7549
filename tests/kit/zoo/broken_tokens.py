"""Stores that keep the tokens that they expect, and change or refuse the others."""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_plus

from flex_tokenstore import revision_of

from .beasts import caught_by
from .full import FullStore

FORM = "test_a_token_of_every_form_comes_back"
LAST = "test_the_last_token_written_counts"


class _Changes(FullStore):
    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def encode(self, token: dict[str, Any]) -> str:
        return super().encode(self.changed(token))


@caught_by(FORM, case="an access token of 300 characters")
class AccessToken255(_Changes):
    """`VARCHAR(255)`, in a mode that cuts without a word."""

    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        return {**token, "access_token": token["access_token"][:255]}


@caught_by(FORM, case="a refresh token of 4 KB")
class RefreshToken2048(_Changes):
    """A column that is long enough for all tokens that its author has seen."""

    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        return {**token, "refresh_token": token["refresh_token"][:2048]}


@caught_by(FORM, case="tokens that look percent-encoded")
class DecodesPercents(_Changes):
    """It went through a form on its way, and was decoded once too often."""

    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        return {**token, "access_token": unquote_plus(token["access_token"])}


@caught_by(FORM, case="tokens that look like base64")
class StripsThePadding(_Changes):
    """`=` at the end of a value, such as in an INI file."""

    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        return {**token, "access_token": token["access_token"].rstrip("=")}


@caught_by(FORM, case="an access token full of symbols")
class InterpolatesPercents(_Changes):
    """`configparser`: a `%` in a value is a reference."""

    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        return {**token, "access_token": token["access_token"].replace("%", "")}


@caught_by(FORM, case="tokens that look like numbers")
class NumbersByAffinity(_Changes):
    """A column without a type, or YAML without quotes: 0012 is 12."""

    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        with suppress(ValueError):
            return {**token, "access_token": str(int(token["access_token"]))}
        return token


@caught_by(FORM, case="no refresh_token")
class NeedsARefreshToken(_Changes):
    """`refresh_token TEXT NOT NULL`."""

    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        return {**token, "refresh_token": token["refresh_token"] or ""}


@caught_by(FORM, case="no expires_in")
class NeedsAnExpiry(_Changes):
    """`int(token["expires_in"])`."""

    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        return {**token, "expires_in": int(token["expires_in"])}


@caught_by(FORM, case="refresh_token null")
class DropsNulls(_Changes):
    """What is null need not be stored."""

    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in token.items() if value is not None}


@caught_by(FORM, case="only an access_token")
class FillsTheGaps(_Changes):
    """Columns that are null where there was no field."""

    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        return {"refresh_token": None, "expires_in": None, "token_type": None, **token}


@caught_by(FORM, case="a scope that is not ASCII")
class LatinScope(_Changes):
    """A column in latin-1."""

    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        scope = token.get("scope", "").encode("latin-1", "replace").decode("latin-1")
        return {**token, "scope": scope} if "scope" in token else token


@caught_by(FORM, case="a large expires_in")
class ExpiresInAnInteger(_Changes):
    """`INTEGER` of 32 bits."""

    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        seconds = token.get("expires_in")
        if isinstance(seconds, int):
            return {**token, "expires_in": min(seconds, 2**31 - 1)}
        return token


@caught_by(FORM, case="a fractional expires_in")
class ExpiresInWholeSeconds(_Changes):
    """`int()` of whatever it is."""

    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        seconds = token.get("expires_in")
        return {**token, "expires_in": int(seconds)} if isinstance(seconds, float) else token


@caught_by(FORM, case="fields named as those of a store")
class TakesFieldsForItsOwn(_Changes):
    """Its own columns are beside the fields of the server, and win."""

    def changed(self, token: dict[str, Any]) -> dict[str, Any]:
        return {**token, "key": self._key} if "key" in token else token


class _KeepsTheBetter(FullStore):
    def write(self, connection: sqlite3.Connection, token: dict[str, Any]) -> None:
        text = self.text(connection)
        if text is not None and not self.is_better(token, json.loads(text)):
            return
        super().write(connection, token)

    def is_better(self, token: dict[str, Any], stored: dict[str, Any]) -> bool:
        raise NotImplementedError


@caught_by(LAST, case="was obtained earlier")
class KeepsTheNewer(_KeepsTheBetter):
    """A program whose clock is slow loses the token that it has just obtained."""

    def is_better(self, token: dict[str, Any], stored: dict[str, Any]) -> bool:
        ours, theirs = token["flex_tokenstore"], stored["flex_tokenstore"]
        return bool(ours["obtained_at"] >= theirs["obtained_at"])


@caught_by(LAST, case="expires earlier")
class KeepsWhatLivesLonger(_KeepsTheBetter):
    """As above, by the end."""

    def is_better(self, token: dict[str, Any], stored: dict[str, Any]) -> bool:
        end, other = (each["flex_tokenstore"]["expires_at"] for each in (token, stored))
        return end is None or other is None or end >= other


@caught_by(LAST, case="has no refresh token")
class KeepsTheOldRefreshToken(FullStore):
    """RFC 6749 section 6 says so, it thinks; but that is the session's to decide."""

    def write(self, connection: sqlite3.Connection, token: dict[str, Any]) -> None:
        text = self.text(connection)
        if text is not None and "refresh_token" not in token:
            token = {**token, "refresh_token": json.loads(text).get("refresh_token")}
        super().write(connection, token)


@caught_by("test_long_tokens_that_differ_at_their_end_are_two")
class RevisionOfTheStart(FullStore):
    """An index over the first 1,000 characters."""

    def check(self, connection: sqlite3.Connection, expected: str | None) -> None:
        text = self.text(connection)
        if text is not None and len(text) > 1000:
            return
        super().check(connection, expected)


@caught_by(FORM, case="an access token of 4 KB")
class RevisionOfACutToken(FullStore):
    """Stores it whole, and compares what it has cut."""

    def revision(self, text: Any) -> str:
        token = self.decode(text)
        return revision_of({**token, "access_token": token["access_token"][:1024]})
