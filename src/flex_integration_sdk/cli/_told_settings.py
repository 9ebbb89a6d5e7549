"""What ``--verbose`` tells of the settings: each with where it comes from. No secret is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ._notices import tell

if TYPE_CHECKING:
    from flex_integration_sdk._settings.explaining import SettingInfo

# What the command line calls an argument.
_OPTIONS = {"token_store": "--store", "client_secret": "--client-secret-file"}


def tell_settings(arguments: Mapping[str, Any], default: str) -> None:
    """Tells where each setting comes from, but for the token store.

    Args:
        arguments: Those of ``resolve``.
        default: The name of the store if none is chosen.
    """
    from flex_integration_sdk.config import explain

    rows, _ = explain(**arguments, default_store=default, strict=True)
    _tell(row for row in rows if not row.name.startswith("token_store"))


def tell_store(config: Any, origin: str) -> None:
    """Tells which token store is used, with which options, and where each comes from.

    Args:
        config: Its config.
        origin: Where its name comes from.
    """
    from flex_integration_sdk._settings.explaining import explain_store

    _tell(explain_store("token_store", config, origin))


def _tell(rows: Iterable[SettingInfo]) -> None:
    for row in rows:
        said = f"is {row.value} ({_origin(row.name, row.origin)})" if row.value else "is not set"
        tell(f"{row.name} {said}")


def _origin(name: str, origin: str) -> str:
    if origin == "default":
        return "by default"
    if origin != "argument":
        return f"from {origin}"
    if "." in name:
        return "from --store-option"
    return f"from {_OPTIONS.get(name) or '--' + name.replace('_', '-')}"
