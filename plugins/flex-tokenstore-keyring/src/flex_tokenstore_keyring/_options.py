"""The options of the store."""

from __future__ import annotations

from dataclasses import dataclass, field

from flex_tokenstore import StoreOptionsError

from ._known import KEEPS_NOTHING, KNOWN, UNNAMED, how_to_allow

STORE = "keyring"
_SMALLEST = 256  # characters; a head takes about 150


@dataclass(kw_only=True)
class Options:
    """Under which name the token is kept, and by which backend of keyring."""

    service: str = field(
        default="flex-tokenstore",
        metadata={"doc": "what the names of all items in the keyring begin with"},
    )
    backend: str | None = field(
        default=None,
        metadata={
            "doc": "class of keyring's backend, such as keyring.backends.SecretService.Keyring; "
            "by default the one that keyring is configured for, or else the system's own"
        },
    )
    allow_plaintext: bool = field(
        default=False,
        metadata={"doc": "accept a backend that is not known to encrypt"},
    )
    chunk: int | None = field(
        default=None,
        metadata={
            "doc": "characters of the largest item; a larger token is split; by default what the "
            "backend takes"
        },
    )

    def __post_init__(self) -> None:
        """Says what is wrong before the keyring is used."""
        service = self.service
        if not service.strip() or not service.isprintable() or len(service) > 100:
            raise wrong(
                "service",
                f"must be 1 to 100 characters that can be printed, got {service!r:.120}",
            )
        if self.chunk is not None and self.chunk < _SMALLEST:
            raise wrong("chunk", f"must be {_SMALLEST} or more, got {self.chunk}")
        name = self.backend
        if name is None or name in KNOWN or name in UNNAMED:
            return
        if "." not in name or not all(part.isidentifier() for part in name.split(".")):
            raise wrong(
                "backend",
                "must be the full name of a class, such as "
                f"keyring.backends.SecretService.Keyring; got {name!r:.120}",
            )
        if name in KEEPS_NOTHING:
            raise wrong("backend", f"{name} keeps nothing: choose another one, or omit it")
        if not self.allow_plaintext:
            raise wrong("backend", f"{name} {how_to_allow(name)}")


def wrong(option: str | None, problem: str) -> StoreOptionsError:
    """The error of one option; without a name, of what else the user has configured."""
    of = f"option {option!r} of " if option else ""
    return StoreOptionsError(f"{of}token store {STORE!r}: {problem}", option=option, store=STORE)
