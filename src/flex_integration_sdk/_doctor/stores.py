"""Checks of the token store: which it is and why, whether it opens, encrypts and answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

from flex_tokenstore import (
    StoreInfo,
    StoreOptionsError,
    TokenUnavailableError,
    describe_store,
    open_store,
)
from flex_tokenstore.embedding import local_files

from .checks import check
from .finding import Outcome, SkipCheck, error, ok, warning
from .ground import Ground
from .plugins import IMPORT_EXTRA, remedy_of_plugin
from .store_names import names_in

# Seconds beyond the limit of a check: a store has limits of its own, and its error says more.
STORE_EXTRA = 10.0
SLOW = 0.5  # seconds for one read: a refresh reads and writes about four times
_READS = 3  # the first one connects, and one alone may have met a pause


@check("store.plugin", extra=IMPORT_EXTRA)
def plugin(ground: Ground) -> Iterator[Outcome]:
    """Which token store it is, why it was chosen, and whether it can be loaded."""
    config = ground.store_config
    names = names_in(config)
    for name in names:
        info = describe_store(name)
        if info.status != "ok":
            yield error(_unusable(info), _remedy(info))
            return
    ground.is_loadable = True
    shown = " over ".join(map(repr, names)) or f"the program's own {type(config).__name__}"
    yield ok(f"The token store is {shown}, {ground.store_origin}")
    if names[-1:] == ["memory"]:
        yield warning(
            "The token store 'memory' keeps a token only inside the program that obtained it, so "
            "each program signs in with the client secret",
            "Choose a store that lasts, with FLEX_INTEGRATION_TOKEN_STORE=file, unless that is "
            "meant so",
        )


@check("store.open", extra=STORE_EXTRA)
def opened(ground: Ground) -> Iterator[Outcome]:
    """Whether the store can be opened with its options."""
    if not ground.is_loadable:
        ground.settings  # noqa: B018 - if they are missing, that is the reason
        raise SkipCheck("The token store could not be loaded; see store.plugin.")
    store = ground.store = open_store(ground.store_config, ground.settings.identity)
    ground.files = local_files(store)
    yield ok(f"The token store {' over '.join(store.layers)} opens; the token is in {store.place}")


@check("store.encryption", extra=STORE_EXTRA)
def encryption(ground: Ground) -> Iterator[Outcome]:
    """Whether the token is kept as plain text, and whether that is allowed."""
    store, settings = ground.store, ground.settings
    try:
        open_store(ground.store_config, settings.identity, require_encrypted=True).close()
    except StoreOptionsError as failed:
        if failed.option != "require_encrypted":
            raise
        if settings.require_encrypted:
            yield error(str(failed), _ENCRYPT)
            return
        yield ok(
            f"The token is kept as plain text in {store.place}, which the settings allow "
            "(FLEX_INTEGRATION_REQUIRE_ENCRYPTED is off)"
        )
        return
    yield ok(f"The token is encrypted where it lies, in {store.place}")


@check("store.read", extra=STORE_EXTRA)
def read(ground: Ground) -> Iterator[Outcome]:
    """Whether the token can be read."""
    store = ground.store
    if ground.is_unmade:
        # Not asked: some stores make the file at the first read.
        ground.token = None
        yield ok(f"Nothing is stored yet: {ground.files.token} does not exist")
        return
    try:
        ground.token = store.get_token()
    except TokenUnavailableError as failed:
        ground.read_problem = str(failed)
        raise
    yield ok(f"{store.place} can be read")


@check("store.latency", extra=STORE_EXTRA)
def latency(ground: Ground) -> Iterator[Outcome]:
    """How long one read takes."""
    ground.token  # noqa: B018 - if it cannot be read, that is the reason
    if ground.is_unmade:
        raise SkipCheck("Nothing is stored yet, so there is nothing to read.")
    taken = []
    for _ in range(_READS):
        start = time.perf_counter()
        ground.store.get_token()
        taken.append(time.perf_counter() - start)
    middle = median(taken)
    text = f"A read of the token takes {1000 * middle:.1f} ms"
    if middle < SLOW:
        yield ok(text)
        return
    yield warning(
        f"{text}, which makes each refresh slow",
        "Put the store nearer to this host, or choose another; see what is between them",
    )


CHOICE = (plugin,)
CHECKS = (opened, encryption)
READING = (read, latency)

_ENCRYPT = (
    "Choose a store that encrypts: FLEX_INTEGRATION_TOKEN_STORE=encrypted with this one as its "
    "inner store; or unset FLEX_INTEGRATION_REQUIRE_ENCRYPTED"
)


def _remedy(info: StoreInfo) -> str:
    if info.status == "duplicate":
        return (
            f"Uninstall one of the two (python -m pip uninstall {info.distribution}), or name it "
            "in FLEX_TOKENSTORE_BLOCK"
        )
    if info.status == "blocked":
        return (
            f"Take {info.distribution} out of FLEX_TOKENSTORE_BLOCK, or add it to "
            "FLEX_TOKENSTORE_ALLOW; or choose another store"
        )
    return remedy_of_plugin(info)


def _unusable(info: StoreInfo) -> str:
    reason = info.reason or info.status
    return f"the token store {info.name!r} of {info.distribution} cannot be used: {reason}"
