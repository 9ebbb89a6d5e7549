"""Where files go."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flex_tokenstore import _folders
from flex_tokenstore.errors import TokenUnavailableError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the folders of Unix")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    return tmp_path


def test_default_folders_are_the_documented_ones(home: Path) -> None:
    assert _folders.config_folder() == home / ".config/flex-integration-sdk"
    assert _folders.state_folder() == home / ".local/state/flex-integration-sdk"


def test_macos_has_no_library_folder_and_javascript_no_suffix(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert _folders.config_folder() == home / ".config/flex-integration-sdk"
    assert _folders.javascript_folder() == home / ".config/flex-integration-sdk"


def test_javascript_folder_has_the_suffix_of_env_paths(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert _folders.javascript_folder() == home / ".config/flex-integration-sdk-nodejs"


def test_absolute_xdg_folders_are_honoured(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "c"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "s"))
    assert _folders.config_folder() == home / "c/flex-integration-sdk"
    assert _folders.state_folder() == home / "s/flex-integration-sdk"
    assert _folders.javascript_folder() == home / "c/flex-integration-sdk-nodejs"


def test_relative_xdg_folders_are_ignored(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "here")
    monkeypatch.setenv("XDG_STATE_HOME", "./here")
    assert _folders.config_folder() == home / ".config/flex-integration-sdk"
    assert _folders.state_folder() == home / ".local/state/flex-integration-sdk"


def test_no_home_is_an_error_and_never_the_working_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    class Homeless:
        user_config_dir = "~/.config/x"  # what is left where no home is known

    def no_home(path: Path) -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(_folders, "_dirs", lambda name: Homeless)
    monkeypatch.setattr(Path, "expanduser", no_home)
    with pytest.raises(TokenUnavailableError, match="XDG_CONFIG_HOME"):
        _folders.config_folder()


def test_missing_parents_are_made_private(tmp_path: Path) -> None:
    folder = tmp_path / "a/b/c"
    _folders.make_private_folder(folder)
    assert {p.stat().st_mode & 0o777 for p in (folder, folder.parent, tmp_path / "a")} == {0o700}
    _folders.make_private_folder(folder)


def test_platformdirs_is_imported_only_when_a_folder_is_asked_for() -> None:
    code = "import sys, flex_tokenstore._folders; sys.exit('platformdirs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
