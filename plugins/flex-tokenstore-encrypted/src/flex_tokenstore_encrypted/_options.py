"""Which store is wrapped, and where the key comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flex_tokenstore import Secret

from ._envelope import Cipher
from ._key_file import KeyFile, Permissions
from ._key_text import from_text
from ._keychain import parts_of
from ._sources import STORE, wrong

_SOURCES = ("key_file", "key", "key_command", "key_keychain")
_OFF = (None, False, 0, "", "0", "false", "no", "off")


def doc(text: str, **more: Any) -> dict[str, Any]:
    """Metadata of a field: what people are told about the option."""
    return {"doc": text, **more}


@dataclass(kw_only=True)
class Options:
    """The inner store, the key, and the cipher."""

    inner: Any = field(
        repr=False, metadata=doc("the store that keeps the encrypted token: its name or config")
    )
    key_file: str | None = field(
        default=None,
        metadata=doc(
            "private file with the key: 32 raw bytes, or a line of base64 for each key, of which "
            "the first encrypts; read again when it changes",
            path=True,
        ),
    )
    key: Secret[str] | None = field(
        default=None,
        metadata=doc("the key itself, as base64; further lines are older keys, for reading only"),
    )
    key_command: tuple[str, ...] = field(
        default=(),
        metadata=doc(
            "program that prints what key_file would hold, and its arguments, separated by commas; "
            "no shell is used; it must end within 10 seconds"
        ),
    )
    key_keychain: str | None = field(
        default=None,
        metadata=doc(
            "service/username of an entry of the system's keychain that holds the key as base64"
        ),
    )
    cipher: Cipher = field(
        default="aes-256-gcm",
        metadata=doc("what encrypts; a token that the other one encrypted is read too"),
    )
    migrate: bool = field(
        default=False,
        metadata=doc(
            "also read a token that is not encrypted yet; it is encrypted when it is next saved"
        ),
    )
    permissions: Permissions = field(
        default="strict",
        metadata=doc("if others can read or replace the key file: strict refuses it, warn, off"),
    )

    def __post_init__(self) -> None:
        """Says what is wrong before anything is read or stored."""
        given = [name for name in _SOURCES if getattr(self, name)]
        # An empty value is a variable that was set to nothing, or a file that could not be read.
        empty = [
            name for name in _SOURCES if getattr(self, name) not in (None, ()) and name not in given
        ]
        for name in empty:
            raise wrong(name, "is empty")
        if not given:
            raise wrong(
                "key_file", f"must be set, or one of {', '.join(_SOURCES[1:])}: it has no key"
            )
        if len(given) > 1:
            raise wrong(given[1], f"cannot be combined with {given[0]}: set one of them")
        self._check_source()
        self._check_inner()

    def _check_source(self) -> None:
        if self.key is not None:
            _, problem = from_text(self.key)
            if problem:
                raise wrong("key", problem)
        if self.key_file is not None and not KeyFile(Path(self.key_file), "off").is_there():
            raise wrong(
                "key_file",
                f"names a file that does not exist: {self.key_file!r}; make one "
                f"with: python -m flex_tokenstore_encrypted new-key {self.key_file}",
            )
        if len(self.key_command) == 1 and len(self.key_command[0].split()) > 1:
            raise wrong(
                "key_command",
                "is one word with blanks in it, and no shell splits it: give a list of the program "
                "and its arguments, or in the environment separate them by commas, as in "
                "'gpg,-d,key.gpg'",
            )
        if self.key_keychain is not None and not all(parts_of(self.key_keychain)):
            raise wrong("key_keychain", "must be service/username, such as 'my-shop/token-key'")

    def _check_inner(self) -> None:
        """Refuses an inner store from which others would take the envelope for a token."""
        for options in _configs(self.inner):
            if options.get("name") == STORE:
                raise wrong("inner", "is encrypted already: the store 'encrypted' is used once")
            for name in options:
                if str(name).startswith("share_with") and _is_on(options[name]):
                    raise wrong(
                        "inner",
                        f"has the option {name}: the program that it is shared with would send the "
                        "encrypted token to the server. Omit it",
                    )


def _configs(config: Any) -> Iterator[Mapping[Any, Any]]:
    """A config, and those of the stores that it wraps or chooses from."""
    if isinstance(config, str):
        # A list of names, as the environment has it.
        yield from ({"name": name.strip()} for name in config.split(","))
    elif isinstance(config, Mapping):
        yield config
        for name in ("inner", "stores"):
            yield from _configs(config.get(name))
        for name in config:
            if str(name).isdigit():  # a list, as the environment has it
                yield from _configs(config[name])
    elif isinstance(config, (list, tuple)):
        for each in config:
            yield from _configs(each)


def _is_on(value: object) -> bool:
    return (value.strip().lower() if isinstance(value, str) else value) not in _OFF
