"""What the checks stand on: settings, the opened store, the token that was read.

A check establishes a part of it, and those after it use that. If the part is missing, they are
skipped: one fault is told once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flex_integration_sdk.config import PREFIX, PROGRAM
from flex_tokenstore import ANY_REVISION, TokenStoreError
from flex_tokenstore.embedding import config_folder

from .file_words import in_file_words
from .finding import SkipCheck
from .ownership import stranger
from .store_names import innermost

if TYPE_CHECKING:
    from flex_integration_sdk.config import Settings
    from flex_tokenstore import StoreInfo, Token, TokenStore
    from flex_tokenstore.embedding import LocalFiles

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
        self.known_server: tuple[str, str] | None = None
        """The server's address and where that comes from, though the settings cannot be used."""
        self.failed: set[str] = set()
        """The ids of the checks that found an error."""
        self.file_problem = ""
        """Why the config file cannot be used."""
        self.secret_problem: Exception | None = None
        """Why the client secret could not be read; None: it could, or there is none."""
        self.client_known = False
        """The server accepts a stored token of this client, so the client id is right."""
        self.store_origin = ""
        """Why it is this store: the end of a sentence."""
        self.is_loadable = False
        """The store's class, and those that it wraps, can be loaded."""
        self.lock_is_held = False
        """Another program holds the token lock."""
        self.read_problem = ""
        """Why the store could not be asked for the token."""
        self.lock_problem = ""
        """Why the token lock could not be acquired, if nobody holds it."""
        self._with_options = with_options
        self._plugins: list[StoreInfo] | None = None
        self._files: LocalFiles | None = None
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
    def base_url(self) -> str:
        """Address of the server, which may be known though another setting is wrong.

        Raises:
            SkipCheck: It is not known.
        """
        if self._settings is None and self.known_server:
            return self.known_server[0]
        return self.settings.base_url

    @property
    def store_config(self) -> Any:
        """The config of the token store, as ``open_store`` takes it.

        Raises:
            SkipCheck: The settings could not be read.
        """
        config = self.settings.token_store
        return config if self._with_options is None else self._with_options(config)

    @property
    def plugins(self) -> list[StoreInfo]:
        """The installed token stores.

        Raises:
            SkipCheck: They could not be listed.
        """
        if self._plugins is None:
            raise SkipCheck("The plugins could not be listed; see plugins.broken.")
        return self._plugins

    @plugins.setter
    def plugins(self, plugins: list[StoreInfo]) -> None:
        self._plugins = plugins

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
    def files(self) -> LocalFiles:
        """The files of this machine that the store uses.

        Raises:
            SkipCheck: It could not be opened, or did not answer.
        """
        self.store  # noqa: B018 - if it is missing, that is the reason
        assert self._files is not None
        return self._files

    @files.setter
    def files(self, files: LocalFiles) -> None:
        self._files = files

    @property
    def local_paths(self) -> list[Path]:
        """The files of this machine that the store uses, and their folders; without links.

        Raises:
            SkipCheck: There are none, or the store could not be opened.
        """
        files = [Path(os.path.realpath(each)) for each in self.files if each is not None]
        if not files:
            raise SkipCheck("Nothing of this token store is in a file of this machine.")
        return list(dict.fromkeys([*(each.parent for each in files), *files]))

    @property
    def disk_paths(self) -> list[Path]:
        """The same; where the settings are not known, the folder that is used by default.

        Raises:
            SkipCheck: There are none.
        """
        if self._settings is not None:
            return self.local_paths
        try:
            return [Path(os.path.realpath(config_folder(PROGRAM)))]
        except TokenStoreError:
            raise SkipCheck("This user has no home folder, and so no folder for a token.") from None

    @property
    def stranger(self) -> int | None:
        """The user to whom the files belong, if root looks at them; else None."""
        return stranger(Path(os.path.realpath(each)) for each in self.files if each is not None)

    @property
    def is_unmade(self) -> bool:
        """The store's file does not exist, and some stores make it when they are asked."""
        path = self.files.token
        if path is None or self.makes_folders:
            return False
        try:
            path.stat()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return False

    @property
    def makes_folders(self) -> bool:
        """The store makes its file, and the folder, at the first save and not before."""
        return self.store.layers[-1] == "file"

    @property
    def is_strict(self) -> bool:
        """The store refuses files that are not private to this user."""
        name, options = innermost(self.store_config)
        return name == "file" and options.get("permissions", "strict") == "strict"

    @property
    def has_default_folder(self) -> bool:
        """The files are in the program's own folder, which the store keeps private by itself."""
        name, options = innermost(self.store_config)
        return name == "file" and not options.get("path")

    @property
    def revision(self) -> str | None:
        """What the next save would expect to be stored."""
        if not self._was_read:
            return ANY_REVISION
        return None if self._token is None else self._token.revision

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

            self._way = Way(self.base_url, self.timeout)
        return self._way

    def in_file_words(self, remedy: str) -> str:
        """The remedy; if the settings come from the config file, with its keys."""
        return remedy if self._settings is None else in_file_words(remedy, self._settings)

    def named(self, setting: str) -> str:
        """A setting, and where its value comes from, for remedies."""
        if self._settings is None and self.known_server and setting == "base_url":
            origin = self.known_server[1]
        else:
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
