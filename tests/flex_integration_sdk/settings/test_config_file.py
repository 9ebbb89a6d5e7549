"""``config.toml``: precedence, profiles, whose secret counts, who may touch it, and its errors."""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk._settings.toml_lines import lines_of
from flex_integration_sdk.config import DEFAULT_BASE_URL, explain, resolve
from flex_integration_sdk.errors import ClientSecretError, ConfigurationError
from flex_tokenstore import Secret, StoreOptionsError, open_store

P = "FLEX_INTEGRATION_"
SECRET = "SENTINEL-of-a-secret"
Write = Callable[..., Path]
posix = pytest.mark.skipif(os.name == "nt", reason="rights are not looked at")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the config file where the SDK looks for it; conftest.py sets XDG_CONFIG_HOME."""

    def at(text: str, mode: int = 0o600) -> Path:
        path = Path(os.environ["XDG_CONFIG_HOME"]) / "flex-integration-sdk" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    return at


def found(**more: Any) -> Any:
    more.setdefault("environ", {})
    return resolve(**more)


def origins(**more: Any) -> dict[str, tuple[str, str]]:
    more.setdefault("environ", {})
    return {each.name: (each.value, each.origin) for each in explain(**more)[0]}


def test_arguments_win_over_variables_and_these_over_the_profile_and_it_over_the_top(
    write: Write,
) -> None:
    path = write(
        'base_url = "https://top.example"\nallow_http = true\n'
        '[profiles.default]\nclient_id = "of-file"\nbase_url = "https://own.example"\n'
    )
    assert found().client_id == "of-file"
    assert found().base_url == "https://own.example"
    assert found(environ={f"{P}BASE_URL": "https://env.example"}).base_url == "https://env.example"
    given = found(base_url="https://arg.example", environ={f"{P}BASE_URL": "https://env.example"})
    assert given.base_url == "https://arg.example"
    assert given.origins == {
        "config": "default",
        "profile": "default",
        "client_id": f"{path}, line 4",
        "client_secret": "",
        "base_url": "argument",
        "allow_http": f"{path}, line 2",
        "require_encrypted": "default",
        "token_store": "default",
    }
    assert given.config_file == path


def test_an_instance_uses_it(write: Write) -> None:
    write('[profiles.default]\nclient_id = "c"\nclient_secret = "s"\ntoken_store = "file"\n')
    with create_instance() as sdk:
        assert (sdk.token_store.name, sdk.token_store.identity.client_id) == ("file", "c")
    with create_instance("c", "s", config=os.devnull) as sdk:
        assert sdk.token_store.name == "memory"


def test_another_file(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write('client_id = "c"')
    other = tmp_path / "other.toml"
    other.write_text('client_id = "of-other"')
    assert found(environ={f"{P}CONFIG": str(other)}).client_id == "of-other"
    assert found(config=other).client_id == "of-other"
    monkeypatch.chdir(tmp_path)
    assert found(config="other.toml").client_id == "of-other"
    with pytest.raises(ConfigurationError, match="FLEX_INTEGRATION_CONFIG is a relative path"):
        found(environ={f"{P}CONFIG": "./other.toml"})
    with pytest.raises(ConfigurationError, match=r"missing\.toml does not exist"):
        found(config=tmp_path / "missing.toml")
    with pytest.raises(ConfigurationError, match="is a folder"):
        found(config=tmp_path)
    assert found(environ={f"{P}CONFIG": os.devnull, f"{P}CLIENT_ID": "e"}).client_id == "e"


def test_no_file_of_the_current_directory_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text('client_id = "c"')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="client_id must be provided"):
        found()


def test_profiles(write: Write) -> None:
    path = write(
        '[profiles.default]\nclient_id = "one"\n[profiles.live]\nclient_id = "two"\n'
        'token_store = { name = "file" }\n'
    )
    live = found(profile="live")
    assert (live.client_id, live.identity.profile) == ("two", "live")
    assert found(environ={f"{P}PROFILE": "live"}).client_id == "two"
    with pytest.raises(ConfigurationError) as caught:
        found(profile="lvie")
    assert f"{path} has no profile 'lvie'; did you mean 'live'?" in str(caught.value)
    assert "'default', 'live'" in str(caught.value)
    # A program's own name for a token: it needs nothing from the file.
    assert found(profile="billing", client_id="c").identity.profile == "billing"
    with pytest.raises(ConfigurationError, match="no profile 'billing'"):
        found(profile="billing", client_id="c", strict=True)


def test_no_profile_is_chosen_and_none_is_the_default(write: Write) -> None:
    write('[profiles.live]\nclient_id = "two"\n')
    with pytest.raises(ConfigurationError, match=r"no profile was chosen.*'live'"):
        found()
    assert found(client_id="c").client_id == "c"


def test_a_file_without_profiles_is_for_all(write: Write) -> None:
    write('client_id = "c"\n')
    assert found(profile="any").identity.profile == "any"


def test_a_variable_that_replaces_a_key_of_a_named_profile_is_told(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write('[profiles.live]\nclient_id = "two"\n')
    with caplog.at_level(logging.WARNING):
        found(profile="live", environ={f"{P}CLIENT_ID": "three"})
    assert "FLEX_INTEGRATION_CLIENT_ID is used in place of client_id (in " in caplog.text


class TestSecrets:
    def test_in_the_file(self, write: Write) -> None:
        write(f'client_id = "c"\nclient_secret = "{SECRET}"\n')
        settings = found()
        assert settings.client_secret == Secret(SECRET)
        assert SECRET not in repr(settings)

    def test_in_a_file_of_its_own(self, write: Write, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text(f"{SECRET}\n")
        write(f'client_id = "c"\nclient_secret_file = "{tmp_path / "secret"}"\n', mode=0o644)
        assert found().client_secret == Secret(SECRET)
        write('client_id = "c"\nclient_secret_file = "secret"\n')
        with pytest.raises(ConfigurationError, match=r"line 2\) is a relative path"):
            found()

    @posix
    def test_printed_by_a_program_at_each_sign_in(self, write: Write, tmp_path: Path) -> None:
        kept = tmp_path / "kept"
        kept.write_text("first\n")
        write(f'client_id = "c"\nclient_secret_cmd = ["cat", "{kept}"]\n')
        settings = found()
        assert settings.client_secret == Secret("first")
        kept.write_text("second\n")
        assert settings.secret_source is not None
        assert settings.secret_source.read(5.0) == Secret("second")

    @posix
    @pytest.mark.parametrize(
        ("command", "said"),
        [
            (["no-such-program", SECRET], "'no-such-program'.*was not found"),
            (["sh", "-c", f"echo {SECRET}; echo {SECRET} >&2; exit 3"], "'sh'.*exit code 3"),
            (["sh", "-c", f"echo {SECRET}; echo more"], "more than one line"),
            (["true"], "is empty"),
        ],
    )
    def test_a_program_that_fails(self, write: Write, command: list[str], said: str) -> None:
        path = write(f'client_id = "c"\nclient_secret_cmd = {command}\n')
        source = found().secret_source
        assert source is not None
        with pytest.raises(ClientSecretError, match=said) as caught:
            source.read(5.0)
        assert f"{path}, line 2" in str(caught.value)
        assert SECRET not in "".join(traceback.format_exception(caught.value))

    def test_no_shell_and_no_single_string(self, write: Write) -> None:
        write('client_id = "c"\nclient_secret_cmd = "op read x"\n')
        with pytest.raises(ConfigurationError, match=r"line 2: client_secret_cmd must be a list"):
            found()

    def test_only_one_of_them(self, write: Write) -> None:
        write(f'client_id = "c"\nclient_secret = "{SECRET}"\nclient_secret_file = "/x"\n')
        with pytest.raises(ConfigurationError, match=r"line 3: .* are both set; keep one"):
            found()

    def test_of_another_client_is_not_used(
        self, write: Write, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = write(
            f'client_id = "c"\nclient_secret = "{SECRET}"\nbase_url = "https://x.example"\n'
        )
        with caplog.at_level(logging.WARNING):
            settings = found(environ={f"{P}CLIENT_ID": "another"})
        assert settings.secret_source is None
        assert settings.base_url == DEFAULT_BASE_URL
        assert f"in {path}, line 1, so client_secret and base_url of that file" in caplog.text
        assert found(client_id="c").client_secret == Secret(SECRET)

    def test_for_another_server_than_that_of_the_file_is_told(
        self, write: Write, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = write(
            f'client_id = "c"\nclient_secret = "{SECRET}"\nbase_url = "https://x.example"\n'
        )
        with caplog.at_level(logging.WARNING):
            settings = found(environ={f"{P}BASE_URL": "https://y.example"})
        assert settings.client_secret == Secret(SECRET)
        assert f"FLEX_INTEGRATION_BASE_URL is another server than that in {path}" in caplog.text

    def test_the_server_of_all_profiles_counts_for_another_client(self, write: Write) -> None:
        write('base_url = "https://x.example"\n[profiles.default]\nclient_id = "c"\n')
        assert found(client_id="a").base_url == "https://x.example"

    @pytest.mark.parametrize("key", ["client_secret", "client_secret_file"])
    def test_one_that_a_variable_replaces_is_told(
        self, write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture, key: str
    ) -> None:
        (tmp_path / "secret").write_text(SECRET)
        write(f'[profiles.live]\nclient_id = "c"\n{key} = "{tmp_path / "secret"}"\n')
        with caplog.at_level(logging.WARNING):
            found(profile="live", environ={f"{P}CLIENT_SECRET": "of-env"})
        assert f"FLEX_INTEGRATION_CLIENT_SECRET is used in place of {key}" in caplog.text

    def test_is_not_inherited_by_a_profile_with_its_own_client(self, write: Write) -> None:
        write(
            f'client_id = "one"\nclient_secret = "{SECRET}"\nbase_url = "https://x.example"\n'
            '[profiles.two]\nclient_id = "two"\n[profiles.three]\n'
        )
        two = found(profile="two")
        assert (two.secret_source, two.base_url) == (None, "https://x.example")
        assert found(profile="three").client_secret == Secret(SECRET)

    def test_of_the_file_without_a_client_id_counts(self, write: Write) -> None:
        write(f'client_secret = "{SECRET}"\n')
        assert found(environ={f"{P}CLIENT_ID": "c"}).client_secret == Secret(SECRET)


class TestStore:
    def test_a_name_and_a_table(self, write: Write) -> None:
        write('client_id = "c"\ntoken_store = "file"\n')
        assert found().token_store["name"] == "file"
        path = write('client_id = "c"\n[token_store]\nname = "file"\npath = "/srv/t.json"\n')
        settings = found()
        assert dict(settings.token_store) == {"name": "file", "path": "/srv/t.json"}
        assert settings.origins["token_store"] == f"{path}, line 3"

    def test_options_of_the_same_store_come_from_all_sources(self, write: Write) -> None:
        write(
            'client_id = "c"\n[token_store]\nname = "redis"\nurl = "redis://file"\nprefix = "p:"\n'
        )
        environ = {f"{P}TOKEN_STORE__URL": "redis://env"}
        expected = {"name": "redis", "url": "redis://env", "prefix": "p:"}
        assert dict(found(environ=environ).token_store) == expected
        given = {"name": "redis", "url": "redis://arg"}
        assert found(token_store=given, environ=environ).token_store["url"] == "redis://arg"
        assert found(token_store=given).token_store["prefix"] == "p:"
        assert dict(found(token_store="redis").token_store) == {
            "name": "redis",
            "url": "redis://file",
            "prefix": "p:",
        }

    def test_options_of_another_store_do_not_count(self, write: Write) -> None:
        write('client_id = "c"\n[token_store]\nname = "redis"\nurl = "redis://file"\n')
        assert found(token_store="memory").token_store == "memory"
        assert found(environ={f"{P}TOKEN_STORE": "file"}).token_store == {"name": "file"}

    def test_a_profile_over_the_top(self, write: Write) -> None:
        write(
            'client_id = "c"\n[token_store]\nname = "redis"\nurl = "redis://top"\nprefix = "p:"\n'
            '[profiles.default.token_store]\nurl = "redis://own"\n'
            '[profiles.other]\ntoken_store = "file"\n'
        )
        expected = {"name": "redis", "url": "redis://own", "prefix": "p:"}
        assert dict(found().token_store) == expected
        assert dict(found(profile="other").token_store) == {"name": "file"}

    def test_a_store_within_another(self, write: Write, tmp_path: Path) -> None:
        write(
            'client_id = "c"\ntoken_store = { name = "read-only", inner = { name = "file", '
            f'path = "{tmp_path / "t.json"}" }} }}\n'
        )
        settings = found()
        with open_store(settings.token_store, settings.identity) as store:
            assert store.layers == ("read-only", "file")
            assert store.place == str(tmp_path / "t.json")

    def test_a_wrong_option_names_file_and_line(self, write: Write) -> None:
        path = write('client_id = "c"\n[token_store]\nname = "file"\npath = "t.json"\n')
        settings = found()
        with pytest.raises(StoreOptionsError) as caught:
            open_store(settings.token_store, settings.identity)
        assert "is a relative path" in str(caught.value)
        assert f"(set in {path}, line 4)" in str(caught.value)

    def test_a_misspelt_name(self, write: Write) -> None:
        write('client_id = "c"\ntoken_store = { nam = "redis" }\n')
        with pytest.raises(StoreOptionsError, match=r"'nam'.*did you mean name"):
            found()

    def test_options_without_a_store(self, write: Write) -> None:
        path = write('client_id = "c"\n[token_store]\nurl = "redis://h"\n')
        with pytest.raises(StoreOptionsError, match=re.escape(f"is set in {path}, line 3")):
            found()


def test_each_can_require_encryption_and_none_can_take_it_back(write: Write) -> None:
    write(
        'client_id = "c"\nrequire_encrypted = true\n[profiles.default]\nrequire_encrypted = false'
    )
    assert found().require_encrypted
    assert found(require_encrypted=False).require_encrypted


class TestRights:
    pytestmark = posix

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
    @pytest.mark.parametrize(
        "line",
        [
            f'client_secret = "{SECRET}"',
            f'client_secret_cmd = ["echo", "{SECRET}"]',
            f'token_store = {{ name = "redis", password = "{SECRET}" }}',
            f'token_store = {{ name = "redis", url = "redis://:{SECRET}@h" }}',
            f'token_store = {{ name = "x", inner = {{ name = "redis", x_token = "{SECRET}" }} }}',
        ],
    )
    def test_a_secret_that_others_can_read(self, write: Write, line: str, mode: int) -> None:
        path = write(f'client_id = "c"\n{line}\n', mode=mode)
        with pytest.raises(ConfigurationError, match=f"line 2.*chmod 600 {path}") as caught:
            found()
        assert SECRET not in str(caught.value)
        write(f'client_id = "c"\n{line}\n', mode=0o600)
        found()

    @pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
    def test_others_can_change_it(self, write: Write, mode: int) -> None:
        path = write('client_id = "c"\n', mode=mode)
        with pytest.raises(ConfigurationError, match=f"chmod go-w {path}"):
            found()

    def test_others_can_replace_it(self, write: Write) -> None:
        path = write('client_id = "c"\n')
        path.parent.chmod(0o777)
        with pytest.raises(ConfigurationError, match=f"chmod go-w {path.parent}"):
            found()
        path.parent.chmod(0o1777)
        assert found().client_id == "c"

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give it away")
    def test_of_another_user(self, write: Write, caplog: pytest.LogCaptureFixture) -> None:
        path = write('client_id = "c"\n')
        os.chown(path, 12345, -1)
        with pytest.raises(ConfigurationError, match="belongs to another user, uid 12345"):
            found(config=path)
        with caplog.at_level(logging.WARNING):  # nobody named it, as with sudo
            assert found(client_id="a").client_id == "a"
        assert "belongs to another user, uid 12345" in caplog.text
        assert "It is not used" in caplog.text

    def test_one_that_cannot_be_looked_at(
        self, write: Write, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write('client_id = "c"\n')
        before = Path.stat

        def stat(self: Path, **more: Any) -> Any:  # root may look at all
            if self == path:
                raise PermissionError(13, "Permission denied", str(self))
            return before(self, **more)

        monkeypatch.setattr(Path, "stat", stat)
        with caplog.at_level(logging.WARNING):
            assert found(client_id="a").client_id == "a"
        assert "cannot be looked at: Permission denied. It is not used" in caplog.text
        with pytest.raises(ConfigurationError, match="cannot be read: Permission denied"):
            found(config=path)

    def test_one_that_others_may_change_stops_all(self, write: Write) -> None:
        """It may say require_encrypted."""
        write('client_id = "c"\n', mode=0o666)
        with pytest.raises(ConfigurationError, match="can be changed by other users"):
            found(client_id="a", token_store="memory")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('client_sercet = "x"', "line 1: the key 'client_sercet'.*did you mean client_secret?"),
        ('[profiles.default]\nclient-id = "x"', "line 2: .*did you mean client_id?"),
        ('[profile.default]\nclient_id = "x"', "did you mean profiles?"),
        ('[default]\nclient_id = "x"', r"for a profile, write \[profiles.default\]"),
        ('url = "https://x"', "did you mean base_url?"),
        ('profile = "x"\n', "profile"),
        ("profiles = 5", "write profiles as"),
        ("[profiles]\ndefault = 5", "must be a section"),
        ("client_id = 5", "line 1: client_id must be a string in quotes"),
        ('allow_http = "yes"', "allow_http must be true or false"),
        ("token_store = 5", "token_store must be the name of a store"),
        ("client_id = x", "is not TOML: a value that is not one in line 1.*quotes"),
        ("client_id = \u201cx\u201d", r"curly quotes in line 1.*straight"),
        ('client_id = "x', "a quote is missing"),
        ("some-secret-alone", "a line that is not KEY = VALUE"),
        ('[profiles.a]\n[profiles.a]\nclient_id = "c"', "there twice in line 2"),
        ('token_store = "redis://:pw@h"', r"line 1: token_store takes the name.*name = .redis."),
        ('token_store = { name = "file", path = "C:\\Users\\x" }', "in single quotes"),
        ("client_id = \"'c'\"", "has quotes within its quotes"),
        ('client_id = "a b\\u0000"', "control character"),
        ('client_id = "c"\nclient_id = "d"', "is not TOML"),
        (f"client_id = {'1' * 5000}", "too many digits"),
        (f"client_id = {'[' * 5000}", "nested too deeply"),
    ],
)
def test_wrong_files(write: Write, text: str, said: str) -> None:
    path = write(text + "\n")
    with pytest.raises(ConfigurationError, match=said) as caught:
        found()
    assert str(path) in str(caught.value)


def test_a_key_that_resembles_none_is_warned_about(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    path = write('client_id = "c"\nof_a_newer_version = 1\n')
    with caplog.at_level(logging.WARNING):
        assert found().client_id == "c"
    assert f"{path}, line 2: the key 'of_a_newer_version'" in caplog.text


def test_a_fault_in_another_profile_stops_nobody(write: Write) -> None:
    write('[profiles.default]\nclient_id = "c"\n[profiles.other]\nclient_id = 5\n')
    assert found().client_id == "c"
    with pytest.raises(ConfigurationError, match="line 4"):
        found(profile="other")


def test_a_secret_is_in_no_frame_of_an_error(write: Write) -> None:
    path = write(f'client_id = "c"\nclient_secret = "{SECRET}"\nclient_secret = {SECRET}\n')
    with pytest.raises(ConfigurationError) as caught:
        found()
    assert SECRET not in str(caught.value)
    seen: list[str] = []
    error: BaseException | None = caught.value
    while error is not None:
        seen.append(repr(error) + repr(vars(error)))
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "test_config_file" not in frame.f_code.co_filename:
                seen += [repr(value) for value in frame.f_locals.values()]
        error = error.__cause__ or error.__context__
    assert SECRET not in "".join(seen)
    assert path.exists()


def test_the_lines_of_a_file() -> None:
    text = Secret(
        '# of mine\na = 1\n\nb = """\n[no.table]\n"""\n[t.u]\nc = [\n  1, # one\n  2,\n]\n'
        'd = { e = { f = 1 } }\n[[t.v]]\ng.h = "x=[y]"\n'
    )
    lines = lines_of(text)
    expected = {("a",): 2, ("b",): 4, ("t", "u"): 7, ("t", "u", "c"): 8, ("t", "u", "d", "e"): 12}
    assert {path: lines[path] for path in expected} == expected
    assert lines["t", "v", "g", "h"] == 14


def test_the_lines_of_a_long_statement_are_not_waited_for() -> None:
    text = Secret("a = 1\nb = [\n" + "1,\n" * 100_000 + "]\nc = 1\n")
    assert lines_of(text) == {("a",): 1}


class TestExplain:
    def test_where_each_value_comes_from(self, write: Write) -> None:
        path = write(
            f'[profiles.default]\nclient_id = "c"\nclient_secret = "{SECRET}"\n'
            f'[profiles.default.token_store]\nname = "redis"\npassword = "{SECRET}"\n'
            'url = "redis://file"\n'
        )
        environ = {f"{P}TOKEN_STORE__URL": f"redis://:{SECRET}@h", f"{P}BASE_URL": "https://x.de"}
        seen = origins(environ=environ)
        stars = "*" * 10
        assert seen == {
            "config": (str(path), "default"),
            "profile": ("default", "default"),
            "client_id": ("c", f"{path}, line 2"),
            "client_secret": (stars, f"{path}, line 3"),
            "base_url": ("https://x.de", f"{P}BASE_URL"),
            "allow_http": ("no", "default"),
            "require_encrypted": ("no", "default"),
            "token_store": ("redis", f"{path}, line 5"),
            "token_store.url": (stars, f"{P}TOKEN_STORE__URL"),
            "token_store.password": (stars, f"{path}, line 6"),
        }

    @pytest.mark.parametrize("form", ["admin:{}@host", "https:/u:{}@h", "//u:{}@h"])
    def test_a_password_in_a_wrong_address(self, form: str) -> None:
        found, _ = explain(environ={f"{P}BASE_URL": form.format(SECRET)})
        assert SECRET not in str(found)

    def test_a_command_in_one_string(self, write: Write) -> None:
        write(f'client_id = "c"\nclient_secret_cmd = ["sh -c \'echo {SECRET}\'"]\n')
        assert origins()["client_secret"][0] == "printed by sh"

    def test_what_is_wrong_does_not_raise(self, write: Write) -> None:
        write('token_store = "rediss"\nbase_url = "example.com"\n')
        problems = {each.name: each.problem for each in explain(environ={})[0] if each.problem}
        assert set(problems) == {"client_id", "base_url", "token_store"}
        assert "did you mean https://example.com?" in problems["base_url"]

    def test_options_of_an_unknown_store_are_hidden_by_their_names(self, write: Write) -> None:
        write(f'client_id = "c"\ntoken_store = {{ name = "nobodys", api_key = "{SECRET}" }}\n')
        assert origins()["token_store.api_key"][0] == "*" * 10


@pytest.mark.skipif(sys.platform == "win32", reason="its home folder is another variable")
def test_no_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setattr(Path, "home", staticmethod(_no_home))
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert found(client_id="c").client_id == "c"


def _no_home() -> Path:
    raise RuntimeError
