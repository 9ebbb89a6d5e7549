"""Where nothing is wrong, nothing is said to be; ``Local.doctor`` compares files and exit code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from .faults.local import BIN, Local, lacks, tree
from .faults.world import World


@pytest.fixture
def local(world: World) -> Local:
    return Local(world)


def by_default(local: Local) -> None:
    """Nothing is chosen: the store is ``file`` in the default folder."""


def sqlite(local: Local) -> None:
    local.choose("sql", url=f"sqlite:///{local.home}/tokens.db")


def encrypted(local: Local) -> None:
    key = local.home / "token.key"
    command = [sys.executable, "-m", "flex_tokenstore_encrypted", "new-key", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    path = local.home / "tokens" / "token.json"
    path.parent.mkdir(mode=0o700)
    local.choose("encrypted", inner__name="file", inner__path=path, key_file=key)
    local.environ["FLEX_INTEGRATION_REQUIRE_ENCRYPTED"] = "1"


def shared_with_javascript(local: Local) -> None:
    local.choose("file", share_with_js="1")


NOT_TRIED = "Not tried without --online: a refresh, and a sign-in."
CHOICES = [by_default, sqlite, encrypted, shared_with_javascript]


@pytest.mark.sample(4)
@pytest.mark.parametrize("is_saved", [False, True], ids=["nothing saved", "saved"])
@pytest.mark.parametrize("choose", CHOICES, ids=lambda choose: choose.__name__)
def test_nothing_is_wrong(choose: Callable[[Local], None], is_saved: bool, local: Local) -> None:
    choose(local)
    if is_saved:
        local.save()
    found = local.doctor().findings
    assert {each["status"] for each in found} <= {"ok", "skipped"}, found
    assert not [each for each in found if each["remedy"]]
    by_id = {each["id"]: each["status"] for each in found}
    if is_saved:
        assert by_id["store.lock"] == by_id["store.save"] == by_id["token.expiry"] == "ok"


def test_the_token_is_the_same_afterwards(local: Local) -> None:
    local.save()
    with local.store() as store:
        before = store.get_token()
    local.doctor()
    with local.store() as store:
        after = store.get_token()
    assert before is not None
    assert after is not None
    assert before.revision == after.revision


@pytest.mark.skipif(lacks("mounts") != "", reason="this system gives no mount namespace")
def test_a_file_system_that_counts_neither_blocks_nor_inodes_is_not_full(local: Local) -> None:
    folder = local.at(local.home / "tokens" / "token.json").parent
    # Without limits, tmpfs says 0 of 0.
    options = "size=0,nr_inodes=0,mode=0700"
    local.mounts = [["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]]
    (found,) = local.doctor().of("place.disk")
    assert found["status"] == "ok", found


CLIENT_LESS = (
    *("user", "plugins.broken", "plugins.duplicate", "place.disk", "place.filesystem"),
    *("place.mount", "network.proxy", "network.dns", "network.reach", "network.api", "clock"),
)


@pytest.mark.parametrize("fault", ["no client id", "broken config file", "misspelt variable"])
def test_without_settings_the_rest_is_looked_at(local: Local, fault: str) -> None:
    if fault == "broken config file":
        local.default_folder.mkdir(mode=0o700, parents=True)
        (local.default_folder / "config.toml").write_text("client_id = a-client")
    elif fault == "misspelt variable":
        local.environ["FLEX_INTEGRATION_CLIENTID"] = "a-client"
    else:
        del local.environ["FLEX_INTEGRATION_CLIENT_ID"]
    diagnosis = local.doctor()
    assert {*CLIENT_LESS} <= diagnosis.ids("ok"), diagnosis.output
    assert len(diagnosis.ids("error")) == 1


def test_a_server_that_only_a_broken_config_file_may_name_is_not_asked(local: Local) -> None:
    del local.environ["FLEX_INTEGRATION_BASE_URL"]
    local.default_folder.mkdir(mode=0o700, parents=True)
    (local.default_folder / "config.toml").write_text("client_id = a-client")
    diagnosis = local.doctor()
    assert diagnosis.ids("error") == {"config.file"}
    assert {"network.dns", "network.api"} <= diagnosis.ids("skipped")


def test_it_claims_no_name_and_makes_no_folder(local: Local) -> None:
    before = tree(local.folder)
    local.doctor()
    assert tree(local.folder) == before


def text_of(local: Local, *arguments: str, **environ: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(BIN / "flex-sdk"), "doctor", *arguments],
        env={**local.environ, **environ},
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert not done.stderr
    return done.returncode, done.stdout.decode()


def test_the_text_says_that_nothing_is_wrong(local: Local) -> None:
    local.save()
    code, text = text_of(local)
    assert code == 0
    assert text.endswith(f"\nNothing is wrong. {NOT_TRIED}\n")
    assert "\n✔ store.read:" in text
    long = [line for line in text.splitlines() if len(line) > 80]
    assert all(len(line.split()) == 1 for line in long), long  # a path is not broken


def test_the_text_has_the_remedies_and_counts_what_is_wrong(local: Local) -> None:
    local.choose("nosuch")
    code, text = text_of(local)
    assert code == 1
    assert "\n✘ store.plugin: no token store is named 'nosuch'" in text
    assert "\n    Set FLEX_INTEGRATION_TOKEN_STORE to one of the installed stores" in text
    assert text.endswith(f"\n1 wrong. {NOT_TRIED}\n")
    # Fifteen lines that say the same would hide the one that counts.
    assert text.count("could not be opened") <= 2


def test_a_console_without_the_marks_gets_plain_ones(local: Local) -> None:
    local.choose("nosuch")
    code, text = text_of(local, PYTHONIOENCODING="ascii")
    assert code == 1
    assert text.isascii()
    assert "\nx  store.plugin: " in text


def test_csv_has_a_line_for_each_finding(local: Local) -> None:
    code, text = text_of(local, "--output", "csv")
    assert code == 0
    assert text.startswith("id,status,message,remedy")


def test_wrong_use_is_a_usage_error(local: Local) -> None:
    done = subprocess.run(
        [str(BIN / "flex-sdk"), "doctor", "--timeout", "0"],
        env=local.environ,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 2
    assert "--timeout" in done.stderr
