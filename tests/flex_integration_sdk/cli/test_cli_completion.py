"""Completion in real shells: names are finished by a blank, ``title=`` is not."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flex_integration_sdk.cli._completion import Bash, Fish, Zsh
from tests.support.plugins import install
from tests.support.terminal import on_terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shells of Unix")

# What bash calls at a tab, without the terminal; outside a completion it has no `compopt`.
BASH = """
compopt() { :; }
eval "$(flex-sdk completion bash)"
try() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _flex_sdk_completion flex-sdk
    echo "${COMPREPLY[*]}"
}
"""
FISH = "flex-sdk completion fish | source\n"
# What is typed, cut as bash cuts it, and what is offered; without the first piece for bash: all.
CASES = [
    ("call listings.upd", ["listings.update"]),
    ("call listings.update ti", ["title="]),
    ("call users.update_profile id=1 display", ["display_name="]),
    ("call listings.query states=pub", ["published"]),
    ("call listings.query states=draft,", [
        "draft,pendingApproval", "draft,published", "draft,closed"]),
    ("call listings.query sort=-p", ["-price"]),
    ("call listings.query stockMode=ma", ["match-undefined"]),
    ("call transactions.show include=listing.author.p", ["listing.author.profileImage"]),
    ("call users.update_permissions id=1 read=permission/d", ["permission/deny"]),
    ("call listings.create state=published,", []),
    ("call marketplace.show include=a", []),
    ("export mes", ["messages"]),
    ("export listings states=clo", ["closed"]),
    ("call marketplace.show --store me", ["memory"]),
    ("token show --store=fi", ["file"]),
    ("token show --store file --store-option pe", ["permissions="]),
    ("token show --store file --store-option permissions=w", ["warn"]),
    ("token show --store-option share", ["share_with_js="]),
    ("token show --store read-only --store-option inner=fi", ["file"]),
    ("token show --store read-only --store-option inner=file --store-option inner.p",
     ["inner.path=", "inner.permissions="]),
    ("token move --to mem", []),
    ("token move --from fi", ["file"]),
    ("token move --to file --to-option pa", ["path="]),
    ("token show --profile s", ["shop"]),
    ("token show --output ", ["table", "json", "csv"]),
    ("stores show rea", ["read-only"]),
    ("completion ", ["bash", "zsh", "fish"]),
]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two profiles; `flex-sdk` is on the path."""
    scripts = Path(sys.executable).parent
    if shutil.which("flex-sdk", path=str(scripts)) is None:
        pytest.skip("flex-sdk is not installed beside this Python")
    monkeypatch.setenv("PATH", str(scripts), prepend=":")
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    file = tmp_path / ".config" / "flex-integration-sdk" / "config.toml"
    file.parent.mkdir(parents=True, mode=0o700)
    file.write_text("[profiles.default]\n[profiles.shop]\n", encoding="utf-8")
    file.chmod(0o600)
    return tmp_path


def ran(program: list[str], script: str) -> list[str]:
    """The lines that a shell prints; nothing may be on stderr."""
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    done = subprocess.run(
        [*program, script], capture_output=True, text=True, check=False, timeout=100
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def cut(typed: str) -> str:
    """The words as bash has them: `=` is a word."""
    pieces = [piece for word in typed.split(" ") for piece in re.split("(=)", word)]
    return shlex.join(pieces)


@pytest.mark.usefixtures("home")
def test_bash() -> None:
    tries = "\n".join(f"try flex-sdk {cut(typed)}" for typed, _ in CASES)
    found = ran(["bash", "--norc", "-c"], BASH + tries)
    assert found == [" ".join(offered) for _, offered in CASES]


@pytest.mark.usefixtures("home")
@pytest.mark.slow
def test_fish() -> None:
    tries = "".join(f"complete -C 'flex-sdk {typed}'\necho end\n" for typed, _ in CASES)
    found = ran(["fish", "--no-config", "-c"], FISH + tries)
    lines = iter([line.split("\t")[0] for line in found])
    for typed, offered in CASES:
        # fish wants the whole word, and sorts.
        before = typed.rpartition(" ")[2].rpartition("=")[0]
        whole = [f"{before}={each}" if before else each for each in offered]
        assert sorted(iter(lambda: next(lines), "end")) == sorted(whole), typed


@pytest.mark.parametrize(
    "shell", [["bash", "--norc", "-i"], ["zsh", "-f", "-i"]], ids=["bash", "zsh"]
)
def test_a_tab_on_a_terminal(home: Path, shell: list[str]) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    start = "autoload -U compinit && compinit -D -u && " if shell[0] == "zsh" else ""
    with on_terminal(shell, {**os.environ, "PS1": "ready> "}, columns=200) as terminal:
        terminal.until("ready> ")
        terminal.type(f'{start}eval "$(flex-sdk completion {shell[0]})" && echo do"ne"\n')
        terminal.until("done")
        terminal.type("flex-sdk token show --store file --store-option share\t")
        terminal.until("_with_js=")
        terminal.type("true --prof\t")
        terminal.until("ile ")  # a blank before `--`: none was put after `=`
        terminal.type("sh\t")
        terminal.until("shop")
        terminal.type("\x15exit\n")
        terminal.ended()
    assert "Error" not in terminal.written


@pytest.mark.parametrize(
    "shell",
    [["bash", "--norc", "-i"], ["zsh", "-f", "-i"]],
    ids=["bash", "zsh"],
)
@pytest.mark.parametrize("at", ["", "@"])
def test_a_tab_in_the_path_of_a_file(home: Path, shell: list[str], at: str) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    (home / "photos").mkdir()
    for name in ("copy.png", "other.png", ".copy"):
        (home / "photos" / name).touch()
    start = "autoload -U compinit && compinit -D -u && " if shell[0] == "zsh" else ""
    with on_terminal(shell, {**os.environ, "PS1": "ready> "}, columns=200) as terminal:
        terminal.until("ready> ")
        terminal.type(f'{start}eval "$(flex-sdk completion {shell[0]})" && echo do"ne"\n')
        terminal.until("done")
        terminal.type(f"flex-sdk call images.upload image={at}{home}/pho\t")
        terminal.until("tos/")
        terminal.type("co\t")  # no blank was put after the folder
        terminal.until("py.png")
        terminal.type("\x15exit\n")
        terminal.ended()
    assert "Error" not in terminal.written


@pytest.mark.usefixtures("home")
def test_files_are_offered_where_a_file_is_taken(home: Path) -> None:
    (home / "photos").mkdir()
    (home / "photos" / "a b.png").touch()
    (home / "photos" / "a.json").touch()
    typed = {
        "call images.upload image=~/ph": "image=~/photos/",
        "call images.upload image=@~/photos/a": "image=@~/photos/a.json",
        "call listings.update publicData=@~/photos/a": "publicData=@~/photos/a.json",
        "call listings.update publicData=~/photos/a": "",
        "call listings.update nonsense=@~/photos/a": "",
        "call images.upload image=@/missing/a": "",
    }
    for words, offered in typed.items():
        done = subprocess.run(
            ["flex-sdk"],
            env={
                **os.environ,
                "_FLEX_SDK_COMPLETE": "fish_complete",
                "COMP_WORDS": f"flex-sdk {words}",
                "COMP_CWORD": words.split()[-1],
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.stdout.replace("plain,", "").split() == offered.split(), words


BROKEN = """
import sys
print("at import")
sys.stderr.write("at import")
import atexit
atexit.register(print, "at exit")
raise SystemError("broken")
"""


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"FLEX_TOKENSTORE_BLOCK": "*"}, "token show --store "),
        ({"FLEX_INTEGRATION_CLIENT_IDD": "x"}, "token show --store-option "),
        ({"FLEX_INTEGRATION_TOKEN_STORE": "loud"}, "token show --store-option "),
        ({"FLEX_INTEGRATION_CONFIG": "/missing"}, "token show --store-option "),
        ({}, "token show --store loud --store-option "),
        ({}, "token show --store unknown --store-option "),
        ({}, "token show --store file --store-option a.b.c"),
        ({}, "token show --profile="),
        ({}, "call users.query --nonsense --store "),
        ({"COMP_CWORD": "x"}, "call "),
        ({"_FLEX_SDK_COMPLETE": "nonsense"}, "call "),
    ],
)
def test_an_error_is_never_shown(home: Path, variables: dict[str, str], words: str) -> None:
    install(home / "plugins", "loud-store", "loud = loud_store:Store", loud_store=BROKEN)
    (home / ".config" / "flex-integration-sdk" / "config.toml").write_text("not TOML")
    done = subprocess.run(
        [sys.executable, "-m", "flex_integration_sdk.cli"],
        env={
            **os.environ,
            "PYTHONPATH": str(home / "plugins"),
            "_FLEX_SDK_COMPLETE": "bash_complete",
            "COMP_WORDS": f"flex-sdk {words}",
            "COMP_CWORD": str(len(words.split(" "))),
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.stderr == ""
    assert [line for line in done.stdout.split() if not line.startswith("plain,")] == []


@pytest.mark.usefixtures("home")
def test_blocked_stores_are_not_offered_and_no_plugin_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "loud-store", "loud = loud_store:Store", loud_store=BROKEN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    script = f"{BASH}try flex-sdk token show --store lou\n"
    assert ran(["bash", "--norc", "-c"], script) == ["loud"]
    monkeypatch.setenv("FLEX_TOKENSTORE_BLOCK", "loud")
    assert ran(["bash", "--norc", "-c"], script) == [""]


@pytest.mark.usefixtures("home")
def test_secrets_and_objects_are_not_offered() -> None:
    pytest.importorskip("flex_tokenstore_redis")
    script = f"{BASH}try flex-sdk token show --store redis --store-option ''\n"
    (found,) = ran(["bash", "--norc", "-c"], script)
    offered = found.split()
    assert {"url=", "username=", "password_file=", "timeout="} <= set(offered)
    assert not {"password=", "client=", "key_password="} & set(offered)


def test_the_scripts_are_those_of_click_with_our_line() -> None:
    assert "compopt -o nospace" in Bash.source_template
    assert '"${folder[@]}"' in Zsh.source_template
    assert '"${end[@]}"' in Zsh.source_template
    assert "string split -m 1 " in Fish.source_template
