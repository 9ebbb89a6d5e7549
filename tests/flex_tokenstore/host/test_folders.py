"""Where files go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flex_tokenstore._host import paths

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the folders of Unix")


needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="becomes a user who has no entry"
)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    return tmp_path


def test_default_folders_are_the_documented_ones(home: Path) -> None:
    assert paths.config_folder() == home / ".config/flex-integration-sdk"
    assert paths.state_folder() == home / ".local/state/flex-integration-sdk"


def test_macos_has_no_library_folder_and_javascript_no_suffix(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert paths.config_folder() == home / ".config/flex-integration-sdk"
    assert paths.javascript_folder() == home / ".config/flex-integration-sdk"


def test_javascript_folder_has_the_suffix_of_env_paths(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert paths.javascript_folder() == home / ".config/flex-integration-sdk-nodejs"


def test_on_windows_the_folder_does_not_roam_but_that_of_the_javascript_sdk_does(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fake: platformdirs is asked for Windows, and answers with what it is asked for."""
    from platformdirs import windows

    asked: list[bool] = []

    class Fake:
        def __init__(self, name: str, *, appauthor: bool, roaming: bool) -> None:
            asked.append(roaming)
            self.user_config_dir = self.user_state_dir = str(home / name)

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(windows, "Windows", Fake)
    paths.config_folder()
    paths.state_folder()
    paths.javascript_folder()
    assert asked == [False, False, True]


def test_absolute_xdg_folders_are_honoured(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "c"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "s"))
    assert paths.config_folder() == home / "c/flex-integration-sdk"
    assert paths.state_folder() == home / "s/flex-integration-sdk"
    assert paths.javascript_folder() == home / "c/flex-integration-sdk-nodejs"


def test_relative_xdg_folders_are_ignored(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "here")
    monkeypatch.setenv("XDG_STATE_HOME", "./here")
    assert paths.config_folder() == home / ".config/flex-integration-sdk"
    assert paths.state_folder() == home / ".local/state/flex-integration-sdk"


# A user without an entry in the password file, as in containers. The interpreter may be where that
# user cannot read it: all is imported, and used once, before.
HOMELESS = """
import asyncio, importlib.metadata, os, sys
from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk.sandbox import serve
from tests.support.fakes import DictStore

def sync(store, **more):
    with create_instance(box.client_id, box.client_secret, base_url=box.base_url,
                         token_store=store, **more) as sdk:
        return sdk.marketplace.show().status

def by_loop(store, **more):
    async def call():
        async with create_async_instance(box.client_id, box.client_secret, base_url=box.base_url,
                                         token_store=store, **more) as sdk:
            return (await sdk.marketplace.show()).status
    return asyncio.run(call())

with serve() as box:
    for call in (sync, by_loop):
        for store in ("file", DictStore()):
            call(store, on_store_error="memory")
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        os.environ.pop(name, None)
    os.setgroups([])
    os.setgid(54321)
    os.setuid(54321)
    for call in (sync, by_loop):
        for store in ("file", {"name": "file", "share_with_js": True}, DictStore()):
            before = box.stats()["client_credentials"]
            try:
                print(call(store))
            except Exception as error:
                sent = box.stats()["client_credentials"] - before
                print(type(error).__name__, sent, error)
            print(call(store, on_store_error="memory"))
        print(call(DictStore(), host_lock="off"))
"""


@needs_root
def test_no_home_is_an_error_with_a_remedy_or_a_reason_to_go_on_without_the_store(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HOMELESS],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 14, lines
    for kind in (lines[:7], lines[7:]):
        for error, works in (kind[0:2], kind[2:4], kind[4:6]):
            assert error.startswith("TokenUnavailableError 0 this user has no home folder"), error
            assert works == "200"
        assert "XDG_CONFIG_HOME to a full path, or name the file with the option path" in kind[0]
        assert "XDG_STATE_HOME to a full path, or work without a lock" in kind[4]
        assert kind[6] == "200"
    assert not (tmp_path / "~").exists()


@needs_root
@pytest.mark.parametrize("command", [["token", "show"], ["token", "remove", "--yes"]])
def test_the_command_says_that_there_is_no_home(tmp_path: Path, command: list[str]) -> None:
    code = f"""
import contextlib, io, os, sys
from flex_integration_sdk.cli import main
sys.argv = ["flex-sdk", *{command!r}]
with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
    main()
del os.environ["HOME"]
os.setgid(54321)
os.setuid(54321)
main()
"""
    environment = {**os.environ, "HOME": str(tmp_path), "FLEX_INTEGRATION_TOKEN_STORE": "file"}
    environment["FLEX_INTEGRATION_CLIENT_ID"] = "my-client"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert "this user has no home folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_parents_are_made_private(tmp_path: Path) -> None:
    folder = tmp_path / "a/b/c"
    paths.make_private_folder(folder)
    assert {p.stat().st_mode & 0o777 for p in (folder, folder.parent, tmp_path / "a")} == {0o700}
    paths.make_private_folder(folder)


def test_platformdirs_is_imported_only_when_a_folder_is_asked_for() -> None:
    code = "import sys, flex_tokenstore._host.paths; sys.exit('platformdirs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("value", ['"{}"', "'{}'", "$HOME/x", "~/x", "x", "file://{}", "%h/x"])
@pytest.mark.parametrize("variable", ["XDG_CONFIG_HOME", "XDG_STATE_HOME"])
def test_an_xdg_folder_that_is_not_used_is_told_once(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variable: str,
    value: str,
) -> None:
    monkeypatch.setenv(variable, value.format(home))
    for _ in range(2):
        assert paths.config_folder() == home / ".config/flex-integration-sdk"
        assert paths.state_folder() == home / ".local/state/flex-integration-sdk"
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{variable} is not used: ")


@pytest.mark.parametrize("around", ["{}\n", " {}\r\n", "\ufeff{}"])
def test_what_stands_around_an_xdg_folder_is_not_a_part_of_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, around: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", around.format(home / "c"))
    assert paths.config_folder() == home / "c/flex-integration-sdk"
