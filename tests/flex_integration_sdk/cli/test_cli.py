"""The command ``flex-sdk``, run as the program that it is."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import select
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

with contextlib.suppress(ImportError):  # of Unix
    import fcntl
    import termios

from flex_integration_sdk import create_instance
from flex_integration_sdk.sandbox import RunningSandbox, serve

COMMAND = [sys.executable, "-m", "flex_integration_sdk.cli"]
SENTINEL = "SENTINEL-secret"


class Cli:
    """Runs ``flex-sdk`` in a home of its own."""

    def __init__(self, home: Path) -> None:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("FLEX_", "XDG_", "PYTHON"))
        }
        self.environment = {**kept, "HOME": str(home), "PYTHONWARNINGS": "error"}

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            env={**self.environment, **environment},
            cwd=self.environment["HOME"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace" if "PYTHONIOENCODING" in environment else "strict",
            timeout=60,
            check=False,
        )


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running


@pytest.fixture
def client(cli: Cli, sandbox: RunningSandbox, tmp_path: Path) -> Cli:
    sandbox.reset()
    cli.environment |= {
        "FLEX_INTEGRATION_BASE_URL": sandbox.base_url,
        "FLEX_INTEGRATION_CLIENT_ID": sandbox.client_id,
        "FLEX_INTEGRATION_CLIENT_SECRET": sandbox.client_secret,
        "FLEX_INTEGRATION_TOKEN_STORE": "file",
        "FLEX_INTEGRATION_TOKEN_STORE__PATH": str(tmp_path / "token.json"),
    }
    return cli


def test_help_is_cheap() -> None:
    heavy = ["httpx2", "asyncio", "rich", "starlette", "uvicorn", "msgspec", "importlib_metadata"]
    program = (
        "import sys; from flex_integration_sdk.cli._app import run; code = run(['--help']);"
        f"print(code, sorted(set({heavy!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "0 []"
    for command in ("stores", "token", "call", "sandbox", "demo"):
        assert f"  {command} " in done.stdout


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["stores", "list", "--nonsense"], ["call"], ["token", "nonsense"]]
)
def test_wrong_use_is_2(cli: Cli, arguments: list[str]) -> None:
    done = cli(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_stores_are_listed_in_plain_text_in_a_pipe(cli: Cli) -> None:
    done = cli("stores", "list")
    assert done.returncode == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["store", "status", "from", "about"]
    assert {"memory", "file"} <= {row.split()[0] for row in rows}
    assert done.stdout.isascii()


def test_stores_are_listed_as_json(cli: Cli) -> None:
    plain = {each["name"]: each for each in json.loads(cli("stores", "list", "--json").stdout)}
    assert plain["file"]["options"] is None
    found = json.loads(cli("stores", "list", "--json", "--check").stdout)
    checked = {each["name"]: each for each in found}
    assert checked["file"]["status"] == "ok"
    assert checked["file"]["compare_and_set"] is True
    assert "path" in {option["name"] for option in checked["file"]["options"]}


def test_one_store_is_shown_with_its_options_and_abilities(cli: Cli) -> None:
    done = cli("stores", "show", "file", COLUMNS="200")
    assert done.returncode == 0, done.stderr
    facts = dict(line.split("  ", 1) for line in done.stdout.split("\n\n")[0].splitlines())
    assert facts["compare-and-set"].strip() == "yes"
    assert facts["native async"].strip() == "no"
    option = next(line for line in done.stdout.splitlines() if line.startswith("permissions"))
    assert "'strict'" in option
    assert "other users can access" in option

    shown = json.loads(cli("stores", "show", "memory", "--json").stdout)
    assert (shown["name"], shown["status"], shown["options"]) == ("memory", "ok", [])
    assert (shown["compare_and_set"], shown["lock"], shown["native_async"]) == (True, True, True)

    done = cli("stores", "show", "fiel")
    assert done.returncode != 0
    assert "did you mean 'file'" in done.stderr


def test_a_call_prints_json_and_the_token_is_shown_without_secrets(
    client: Cli, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    done = client("call", "listings.query", "per_page=2")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert len(answer["data"]) == answer["meta"]["perPage"] == 2
    attributes = answer["data"][0]["attributes"]
    assert set(attributes["price"]) == {"amount", "currency"}
    assert set(attributes["geolocation"]) == {"lat", "lng"}
    assert datetime.fromisoformat(attributes["createdAt"]).tzinfo is not None

    text, machine = client("token", "show"), client("token", "show", "--json")
    facts = json.loads(machine.stdout)
    assert facts["saved"] is True
    assert facts["store"] == "file"
    assert facts["place"] == str(tmp_path / "token.json")
    assert facts["client_id"] == sandbox.client_id
    assert facts["grant_type"] == "refresh_token"
    assert 0 <= facts["age"] < 60 < facts["expires_in"]
    stored = json.loads((tmp_path / "token.json").read_text())
    shown = text.stdout + machine.stdout
    assert facts["identity"] in text.stdout
    for secret in (stored["access_token"], stored["refresh_token"], sandbox.client_secret):
        assert secret not in shown

    assert client("call", "marketplace.show").returncode == 0
    assert sandbox.stats()["client_credentials"] == 1


def test_a_token_is_removed_only_if_that_is_wanted(client: Cli, tmp_path: Path) -> None:
    assert client("call", "marketplace.show").returncode == 0
    asked = client("token", "remove")
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    assert (tmp_path / "token.json").exists()
    done = client("token", "remove", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("removed")
    assert not (tmp_path / "token.json").exists()
    again = client("token", "remove", "--yes")
    assert (again.returncode, again.stdout[:7]) == (0, "nothing")
    shown = json.loads(client("token", "show", "--json").stdout)
    assert (shown["saved"], shown["age"], shown["grant_type"]) == (False, None, None)


def test_what_is_no_token_is_an_error_and_can_be_removed(client: Cli, tmp_path: Path) -> None:
    (tmp_path / "token.json").write_text(f'{{"access_token": 5, "x": "{SENTINEL}"}}')
    (tmp_path / "token.json").chmod(0o600)
    done = client("token", "show")
    assert done.returncode == 1
    assert str(tmp_path / "token.json") in done.stderr
    assert "Traceback" not in done.stderr
    assert SENTINEL not in done.stderr
    assert client("token", "remove", "--yes").returncode == 0
    assert client("token", "show").returncode == 0


def test_another_clients_token_is_neither_shown_nor_removed(client: Cli, tmp_path: Path) -> None:
    assert client("call", "marketplace.show").returncode == 0
    for arguments in (["token", "show"], ["token", "remove", "--yes"]):
        done = client(*arguments, "--client-id", "somebody-else")
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) <= 2
    assert (tmp_path / "token.json").exists()


@pytest.mark.parametrize("arguments", [["token", "show"], ["token", "remove", "--yes"]])
def test_memory_says_how_to_choose_a_store(cli: Cli, arguments: list[str]) -> None:
    done = cli(*arguments, "--client-id", "c", "--store", "memory")
    assert done.returncode == 2
    assert "--store" in done.stderr
    assert "FLEX_INTEGRATION_TOKEN_STORE" in done.stderr


def test_wrong_settings_are_2_and_say_what_to_do(cli: Cli) -> None:
    nobody = cli("token", "show")
    assert nobody.returncode == 2
    assert "FLEX_INTEGRATION_CLIENT_ID" in nobody.stderr
    unknown = cli("token", "show", "--client-id", "c", "--store", "fle")
    assert unknown.returncode == 2
    assert "'file'" in unknown.stderr
    plain = cli("call", "marketplace.show", "--client-id", "c", "--base-url", "http://example.com")
    assert plain.returncode == 2
    assert "https" in plain.stderr


@pytest.mark.parametrize("params", [["per_page"], ["=1"], ["page=1", "page=2"]])
def test_parameters_are_key_value(client: Cli, params: list[str]) -> None:
    assert client("call", "users.query", *params).returncode == 2


def test_api_errors_are_one_line(client: Cli) -> None:
    done = client("call", "users.show", "email=nobody@example.com")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "404" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_secret_is_not_shown(client: Cli) -> None:
    done = client("call", "marketplace.show", FLEX_INTEGRATION_CLIENT_SECRET=SENTINEL)
    assert done.returncode == 1
    assert SENTINEL not in done.stderr
    assert "check the client id and the client secret" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_secret_comes_from_a_file_but_not_from_an_argument(
    client: Cli, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{sandbox.client_secret}\n")
    secret.chmod(0o600)
    del client.environment["FLEX_INTEGRATION_CLIENT_SECRET"]
    done = client("call", "marketplace.show", "--client-secret-file", str(secret))
    assert done.returncode == 0, done.stderr
    assert client("call", "marketplace.show", "--client-secret", SENTINEL).returncode == 2


def test_nobody_listens(client: Cli) -> None:
    done = client("call", "marketplace.show", FLEX_INTEGRATION_BASE_URL="http://127.0.0.1:9")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes that break this way")
def test_a_broken_pipe_is_silent(client: Cli) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*COMMAND, "call", "listings.query"],
            env=client.environment,
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 141


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way on Windows")
def test_the_sandbox_says_where_it_is_and_ends_by_ctrl_c(cli: Cli) -> None:
    command = [*COMMAND, "sandbox", "--client-id", "me", "--client-secret", "made-up"]
    command += ["--seed", "small"]
    with subprocess.Popen(
        command, env=cli.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stderr is not None
            assert select.select([child.stdout], [], [], 30)[0], "it said nothing"
            said = json.loads(child.stdout.readline())
            assert (said["client_id"], said["client_secret"]) == ("me", "made-up")
            with urllib.request.urlopen(f"{said['base_url']}/_sandbox/stats", timeout=10) as answer:
                assert json.load(answer)["client_credentials"] == 0
            with create_instance("me", "made-up", base_url=said["base_url"]) as sdk:
                assert sdk.listings.query(per_page=1).meta["totalItems"] == 12
            child.send_signal(signal.SIGINT)
            assert child.wait(30) == 130
            assert child.stderr.read().strip() == b""
        finally:
            child.kill()


def test_a_port_in_use_is_one_line(cli: Cli, sandbox: RunningSandbox) -> None:
    done = cli("sandbox", "--port", sandbox.base_url.rpartition(":")[2])
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert cli("sandbox", "--port", "70000").returncode == 2
    assert "--seed takes one of rich, small" in cli("sandbox", "--seed", "large").stderr
    assert cli("sandbox", "--access-ttl", "0").returncode == 2
    assert cli("sandbox", "--page-wall", "0").returncode == 2
    few = cli("sandbox", "--listings", "7")
    assert few.returncode == 2
    assert "--listings must be a whole number from 250" in few.stderr


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [
        ("click", ["--help"], "[cli]"),
        ("rich", ["stores", "list"], "[cli]"),
        ("tomlkit", ["stores", "list"], "[cli]"),
        ("uvicorn", ["sandbox"], "sandbox"),
        ("starlette", ["demo"], "sandbox"),
    ],
)
def test_a_missing_extra_is_said_in_one_line(
    cli: Cli, missing: str, arguments: list[str], extra: str
) -> None:
    program = f"""
import importlib.abc, importlib.util, sys
from importlib import util
real = util.find_spec
util.find_spec = lambda name, package=None: None if name == {missing!r} else real(name, package)
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == {missing!r}:
            raise ModuleNotFoundError("No module named " + name, name=name)
sys.meta_path.insert(0, Absent())
sys.argv = ["flex-sdk", *{arguments!r}]
from flex_integration_sdk.cli import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=cli.environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert extra in done.stderr
    assert missing in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_status_has_a_colour_on_a_terminal(cli: Cli, no_color: str) -> None:
    import pty

    master, slave = pty.openpty()
    environment = {**cli.environment, "TERM": "xterm-256color", "COLUMNS": "200"}
    if no_color:
        environment["NO_COLOR"] = no_color
    with subprocess.Popen(
        [*COMMAND, "stores", "list"], env=environment, stdout=slave, stdin=slave
    ) as child:
        os.close(slave)
        shown = _all_of(master)
        assert child.wait(30) == 0
    assert ("\x1b[32mok\x1b[0m" in shown) is not bool(no_color)
    assert ("\x1b" in shown) is not bool(no_color)


@pytest.mark.sample(2)
@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("columns", [79, 80, 81, 100])
def test_a_table_is_not_wider_than_the_terminal(cli: Cli, columns: int) -> None:
    import pty

    master, slave = pty.openpty()
    environment = {**cli.environment, "TERM": "xterm", "COLUMNS": str(columns), "NO_COLOR": "1"}
    with subprocess.Popen(
        [*COMMAND, "stores", "show", "file"], env=environment, stdout=slave, stdin=slave
    ) as child:
        os.close(slave)
        shown = _all_of(master).splitlines()
        assert child.wait(30) == 0
    assert columns - 15 < max(map(len, shown)) <= columns


@pytest.mark.skipif(os.name == "nt", reason="a shell of Unix closes them")
@pytest.mark.each_value
@pytest.mark.parametrize("closed", [">&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["call", "marketplace.show"], 0), (["stores", "list"], 0), (["token", "remove"], 2)],
)
def test_closed_standard_streams_are_told_if_something_is_lost(
    client: Cli, arguments: list[str], code: int, closed: str
) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *COMMAND, *arguments],
        env=client.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lost = code == 0 and ">&- " in f"{closed} "
    assert (done.returncode, "Traceback" in done.stderr) == (lost or code, False), done.stderr
    if lost and "2>&-" not in closed:
        said = "flex-sdk: standard output is closed: what the command printed is lost\n"
        assert done.stderr == said


@pytest.mark.each_value
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, of Linux")
@pytest.mark.parametrize(
    "arguments", [["stores", "list"], ["--help"], ["call", "marketplace.show"]]
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_that_cannot_be_written_to_is_one_line(
    client: Cli, arguments: list[str], unbuffered: str
) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, *arguments],
            env={**client.environment, "PYTHONUNBUFFERED": unbuffered},
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "standard output" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("key", "code"), [(b"\x03", 130), (b"\x04", 1)])
def test_a_question_that_is_not_answered(client: Cli, key: bytes, code: int) -> None:
    import pty

    assert client("call", "marketplace.show").returncode == 0
    master, slave = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "token", "remove"],
        env=client.environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=_in_the_foreground,
    ) as child:
        os.close(slave)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(master, 1024)
        for _ in range(60):  # a signal just before it waits for a line is noticed with the next key
            os.write(master, key)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(0.5)
                break
        shown += _all_of(master).encode()
        assert child.wait(30) == code
    assert b"Traceback" not in shown
    assert shown.endswith(b"\n"), "the next prompt begins on a line of its own"
    assert json.loads(client("token", "show", "--json").stdout)["saved"]


def _in_the_foreground() -> None:
    """Ctrl-C reaches the child, though the workers of a parallel run ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _all_of(master: int) -> str:
    found = b""
    try:
        while chunk := os.read(master, 65536):
            found += chunk
    except OSError as error:  # Linux ends a pseudo-terminal this way
        if error.errno != errno.EIO:
            raise
    finally:
        os.close(master)
    return found.decode()


ENCODINGS = ["cp1252", "cp932", "ascii"]
LETTERS = "日本-Überžé-ﷺ-🗝"  # none of the encodings has all of them
COMMANDS: dict[str, tuple[list[str], int]] = {
    "stores list": (["stores", "list"], 0),
    "stores show": (["stores", "show", "file"], 0),
    "token show": (["token", "show"], 0),
    "token show --json": (["token", "show", "--json"], 0),
    "call": (["call", "marketplace.show"], 1),
    "unknown": ([LETTERS], 2),
    "token remove": (["token", "remove", "--yes"], 0),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_the_console_cannot_encode_is_printed_with_replacements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """In this process, with streams as a console of that encoding has them."""
    from flex_integration_sdk import cli

    path = tmp_path / LETTERS / "t.json"
    path.parent.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in {
        "CLIENT_ID": "client", "CLIENT_SECRET": SENTINEL, "BASE_URL": "http://127.0.0.1:9",
        "PROFILE": LETTERS, "TOKEN_STORE": "file", "TOKEN_STORE__PATH": str(path),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"FLEX_INTEGRATION_{name}", value)
    for arguments, code in COMMANDS.values():
        if arguments[1:2] == ["remove"]:
            path.write_text("{")  # corrupt: moved aside, which is said
            path.chmod(0o600)
        streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["flex-sdk", *arguments])
            patch.setattr(sys, "stdout", streams[0])
            patch.setattr(sys, "stderr", streams[1])
            with pytest.raises(SystemExit) as ended:
                cli.main()
        written = b""
        for stream in streams:
            stream.flush()
            written += stream.buffer.getvalue()
        assert (ended.value.code, arguments) == (code, arguments)
        assert b"Traceback" not in written
        written.decode("utf-8" if encoding == "ascii" else encoding)  # click takes ASCII for UTF-8
    assert not path.exists()


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_demo_is_printed_with_replacements(cli: Cli, encoding: str) -> None:
    done = cli("demo", PYTHONIOENCODING=encoding)
    assert (done.returncode, "Traceback" in done.stdout + done.stderr) == (0, False)
