"""What belongs to the whole process: looked at before a store is imported, and after its use."""

from __future__ import annotations

import builtins
import contextlib
import gc
import io
import locale
import logging
import os
import random
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

from flex_tokenstore import TokenLockTimeoutError

_OURS = ("flex_tokenstore",)


def prepare() -> None:
    """Gives the process what a program has set, so that it is seen if a store takes it away."""
    for name in (None, "program", "flex_tokenstore"):
        logging.getLogger(name).addHandler(logging.StreamHandler(io.StringIO()))
    logging.getLogger("program").setLevel(logging.INFO)
    warnings.simplefilter("default", UserWarning)


def snapshot() -> dict[str, Any]:
    """The state now; the keys are what a message calls it."""
    found: dict[str, Any] = {}
    for name, read in _STATE.items():
        try:
            found[name] = read()
        except (OSError, AttributeError, ValueError):  # not on this system
            found[name] = None
    found |= _handlers()
    found |= {f"the environment variable {name}": value for name, value in os.environ.items()}
    return found


def differences(before: dict[str, Any]) -> set[str]:
    """What has another value than in ``before``, or is new or gone; without the values."""
    now = snapshot()
    changed = {name for name in {**before, **now} if before.get(name) != now.get(name)}
    return changed | _silenced()


def changed_by(setup: Any, identity: Any, kind: Any, before: dict[str, Any]) -> list[str]:
    """Does all that a program does with a store, and returns what has changed since ``before``."""
    from ._tokens import new_token

    handle = setup.open(identity, kind)
    handle.set(new_token(identity))
    with handle.lock(5.0, 60.0):
        handle.get()
        with contextlib.suppress(TokenLockTimeoutError), handle.lock(0.0, 60.0):
            pass
    handle.remove()
    changed = differences(before)
    handle.close()
    return sorted(changed | differences(before))


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _logger(logger: logging.Logger) -> tuple[Any, ...]:
    handlers = [each for each in logger.handlers if not isinstance(each, logging.NullHandler)]
    # The framework has a filter on its own logger.
    filters = [each for each in logger.filters if not type(each).__module__.startswith(_OURS)]
    return logger.level, logger.propagate, logger.disabled, handlers, filters


def _handlers() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number in signal.valid_signals():
        with contextlib.suppress(ValueError):
            found[f"the handler of {signal.Signals(number).name}"] = signal.getsignal(number)
    return found


def _silenced() -> set[str]:
    """Loggers that were switched off; a level that keeps a driver's debug log out is fine."""
    off = set()
    for name, logger in logging.root.manager.loggerDict.items():
        ours = name.partition(".")[0] in _OURS
        if isinstance(logger, logging.Logger) and (
            logger.disabled
            or logger.level > logging.WARNING
            or (ours and (logger.level or not logger.propagate))
        ):
            off.add(f"the logger {name!r}, which is silent now")
    return off


_STATE: dict[str, Callable[[], Any]] = {
    "logging.disable()": lambda: logging.root.manager.disable,
    "the root logger": lambda: _logger(logging.getLogger()),
    "the loggers of the program": lambda: _logger(logging.getLogger("program")),
    "the loggers of flex_tokenstore": lambda: _logger(logging.getLogger("flex_tokenstore")),
    "logging.raiseExceptions": lambda: logging.raiseExceptions,
    "logging.lastResort": lambda: logging.lastResort,
    "the class of loggers": logging.getLoggerClass,
    "the factory of log records": logging.getLogRecordFactory,
    "the filters of warnings": lambda: [each[:3] for each in warnings.filters if _for_all(each)],
    "warnings.showwarning": lambda: warnings.showwarning,
    "sys.excepthook": lambda: sys.excepthook,
    "sys.unraisablehook": lambda: sys.unraisablehook,
    "threading.excepthook": lambda: threading.excepthook,
    "sys.displayhook": lambda: sys.displayhook,
    "sys.stdout": lambda: sys.stdout,
    "sys.stderr": lambda: sys.stderr,
    "sys.path": lambda: list(sys.path),
    "sys.setrecursionlimit()": sys.getrecursionlimit,
    "sys.setswitchinterval()": sys.getswitchinterval,
    "sys.settrace()": sys.gettrace,
    "sys.setprofile()": sys.getprofile,
    "the garbage collector": lambda: (gc.isenabled(), gc.get_threshold()),
    "os.umask()": _umask,
    "os.chdir()": os.getcwd,
    "os.nice()": lambda: os.nice(0),
    "os.setpgid()": lambda: os.getpgid(0),
    "the limits of the process": lambda: _limits(),
    "the locale": lambda: locale.setlocale(locale.LC_ALL),
    "the time zone": lambda: time.tzname,
    "socket.setdefaulttimeout()": socket.getdefaulttimeout,
    "socket.socket": lambda: socket.socket,
    "socket.getaddrinfo": lambda: socket.getaddrinfo,
    "builtins.open": lambda: builtins.open,
    "builtins.print": lambda: builtins.print,
    "random.seed()": lambda: _seeded(),
    "time.sleep": lambda: time.sleep,
    "json's default encoder": lambda: _encoder(),
    "the default TLS context": lambda: _tls_context(),
    "the event loop policy": lambda: _loop_policy(),
}


def _for_all(rule: tuple[Any, ...]) -> bool:
    """Libraries add rules for their own modules, messages and classes of warnings."""
    _, message, category, module, _ = rule
    return message is None and module is None and category.__module__ == "builtins"


def _limits() -> Any:
    import resource

    names = ("RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_STACK")
    return [resource.getrlimit(getattr(resource, name)) for name in names]


def _tls_context() -> bool:
    """Whether it is that of the standard library, which nobody has to import."""
    ssl: Any = sys.modules.get("ssl")
    return ssl is None or ssl._create_default_https_context is ssl.create_default_context


def _loop_policy() -> str | None:
    events: Any = sys.modules.get("asyncio.events")
    policy = type(getattr(events, "_event_loop_policy", None))
    # The first event loop makes the standard one.
    return None if policy.__module__.startswith(("asyncio", "builtins")) else policy.__name__


def _encoder() -> Any:
    import json

    return json.JSONEncoder.default


_SEEDS: list[Any] = []


def _seeded() -> int:
    """How often the generator that all share was given a seed since the first look."""
    if not _SEEDS:
        seed = random.seed
        _SEEDS.append(0)

        def counted(*arguments: Any, **more: Any) -> None:
            _SEEDS[0] += 1
            seed(*arguments, **more)

        random.seed = counted
    return int(_SEEDS[0])
