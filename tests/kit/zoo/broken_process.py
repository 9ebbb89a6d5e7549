"""Stores that change what belongs to the whole process, or go with it."""

from __future__ import annotations

import atexit
import locale
import logging
import os
import random
import signal
import sys
import threading
import warnings
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from flex_tokenstore import ANY_REVISION, TokenIdentity, hookimpl

from .beasts import caught_by
from .forty_lines import FortyLineStore
from .full import FullStore

CHANGED = "test_importing_and_using_it_changes_nothing_of_the_process"
WHOLE = "test_nothing_of_the_whole_process_is_changed"
EXIT = "test_a_token_outlives_the_process_that_stored_it"


class _Changes(FullStore):
    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        self.change()

    def change(self) -> None:
        raise NotImplementedError


@caught_by(CHANGED)
class SilencesAllLogs(_Changes):
    """So that its driver's debug log shows no token."""

    def change(self) -> None:
        logging.disable(logging.CRITICAL)


@caught_by(CHANGED)
class RaisesTheRootLevel(_Changes):
    """As above: the program's own log goes with it."""

    def change(self) -> None:
        logging.getLogger().setLevel(logging.ERROR)


@caught_by(CHANGED, kind="async")
class RemovesAllHandlers(_Changes):
    """As above."""

    def change(self) -> None:
        for handler in logging.getLogger().handlers[:]:
            logging.getLogger().removeHandler(handler)


@caught_by(CHANGED)
class DisablesOtherLoggers(_Changes):
    """As `logging.config` does by default."""

    def change(self) -> None:
        for name in ("program", "flex_tokenstore"):
            logging.getLogger(name).disabled = True


@caught_by(CHANGED)
class CutsOffTheFramework(_Changes):
    """Its messages are too many."""

    def change(self) -> None:
        logging.getLogger("flex_tokenstore").propagate = False


@caught_by(CHANGED)
class IgnoresAllWarnings(_Changes):
    """`simplefilter("ignore")`."""

    def change(self) -> None:
        warnings.simplefilter("ignore")


@caught_by(CHANGED, kind="async")
class HasAnExceptHook(_Changes):
    """To hide a traceback that quotes a token."""

    def change(self) -> None:
        sys.excepthook = lambda *_: None


@caught_by(CHANGED)
class HasAThreadsExceptHook(_Changes):
    """As above."""

    def change(self) -> None:
        threading.excepthook = lambda _: None


@caught_by(CHANGED)
class HandlesTheEnd(_Changes):
    """To close its connections."""

    def change(self) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


@caught_by(WHOLE)
class KeepsTheUmask(_Changes):
    """For its own file."""

    def change(self) -> None:
        os.umask(0o177)


@caught_by(WHOLE)
class GoesElsewhere(_Changes):
    """Its paths are relative to the folder of the database."""

    def change(self) -> None:
        os.chdir(Path(self._options.path).parent)


@caught_by(CHANGED)
class SpeaksC(_Changes):
    """So that numbers have a point."""

    def change(self) -> None:
        other = "C" if locale.setlocale(locale.LC_ALL) != "C" else "C.UTF-8"
        with suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, other)


@caught_by(WHOLE, kind="async")
class SetsAVariable(_Changes):
    """A library reads it, and so do all that the program starts."""

    def change(self) -> None:
        os.environ["NO_PROXY"] = "*"


@caught_by(CHANGED)
class SeedsTheGenerator(_Changes):
    """Every process has the same pauses then."""

    def change(self) -> None:
        random.seed(7)


class _AtExit(FullStore):
    def gone(self) -> None:
        with suppress(Exception):
            super().remove_token(ANY_REVISION)


@caught_by(EXIT)
class RemovedAtExit(_AtExit):
    """A temporary file, it thinks."""

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> Any:
        super().set_token(token, expected)
        atexit.register(self.gone)


@caught_by(EXIT, kind="async")
class RemovedAtExitOfAReader(FortyLineStore):
    """Whoever has seen it clears it away."""

    @hookimpl
    def get_token(self) -> Any:
        atexit.register(self._path.unlink, missing_ok=True)
        return super().get_token()


@caught_by("test_a_token_outlives_a_handle_that_nobody_closed")
class RemovedWithItsHandle(FortyLineStore):
    """`weakref.finalize`."""

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:
        super().set_token(token)
        weakref.finalize(self, self._path.unlink, missing_ok=True)


@caught_by("test_a_token_outlives_its_handle")
class RemovedAtClose(_AtExit):
    """Who closes is done with it, it thinks."""

    @hookimpl
    def close(self) -> None:
        self.gone()
