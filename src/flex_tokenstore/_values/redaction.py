"""What others' code says, made fit to be shown: no token, no secret, no password.

The text of an exception from outside our tree is never passed on (:mod:`.foreign_errors`). What a
plugin says in an error of ours, in its location or in a log record of our logger is passed on, with
the values masked that we know: its secret options, and the tokens that went through it.
"""

from __future__ import annotations

import dataclasses
import hmac
import logging
import os
import re
from collections import deque
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ..errors import TokenStoreError, fresh_copy
from .foreign_errors import DEEPEST, StandIn, stand_in
from .secret import Secret

if TYPE_CHECKING:
    from .token import Token

MASK = "**********"
_SHORT = 6  # a secret with fewer characters is masked only as a word: "a" is part of most words
_PART = 16  # characters of a token that are masked also if the rest was cut off
_TEXTS = 32  # texts without a secret that are remembered: far more than a store has messages
_REMEMBERED = 8  # of the last tokens that went through one store
# Attributes that built-in exceptions keep outside of their __dict__.
_SLOTS = ("filename", "filename2", "strerror", "name", "path", "reason", "msg", "text", "object")

current: ContextVar[Redactor | None] = ContextVar("flex_tokenstore_redactor", default=None)
"""That of the store which is being opened or called."""


class Redactor:
    """Knows the secrets of one store: those of its options, and the last few tokens.

    Args:
        options: The values that are never to be shown.
    """

    def __init__(self, options: Iterable[Secret[Any]] = ()) -> None:
        self.options = tuple(options)
        self._tokens: deque[tuple[Secret[str] | None, ...]] = deque(maxlen=_REMEMBERED)
        # Texts without a secret, and when they were looked at: whoever waits for a lock meets the
        # same few again and again.
        self._silent: dict[str, int] = {}
        self._changes = 0

    def note(self, token: Token) -> None:
        """Remembers a token that went through the store: a later error may quote it."""
        both = (token.access_token, token.refresh_token)
        if both not in tuple(self._tokens):
            self._tokens.append(both)
            self._changes += 1  # after it: ``text`` reads them in the opposite order

    def text(self, text: str) -> str:
        """``text`` with the secrets masked."""
        text = str.__str__(text)  # a subclass of str may answer with anything
        changes = self._changes
        if self._silent.get(text) == changes:
            return text
        masked = self._masked(text)
        if masked == text:
            if len(self._silent) >= _TEXTS:
                self._silent.clear()
            self._silent[text] = changes
        return masked

    def _masked(self, text: str) -> str:
        for secret in self.options:
            for form in _forms(secret):
                text = _masked(text, form)
        kept = [secret for both in tuple(self._tokens) for secret in both if secret is not None]
        for token in dict.fromkeys(kept):  # each once: many servers keep the refresh token
            for form in _forms(token):
                text = _without_parts(_masked(text, form), form)
        return _ROW.sub(rf"\1{MASK}", text) if "_token" in text else text

    def key(self, text: str) -> str:
        """``text``, or for one that holds a secret another, equal for equal texts."""
        masked = self.text(text)
        if masked == text:
            return text
        # Each process has its own key: a digest of a weak password could be searched for.
        return f"{masked} {hmac.digest(_PEPPER, text.encode('utf-8', 'replace'), 'sha256').hex()}"

    def error(self, error: BaseException) -> Exception:
        """The error, and those that led to it, without a secret. Never the same object's frames.

        One of our tree stays what it is, with its words masked; any other becomes a stand-in.
        """
        return self._clean(error, set())

    def _clean(self, error: BaseException, seen: set[int]) -> Exception:
        if isinstance(error, StandIn):
            return error
        if not isinstance(error, TokenStoreError):
            return stand_in(error)
        seen.add(id(error))
        twin = fresh_copy(error)
        twin.__traceback__ = None
        for name, value in list(vars(twin).items()):
            twin.__dict__[name] = self._value(value)
        for name in _SLOTS:
            value = getattr(twin, name, None)
            if isinstance(value, str) and name not in vars(twin) and self.text(value) != value:
                setattr(twin, name, MASK)
        twin.args = tuple(self._value(each) for each in twin.args)
        below = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        twin.__cause__ = twin.__context__ = None
        if below is not None and id(below) not in seen and len(seen) < DEEPEST:
            twin.__cause__ = self._clean(below, seen)
        twin.__suppress_context__ = True
        return twin if self._is_silent(twin) else self._plain(twin)

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            masked = self.text(value)
            return value if masked == value else masked
        if value is None or isinstance(value, (bool, int, float, Secret)):
            return value
        if type(value) in (list, tuple):  # such as __notes__
            return type(value)(self._value(each) for each in value)
        shown = _said(value)
        return value if shown is not None and self.text(shown) == shown else MASK

    def _is_silent(self, error: Exception) -> bool:
        for said in (_said(error), _said(error, str)):
            if said is None or self.text(said) != said:
                return False
        return True

    def _plain(self, error: TokenStoreError) -> TokenStoreError:
        """For a class whose own text shows a secret, or cannot be asked for: one of ours."""
        cls = next(each for each in type(error).__mro__ if each.__module__ == TREE)
        said = getattr(error, "message", None)
        plain: TokenStoreError = cls(self.text(said) if isinstance(said, str) else "")
        plain.store, plain.place = _text_or_none(error, "store"), _text_or_none(error, "place")
        for name in ("reason", "option", "revision"):
            if hasattr(plain, name) and isinstance(getattr(error, name, None), str):
                setattr(plain, name, getattr(error, name))
        plain.__cause__ = error.__cause__
        return plain


# A token that a plugin quotes as it read it, before anybody else has seen it.
_ROW = re.compile(r"""((?:access|refresh)_token\\?["']?\s*[:=]\s*b?\\?["']?)[^\s"',}\\]+""")
_PEPPER = os.urandom(16)
# Parameters of an address that say where a server is; people need to see it.
_WHERE = ("host", "port", "dbname", "unix_socket")
TREE = TokenStoreError.__module__


def watch_loggers() -> None:
    """Has all loggers of ours mask the secrets of the store at hand in others' records."""
    names = [name for name in list(logging.root.manager.loggerDict) if name.startswith(_OURS)]
    # Each of them: the filter of a logger is not asked about records of its children. Adding it
    # once more does nothing.
    for name in {*names, _OURS}:
        logging.getLogger(name).addFilter(_filter)


def secrets_of(thing: object) -> tuple[Secret[Any], ...]:
    """The secrets among a store's options."""
    if isinstance(thing, Secret):
        return _within(thing)
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        parts: Iterable[Any] = [getattr(thing, each.name) for each in dataclasses.fields(thing)]
    elif isinstance(thing, Mapping):
        parts = thing.values()
    elif isinstance(thing, (list, tuple, set, frozenset)):
        parts = thing
    else:
        return ()  # such as a program's own client: what is in there is its own matter
    return tuple(secret for each in parts for secret in secrets_of(each))


def _within(secret: Secret[Any]) -> tuple[Secret[Any], ...]:
    """What must not be shown of a secret: of an address, which people need to see, only its
    password and the values of its query; of anything else, all."""
    from urllib.parse import parse_qsl, unquote, urlsplit

    try:
        address = urlsplit(secret.reveal())
        password = Secret(address.password or "")
        values = [
            Secret(value)
            for name, value in parse_qsl(address.query)
            if not (name in _WHERE or _is_plain(value))
        ]
        is_address = bool(address.scheme and "://" in secret.reveal())
    except (ValueError, AttributeError, TypeError):
        return (secret,)
    if not is_address:
        return (secret,)
    if not password:
        return tuple(values)
    return (secret, password, Secret(unquote(password.reveal())), *values)


def _is_plain(value: str) -> bool:
    """A number, a name or a path in a query, such as ``db=0``: no secret."""
    return value.isdecimal() or value.replace("-", "").isalpha() or value.startswith("/")


class _Masking(logging.Filter):
    """For records that a plugin makes while it is opened or called."""

    def filter(self, record: logging.LogRecord) -> bool:
        redactor = current.get()
        if redactor is None or record.pathname.startswith(_HERE):
            return True  # ours are written without secrets
        try:
            said = record.getMessage()
        except Exception as error:  # noqa: BLE001 - the handler would print the arguments
            said, record.args = f"a log record that raised {type(error).__name__}", None
            record.msg = said
        masked = redactor.text(said)
        arguments = _said(record.args)
        if masked != said or arguments is None or redactor.text(arguments) != arguments:
            record.msg, record.args = masked, None
        for name, value in list(vars(record).items()):
            if isinstance(value, str):
                setattr(record, name, redactor.text(value))
        if record.exc_info and record.exc_info[1] is not None:
            clean = redactor.error(record.exc_info[1])
            record.exc_info, record.exc_text = (type(clean), clean, None), None
        return True


_OURS = "flex_tokenstore"
_HERE = os.path.dirname(__file__) + os.sep  # noqa: PTH120 - as the records have it
_filter = _Masking()


def _said(value: object, how: Any = repr) -> str | None:
    """Its ``repr`` or ``str``; None: it raises."""
    try:
        return str.__str__(how(value))
    except Exception:  # noqa: BLE001 - whatever a stranger's class does
        return None


def _text_or_none(error: object, name: str) -> str | None:
    value = getattr(error, name, None)
    return value if isinstance(value, str) else None


def _forms(secret: Secret[Any]) -> set[str]:
    """How a secret is written: as it is, in a literal, in JSON, in an address."""
    from json import dumps
    from urllib.parse import quote, quote_plus

    value = secret.reveal()
    if isinstance(value, (bytes, bytearray)):
        # Latin-1 has a character for each byte.
        value = bytes(value).decode("latin-1")
    if not isinstance(value, str) or not value:
        return set()
    forms = {value, repr(value)[1:-1], dumps(value)[1:-1]}
    if value.isascii() or not re.search("[\ud800-\udfff]", value):
        forms |= {quote(value), quote(value, safe=""), quote_plus(value)}
    return forms


def _masked(text: str, form: str) -> str:
    if len(form) >= _SHORT:
        return text.replace(form, MASK)
    return re.sub(rf"(?<![^\W_]){re.escape(form)}(?![^\W_])", MASK, text)


def _without_parts(text: str, token: str) -> str:
    """Masks what is left of a token that was cut short."""
    if len(token) <= _PART or len(text) < _PART:
        return text
    # Most texts have none, and a wait for a lock makes an error for each look at the store.
    if not any(text[at : at + _PART] in token for at in range(len(text) - _PART + 1)):
        return text
    parts = {token[at : at + _PART] for at in range(len(token) - _PART + 1)}
    kept, at = [], 0
    while at < len(text):
        end = at
        while text[end : end + _PART] in parts:
            end += 1
        if end == at:
            kept.append(text[at])
            at += 1
        else:
            kept.append(MASK)
            at = end + _PART - 1
    return "".join(kept)
