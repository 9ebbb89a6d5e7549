"""``flex-sdk init``: what it writes, that it is whole or absent, and that no secret is seen."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk.cli._app import run
from flex_integration_sdk.cli._init_files import write_all, writing_alone
from flex_integration_sdk.config import resolve
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from flex_tokenstore import Secret
from tests.flex_tokenstore.stores.as_user import NOBODY, needs_root
from tests.flex_tokenstore.stores.conftest import small_disk  # noqa: F401 - a fixture
from tests.support.terminal import Terminal, on_terminal

P = "FLEX_INTEGRATION_"
SECRET = "SENTINEL-of-a-secret"
Captured = pytest.CaptureFixture[str]
Init = Callable[..., tuple[int, str]]
posix = pytest.mark.skipif(os.name == "nt", reason="terminals and rights of Unix")


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with serve(SandboxSettings(client_id="c", client_secret=SECRET)) as running:
        yield running


@pytest.fixture
def path() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "flex-integration-sdk" / "config.toml"


@pytest.fixture
def init(capsys: Captured, monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox) -> Init:
    """Runs it without a terminal, with the secret on standard input unless told otherwise."""

    def ran(*arguments: str, secret: str | None = SECRET) -> tuple[int, str]:
        given = ["--client-id", "c"] if "--client-id" not in arguments else []
        if secret is not None:
            given.append("--client-secret-stdin")
        if "--base-url" not in arguments:
            given += ["--base-url", sandbox.base_url]
        monkeypatch.setattr(sys, "stdin", io.StringIO(secret or ""))
        code = run(["init", *given, *arguments])
        printed = "".join(capsys.readouterr())
        assert SECRET not in printed
        return code, printed

    return ran


def names(folder: Path) -> list[str]:
    """What is there, without what the token store keeps."""
    found = [each.name for each in folder.iterdir()] if folder.exists() else []
    return sorted(name for name in found if not name.endswith((".lock", ".owner", ".json")))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    path.chmod(0o600)


class TestWhatItWrites:
    def test_a_profile_that_works(self, init: Init, path: Path, sandbox: RunningSandbox) -> None:
        code, printed = init()
        assert code == 0
        secret_file = path.with_name("client-secret-default")
        assert tomllib.loads(path.read_text()) == {
            "profiles": {
                "default": {
                    "client_id": "c",
                    "client_secret_file": str(secret_file),
                    "base_url": sandbox.base_url,
                    "token_store": "file",
                }
            }
        }
        assert SECRET not in path.read_text()
        assert secret_file.read_text() == SECRET
        assert names(path.parent) == ["client-secret-default", "config.toml"]
        if os.name != "nt":
            assert (mode(path), mode(secret_file), mode(path.parent)) == (0o600, 0o600, 0o700)
        assert "signed in as c at" in printed
        assert "flex-sdk call marketplace.show\n" in printed
        assert run(["call", "marketplace.show"]) == 0
        assert sandbox.stats()["client_credentials"] == 1, "the token was kept"

    def test_redis_needs_one_line(self, init: Init, path: Path) -> None:
        init("--no-check")
        lines = path.read_text().splitlines()
        (number,) = [number for number, line in enumerate(lines) if line.startswith("token_store")]
        (redis,) = [line for line in lines if line.startswith("# token_store")]
        lines[number] = redis.removeprefix("# ")
        path.write_text("\n".join(lines))
        found = resolve(environ={}).token_store
        assert dict(found) == {"name": "redis", "url": "redis://127.0.0.1:6379"}

    def test_next_steps_name_the_profile(self, init: Init, path: Path) -> None:
        other = path.with_name("other.toml")
        code, printed = init("--profile", "live", "--config", str(other))
        assert code == 0
        assert f"call marketplace.show --profile live --config {other}" in printed
        assert f'create_instance(profile="live", config="{other}")' in printed
        assert resolve(config=other, profile="live", environ={}).client_secret == Secret(SECRET)

    def test_a_secret_file_of_the_users(self, init: Init, path: Path, tmp_path: Path) -> None:
        given = tmp_path / "my-secret"
        given.write_text(SECRET)
        assert init("--client-secret-file", str(given), secret=None)[0] == 0
        assert names(path.parent) == ["config.toml"]
        missing = str(tmp_path / "no.secret")
        code, printed = init("--profile", "b", "--client-secret-file", missing, secret=None)
        assert (code, "no.secret" in printed) == (2, True)
        assert "profiles.b" not in path.read_text()

    def test_a_store_with_options(self, init: Init, path: Path, tmp_path: Path) -> None:
        token = tmp_path / "t.json"
        assert init("--store", "file", "--store-option", f"path={token}")[0] == 0
        assert token.exists()
        for wrong in (
            ["--store", "fiel"],
            ["--store", "file", "--store-option", "pth=/x"],
            ["--store", "redis", "--store-option", f"password={SECRET}"],
            ["--store", "read-only"],
        ):
            assert init("--profile", "b", *wrong)[0] == 2
        assert "profiles.b" not in path.read_text()
        assert names(path.parent) == ["client-secret-default", "config.toml"]

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--client-id", "a b\x01"], "control character"),
            (["--base-url", "example.com"], "did you mean https://example.com?"),
            (["--base-url", "http://elsewhere:1"], "is plain http"),
            (["--profile", "../x"], "--profile takes letters"),
            (["--profile", ""], "--profile needs a name"),
            ([SECRET], "it takes options only"),
            (["--client-secret", SECRET], "other users can see arguments"),
            ([f"--client-secret={SECRET}"], "other users can see arguments"),
        ],
    )
    def test_what_is_wrong_is_told_before_anything_is_written(
        self, init: Init, path: Path, arguments: list[str], said: str
    ) -> None:
        code, printed = init(*arguments)
        assert code == 2
        assert said in printed
        assert names(path.parent) == []

    def test_what_is_missing_names_the_flag(
        self, capsys: Captured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))
        assert run(["init"]) == 2
        assert "--client-id ID is missing" in capsys.readouterr().err
        assert run(["init", "--client-id", "c"]) == 2
        assert "--client-secret-file FILE, or --client-secret-stdin" in capsys.readouterr().err
        assert run(["init", "--client-id", "c", "--client-secret-stdin"]) == 2
        assert "standard input is empty" in capsys.readouterr().err

    def test_a_sign_in_that_fails(self, init: Init, path: Path) -> None:
        code, printed = init(secret="another-SENTINEL")
        assert code == 1
        assert "another-SENTINEL" not in printed
        assert "does not work yet" in printed
        assert "check the client id and the client secret" in printed
        assert path.exists(), "the profile is kept"
        assert init()[0] == 2, "a changed secret needs --force"
        assert init("--force")[0] == 0

    def test_a_secret_that_works_is_not_replaced_by_one_that_does_not(
        self, init: Init, path: Path, tmp_path: Path
    ) -> None:
        assert init()[0] == 0
        before = path.read_text()
        code, printed = init("--yes", secret="another-SENTINEL")
        assert code == 1
        assert "was not changed, since the new settings do not work" in printed
        assert "another-SENTINEL" not in printed
        wrong = tmp_path / "wrong"
        wrong.write_text("another-SENTINEL")
        assert init("--yes", "--client-secret-file", str(wrong), secret=None)[0] == 1
        closed = "http://127.0.0.1:9"
        assert init("--yes", "--base-url", closed)[0] == 1, "nobody answers there"
        assert path.with_name("client-secret-default").read_text() == SECRET
        assert path.read_text() == before
        assert init("--yes", "--no-check", secret="another-SENTINEL")[0] == 0
        assert path.with_name("client-secret-default").read_text() == "another-SENTINEL"

    def test_a_secret_is_of_one_client_at_one_server(self, init: Init, path: Path) -> None:
        assert init()[0] == 0
        before = path.read_text()
        for other in (["--client-id", "other"], ["--base-url", "https://other.example"]):
            code, printed = init("--force", "--no-check", *other, secret=None)
            assert code == 2
            assert "the one that the profile has is of another client or server" in printed
            assert "--client-secret-file FILE, or --client-secret-stdin" in printed
            assert path.read_text() == before
        base_url = tomllib.loads(before)["profiles"]["default"]["base_url"]
        same = base_url.replace("http", "HTTP") + "/"
        assert init("--force", "--no-check", "--base-url", same, secret=None)[0] == 0
        assert init("--force", "--no-check", "--client-id", "other")[0] == 0

    @pytest.mark.parametrize(
        ("option", "advice"),
        [
            ("url=redis://:SENTINEL@h", "use url without the password and --store-option password"),
            ("password=SENTINEL", "use --store-option password_file=FILE"),
            ("key_password=SENTINEL", "write it into the config file afterwards"),
        ],
    )
    def test_a_secret_option_names_what_this_command_has(
        self, init: Init, path: Path, option: str, advice: str
    ) -> None:
        code, printed = init("--store", "redis", "--store-option", option)
        assert code == 2
        assert advice in printed
        assert "--store-env" not in printed
        assert "SENTINEL" not in printed
        printed = init("--store", "redis://h")[1]
        assert "--store-option url=" in printed
        assert "--store-env" not in printed

    def test_a_store_that_needs_a_secret_is_not_tried(
        self, init: Init, path: Path, sandbox: RunningSandbox
    ) -> None:
        code, printed = init("--store", "sql")
        assert code == 1
        assert "option url of the store 'sql'" in printed
        assert f"Write that into {path}: token_store = {{ name =" in printed
        assert path.exists()
        assert sandbox.stats()["client_credentials"] == 0

    def test_memory_is_told(self, init: Init) -> None:
        code, printed = init("--store", "memory")
        assert code == 0
        assert "forgets the token when a program ends" in printed
        assert "forgets" not in init("--profile", "b")[1]

    @pytest.mark.parametrize("quoted", ['"c"', "'c'"])
    def test_quotes_around_a_value(self, init: Init, path: Path, quoted: str) -> None:
        code, printed = init("--client-id", quoted)
        assert code == 2
        assert "--client-id: the client id is in quotes" in printed
        code, printed = init(secret=f'"{SECRET}"')
        assert code == 2
        assert "the client secret on standard input is in quotes" in printed
        assert names(path.parent) == []

    def test_a_stored_token_does_not_hide_a_wrong_secret(
        self, init: Init, sandbox: RunningSandbox
    ) -> None:
        assert init()[0] == 0
        assert init("--force", secret="rotated")[0] == 1
        assert run(["call", "marketplace.show"]) == 0, "the stored token was left as it was"
        assert init("--force")[0] == 0
        assert sandbox.stats()["client_credentials"] == 3

    def test_it_looks_at_the_profile_alone_and_names_variables_that_override_it(
        self, init: Init, monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox
    ) -> None:
        monkeypatch.setenv(f"{P}CLIENT_ID", "another")
        monkeypatch.setenv(f"{P}CLIENT_SECRET", SECRET[::-1])
        monkeypatch.setenv(f"{P}TOKEN_STORE__PATH", "/no/such/folder/t.json")
        monkeypatch.setenv(f"{P}PROFILE", "test")
        code, printed = init()
        assert code == 0
        named = f"{P}CLIENT_ID {P}CLIENT_SECRET {P}PROFILE {P}TOKEN_STORE__PATH"
        assert f"unset {named}\n" in printed
        assert SECRET[::-1] not in printed


OLD = """# mine
base_url = "https://x.example"  # top

[profiles.default]
client_id = "old"  # of the test marketplace
client_secret = "SENTINEL-of-old"
require_encrypted = false
token_store = "memory"

[profiles.other]
client_id = "q"
"""


class TestWhatIsThere:
    def test_comments_and_other_profiles_stay(self, init: Init, path: Path) -> None:
        write(path, OLD)
        code, printed = init("--force", "--store", "file")
        assert code == 0
        assert "SENTINEL" not in printed
        for line in (
            "client_id: old -> c",
            "client_secret: ********** -> removed",
            "token_store: memory -> file",
        ):
            assert line in printed
        new = path.read_text()
        assert "# mine\n" in new
        assert 'base_url = "https://x.example"  # top' in new
        assert 'client_id = "c"  # of the test marketplace' in new
        assert '[profiles.other]\nclient_id = "q"\n' in new
        assert tomllib.loads(new)["profiles"]["default"]["require_encrypted"] is False

    def test_an_existing_profile_is_not_changed_without_a_word(
        self, init: Init, path: Path
    ) -> None:
        write(path, OLD)
        code, printed = init()
        assert code == 2
        assert "client_id: old -> c" in printed
        assert "--yes" in printed
        assert path.read_text() == OLD
        assert names(path.parent) == ["config.toml"]

    def test_the_same_again_changes_nothing(self, init: Init, path: Path) -> None:
        assert init("--no-check")[0] == 0
        before = path.read_bytes(), path.stat().st_ino
        assert init("--no-check")[0] == 0
        assert init("--no-check", secret=None)[0] == 0
        assert (path.read_bytes(), path.stat().st_ino) == before

    def test_a_secret_file_that_nobody_uses_is_kept(self, init: Init, path: Path) -> None:
        write(path.with_name("client-secret-default"), "of another")
        code, printed = init()
        assert code == 2
        assert "--force" in printed
        assert names(path.parent) == ["client-secret-default"]
        assert init("--force")[0] == 0

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "# a comment only",
            'client_id = "c"',
            'profiles.live.client_id = "c"\n',
            '[profiles.live]\r\nclient_id = "c"\r\n',
            '[profiles.live.token_store]\nname = "file"\n',
            '[profiles.live]\n[profiles.live.token_store]\nname = "file"\n[profiles.zz]\n',
            '[profiles]\n[profiles.default.token_store]\nname = "memory"\n',
            'profiles = { live = { client_id = "c" } }\nallow_http = true\n',
            "a = [[1], [\n2]]\n[profiles.default]\n[[other]]\nx = 1\n",
        ],
    )
    def test_forms_of_toml(self, init: Init, path: Path, text: str) -> None:
        write(path, text)
        before = tomllib.loads(text)
        code, printed = init("--force", "--no-check", "--store", "file")
        if code:
            assert code == 1
            assert "write the profile into it with an editor. Nothing was changed" in printed
            assert path.read_bytes() == text.encode()
            return
        after = tomllib.loads(path.read_text())
        made = after["profiles"].pop("default")
        assert (made["client_id"], made["token_store"]) == ("c", "file")
        before.setdefault("profiles", {}).pop("default", None)
        assert after == before
        assert text.count("\r") <= path.read_bytes().count(b"\r")

    @pytest.mark.parametrize("text", ["not TOML", "profiles = 5", "[profiles]\ndefault = 5"])
    def test_a_broken_file_is_told_and_left(self, init: Init, path: Path, text: str) -> None:
        write(path, text)
        code, printed = init()
        assert code in (1, 2)
        assert str(path) in printed
        assert path.read_text() == text
        assert names(path.parent) == ["config.toml"]

    def test_a_fault_elsewhere_stops_nothing(self, init: Init, path: Path) -> None:
        write(path, "[profiles.broken]\nclient_id = 5\n")
        assert init()[0] == 0

    @posix
    def test_a_link_is_followed_and_the_secret_is_not_beside_its_target(
        self, init: Init, path: Path, tmp_path: Path
    ) -> None:
        target = tmp_path / "dotfiles" / "config.toml"
        (target.parent / ".git").mkdir(parents=True)
        write(target, "# mine\n")
        path.parent.mkdir(parents=True, mode=0o700)
        path.symlink_to(target)
        assert init()[0] == 0
        assert path.is_symlink()
        assert target.read_text().startswith("# mine\n")
        assert names(target.parent) == [".git", "config.toml"]
        assert names(path.parent) == ["client-secret-default", "config.toml"]

    @posix
    def test_no_secret_goes_into_a_git_work_tree(
        self, init: Init, path: Path, tmp_path: Path
    ) -> None:
        real = tmp_path / "dotfiles" / "sdk"
        real.mkdir(parents=True, mode=0o700)
        (tmp_path / "dotfiles" / ".git").mkdir()
        path.parent.parent.mkdir()
        path.parent.symlink_to(real)
        code, printed = init()
        assert code == 1
        assert "git work tree" in printed
        assert "--client-secret-file FILE" in printed
        assert names(real) == []

    @needs_root
    def test_with_sudo_in_the_home_of_another_user(self, init: Init, path: Path) -> None:
        path.parent.parent.mkdir()
        os.chown(path.parent.parent, NOBODY, NOBODY)
        code, printed = init()
        assert code == 1
        assert f"(uid {NOBODY})" in printed
        assert "without sudo" in printed
        assert names(path.parent.parent) == []

    @needs_root
    def test_a_folder_that_this_user_may_not_look_into(self, tmp_path: Path) -> None:
        outer = Path(tempfile.mkdtemp())
        try:
            outer.chmod(0o755)
            hidden = outer / "root's"
            hidden.mkdir(mode=0o700)
            warm = tmp_path / "warm.toml"
            write(warm, "# mine\n")
            done = subprocess.run(
                [sys.executable, "-c", AS_NOBODY, *COMPLETE, "--config", f"{hidden}/config.toml"],
                input=SECRET,
                text=True,
                capture_output=True,
                env={**os.environ, "WARM": str(warm), "STATE": str(outer / "state")},
            )
            assert done.returncode == 1
            assert "permission denied. The folder" in done.stderr
            assert f"{hidden} belongs to root" in done.stderr
            assert f"(uid {NOBODY})" in done.stderr
            assert f"sudo chown -R {NOBODY} {shlex.quote(str(hidden))}" in done.stderr
        finally:
            shutil.rmtree(outer)


class TestWhole:
    def test_a_full_disk(self, init: Init, small_disk: Path) -> None:  # noqa: F811
        path = small_disk / "config.toml"
        write(path, OLD + "#" * 50000)
        before = path.read_bytes()
        code, printed = init("--force", "--config", str(path))
        assert code == 1
        assert "No space left" in printed
        assert "Nothing was changed" in printed
        assert path.read_bytes() == before
        assert names(small_disk) == ["config.toml"]

    def test_another_program_changes_it_meanwhile(
        self, init: Init, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from flex_integration_sdk.cli import _init_run
        from flex_integration_sdk.cli._init_answers import answers_of

        write(path, OLD)

        def slowly(*arguments: Any) -> Any:
            write(path, OLD + "# new\n")
            return answers_of(*arguments)

        monkeypatch.setattr(_init_run, "answers_of", slowly)
        code, printed = init("--force")
        assert code == 1
        assert "has changed" in printed
        assert path.read_text() == OLD + "# new\n"
        assert names(path.parent) == ["config.toml"]

    @pytest.mark.slow
    def test_many_at_once_lose_no_profile(
        self, path: Path, tmp_path: Path, sandbox: RunningSandbox
    ) -> None:
        """Each one that says it is done has its profile in the file; the others say why not."""
        secret_file = tmp_path / "my-secret"
        secret_file.write_text(SECRET)
        write(path, "# mine\n" * 3000)
        common = ["--client-id", "c", "--base-url", sandbox.base_url, "--no-check"]
        for turn in range(3):
            names_of = [f"p{turn}-{number}" for number in range(6)]
            commands = [
                ["init", *common, "--profile", name, "--client-secret-file", str(secret_file)]
                for name in names_of
            ]
            results = dict(zip(names_of, at_once(commands), strict=True))
            found = tomllib.loads(path.read_text())["profiles"]
            done = {name for name, (code, _) in results.items() if code == 0}
            assert done, results
            assert done == {name for name in found if name.startswith(f"p{turn}-")}
            for code, said in results.values():
                assert code == 0 or "has changed" in said
        assert path.read_text().startswith("# mine\n" * 3000)
        assert names(path.parent) == ["config.toml"], "no temporary file is left"

    def test_it_waits_for_another_one_that_writes(
        self, init: Init, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from flex_integration_sdk.cli import _init_files

        monkeypatch.setattr(_init_files, "_WAIT", 0.0)
        with writing_alone():
            code, printed = init("--no-check")
        assert code == 1
        assert "another process or thread holds it" in printed
        assert "Nothing was changed" in printed
        assert names(path.parent) == []
        assert init("--no-check")[0] == 0

    @needs_root
    @pytest.mark.skipif(sys.platform != "linux", reason="bind mounts")
    def test_a_file_that_is_mounted_by_itself(self, init: Init, path: Path, tmp_path: Path) -> None:
        from tests.flex_tokenstore.stores.as_user import mount

        outside = tmp_path / "outside.toml"
        write(outside, OLD)
        write(path, "")
        secret_file = path.with_name("client-secret-default")
        write(secret_file, "of-old")
        try:
            mount("--bind", str(outside), str(path))
        except subprocess.CalledProcessError:
            pytest.skip("this user may not mount")
        try:
            code, printed = init("--force")
        finally:
            subprocess.run(["umount", "-l", str(path)], check=True)
        assert code == 1
        assert "is a mount of its own" in printed
        assert "Nothing was changed" in printed
        assert (outside.read_text(), secret_file.read_text()) == (OLD, "of-old")

    @pytest.mark.parametrize("before", ["of-old", None])
    @pytest.mark.parametrize("links", [True, False])
    def test_if_the_last_file_cannot_be_replaced_the_others_are_as_they_were(
        self,
        init: Init,
        path: Path,
        monkeypatch: pytest.MonkeyPatch,
        before: str | None,
        links: bool,
    ) -> None:
        write(path, OLD)
        secret_file = path.with_name("client-secret-default")
        if before:
            write(secret_file, before)
            inode = secret_file.stat().st_ino
        replace = Path.replace

        def failing(source: Path, target: Path) -> Path:
            if target == path:
                raise OSError(errno.EBUSY, "Device or resource busy")
            return replace(source, target)

        def no_links(*_: Any, **__: Any) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(Path, "replace", failing)
        if not links:
            monkeypatch.setattr(os, "link", no_links)
            monkeypatch.setattr(os, "supports_follow_symlinks", set())
        code, printed = init("--force")
        assert code == 1
        assert f"{path} cannot be written: Device or resource busy" in printed
        assert path.read_text() == OLD
        if before and not links:
            assert f"not put back: {secret_file}" in printed
            return
        assert "Nothing was changed" in printed
        if before:
            assert (secret_file.read_text(), secret_file.stat().st_ino) == (before, inode)
        assert names(path.parent) == ["client-secret-default"] * bool(before) + ["config.toml"]

    @posix
    @pytest.mark.sample(1)
    @pytest.mark.parametrize("before", [None, "old"])
    def test_killed_at_each_call_it_is_whole_or_absent(
        self, tmp_path: Path, before: str | None
    ) -> None:
        folder = tmp_path / "new" / "folder"
        secret, config = folder / "secret", folder / "config.toml"
        states = set()
        for number in range(100):
            if number % 2 == 0 or before:  # else the next run meets what this one left
                for each in (secret, config):
                    each.unlink(missing_ok=True)
                    if before:
                        write(each, before)
            done = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(number)])
            found = tuple(each.read_text() if each.exists() else None for each in (secret, config))
            states.add(found)
            if done.returncode == 0:
                break
            assert done.returncode == -signal.SIGKILL
        assert number >= 8
        assert done.returncode == 0
        assert names(folder) == ["config.toml", "secret"], "nothing is left"
        assert states <= {(before, before), ("s" * 9999, before), ("s" * 9999, "c" * 9999)}
        assert len(states) == 3
        assert mode(secret) == 0o600


KILLED = """
import os, signal, sys
from pathlib import Path
from flex_integration_sdk.cli._init_files import NewFile, write_all
from flex_tokenstore import Secret
folder, left = Path(sys.argv[1]), [int(sys.argv[2])]

def count(*_):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1

def hook(event, arguments):
    counted = ("open", "os.rename", "os.link", "os.remove", "os.mkdir")
    if event in counted and str(folder) in str(arguments):
        count()

fsync = os.fsync
os.fsync = lambda number: (count(), fsync(number), count())
sys.addaudithook(hook)
write_all([
    NewFile(folder / "secret", Secret("s" * 9999), is_secret=True),
    NewFile(folder / "config.toml", Secret("c" * 9999), is_secret=False),
])
"""


AT_ONCE = """
import sys
from flex_integration_sdk.cli import _init_run
from flex_integration_sdk.cli._app import run
print("ready", flush=True)
sys.stdin.readline()
sys.exit(run(sys.argv[1:]))
"""


def at_once(commands: list[list[str]]) -> list[tuple[int, str]]:
    """Runs commands in processes that begin together; the exit code and stderr of each."""
    with contextlib.ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", AT_ONCE, *each],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for each in commands
        ]
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        return [
            (process.returncode, err)
            for process in started
            for _, err in [process.communicate(timeout=60)]
        ]


def test_nothing_to_write() -> None:
    assert write_all([]) == []


@posix
class TestRights:
    def test_new_folders_are_private_whatever_the_umask(self, path: Path) -> None:
        nested = path.parent.parent / "a" / "b" / "config.toml"
        done = subprocess.run(
            [sys.executable, "-c", UMASK, *COMPLETE, "--config", str(nested)],
            input=SECRET,
            text=True,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr
        assert [mode(each) for each in list(nested.parents)[:2]] == [0o700, 0o700]
        assert (mode(path.parent.parent), mode(nested)) == (0o700, 0o600)

    @needs_root
    @pytest.mark.parametrize("rights", [0o640, 0o644])
    def test_the_readers_of_a_config_file_without_a_secret_stay(
        self, init: Init, path: Path, rights: int
    ) -> None:
        write(path, '[profiles.service]\nclient_id = "q"\nclient_secret_file = "/run/s"\n')
        os.chown(path, 0, NOBODY)
        path.chmod(rights)
        assert init("--no-check")[0] == 0
        assert "[profiles.default]" in path.read_text()
        assert (mode(path), path.stat().st_gid) == (rights, NOBODY)
        assert mode(path.with_name("client-secret-default")) == 0o600

    @pytest.mark.parametrize(
        "secret",
        [
            'client_secret = "SENTINEL"',
            'client_secret_cmd = ["op", "read"]',
            'token_store = { name = "redis", url = "redis://:SENTINEL@h" }',
            'token_store = { name = "x", inner = { name = "redis", password = "SENTINEL" } }',
        ],
    )
    def test_a_config_file_with_a_secret_becomes_private_and_that_is_told(
        self, init: Init, path: Path, secret: str
    ) -> None:
        write(path, f"[profiles.service]\n{secret}\n")
        path.chmod(0o640)
        code, printed = init("--no-check")
        assert code == 0
        assert mode(path) == 0o600
        assert f"only you can read {path} from now on, since a secret is in it" in printed
        assert "SENTINEL" not in printed

    def test_a_new_secret_is_private(self, init: Init, path: Path) -> None:
        secret_file = path.with_name("client-secret-default")
        write(secret_file, "a = 1")
        secret_file.chmod(0o644)
        code, printed = init("--no-check", "--force")
        assert (code, mode(secret_file)) == (0, 0o600)
        assert f"only you can read {secret_file} from now on" in printed

    @needs_root
    def test_a_group_that_this_user_is_not_in(self, tmp_path: Path) -> None:
        folder = Path(tempfile.mkdtemp())
        try:
            os.chown(folder, NOBODY, NOBODY)
            path = folder / "config.toml"
            write(path, "# mine\n")
            os.chown(path, NOBODY, 0)
            path.chmod(0o640)
            warm = tmp_path / "warm.toml"
            write(warm, "# mine\n")
            done = subprocess.run(
                [sys.executable, "-c", AS_NOBODY, *COMPLETE, "--config", str(path)],
                input=SECRET,
                text=True,
                capture_output=True,
                env={**os.environ, "WARM": str(warm), "STATE": str(folder / "state")},
            )
            assert done.returncode == 0, done.stderr
            assert (mode(path), path.stat().st_gid) == (0o600, NOBODY)
            assert "since this user is not in its group 0" in done.stderr
        finally:
            shutil.rmtree(folder)

    @pytest.mark.parametrize("exists", [True, False])
    def test_a_folder_that_others_may_write_in(self, init: Init, path: Path, exists: bool) -> None:
        path.parent.mkdir(parents=True)
        if exists:
            write(path, "# mine\n")
        path.parent.chmod(0o775)
        code, printed = init("--no-check")
        assert code == 1
        assert f"chmod go-w {path.parent}" in printed
        assert names(path.parent) == ["config.toml"] * exists
        path.parent.chmod(0o1777)
        assert init("--no-check")[0] == 0, "a sticky folder, such as /tmp"

    def test_a_profile_that_cannot_be_read_is_told_without_a_check(
        self, init: Init, path: Path
    ) -> None:
        write(path, "[profiles.default]\nclient_idd = 'c'\n")
        code, printed = init("--no-check", "--force")
        assert code == 1
        assert "does not work yet" in printed
        assert "did you mean client_id?" in printed
        assert run(["config", "show"]) == 2


COMPLETE = ("init", "--client-id", "c", "--client-secret-stdin", "--no-check")
UMASK = """
import os, sys
from flex_integration_sdk.cli._app import run
os.umask(0o002)
sys.exit(run(sys.argv[1:]))
"""
# It runs twice: what it imports may be where that user cannot read.
AS_NOBODY = f"""
import io, os, sys
from flex_integration_sdk.cli._app import run
secret, (*command, path) = sys.stdin.read(), sys.argv[1:]
sys.stdin = io.StringIO(secret)
assert run([*command, os.environ["WARM"]]) == 0
os.environ["XDG_STATE_HOME"] = os.environ["STATE"]
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
sys.stdin = io.StringIO(secret)
sys.exit(run([*command, path]))
"""


QUESTIONS = ["Client id", "Client secret", "Address of the server", "Token store"]


@posix
class TestOnATerminal:
    @pytest.fixture
    def environment(self, tmp_path: Path) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
        return {**kept, "HOME": str(tmp_path), "HISTFILE": str(tmp_path / "history")}

    COMMAND = (sys.executable, "-m", "flex_integration_sdk.cli", "init")

    def test_it_asks_and_never_shows_the_secret(
        self, environment: dict[str, str], path: Path, sandbox: RunningSandbox, tmp_path: Path
    ) -> None:
        with on_terminal(self.COMMAND, environment, cwd=tmp_path) as terminal:
            self.answer(terminal, "c", SECRET)
            arguments = self.arguments(terminal)
            self.answer(terminal, sandbox.base_url, "", first=2)
            assert terminal.ended() == 0, terminal.written
        assert SECRET not in terminal.written
        assert SECRET not in arguments
        assert "signed in as c" in terminal.written
        found = [each for each in tmp_path.rglob("*") if each.is_file()]
        holders = [each.name for each in found if SECRET in each.read_text(errors="replace")]
        assert holders == ["client-secret-default"]
        assert resolve(environ={}).client_secret == Secret(SECRET)

    def test_a_wrong_answer_is_told_and_asked_again(
        self, environment: dict[str, str], path: Path, sandbox: RunningSandbox
    ) -> None:
        with on_terminal(self.COMMAND, environment) as terminal:
            self.answer(terminal, "c", f"{SECRET}\u201c")
            terminal.until("copy it again\r\nClient secret (it is not shown): ")
            terminal.type(f"{SECRET}\n")
            self.answer(terminal, "example.com", first=2)
            terminal.until("did you mean https://example.com?")
            terminal.type(f"{sandbox.base_url}\n")
            self.answer(terminal, "fiel", first=3)
            terminal.until("did you mean 'file'?")
            terminal.type("file\n")
            assert terminal.ended() == 0, terminal.written
        assert SECRET not in terminal.written

    @pytest.mark.parametrize(
        "number", [0, *(pytest.param(each, marks=pytest.mark.slow) for each in (1, 2)), 3]
    )
    def test_ctrl_c_at_each_question_changes_nothing(
        self, environment: dict[str, str], path: Path, number: int
    ) -> None:
        write(path, OLD.replace("default", "other2"))
        before = path.read_bytes()
        with on_terminal(self.COMMAND, environment) as terminal:
            self.answer(terminal, *["c", SECRET, "https://x.example"][:number])
            terminal.until(QUESTIONS[number])
            terminal.until("): " if number == 1 else ["Client id: ", "", "]: ", "[file]: "][number])
            assert self.interrupted(terminal) == 130, terminal.written
        assert "nothing was changed" in terminal.written
        assert SECRET not in terminal.written
        assert path.read_bytes() == before
        assert names(path.parent) == ["config.toml"]

    def test_an_existing_profile(
        self, environment: dict[str, str], path: Path, sandbox: RunningSandbox
    ) -> None:
        write(path, OLD)
        command = (*self.COMMAND, "--base-url", sandbox.base_url, "--store", "file")
        for answer, code in (("n\n", 1), ("", 130), ("y\n", 0)):
            with on_terminal(command, environment) as terminal:
                self.answer(terminal, "c", SECRET)
                terminal.until("Change the profile 'default'")
                assert "client_id: old -> c" in terminal.written
                terminal.type(answer)
                ended = terminal.ended() if answer else self.interrupted(terminal)
                assert ended == code, terminal.written
            assert SECRET not in terminal.written
            assert (path.read_text() == OLD) is (code != 0)
            assert names(path.parent) == ["client-secret-default"] * (code == 0) + ["config.toml"]

    def test_yes_asks_only_for_what_is_needed(
        self, environment: dict[str, str], path: Path, sandbox: RunningSandbox
    ) -> None:
        write(path, OLD)
        command = (*self.COMMAND, "--yes", "--client-id", "c", "--no-check")
        with on_terminal(command, environment) as terminal:
            terminal.until("): ")
            terminal.type(f"{SECRET}\n")
            assert terminal.ended() == 0, terminal.written
        assert tomllib.loads(path.read_text())["profiles"]["default"]["token_store"] == "memory"

    def test_the_secret_stays_if_nothing_is_typed(
        self, environment: dict[str, str], path: Path, init: Init
    ) -> None:
        assert init("--no-check")[0] == 0
        with on_terminal(self.COMMAND, environment) as terminal:
            self.answer(terminal, "", "", "", "")
            assert terminal.ended() == 0, terminal.written
        assert "as it is" in terminal.written
        assert resolve(environ={}).client_secret == Secret(SECRET)

    def test_another_client_needs_its_secret(
        self, environment: dict[str, str], path: Path, init: Init
    ) -> None:
        assert init("--no-check")[0] == 0
        command = (*self.COMMAND, "--no-check")
        with on_terminal(command, environment) as terminal:
            self.answer(terminal, "other")
            terminal.until("Client secret (it is not shown): ")
            terminal.type(f"{SECRET}\n")
            self.answer(terminal, "", "", first=2)
            terminal.until("[y/N]")
            terminal.type("y\n")
            assert terminal.ended() == 0, terminal.written
        with on_terminal(command, environment) as terminal:
            self.answer(terminal, "", "", "https://other.example", "")
            terminal.until("is of another server")
            terminal.until("Client secret (it is not shown): ")
            terminal.type(f"{SECRET}\n")
            terminal.until("[y/N]")
            terminal.type("y\n")
            assert terminal.ended() == 0, terminal.written
        assert SECRET not in terminal.written

    def test_quotes_are_asked_again(
        self, environment: dict[str, str], sandbox: RunningSandbox
    ) -> None:
        command = (*self.COMMAND, "--yes", "--base-url", sandbox.base_url)
        with on_terminal(command, environment) as terminal:
            self.answer(terminal, '"c"')
            terminal.until("the client id is in quotes")
            terminal.type("c\n")
            terminal.until("not shown): ")
            terminal.type(f'"{SECRET}"\n')
            # With the prompt: before it, what is typed is dropped.
            terminal.until("without them\r\nClient secret (it is not shown): ")
            terminal.type(f"{SECRET}\n")
            assert terminal.ended() == 0, terminal.written

    def test_the_address_of_the_store_is_asked_again(
        self, environment: dict[str, str], path: Path, init: Init
    ) -> None:
        url = "redis://127.0.0.1:1"
        assert init("--no-check", "--store", "redis", "--store-option", f"url={url}")[0] == 0
        command = (*self.COMMAND, "--no-check")
        for typed, expected in (("", url), ("redis://h:2", "redis://h:2")):
            with on_terminal(command, environment) as terminal:
                self.answer(terminal, "", "", "", "")
                terminal.until(f"url of the token store redis [{url}]: ")
                terminal.type(f"{typed}\n")
                if typed:
                    terminal.until("[y/N]")
                    terminal.type("y\n")
                assert terminal.ended() == 0, terminal.written
            found = tomllib.loads(path.read_text())["profiles"]["default"]["token_store"]
            assert found == {"name": "redis", "url": expected}

    @pytest.mark.slow
    def test_a_store_is_asked_for_all_that_it_needs(
        self, environment: dict[str, str], path: Path, tmp_path: Path
    ) -> None:
        kept = tmp_path / "kept"
        kept.write_text("p")
        cases = {
            "sql": [
                ("url of the", ""),
                ("must be set", "postgresql://u@h/db"),
            ],
            "redis": [
                ("url of the", "redis://u:SENTINEL@h"),
                ("without the password", "redis://u@h"),
                ("password_file of", str(kept)),
            ],
            "vault": [("address of the", "http://127.0.0.1:1"), ("token_file of", str(kept))],
        }
        found = {}
        for name, asked in cases.items():
            command = (*self.COMMAND, "--no-check", "--profile", name)
            with on_terminal(command, environment) as terminal:
                self.answer(terminal, "c", SECRET, "", name)
                for question, answer in asked:
                    terminal.until(question)
                    terminal.type(f"{answer}\n")
                assert terminal.ended() == 0, terminal.written
            found[name] = tomllib.loads(path.read_text())["profiles"][name]["token_store"]
        assert found == {
            "sql": {"name": "sql", "url": "postgresql://u@h/db"},
            "redis": {"name": "redis", "url": "redis://u@h", "password_file": str(kept)},
            "vault": {
                "name": "vault",
                "address": "http://127.0.0.1:1",
                "token_file": str(kept),
            },
        }

    def test_questions_are_of_whole_words_within_the_width(
        self, environment: dict[str, str]
    ) -> None:
        with on_terminal(self.COMMAND, environment, columns=40) as terminal:
            self.answer(terminal, "c", SECRET)
            terminal.until("Address of the\r\nserver [https://flex-integ-api.sharetribe.com]: ")
            terminal.type("\n")
            terminal.until("[file]: ")
            assert self.interrupted(terminal) == 130
        stores = terminal.written[terminal.written.index("Token store") :]
        lines = stores.split("nothing was")[0].splitlines()
        assert max(map(len, lines)) < 40, lines
        assert "fallback, file, " in " ".join(stores.split())
        assert "memory" not in stores

    @staticmethod
    def answer(terminal: Terminal, *answers: str, first: int = 0) -> None:
        for question, answer in zip(QUESTIONS[first:], answers, strict=False):
            terminal.until(question)
            if question == "Client secret":
                terminal.until("): ")  # from here on nothing is echoed
            terminal.type(f"{answer}\n")

    @staticmethod
    def interrupted(terminal: Terminal) -> int:
        """The exit code after Ctrl-C. One that comes just before Python reads has to be repeated:
        Python looks at the signal only when that read ends."""
        for _ in range(10):
            terminal.type("\x03")
            ends = time.monotonic() + 5
            while time.monotonic() < ends:
                if not terminal._read(1.0):
                    return terminal.ended()
        raise AssertionError(f"it goes on: {terminal.written!r}")

    @staticmethod
    def arguments(terminal: Terminal) -> str:
        """Of all processes of this machine that can be seen, if it has /proc."""
        found = ""
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found += each.read_text(errors="replace")
            except OSError:
                continue
        return found
