"""Every environment variable that the project reads: what stands around a value, quotes, forms that
nothing expands, and misspelt names."""

from __future__ import annotations

import base64
import logging
import os
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk._settings import variables
from flex_integration_sdk.config import resolve
from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore import StoreOptionsError, describe_store, list_stores, open_store
from flex_tokenstore._config.options import check_options
from flex_tokenstore._config.store_config import parse
from flex_tokenstore._registry.catalogue import load_store_class
from flex_tokenstore._registry.rules import ALLOW, BLOCK

P = "FLEX_INTEGRATION_"
STORE = f"{P}TOKEN_STORE"
PEM = __file__  # any file that is there; see the fixture below
SECRET = "SENTINEL-of-a-secret"
KEY = base64.b64encode(b"SENTINEL-of-a-secret-32-bytes-!!").decode()

SDK = {
    f"{P}CLIENT_ID": "some-client",
    f"{P}CLIENT_SECRET": SECRET,
    f"{P}BASE_URL": "http://sandbox:8080",
    f"{P}PROFILE": "billing",
    f"{P}CONFIG": os.devnull,
    f"{P}ALLOW_HTTP": "1",
    f"{P}REQUIRE_ENCRYPTED": "0",
    STORE: "file",
}
# A value for each option of each installed store.
OPTIONS: dict[str, list[dict[str, str]]] = {
    "memory": [{}],
    "file": [{"path": "/data/t.json", "share_with_js": "true", "permissions": "warn"}],
    "read-only": [{"inner": "file"}],
    "fallback": [{"stores": "vault, file"}],
    "encrypted": [
        {
            "inner": "file",
            "key_file": PEM,
            "permissions": "off",
            "cipher": "chacha20-poly1305",
            "migrate": "true",
        },
        {"inner": "file", "key": KEY},
        {"inner": "file", "key_command": "/bin/cat,/run/key"},
        {"inner": "file", "key_keychain": "flex/key"},
    ],
    "keyring": [
        {
            "service": "s",
            "backend": "keyring.backends.SecretService.Keyring",
            "allow_plaintext": "true",
            "chunk": "2000",
        }
    ],
    "redis": [
        {
            "url": "rediss://host:1/2",
            "prefix": "p:",
            "username": "u",
            "password": SECRET,
            "timeout": "2",
            "connect_timeout": "3",
            "ca_file": PEM,
            "cert_file": PEM,
            "key_file": PEM,
            "key_password": SECRET,
            "sentinels": "a:1,b:2",
            "service_name": "mymaster",
            "sentinel_username": "su",
            "sentinel_password": SECRET,
        },
        {"cluster": "true", "password_file": PEM},
    ],
    "sql": [
        {
            "url": "postgresql://u@host/d",
            "table": "t",
            "schema": "s",
            "create_table": "false",
            "timeout": "2",
            "connect_timeout": "3",
            "username": "u",
            "password_file": PEM,
            "ca_file": PEM,
            "cert_file": PEM,
            "key_file": PEM,
            "key_password": SECRET,
        },
        {"url": "postgresql://u@host/d", "password": SECRET},
    ],
    "vault": [
        {
            "address": "https://vault:1",
            "namespace": "n",
            "mount": "m",
            "prefix": "p",
            "auth": "approle",
            "auth_mount": "am",
            "role_id": "r",
            "secret_id": SECRET,
            "timeout": "2",
            "connect_timeout": "3",
            "ca_file": PEM,
        },
        {"auth": "approle", "role_id": "r", "secret_id_file": "/run/secret"},
        {"auth": "token", "token": SECRET},
        {"auth": "token", "token_file": "/run/token"},
        {"auth": "kubernetes", "role": "r", "jwt_file": "/run/jwt"},
        {"auth": "approle", "role_id": "r", "secret_id": SECRET, "secret_id_wrapped": "true"},
        {"auth": "userpass", "username": "u", "password": SECRET},
        {"auth": "userpass", "username": "u", "password_file": PEM},
        {
            "address": "https://vault:1",
            "auth": "cert",
            "cert_file": PEM,
            "key_file": PEM,
            "key_password": SECRET,
        },
    ],
}
OPTIONS["vault-kv1"] = OPTIONS["vault"]
OBJECTS = {"client", "engine"}  # what no text can be
CASES = [
    pytest.param(store, given, option, id=f"{store}-{option}-{number}")
    for store, variants in OPTIONS.items()
    for number, given in enumerate(variants)
    for option in given
]
VAULT = {"ADDR": "http://vault:1", "NAMESPACE": "n", "TOKEN": SECRET, "CACERT": PEM}
AROUND = [" {} ", "{}\n", "{}\r\n", "\t{}", "\ufeff{}", "\n{}\n\n"]
QUOTES = ['"{}"', "'{}'", '"{}"\n', "\u201c{}\u201d"]
FORMS = ["$HOME/x", "${HOME}/x", "$(HOME)/x", "%h/x", "%APPDATA%/x", "file:///x", "https://h/x"]
FORMS += ["~no-such-user/x", "x/y", "./x", "../x", "{{ .Values.x }}/x", "/a\nb", "'/x", '/x"']


@pytest.fixture(autouse=True)
def _nothing_warned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flex_tokenstore._config.env_text._warned", set())
    # What is in the files of certificates is another matter.
    monkeypatch.setattr("flex_tokenstore.records.RemoteOptions.tls_context", lambda self: None)


def test_the_table_has_every_option_and_every_variable() -> None:
    assert {info.name for info in list_stores() if info.status == "ok"} == OPTIONS.keys()
    for store, variants in OPTIONS.items():
        options = {option.name for option in describe_store(store).options or ()}
        assert options - OBJECTS == {option for given in variants for option in given}
    assert {*SDK, f"{P}CLIENT_SECRET_FILE", variables.LOG} == {*variables.KNOWN}


def variables_of(store: str, given: Mapping[str, str]) -> dict[str, str]:
    options = {f"{STORE}__{option.upper()}": value for option, value in given.items()}
    return {f"{P}CLIENT_ID": "c", STORE: store, **options}


def meaning(environ: Mapping[str, str]) -> Any:
    """What the variables mean, after all that reads them."""
    settings = resolve(environ=environ)
    config = parse(settings.token_store)
    assert config.name is not None
    options = check_options(load_store_class(config.name), config.options, store=config.name)
    return settings.identity, settings.client_secret, config.name, options


@pytest.mark.each_value
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("variable", SDK)
def test_what_stands_around_a_value_of_the_sdk(variable: str, around: str) -> None:
    assert meaning({**SDK, variable: around.format(SDK[variable])}) == meaning(SDK)


@pytest.mark.sample(10)
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(("store", "given", "option"), CASES)
def test_what_stands_around_an_option(
    store: str, given: dict[str, str], option: str, around: str
) -> None:
    changed = {**given, option: around.format(given[option])}
    assert meaning(variables_of(store, changed)) == meaning(variables_of(store, given))


@pytest.mark.each_value
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("program", ["BAO", "VAULT"])
@pytest.mark.parametrize("name", VAULT)
def test_what_stands_around_a_variable_of_vault(
    monkeypatch: pytest.MonkeyPatch, name: str, program: str, around: str
) -> None:
    values = {**VAULT, "ADDR": "https://vault:1"}
    for each, value in values.items():
        monkeypatch.setenv(f"{program}_{each}", value)
    plain = meaning(variables_of("vault", {}))
    monkeypatch.setenv(f"{program}_{name}", around.format(values[name]))
    assert meaning(variables_of("vault", {})) == plain


@pytest.mark.parametrize("variable", [*SDK, f"{P}CLIENT_SECRET_FILE"])
def test_an_empty_variable_is_unset(variable: str) -> None:
    environ = {**SDK, f"{P}BASE_URL": "https://h", variable: " \r\n"}
    unset = {name: value for name, value in environ.items() if name != variable}
    if variable == f"{P}CLIENT_ID":
        with pytest.raises(ConfigurationError, match="client_id must be provided"):
            resolve(environ=environ)
    else:
        changed, plain = resolve(environ=environ), resolve(environ=unset)
        assert changed.identity == plain.identity
        assert changed.token_store == plain.token_store
        assert changed.client_secret == plain.client_secret


@pytest.mark.parametrize(("store", "given", "option"), CASES)
def test_an_empty_option_is_unset(store: str, given: dict[str, str], option: str) -> None:
    changed = {f"{STORE}__{option.upper()}": ""}
    assert resolve(environ={**variables_of(store, {}), **changed}).token_store == {"name": store}


def refused(environ: Mapping[str, str]) -> Exception:
    with pytest.raises((ConfigurationError, StoreOptionsError)) as caught:
        meaning(environ)
    error = caught.value
    assert SECRET not in str(error)
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename != __file__:
            assert SECRET not in repr(frame.f_locals), frame.f_code.co_qualname
    return error


@pytest.mark.each_value
@pytest.mark.parametrize("quotes", QUOTES)
@pytest.mark.parametrize("variable", SDK)
def test_quotes_of_the_sdk(variable: str, quotes: str) -> None:
    error = refused({**SDK, variable: quotes.format(SDK[variable])})
    assert f"{variable} is in quotes" in str(error)


@pytest.mark.each_value
@pytest.mark.parametrize("quotes", QUOTES)
@pytest.mark.parametrize(("store", "given", "option"), CASES)
def test_quotes_of_an_option(store: str, given: dict[str, str], option: str, quotes: str) -> None:
    variable = f"{STORE}__{option.upper()}"
    error = refused({**variables_of(store, given), variable: quotes.format(given[option])})
    assert f"{variable} is in quotes" in str(error)


@pytest.mark.each_value
@pytest.mark.parametrize("program", ["BAO", "VAULT"])
@pytest.mark.parametrize("quotes", QUOTES[:3])
@pytest.mark.parametrize("name", VAULT)
def test_quotes_of_a_variable_of_vault(
    monkeypatch: pytest.MonkeyPatch, name: str, quotes: str, program: str
) -> None:
    for each, value in {**VAULT, "ADDR": "https://vault:1"}.items():
        monkeypatch.setenv(f"{program}_{each}", value)
    monkeypatch.setenv(f"{program}_{name}", quotes.format(VAULT[name]))
    error = refused(variables_of("vault", {}))
    assert "in quotes" in str(error)
    assert f"{program}_{name}" in str(error)


PATHS = [case for case in CASES if str(case.values[2]).endswith(("path", "_file"))]


@pytest.mark.each_value
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("store", "given", "option"), PATHS)
def test_a_path_in_a_form_that_nothing_expands(
    store: str, given: dict[str, str], option: str, form: str
) -> None:
    variable = f"{STORE}__{option.upper()}"
    error = refused({**variables_of(store, given), variable: form})
    assert variable in str(error)


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_file_in_a_form_that_nothing_expands(form: str) -> None:
    error = refused({f"{P}CLIENT_ID": "c", f"{P}CLIENT_SECRET_FILE": form})
    assert f"{P}CLIENT_SECRET_FILE" in str(error)


@pytest.mark.parametrize("form", ["$HOME/x", "%h/x", "~no-such-user/x", "x/y", "./x"])
def test_the_file_of_an_sqlite_url_in_such_a_form(form: str) -> None:
    error = refused(variables_of("sql", {"url": f"sqlite:///{form}"}))
    assert f"{STORE}__URL" in str(error)


@pytest.mark.parametrize("form", ["$HOME/x", "%h/x", "file:///x", "~no-such-user/x", "'/x'"])
def test_a_path_of_the_program_in_such_a_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreOptionsError, match="path"):
        create_instance("c", token_store={"name": "file", "path": form})
    with pytest.raises(ConfigurationError, match="client_secret_file"):
        create_instance("c", client_secret_file=form)
    assert not list(tmp_path.glob("[$%'f~]*"))


@pytest.mark.parametrize(("store", "given", "option"), PATHS)
def test_the_home_folder_is_expanded(
    tmp_path: Path, store: str, given: dict[str, str], option: str
) -> None:
    (tmp_path / "there.pem").touch()
    found = meaning(variables_of(store, {**given, option: "~/there.pem"}))[-1]
    assert getattr(found, option) == str(tmp_path / "there.pem")


def test_the_home_folder_is_expanded_in_the_rest(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    environ = {f"{P}CLIENT_ID": "c", f"{P}CLIENT_SECRET_FILE": "~/secret"}
    for settings in (
        resolve(environ=environ),
        resolve(client_id="c", client_secret_file="~/secret", environ={}),
        resolve(client_id="c", client_secret_file=Path("~/secret"), environ={}),
    ):
        assert settings.client_secret is not None
        assert settings.client_secret.reveal() == "s3cret"
    store = open_store(
        resolve(environ=variables_of("sql", {"url": "sqlite:///~/t.db"})).token_store,
        settings.identity,
    )
    assert f"{tmp_path}/t.db" in store.place


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TIMEOUT", "soon", "takes a number; got 'soon'"),
        ("TIMEOUT", "0", "got 0 "),
        ("CLUSTER", "perhaps", "takes true or false; got 'perhaps'"),
        ("CA_FILE", "/no/such.pem", "'/no/such.pem'"),
        ("PREFIX", "{x", "'{x'"),
        ("TIMEOUTS", "5", "did you mean 'timeout'"),
    ],
)
def test_a_wrong_value_is_quoted_and_its_variable_named(
    variable: str, value: str, words: str
) -> None:
    environ = variables_of("redis", {"url": "rediss://h", variable.lower(): value})
    error = refused(environ)
    assert words in str(error)
    assert f"{STORE}__{variable}" in str(error)


def test_an_option_of_an_inner_store_names_its_variable() -> None:
    given = {"inner__name": "file", "inner__path": "$HOME/x"}
    settings = resolve(environ=variables_of("some-wrapper", given))
    with pytest.raises(StoreOptionsError, match=f"{STORE}__INNER__PATH"):
        open_store(settings.token_store["inner"], settings.identity)


MISSPELT = {
    f"{STORE}_PATH": f"{STORE}__PATH",
    f"{P}TOKENSTORE": STORE,
    f"{P}TOKENSTORE__PATH": f"{STORE}__PATH",
    f"{P}TOKENSTORE_PATH": f"{STORE}__PATH",
    f"{P}TOKEN_STORES": STORE,
    f"{P}TOKEN_STOER__PATH": f"{STORE}__PATH",
    "FLEX_INTEGRATON_TOKEN_STORE__URL": f"{STORE}__URL",
    f"{P}CLIENTID": f"{P}CLIENT_ID",
    f"{P}CLIENT_SECERT": f"{P}CLIENT_SECRET",
    f"{P}CLIENT_SECRETS": f"{P}CLIENT_SECRET",
    f"{P}CLIENT_SECRET_FIEL": f"{P}CLIENT_SECRET_FILE",
    "FLEX_INTEGRATIONS_BASE_URL": f"{P}BASE_URL",
    f"{P}BASEURL": f"{P}BASE_URL",
    "flex_integration_profile": f"{P}PROFILE",
    f"{P}ALOW_HTTP": f"{P}ALLOW_HTTP",
}


@pytest.mark.parametrize("name", MISSPELT)
def test_a_misspelt_name_is_an_error(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve(environ={**SDK, name: SECRET})
    assert f"{name} is not known; did you mean {MISSPELT[name]}?" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["TRACE", "RETRIES", "CLIENT_SECRET_OLD", "PROFILE_2", "MAX_RETRIES"]
)
def test_another_unknown_name_is_warned_about_once(
    caplog: pytest.LogCaptureFixture, name: str
) -> None:
    for _ in range(2):
        resolve(environ={**SDK, f"{P}ALLOW_HTTP": "", f"{P}BASE_URL": "", f"{P}{name}": SECRET})
    (record,) = caplog.records
    assert f"{P}{name} is not known to this version" in record.getMessage()
    assert SECRET not in caplog.text
    assert record.levelno == logging.WARNING


def test_variables_of_others_are_none_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    others = ["FLEX", "FLEX_HOME", "FLEXLM_LICENSE", "CLIENT_ID", "SHARETRIBE_TOKEN_STORE_PATH"]
    resolve(client_id="c", environ=dict.fromkeys([*others, ALLOW, BLOCK], "x"))
    assert not caplog.records


@pytest.mark.parametrize("address", ["http://sandbox:8080", "http://localhost", "https://a.b", ""])
@pytest.mark.parametrize(("variable", "value"), [(f"{P}ALLOW_HTTP", "maybe")])
def test_a_switch_that_is_neither_on_nor_off(variable: str, value: str, address: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{variable} must be 1 .* got '{value}'"):
        resolve(environ={**SDK, f"{P}BASE_URL": address, variable: value})


def test_the_environment_of_this_process_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SDK.items():
        monkeypatch.setenv(name, f" {value}\r\n")
    assert resolve().identity == resolve(environ=SDK).identity
    assert os.environ[f"{P}CLIENT_ID"].endswith("\n")


def test_a_key_of_the_config_file_only_is_no_variable() -> None:
    with pytest.raises(ConfigurationError, match="client_secret_cmd is a key of the config file"):
        resolve(environ={f"{P}CLIENT_ID": "c", f"{P}CLIENT_SECRET_CMD": "op"})


@pytest.mark.parametrize("level", ["loud", "1", "'info'"])
def test_a_wrong_level_of_the_log_is_found_with_the_settings(level: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{P}LOG"):
        resolve(environ={f"{P}CLIENT_ID": "c", f"{P}LOG": level})
    assert resolve(environ={f"{P}CLIENT_ID": "c", f"{P}LOG": " Info\n"}).client_id == "c"
