"""What a failing test of the kit says: the path that differs, the logger and the remedy."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from flex_tokenstore import Token
from flex_tokenstore.testing._differences import same
from flex_tokenstore.testing._logs import all_logged, check_leaks
from flex_tokenstore.testing._tokens import SENTINEL, new_identity, new_token

IDENTITY = new_identity()
EXPECTED = new_token(
    IDENTITY, scope="integ", number=1, nested={"list": [1, "ä", None], "big": 2**70}
)


def changed(**fields: Any) -> Token:
    data = {**EXPECTED.to_dict(), **fields}
    return Token({name: value for name, value in data.items() if value is not ...})


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a text that is gone": (
        {"scope": ...},
        'token["scope"]: was str of 5 characters, is missing',
    ),
    "a text for None": ({"scope": None}, 'token["scope"]: was str of 5 characters, is None'),
    "a field too many": ({"x": [1]}, 'token["x"]: was not there, is a list of 1 item'),
    "a number for another kind": ({"number": 1.0}, 'token["number"]: was int 1, is float 1.0'),
    "true for a number": ({"number": True}, 'token["number"]: was int 1, is True'),
    "a text that is cut": (
        {"refresh_token": "refr"},
        'token["refresh_token"]: was str of 18 characters, is str of 4 characters',
    ),
    "a text that is as long": (
        {"scope": "inteG"},
        'token["scope"]: was str of 5 characters, is str of 5 characters, and another one from '
        "character 4 on",
    ),
    "deep within": (
        {"nested": {"list": [1, "a", None], "big": 2.0**70}},
        'token["nested"]["list"][1]: was str of 1 character, is str of 1 character, and another '
        "one from character 0 on; "
        'token["nested"]["big"]: was int 1180591620717411303424, is float 1.1805916207174113e+21',
    ),
    "a shorter list": (
        {"nested": {**EXPECTED.to_dict()["nested"], "list": [1]}},
        'token["nested"]["list"]: was a list of 3 items, is a list of 1 item',
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_difference_is_named_by_its_path_and_shows_no_secret(case: str) -> None:
    fields, message = CASES[case]
    compared = same(changed(**fields), EXPECTED)
    assert not compared
    assert repr(compared) == message
    assert SENTINEL not in repr(compared)


def test_two_tokens_that_are_the_same_are() -> None:
    assert same(EXPECTED, Token(EXPECTED.to_dict()))
    assert same(EXPECTED.to_dict(), EXPECTED)
    assert same(None, None)


def test_no_token_is_told_from_a_token() -> None:
    assert repr(same(None, EXPECTED)) == "token: was an object of 8 fields, is None"


def test_many_differences_are_counted_and_the_message_stays_short() -> None:
    fields = {f"field {number}": "x" * 1000 for number in range(50)}
    text = repr(same(EXPECTED, changed(**fields)))
    assert text.endswith("; and 47 more")
    assert len(text) < 240  # where pytest cuts


def test_pytest_shows_the_path() -> None:
    found = changed(scope=None)
    with pytest.raises(AssertionError, match="was str of 5 characters, is None"):
        assert same(found, EXPECTED)


@pytest.fixture
def driver() -> Iterator[logging.Logger]:
    """The logger of a library, which nobody else has."""
    logger = logging.getLogger("a_driver.requests")
    yield logger
    logger.setLevel(logging.NOTSET)


PLAIN = dict(EXPECTED.to_dict())  # its repr shows all, unlike that of a token


def log(logger: logging.Logger, level: int) -> None:
    """As a library does: its file is none of the store's."""
    for _ in range(400):
        record = logger.makeRecord(
            logger.name, level, "/lib/a_driver/requests.py", 7, "request %s", (PLAIN,), None
        )
        if logger.isEnabledFor(level):
            logger.handle(record)


class Store:
    """Of this module."""


def test_a_driver_that_logs_tokens_is_named_with_the_remedy_in_a_short_message(
    driver: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    with all_logged() as leaks:
        log(driver, logging.DEBUG)
    with pytest.raises(AssertionError) as caught:
        check_leaks(leaks, Store)
    message = str(caught.value)
    assert "'a_driver.requests' shows a token at level DEBUG (400 records" in message
    assert "a_driver/requests.py:7" in message
    assert 'logging.getLogger("a_driver.requests").setLevel(logging.INFO)' in message
    assert SENTINEL not in message
    assert len(message) < 600
    assert not caplog.text  # the report has none of it


def test_the_remedy_cures(driver: logging.Logger) -> None:
    driver.setLevel(logging.INFO)
    with all_logged() as leaks:
        log(driver, logging.DEBUG)
    check_leaks(leaks, Store)


def test_a_warning_of_a_driver_cannot_be_kept_out_by_a_level(driver: logging.Logger) -> None:
    with all_logged() as leaks:
        log(driver, logging.WARNING)
    with pytest.raises(AssertionError, match=r"add a logging\.Filter"):
        check_leaks(leaks, Store)


def test_a_store_that_logs_a_token_is_told_so() -> None:
    with all_logged() as leaks:
        logging.getLogger(__name__).info("saved %s", PLAIN)
    with pytest.raises(AssertionError, match="The store logs it: log its location instead"):
        check_leaks(leaks, Store)


def test_what_is_logged_with_wrong_arguments_is_seen_too(driver: logging.Logger) -> None:
    with all_logged() as leaks:
        driver.debug("two %s %s", PLAIN)
    with pytest.raises(AssertionError, match="shows a token"):
        check_leaks(leaks, Store)


def test_a_store_that_switches_logging_off_is_seen_through(driver: logging.Logger) -> None:
    logging.disable(logging.CRITICAL)
    try:
        with all_logged() as leaks:
            driver.debug("request %s", PLAIN)
        assert logging.root.manager.disable == logging.CRITICAL
    finally:
        logging.disable(logging.NOTSET)
    assert list(leaks) == [driver.name]


def test_many_loggers_are_counted(driver: logging.Logger) -> None:
    with all_logged() as leaks:
        for number in range(5):
            logging.getLogger(f"a_driver.part{number}").debug("%s", PLAIN)
    with pytest.raises(AssertionError, match="and 2 more loggers") as caught:
        check_leaks(leaks, Store)
    assert len(str(caught.value)) < 1500
