"""From decoded JSON to values. It is written for speed: a page has thousands of nodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ._cache import CACHE_SIZE, CODES, is_cached
from ._scalars import SCALARS, TAGS, key_text
from ._tagged import ESCAPED, MAX_DEPTH, TaggedValue, TooDeep, TransitError

_MARKED = frozenset("~^")
_NAMES = frozenset(":$")  # keywords and symbols
# Wrong values of a tag show as these in the functions of _scalars.
_WRONG = (ValueError, TypeError, KeyError, ArithmeticError)


class Reader:
    """Reads one document; the cache lives as long."""

    __slots__ = ("_count", "_ids", "_known", "_names", "_tags")

    def __init__(self) -> None:
        self._ids: dict[str, Any] = {}  # written UUID -> UUID: a page repeats its authors' often
        # By cache code: keys and keywords, and tags, which stand in other places.
        self._known: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._count = 0
        self._names: dict[str, str] = {}  # written key -> key, for verbose documents

    def read(self, node: Any, depth: int = 0) -> Any:
        """The value of ``node``."""
        kind = type(node)
        if kind is str:
            return self._text(node) if node[:1] in _MARKED else node
        if kind is list:
            return self._array(node, depth)
        if kind is dict:
            return self._object(node, depth)
        return node

    def _array(self, node: list[Any], depth: int) -> Any:
        if depth >= MAX_DEPTH:
            return self._skip(node)
        if not node:
            return node
        head = node[0]
        if type(head) is str:
            if head == "^ ":
                return self._map(node, depth + 1)
            if head[:1] == "^" or head[:2] == "~#":
                tag = self._tag(head)
                if tag is not None and len(node) == 2:
                    return _tagged(tag, self.read(node[1], depth + 1))
                if tag is not None:  # a tag stands before one value; here it is an ordinary item
                    rest = [self.read(item, depth + 1) for item in node[1:]]
                    return [TaggedValue("#", tag), *rest]
        # The JSON is this reader's own, so its arrays become the lists in place.
        for index, item in enumerate(node):
            kind = type(item)
            if kind is str:
                if item[:1] in _MARKED:
                    node[index] = self._text(item)
            elif kind is list:
                node[index] = self._array(item, depth + 1)
            elif kind is dict:
                node[index] = self._object(item, depth + 1)
        return node

    def _map(self, node: list[Any], depth: int) -> dict[str, Any]:
        if not len(node) % 2:
            raise TransitError("a map has a key without a value")
        known, text = self._known, self._text
        found: dict[str, Any] = {}
        parts = iter(node)
        next(parts)
        for key in parts:
            try:
                name = known[key]
            except (KeyError, TypeError):  # a new key; one that is not a string
                name = self._key(key, depth)
            value = next(parts)
            # As in `read`, but without a call for each value.
            kind = type(value)
            if kind is str:
                if value and value[0] in "~^":
                    value = text(value)
            elif kind is list:
                if depth < MAX_DEPTH and value and value[0] == "^ ":
                    value = self._map(value, depth + 1)
                else:
                    value = self._array(value, depth)
            elif kind is dict:
                value = self._object(value, depth)
            found[name] = value
        return found

    def _object(self, node: dict[str, Any], depth: int) -> Any:
        """A map or a tagged value of verbose Transit."""
        if depth >= MAX_DEPTH:
            return self._skip(node)
        if len(node) == 1:
            ((key, value),) = node.items()
            if key[:2] == "~#":
                return _tagged(key[2:], self.read(value, depth + 1))
        # A verbose page repeats its keys in full.
        names = self._names
        found: dict[str, Any] = {}
        for key, value in node.items():
            name = names.get(key)
            if name is None:
                name = names[key] = self._key_text(key)
            found[name] = self.read(value, depth + 1)
        return found

    def _key(self, key: Any, depth: int) -> str:
        """A key of a compact map that is not a known code."""
        if type(key) is not str:
            return _key_name(self.read(key, depth))
        name = self._key_text(key)
        if len(key) > 3 or is_cached(key):
            self._remember(name, self._known)
        return name

    def _key_text(self, key: str) -> str:
        if key[:1] not in _MARKED:
            return key
        if key[:2] in ("~:", "~$"):
            return key[2:]
        if key[0] == "^":
            raise TransitError("a cache code that does not stand for a key")
        return _key_name(_scalar(key))

    def _tag(self, text: str) -> str | None:
        """The tag in the first element of an array, by its name or code; None: no tag."""
        if text[0] == "^":
            return self._tags.get(text)
        tag = text[2:]
        if len(text) > 3 or is_cached(text):
            self._remember(tag, self._tags)
        return tag

    def _text(self, text: str) -> Any:
        """A value from a string that starts with ``~`` or ``^``."""
        letter = text[1:2]
        if letter == "u":
            found = self._ids.get(text)
            if found is None:
                found = self._ids[text] = _scalar(text)
            return found
        if letter == "#" and text[0] == "~":
            return TaggedValue("#", self._tag(text))
        if text[0] == "^":
            name = self._known.get(text)
            if name is None:
                raise TransitError("a cache code that does not stand for a value")
            return name
        if letter not in _NAMES:
            return _scalar(text)
        name = text[2:]
        if len(text) > 3 or is_cached(text):
            self._remember(name, self._known)
        return name

    def _skip(self, node: Any) -> TooDeep:
        """Skips what is nested too deep. Its keys and tags still count in the cache.

        Without recursion: it may be nested as deep as the JSON decoder goes.
        """
        levels = [_parts(node)]
        while levels:
            for is_key, item in levels[-1]:
                if type(item) in (list, dict):
                    levels.append(_parts(item))
                    break
                if type(item) is str and len(item) > 1:
                    with suppress(TransitError):  # it is not asked for
                        self._key(item, 0) if is_key else self.read(item)
            else:
                levels.pop()
        return TooDeep()

    def _remember(self, name: str, where: dict[str, str]) -> None:
        # The writer clears its cache at the same entry: keys and tags count together.
        if self._count == CACHE_SIZE:
            self._known.clear()
            self._tags.clear()
            self._count = 0
        where[CODES[self._count]] = name
        self._count += 1


def _parts(node: Any) -> Iterator[tuple[bool, Any]]:
    """The elements of an array or object in the order of the text; True with the keys of a map."""
    if type(node) is dict:  # only verbose documents have objects, and those have no codes
        node = list(node.values())
    is_map = bool(node) and node[0] == "^ "
    for index, item in enumerate(node):
        yield is_map and index % 2 == 1, item


def _scalar(text: str) -> Any:
    """A value from ``~``, a letter and a string, except keywords and symbols."""
    letter = text[1:2]
    read = SCALARS.get(letter)
    if read is not None:
        try:
            return read(text[2:])
        except _WRONG:
            pass  # one odd value must not cost the page that it stands in
    elif letter in ESCAPED:
        return text[1:]
    return TaggedValue(letter, text[2:])


def _tagged(tag: str, value: Any) -> Any:
    read = TAGS.get(tag)
    if read is None:
        return TaggedValue(tag, value)
    try:
        return read(value)
    except _WRONG:
        return TaggedValue(tag, value)


def _key_name(value: Any) -> str:
    try:
        return key_text(value)
    except _WRONG:
        raise TransitError(
            f"a map key of type {type(value).__name__} cannot be converted to a string"
        ) from None
