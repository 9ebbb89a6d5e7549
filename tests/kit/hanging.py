"""Stores that hang; the child processes of the kit import this module."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flex_tokenstore import TokenIdentity, hookimpl

NAP = 60.0  # seconds; far longer than any of the tests waits


class Healthy:
    """Keeps tokens in memory."""

    @dataclass(kw_only=True)
    class Options:
        folder: str = ""  #: where it may leave a note

    def __init__(self, options: Options, identity: TokenIdentity) -> None:
        self.options = options
        self._token: Any = None
        self._pid = os.getpid()

    @hookimpl
    def get_token(self) -> Any:
        return self._token

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:
        self._token = token

    @hookimpl
    def remove_token(self) -> None:
        self._token = None


class HangsWhenRead(Healthy):
    """Waits for a reply that never comes."""

    @hookimpl
    def get_token(self) -> Any:
        time.sleep(NAP)


class HangsInAFork(Healthy):
    """Waits for a thread that a forked child does not have."""

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:
        if os.getpid() != self._pid:
            time.sleep(NAP)
        super().set_token(token)


class ForksAHelper(Healthy):
    """Forks a process that lives on, and so holds the pipe on which the kit's child answers."""

    @hookimpl
    def get_token(self) -> Any:
        helper = os.fork()
        if helper:
            Path(self.options.folder, "helper").write_text(str(helper))
        time.sleep(NAP)
