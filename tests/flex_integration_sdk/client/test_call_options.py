"""``with_options``: other options for single calls."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK, create_async_instance, create_instance
from flex_integration_sdk.errors import (
    BadRequestError,
    ConfigurationError,
    ParameterError,
    TransportError,
)
from flex_integration_sdk.sandbox import RunningSandbox
from flex_tokenstore import SessionClosedError


def instance(sandbox: RunningSandbox, **options: Any) -> IntegrationSDK:
    return create_instance(
        sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url, **options
    )


def test_a_copy_has_its_options_and_shares_the_rest(flex_sandbox: RunningSandbox) -> None:
    with instance(flex_sandbox) as sdk:
        sdk.marketplace.show()
        impatient = sdk.with_options(timeout=0.2, max_retries=0)
        flex_sandbox.fault("delay", target="api", seconds=1.5)
        with pytest.raises(TransportError, match=r"0\.2 s"):
            impatient.marketplace.show()
        assert sdk.marketplace.show().status == 200
        assert flex_sandbox.stats()["client_credentials"] == 1


def test_closing_a_copy_closes_the_instance(flex_sandbox: RunningSandbox) -> None:
    sdk = instance(flex_sandbox)
    with sdk.with_options(headers={"X-Reason": "nightly"}) as copy:
        assert copy.marketplace.show().status == 200
    with pytest.raises(SessionClosedError):
        sdk.marketplace.show()


def test_a_copy_that_is_dropped_warns_of_nothing(flex_sandbox: RunningSandbox) -> None:
    with instance(flex_sandbox) as sdk, warnings.catch_warnings():
        warnings.simplefilter("error")
        sdk.with_options(max_retries=0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"timeout": 0}, "timeout must be a positive number of seconds"),
        ({"total_timeout": True}, "total_timeout must be"),
        ({"timeout": 1e30}, "timeout must be at most"),
        ({"max_retries": 1.5}, "max_retries must be a whole number"),
        ({"max_retries": -1}, "max_retries must be 0 to 100"),
        ({"headers": {"Authorization": "Bearer hidden"}}, "the SDK itself sets 'Authorization'"),
        ({"headers": {"X-A": "hidden\r\nX-B: c"}}, "the value of 'X-A' must be"),
        ({"headers": ["hidden"]}, "headers must be a mapping"),
        ({"headers": {"X A": "hidden"}}, "'X…' is not the name of a header"),
        ({"headers": {"X-A: hidden": ""}}, "'X-A…' is not the name of a header"),
        ({"headers": {"ä": "hidden"}}, "'ä' is not the name of a header"),
    ],
)
def test_wrong_options_are_refused(
    flex_sandbox: RunningSandbox, options: dict[str, Any], said: str
) -> None:
    with instance(flex_sandbox) as sdk, pytest.raises(ConfigurationError, match=said) as caught:
        sdk.with_options(**options)
    assert "hidden" not in str(caught.value)


def test_a_misspelt_parameter_is_refused_before_anything_is_sent(
    flex_sandbox: RunningSandbox,
) -> None:
    before = flex_sandbox.stats()
    said = r"listings\.query has no parameter 'perpage'; did you mean per_page\?"
    with instance(flex_sandbox) as sdk:
        with pytest.raises(ParameterError, match=said):
            sdk.listings.query(perpage=5)
        with pytest.raises(ParameterError, match=said):
            list(sdk.listings.iterate(perpage=5))
        with pytest.raises(ParameterError, match=r"with_options\(timeout=0\.5\)\.listings\.query"):
            sdk.listings.query(timeout=5)
    assert flex_sandbox.stats() == before


def test_a_misspelt_parameter_of_an_async_call_is_refused(flex_sandbox: RunningSandbox) -> None:
    async def call() -> None:
        async with create_async_instance(
            flex_sandbox.client_id, flex_sandbox.client_secret, base_url=flex_sandbox.base_url
        ) as sdk:
            await sdk.listings.query(perpage=5)

    with pytest.raises(ParameterError, match=r"did you mean per_page\?"):
        asyncio.run(call())


def test_a_misspelt_parameter_is_sent_if_the_options_say_so(flex_sandbox: RunningSandbox) -> None:
    with instance(flex_sandbox) as sdk:
        all_names = sdk.with_options(unknown_parameters="send")
        with pytest.raises(BadRequestError, match="Unknown key perpage"):
            all_names.listings.query(perpage=5)
