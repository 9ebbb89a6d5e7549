"""Checks of the installed plugins, whether they are used or not."""

from __future__ import annotations

from collections.abc import Iterator

from flex_tokenstore import StoreInfo, list_stores

from .checks import check
from .finding import Outcome, ok, warning
from .ground import Ground

# Seconds beyond the limit of a check: importing each plugin with its driver takes a second or two.
IMPORT_EXTRA = 30.0


@check("plugins.broken", extra=IMPORT_EXTRA)
def broken(ground: Ground) -> Iterator[Outcome]:
    """Whether each installed plugin can be imported."""
    ground.plugins = found = list_stores(check=True)
    bad = [info for info in found if info.status not in ("ok", "blocked", "duplicate")]
    for info in bad:
        yield warning(_sentence(info), remedy_of_plugin(info))
    if not bad:
        names = ", ".join(info.name for info in found if info.status == "ok")
        yield ok(f"All installed token stores can be used: {names}")


@check("plugins.duplicate")
def duplicate(ground: Ground) -> Iterator[Outcome]:
    """Whether two plugins claim one name."""
    claimed: dict[str, list[str]] = {}
    for info in ground.plugins:
        if info.status == "duplicate":
            claimed.setdefault(info.name, []).append(f"{info.distribution} {info.version}")
    for name, owners in claimed.items():
        yield warning(
            f"The token store {name!r} is claimed by {' and by '.join(sorted(owners))}, so it "
            "cannot be chosen",
            f"Uninstall one of them (python -m pip uninstall {owners[0].partition(' ')[0]}), or "
            "name it in FLEX_TOKENSTORE_BLOCK",
        )
    if not claimed:
        yield ok("No two plugins claim one name")


@check("plugins.blocked")
def blocked(ground: Ground) -> Iterator[Outcome]:
    """Which plugins are kept out by the rules of this environment."""
    names = [f"{info.name} of {info.distribution}" for info in ground.plugins]
    out = [
        name for name, info in zip(names, ground.plugins, strict=True) if info.status == "blocked"
    ]
    if out:
        yield ok(f"FLEX_TOKENSTORE_ALLOW or FLEX_TOKENSTORE_BLOCK keeps out {', '.join(out)}")
    else:
        yield ok("No plugin is blocked")


CHECKS = (broken, duplicate, blocked)

_ANY = "Install it again, or uninstall it: python -m pip uninstall {info.distribution}"
_REMEDIES = {
    "missing-dependency": "Install what is missing, in the same environment, or uninstall the "
    "plugin: python -m pip uninstall {info.distribution}",
    "incompatible": "Install a version of {info.distribution} that fits this one: python -m pip "
    "install --upgrade {info.distribution}",
    "reserved-name": "Uninstall it, or ask its author to choose another name: python -m pip "
    "uninstall {info.distribution}",
}


def remedy_of_plugin(info: StoreInfo) -> str:
    """What to do about a plugin that cannot be used."""
    if "permission denied" in info.reason:
        return (
            "Give this user the right to read it (chmod -R a+rX), or run as a user who has it; pip "
            "run by root with a narrow umask leaves it so"
        )
    if info.distribution == "?":
        return "Remove what the reason names, and install the plugin again"
    return _REMEDIES.get(info.status, _ANY).format(info=info)


def _sentence(info: StoreInfo) -> str:
    reason = info.reason or info.status
    if info.distribution in reason and info.name in reason:
        return reason
    return f"The token store {info.name!r} of {info.distribution} cannot be used: {reason}"
