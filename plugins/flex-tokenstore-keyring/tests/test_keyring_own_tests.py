"""keyring's own tests of a backend, on our stores: a password is kept as a token.

One more opinion on what a place for secrets must do: any character, an empty password, two users of
one service, and a deletion that says that there was nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keyring.backend
import pytest
from keyring.errors import PasswordDeleteError

from flex_tokenstore import Token, TokenIdentity, open_store
from keyring_fakes import FOLDER, folder_config

pytestmark = pytest.mark.slow

_Basic: Any = pytest.importorskip("keyring.testing.backend").BackendBasicTests


class Stores(keyring.backend.KeyringBackend):
    """A backend of keyring that keeps each password in a token store.

    Args:
        config: Makes the config of a store. It is asked once for each service and user.
    """

    priority = -10.0  # nobody's choice

    def __init__(self, config: Callable[[], Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring's
        self._config = config
        self._stores: dict[tuple[str, str], Any] = {}

    def get_password(self, service: str, username: str) -> str | None:
        found = self._store(service, username).get_token()
        return None if found is None else str(found.to_dict()["password"])

    def set_password(self, service: str, username: str, password: str) -> None:
        store = self._store(service, username)
        answer = {"access_token": "unused", "password": password}
        store.set_token(Token.issued(answer, identity_key=store.identity.key, obtained_at=0))

    def delete_password(self, service: str, username: str) -> None:
        if self.get_password(service, username) is None:
            raise PasswordDeleteError("not found")
        self._store(service, username).remove_token()

    def close(self) -> None:
        for store in self._stores.values():
            store.close()

    def _store(self, service: str, username: str) -> Any:
        if (service, username) not in self._stores:
            # Whose token it is takes printed characters only: the names in hexadecimal digits.
            client, profile = (f"x{name.encode().hex()}" for name in (service, username))
            identity = TokenIdentity("https://api.example.com", client, profile=profile)
            self._stores[service, username] = open_store(self._config(), identity)
        return self._stores[service, username]


class _Own(_Basic):  # type: ignore[misc]  # keyring may be missing
    @pytest.fixture(autouse=True)
    def _paths(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setenv(FOLDER, str(tmp_path / "items"))
        self.tmp_path = tmp_path
        self.made: list[Stores] = []
        yield
        for each in self.made:
            each.close()

    # keyring's fixture asks for the keyring; ours must come before it.
    @pytest.fixture(autouse=True)
    def _init_properties(self, _paths: None, request: pytest.FixtureRequest) -> Any:
        self.keyring = self.init_keyring()
        self.credentials_created: set[Any] = set()
        yield
        self.cleanup()

    def init_keyring(self) -> Stores:
        self.made.append(Stores(self.config))
        return self.made[-1]

    def config(self) -> Any:
        raise NotImplementedError


class TestMemory(_Own):
    def config(self) -> Any:
        return "memory"


class TestFile(_Own):
    def config(self) -> Any:
        return {"name": "file", "path": str(self.tmp_path / f"{len(self.made[-1]._stores)}.json")}


class TestSqlite(_Own):
    def config(self) -> Any:
        return {"name": "sql", "url": f"sqlite:///{self.tmp_path / 'tokens.db'}"}


class TestKeyring(_Own):
    def config(self) -> Any:
        return folder_config()
