"""The keyring store passes the contract of a token store, with keyring's own backends."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import keyring_fakes
from flex_tokenstore import TokenIdentity
from keyring_fakes import FOLDER, folder_config, macos_config, windows_config

if TYPE_CHECKING:
    from tests.servers.secret_service import SecretService

Contract: Any = pytest.importorskip("flex_tokenstore.testing").TokenStoreContract

MANY_STEPS = ("half_done", "crash_leaves", "too_large")
"""Words of the tests that are about saves of several steps."""
QUICK = ("replaced_whole", "large_token", "identities_have", "content_is_no_empty", "logs_show")
OTHERS = (
    *("shorter", "removing_twice", "corrupt", "another_identity", "newer_format"),
    *("shows_no_secret", "second_handle"),
)
REAL = ("crash_leaves", "large_token", "second_process", "works_in_a_forked", "blocks")
"""Of the tests, those in which a real keyring differs from a fake one; each call takes it 0.1 s. No
storm: GNOME Keyring 42 aborts now and then when many read and write large tokens at once."""


def keep(*words: str) -> Any:
    """A class decorator: of the kit's tests, those whose name has one of the words."""
    return lambda cls: _without(cls, lambda name: not any(word in name for word in words))


def _without(cls: type, unwanted: Callable[[str], bool]) -> type:
    for name in dir(cls):
        if name.startswith("test_") and unwanted(name):
            setattr(cls, name, None)
    return cls


class _KeyringContract(Contract):  # type: ignore[misc]  # the kit may be missing
    largest = 100_000

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(FOLDER, str(tmp_path / "items"))

    @pytest.fixture(params=["sync"])
    def kind(self, request: pytest.FixtureRequest) -> Any:
        """Async programs call the same methods, in a thread of the framework."""
        return request.param

    @pytest.fixture
    def backend(self) -> Any:
        return keyring_fakes.FolderKeyring()

    @pytest.fixture
    def plant(self, backend: Any) -> Callable[[TokenIdentity, bytes], None]:
        def put(identity: TokenIdentity, content: bytes) -> None:
            text = content.decode(errors="replace")
            head = f'{{"format":1,"sequence":1000,"token":{text}}}'
            backend.set_password(f"flex-tokenstore/{identity.key}/a", "token", head)

        return put


@keep(*QUICK)
class TestAnyBackend(_KeyringContract):
    @pytest.fixture
    def store_config(self) -> Any:
        return folder_config(chunk=2000)


@pytest.mark.slow
@keep("killed_writer")
class TestLargeParts(_KeyringContract):
    """Tokens of 60,000 characters, in three parts: in fifty, a save takes a fifth of a second."""

    @pytest.fixture
    def store_config(self) -> Any:
        return folder_config(chunk=20_000)


@pytest.mark.slow
@keep(*MANY_STEPS)
class TestWindows(_KeyringContract):
    @pytest.fixture
    def store_config(self) -> Any:
        return windows_config

    @pytest.fixture
    def backend(self) -> Any:
        return keyring_fakes.install_windows().WinVaultKeyring()


@pytest.mark.slow
@keep("half_done", *OTHERS)
class TestMacOS(_KeyringContract):
    largest = 1_000_000

    @pytest.fixture
    def store_config(self) -> Any:
        return macos_config

    @pytest.fixture
    def backend(self) -> Any:
        return keyring_fakes.install_macos().Keyring()


@pytest.mark.slow
@keep(*REAL)
class TestSecretService(_KeyringContract):
    """The real one."""

    largest = 1_000_000

    @pytest.fixture
    def store_config(self, secret_service: SecretService) -> Any:
        return {"name": "keyring"}

    @pytest.fixture
    def backend(self, secret_service: SecretService) -> Any:
        backend: Any = importlib.import_module("keyring.backends.SecretService")
        return backend.Keyring()
