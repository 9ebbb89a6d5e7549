"""The remedy of a store's own message, with the places where its options are set."""

from __future__ import annotations

from typing import Any

import pytest

from flex_integration_sdk._doctor.advice import advice_of
from flex_tokenstore import TokenUnavailableError
from flex_tokenstore.embedding import OptionValues

PLACE = "redis://h:6379/0 key k: with a colon"
WRONG = "it does not accept the password: check the options username and password"


def error(reason: str, store: str = "redis") -> TokenUnavailableError:
    return TokenUnavailableError(
        f"token store {store!r} at {PLACE}: {reason}", store=store, place=PLACE
    )


def config(name: str = "redis", **options: Any) -> OptionValues:
    return OptionValues(name=name, **options)


def from_variables(values: OptionValues, **origins: str) -> OptionValues:
    values.variables = origins
    return values


def test_the_advice_is_what_comes_after_the_cause() -> None:
    assert advice_of(error("its memory is full: raise maxmemory"), config()) == "Raise maxmemory"


def test_a_cause_of_a_cause_is_no_advice() -> None:
    said = "sign-in at auth/approle failed: it is sealed: unseal it (`vault operator unseal`)"
    assert advice_of(error(said), config()) == "Unseal it (`vault operator unseal`)"


def test_it_says_where_the_options_come_from() -> None:
    values = from_variables(
        config(username="u", password="p"),
        username="FLEX_INTEGRATION_TOKEN_STORE__USERNAME",
        password="/home/me/config.toml, line 4",
    )
    assert advice_of(error(WRONG), values) == (
        "Check the options username and password. "
        "The option username comes from FLEX_INTEGRATION_TOKEN_STORE__USERNAME. "
        "The option password comes from /home/me/config.toml, line 4"
    )


def test_an_option_that_the_command_line_sets() -> None:
    assert "username comes from --store-option username=…" in advice_of(
        error(WRONG), config(username="u")
    )


def test_an_option_that_is_not_set_has_a_variable() -> None:
    advice = advice_of(error("it demands a password: set the option password"), config())
    assert advice.endswith(
        "The option password is not set; its variable is FLEX_INTEGRATION_TOKEN_STORE__PASSWORD"
    )


def test_a_word_that_is_only_the_name_of_an_option_is_none() -> None:
    said = "its user may not do this: grant this user SELECT on the table"
    assert advice_of(error(said, "sql"), config("sql")) == "Grant this user SELECT on the table"


def test_the_options_of_a_store_within_another_have_its_path() -> None:
    inner = from_variables(config(), name="FLEX_INTEGRATION_TOKEN_STORE__INNER__NAME")
    advice = advice_of(
        error("it demands a password: set the option password"), config("encrypted", inner=inner)
    )
    assert advice.endswith("FLEX_INTEGRATION_TOKEN_STORE__INNER__PASSWORD")


def test_the_options_of_one_of_several_stores() -> None:
    stores = [config("file"), config("redis", url="redis://h")]
    advice = advice_of(
        error("it has no database of that number: correct the url"),
        config("fallback", stores=stores),
    )
    assert "The option url comes from --store-option" in advice


@pytest.mark.parametrize("given", ["redis", config(), config("other"), object()])
def test_any_config_will_do(given: Any) -> None:
    assert advice_of(error("it is down: check that it is up"), given) == "Check that it is up"


@pytest.mark.parametrize("said", ["the disk is full", "it does not work"])
def test_without_advice_there_is_none(said: str) -> None:
    assert advice_of(error(said), config()) == ""


def test_no_value_is_shown() -> None:
    values = config(url="redis://:s3cr3t@h", password="s3cr3t")
    assert "s3cr3t" not in advice_of(error(f"{WRONG}, and url"), values)


def test_a_message_of_another_form_is_none() -> None:
    other = TokenUnavailableError("/a/b: no space left: free some", store="file", place="/a/b")
    assert advice_of(other, config("file")) == ""
