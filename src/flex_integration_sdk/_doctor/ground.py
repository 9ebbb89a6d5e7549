"""What the checks stand on: settings, the opened store, the token that was read.

A check establishes a part of it, and those after it use that. If the part is missing, they are
skipped: one fault is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flex_integration_sdk.config import PREFIX
from flex_tokenstore import TokenStoreError

from .finding import SkipCheck

if TYPE_CHECKING:
    from flex_integration_sdk.config import Settings
    from flex_tokenstore import Token, TokenStore

    from .way import Way


class Ground:
    """What is known so far.

    Args:
        arguments: Those of ``flex_integration_sdk.config.resolve``; what is not given comes from
            the environment and the configuration file.
        default_store: The token store, if none is chosen.
        with_options: Changes the configured store config, such as by options of the command line.
        online: Token requests may be sent.
        timeout: Seconds that one check may take.
    """

    def __init__(
        self,
        arguments: Mapping[str, Any],
        *,
        default_store: str,
        with_options: Callable[[Any], Any] | None,
        online: bool,
        timeout: float,
    ) -> None:
        self.arguments = dict(arguments)
        self.default_store = default_store
        self.online = online
        self.timeout = timeout
        self.secret_problem: Exception | None = None
        """Why the client secret could not be read; None: it could, or there is none."""
        self.client_known = False
        """The server accepts a stored token of this client, so the client id is right."""
        self._with_options = with_options
        self._settings: Settings | None = None
        self._store: TokenStore | None = None
        self._token: Token | None = None
        self._was_read = False
        self._hung: str | None = None
        self._way: Way | None = None

    def __repr__(self) -> str:
        return "<Ground>"  # arguments may hold a secret

    @property
    def settings(self) -> Settings:
        """The settings.

        Raises:
            SkipCheck: They could not be read.
        """
        if self._settings is None:
            raise SkipCheck("The settings could not be read; see config.settings.")
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def store_config(self) -> Any:
        """The config of the token store, as ``open_store`` takes it.

        Raises:
            SkipCheck: The settings could not be read.
        """
        config = self.settings.token_store
        return config if self._with_options is None else self._with_options(config)

    @property
    def store(self) -> TokenStore:
        """The opened token store.

        Raises:
            SkipCheck: It could not be opened, or did not answer.
        """
        if self._hung is not None:
            raise SkipCheck(f"The token store did not answer in time; see {self._hung}.")
        if self._store is None:
            self.settings  # noqa: B018 - if they are missing, that is the reason
            raise SkipCheck("The token store could not be opened; see store.open.")
        return self._store

    @store.setter
    def store(self, store: TokenStore) -> None:
        self._store = store

    @property
    def token(self) -> Token | None:
        """The stored token; None: nothing is stored.

        Raises:
            SkipCheck: It could not be read.
        """
        self.store  # noqa: B018 - if it is missing, that is the reason
        if not self._was_read:
            raise SkipCheck("The token could not be read; see store.read.")
        return self._token

    @token.setter
    def token(self, token: Token | None) -> None:
        self._token, self._was_read = token, True

    @property
    def way(self) -> Way:
        """The way to the server.

        Raises:
            SkipCheck: The settings could not be read.
        """
        if self._way is None:
            # Imported here: it loads the HTTP library, and the checks of the store come first.
            from .way import Way

            self._way = Way(self.settings.base_url, self.timeout)
        return self._way

    def named(self, setting: str) -> str:
        """A setting, and where its value comes from, for remedies."""
        origin = self.settings.origins.get(setting, "")
        if origin.startswith(PREFIX):
            return origin
        if setting == "client_secret" and self.arguments.get("client_secret_file") is not None:
            setting = "client_secret_file"
        return setting if origin in ("", "argument", "default") else f"{setting} in {origin}"

    def give_up(self, id: str) -> None:
        """A check did not end in time: the others must not wait for the same thing."""
        if id.partition(".")[0] in ("store", "place", "token"):
            self._hung = self._hung or id

    def close(self) -> None:
        """Closes the store; not one that hangs, which would hang here too. And the connections."""
        if self._way is not None:
            self._way.close()
        if self._store is not None and self._hung is None:
            with suppress(TokenStoreError):
                self._store.close()
