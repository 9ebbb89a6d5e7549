"""For programs that build on the framework, such as an SDK with token stores in its settings.

A program that only opens a store or keeps a token usable needs :mod:`flex_tokenstore` alone. What
is here belongs to programs that take a store config from their own users: it reads settings as
carefully as the framework does, it shows no secret in a traceback, and messages name its command.

>>> from flex_tokenstore import open_store, TokenIdentity
>>> from flex_tokenstore.embedding import HostProgram, complete_store_config
>>> ACME = HostProgram("acme", command="acme", store_variable="ACME_STORE")
>>> def open_for(user_config=None, environ={"ACME_STORE": "memory"}):
...     config, notes = complete_store_config(user_config, ACME.store_variable, environ)
...     identity = TokenIdentity("https://api.example.com", "a-client", program=ACME)
...     return open_store(config, identity)
>>> with open_for() as store:
...     store.name
'memory'

What is here keeps the promises of the other public names: ``docs/versions.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._concurrency.event_loops import refuse_other_loop, running_loop
    from ._concurrency.hook_threads import submit
    from ._concurrency.per_process import PerProcess
    from ._config.env_text import (
        expand_path,
        is_quoted,
        misspelt,
        problem_of_path,
        strip_value,
        warn_once,
    )
    from ._config.merge import complete_store_config
    from ._config.store_config import OptionValues
    from ._events.dispatch import check_on_event, refuse_within_report
    from ._host.lock_files import lock_open_file
    from ._host.looking import only_looking
    from ._host.owners import owner_named
    from ._host.paths import config_folder
    from ._registry.names import problem_of_store_name
    from ._session.waits import WaitEnded, waiting_until
    from ._store.aio import async_store
    from ._store.local_files import LocalFiles, local_files
    from ._store.moving import (
        Move,
        MoveState,
        copy_token,
        find_move,
        is_same_token,
        move_token,
    )
    from ._store.rekeying import Rekey, find_rekey, rekey_token
    from ._values.foreign_errors import stand_in
    from ._values.host_program import HostProgram
    from ._values.identity import normalise_url
    from ._values.origin import is_page, is_refusal, json_object
    from ._values.retry_after import retry_after
    from ._values.token import TokenObject

# Imported when first asked for: what a sync program uses of this must not import asyncio.
_LAZY = {
    "HostProgram": "_values.host_program",
    "LocalFiles": "_store.local_files",
    "Move": "_store.moving",
    "MoveState": "_store.moving",
    "OptionValues": "_config.store_config",
    "PerProcess": "_concurrency.per_process",
    "Rekey": "_store.rekeying",
    "TokenObject": "_values.token",
    "WaitEnded": "_session.waits",
    "async_store": "_store.aio",
    "check_on_event": "_events.dispatch",
    "strip_value": "_config.env_text",
    "complete_store_config": "_config.merge",
    "config_folder": "_host.paths",
    "copy_token": "_store.moving",
    "expand_path": "_config.env_text",
    "find_move": "_store.moving",
    "find_rekey": "_store.rekeying",
    "is_quoted": "_config.env_text",
    "is_page": "_values.origin",
    "is_refusal": "_values.origin",
    "is_same_token": "_store.moving",
    "json_object": "_values.origin",
    "lock_open_file": "_host.lock_files",
    "local_files": "_store.local_files",
    "misspelt": "_config.env_text",
    "move_token": "_store.moving",
    "normalise_url": "_values.identity",
    "only_looking": "_host.looking",
    "owner_named": "_host.owners",
    "problem_of_path": "_config.env_text",
    "problem_of_store_name": "_registry.names",
    "refuse_other_loop": "_concurrency.event_loops",
    "refuse_within_report": "_events.dispatch",
    "rekey_token": "_store.rekeying",
    "retry_after": "_values.retry_after",
    "running_loop": "_concurrency.event_loops",
    "stand_in": "_values.foreign_errors",
    "submit": "_concurrency.hook_threads",
    "waiting_until": "_session.waits",
    "warn_once": "_config.env_text",
}

__all__ = [
    "HostProgram",
    "LocalFiles",
    "Move",
    "MoveState",
    "OptionValues",
    "PerProcess",
    "Rekey",
    "TokenObject",
    "WaitEnded",
    "async_store",
    "check_on_event",
    "complete_store_config",
    "config_folder",
    "copy_token",
    "expand_path",
    "find_move",
    "find_rekey",
    "is_page",
    "is_quoted",
    "is_refusal",
    "is_same_token",
    "json_object",
    "local_files",
    "lock_open_file",
    "misspelt",
    "move_token",
    "normalise_url",
    "only_looking",
    "owner_named",
    "problem_of_path",
    "problem_of_store_name",
    "refuse_other_loop",
    "refuse_within_report",
    "rekey_token",
    "retry_after",
    "running_loop",
    "stand_in",
    "strip_value",
    "submit",
    "waiting_until",
    "warn_once",
]


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"flex_tokenstore.{module}"), name)
    # From now on Python finds the name without calling this function (PEP 562).
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
