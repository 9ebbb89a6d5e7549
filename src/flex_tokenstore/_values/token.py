"""The token, as stores hold it and as programs see it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, cast

from .secret import Secret
from .token_form import TAG as TAG
from .token_form import problem_of, shown_identity, unsendable

FORMAT = 1
"""Version of what is under :data:`TAG`. A store must refuse a newer one, not repair it."""

ANY_REVISION = "*"
"""Pass it as ``expected`` to replace or remove whatever is stored."""


class TokenObject(dict[str, Any]):
    """A JSON object that holds a token: a dict whose ``repr`` shows only how many fields it has.

    ``json.loads(body, object_pairs_hook=TokenObject)`` parses a token response into one.
    """

    def __repr__(self) -> str:
        return f"TokenObject(<{len(self)} fields hidden>)"

    def __rich_repr__(self) -> Iterator[str]:
        yield f"<{len(self)} fields hidden>"

    __str__ = __repr__

    def copied(self) -> Self:
        """A copy, down to the values within values."""
        return type(self)(_copy_items(self))


class CheckedToken(TokenObject):
    """A token object that was checked, for the way from a store of ours to :class:`Token`.

    Only :func:`checked_token` makes one. It is a dict: a stranger's code that had it in between may
    have changed it, so only :func:`token_from_ours` does not check and copy it again.
    """


class Token:
    """An OAuth token, its owner and its times. It cannot change; its ``repr`` shows no secret.

    Args:
        data: The JSON object of the token response, with or without the key ``flex_tokenstore``. It
            is copied.

    Raises:
        ValueError: ``data`` is not a JSON object with a string ``access_token``; or a part has a
            wrong type; or a token contains characters that OAuth does not allow (RFC 6749 appendix
            A), such as a line end. The message shows no value.
    """

    __slots__ = (
        "_authorization",
        "_data",
        "_revision",
        "expires_at",
        "identity_key",
        "obtained_at",
    )

    _data: TokenObject
    _authorization: str
    _revision: str | None
    expires_at: float | None
    """Unix time in seconds at which the access token expires; None: not known."""
    identity_key: str | None
    """``TokenIdentity.key`` of its owner; None: another program stored it, without an owner."""
    obtained_at: float | None
    """Unix time in seconds at which it was requested; None: not known."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        # In a Secret: a traceback may show the locals of this frame.
        found: Any = Secret(data)
        del data
        self._fill(check_token_object(found.reveal()))

    def _fill(self, copied: TokenObject) -> None:
        tag = copied.get(TAG, {})
        if "revision" in tag and (problem := unsendable(copied)):
            raise ValueError(problem)  # what a wrapper stored; here it would become a header
        put = object.__setattr__
        put(self, "_data", copied)
        put(self, "_revision", None)
        # Made once, since each API call needs it: 0.17 µs (docs/decisions/006).
        put(self, "_authorization", f"Bearer {copied['access_token']}")
        put(self, "identity_key", tag.get("identity"))
        put(self, "obtained_at", _seconds(tag.get("obtained_at")))
        put(self, "expires_at", _seconds(tag.get("expires_at")))

    @classmethod
    def issued(
        cls,
        answer: Mapping[str, Any],
        *,
        identity_key: str,
        obtained_at: float,
        sign_ins: Sequence[float] = (),
    ) -> Token:
        """Makes a token from a token response, and adds its owner and times.

        Args:
            answer: The JSON object of the token response.
            identity_key: ``TokenIdentity.key`` of its owner.
            obtained_at: Unix time in seconds at which the request was sent.
            sign_ins: Unix times in seconds of the last sign-ins; see the property ``sign_ins``.

        Raises:
            ValueError: No token can be made from ``answer``; the message shows no value.
        """
        given: Any = Secret(answer)
        del answer  # as in __init__
        if not isinstance(given.reveal(), Mapping):
            raise ValueError("the token response is not a JSON object")
        lifetime = _seconds(given.reveal().get("expires_in"))
        tag: dict[str, Any] = {
            "format": FORMAT,
            "identity": identity_key,
            "obtained_at": obtained_at,
            "expires_at": None if lifetime is None else obtained_at + lifetime,
        }
        if sign_ins:
            tag["sign_ins"] = list(sign_ins)
        return cls(TokenObject({**given.reveal(), TAG: tag}))

    @property
    def access_token(self) -> Secret[str]:
        """The access token, as a :class:`Secret`."""
        return Secret(self._data["access_token"])

    @property
    def refresh_token(self) -> Secret[str] | None:
        """The refresh token, as a :class:`Secret`; None if there is none."""
        value = self._data.get("refresh_token")
        return Secret(value) if value else None

    @property
    def authorization(self) -> str:
        """The ``Authorization`` header (RFC 6750). Secret: use it in one expression only."""
        return self._authorization

    @property
    def token_type(self) -> str | None:
        """``token_type`` as the server spelled it; None if it sent none, or not a string."""
        found = self._data.get("token_type")
        return found if isinstance(found, str) else None

    @property
    def scope(self) -> str | None:
        """The granted scopes, separated by spaces (RFC 6749 section 3.3); None: not known.

        Some servers send a list.
        """
        found = self._data.get("scope")
        if isinstance(found, (list, tuple)) and all(isinstance(each, str) for each in found):
            return " ".join(found)
        return found if isinstance(found, str) else None

    @property
    def sign_ins(self) -> tuple[float, ...]:
        """Unix times in seconds of the sign-ins of the last minute that the API's 401s caused.

        All programs that share the token see them, and so keep within one limit.
        """
        kept = self._data.get(TAG, {}).get("sign_ins")
        if not isinstance(kept, list):
            return ()
        times = (_seconds(each) for each in kept[:_MOST_TIMES])
        return tuple(each for each in times if each is not None)

    @property
    def lifetime(self) -> float | None:
        """Seconds from request to expiry; None: not known."""
        if self.expires_at is None or self.obtained_at is None:
            return None
        return self.expires_at - self.obtained_at

    @property
    def grant_type(self) -> str:
        """The grant that replaces it: ``"refresh_token"`` or ``"client_credentials"``."""
        return "refresh_token" if self._data.get("refresh_token") else "client_credentials"

    @property
    def revision(self) -> str:
        """Names the content of the token, for compare-and-set: a SHA-256 in hexadecimal digits."""
        # Kept, for a session asks several times: 8 µs.
        if self._revision is None:
            object.__setattr__(self, "_revision", revision_of(self._data))
        return cast("str", self._revision)

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that name the access token in logs."""
        return digest_of(self._data["access_token"])[:8]

    def to_dict(self) -> dict[str, Any]:
        """A copy of the JSON object, with the secrets; its ``repr`` does not show them."""
        return _copy(self._data)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and bool(self._data == other._data)

    def __hash__(self) -> int:
        return hash(self.revision)

    def __repr__(self) -> str:
        if not hasattr(self, "identity_key"):
            return "<Token that was refused>"  # in a traceback, among the locals of __init__
        return (
            f"<Token {self.digest} grant_type={self.grant_type} "
            f"identity={shown_identity(self.identity_key)} "
            f"expires_at={self.expires_at}>"
        )

    def __copy__(self) -> Token:
        return self

    def __deepcopy__(self, memo: object) -> Token:
        return self

    def __reduce__(self) -> Any:
        raise TypeError("a Token cannot be pickled: its secrets would travel in the clear")


def check_token_object(data: object, *, wrapped: bool = False) -> TokenObject:
    """``data`` as a token object of its own.

    Args:
        data: What a store returned, the server sent, or a program made.
        wrapped: It is what a wrapper store keeps in place of a token: its ``access_token`` never
            becomes a header, and may be any string. Stores see it by the ``revision`` in its tag.

    Raises:
        ValueError: It is not one. The message names the part, never a value.
    """
    # In a Secret, and checked in a function that does not raise: a traceback may show locals.
    found: Secret[Any] = Secret(data)
    del data
    copied, problem = checked(found, wrapped=wrapped)
    if copied is None:
        raise ValueError(problem)
    return copied


def checked(found: Secret[Any], *, wrapped: bool = False) -> tuple[TokenObject | None, str]:
    """``data`` as a token object of its own; or None and the reason. It does not raise."""
    try:
        problem = problem_of(found.reveal(), wrapped)
        return (None, problem) if problem else (_copy(found.reveal()), "")
    except RecursionError:
        return None, "it is nested too deeply"


def checked_token(data: object) -> CheckedToken:
    """``data`` as a token that is not checked again; for stores of ours.

    Raises:
        ValueError: It is not a token.
    """
    return CheckedToken(check_token_object(data))


def token_from_ours(data: CheckedToken) -> Token:
    """The token that a store of ours checked; nobody has had it in hand since, or keeps it.

    Raises:
        ValueError: A wrapper stored it, and it cannot become a header.
    """
    token = Token.__new__(Token)
    token._fill(data)
    return token


def is_newer(data: object) -> bool:
    """Tells whether a newer version of this package wrote a stored token.

    A store that finds such a token neither replaces nor removes it.

    Args:
        data: The JSON object of a stored token, or anything else.

    Returns:
        True if the token has a format that this version does not know.
    """
    # dict first: asking for an abstract class takes ten times as long.
    tag = data.get(TAG) if isinstance(data, (dict, Mapping)) else None
    version = tag.get("format") if isinstance(tag, (dict, Mapping)) else None
    return isinstance(version, (int, float)) and version > FORMAT


def is_wrapped(data: object) -> bool:
    """Whether a wrapper store made the JSON object, in place of a token."""
    tag = data.get(TAG) if isinstance(data, (dict, Mapping)) else None
    return isinstance(tag, (dict, Mapping)) and "revision" in tag


def revision_of(token: Mapping[str, Any]) -> str:
    """Names the content of a stored token, for compare-and-set.

    It is ``token["flex_tokenstore"]["revision"]`` if that exists. Otherwise it is the SHA-256, in
    lower-case hexadecimal digits, of the canonical JSON array ``[access_token, refresh_token or
    null]`` (RFC 8785). Other programs may rely on it: ``docs/formats.md`` has test vectors.

    Args:
        token: The JSON object of a token.

    Raises:
        TypeError: ``token`` is not a mapping.
        KeyError: ``token`` has no ``access_token``.
    """
    if not isinstance(token, (dict, Mapping)):  # dict first, as in is_newer
        raise TypeError(f"a token's JSON object was expected, got {type(token).__name__}")
    tag = token.get(TAG)
    if isinstance(tag, (dict, Mapping)) and isinstance(tag.get("revision"), str):
        return str(tag["revision"])
    # surrogatepass: JSON can hold a lone surrogate, which has no UTF-8.
    return hashlib.sha256(
        _canonical([token["access_token"], token.get("refresh_token") or None]).encode(
            "utf-8", "surrogatepass"
        )
    ).hexdigest()


def _seconds(value: object) -> float | None:
    """A time or duration as JSON has it; None: not known, as is one that no clock can reach.

    Some servers write ``expires_in`` as a text, though RFC 6749 section 5.1 has a number.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return value if abs(value) <= _FARTHEST else None


_canonical = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_NUMBER = re.compile(r"[0-9]{1,400}(?:\.[0-9]{0,400})?")
_MOST_TIMES = 100  # of a list that others may have written
_FARTHEST = 1e15  # seconds; not so for NaN either
_PLAIN = (str, int, float, type(None))  # bool is an int


def digest_of(secret: str) -> str:
    """What stands for a secret in memory of what was refused, and in logs."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _copy(data: Mapping[str, Any]) -> TokenObject:
    return TokenObject(_copy_items(data))


def _copy_items(data: Mapping[str, Any]) -> dict[str, Any]:
    # Plain values first: asking for an abstract class takes ten times as long.
    return {
        key: value if isinstance(value, _PLAIN) else _copy_value(value)
        for key, value in data.items()
    }


def _copy_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _copy_items(value)
    if isinstance(value, (list, tuple)):
        return [_copy_value(item) for item in value]
    return value
