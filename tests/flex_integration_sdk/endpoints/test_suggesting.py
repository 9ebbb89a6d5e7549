"""What is said of an attribute that an SDK instance, or a resource of it, does not have."""

from __future__ import annotations

import copy
import traceback
from typing import Any

import pytest

from flex_integration_sdk import AsyncIntegrationSDK, IntegrationSDK, create_instance
from flex_integration_sdk._endpoints.generated.namespace import AsyncEndpoints, Endpoints


@pytest.fixture(params=[Endpoints, AsyncEndpoints])
def sdk(request: pytest.FixtureRequest) -> Any:
    """All endpoints, which send nothing."""
    made = request.param()
    made._send = None
    return made


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("listing", "listings"),
        ("lisitngs", "listings"),
        ("fileUploads", "file_uploads"),
        ("listings.qeury", "query"),
        ("listings.get", "show"),
        ("listings.list", "query"),
        ("listings.paginate", "iterate"),
        ("images.create", "upload"),
        ("stock.compareAndSet", "compare_and_set"),
        ("users.updateProfile", "update_profile"),
    ],
)
def test_a_misspelt_attribute_names_the_one_that_was_meant(sdk: Any, path: str, meant: str) -> None:
    owner, _, name = path.rpartition(".")
    with pytest.raises(AttributeError, match=rf"{name!r}; did you mean {meant}\?$") as caught:
        getattr(getattr(sdk, owner) if owner else sdk, name)
    said = "".join(traceback.format_exception(caught.value))
    assert said.lower().count("did you mean") == 1


@pytest.mark.parametrize("path", ["coupons", "listings.delete", "marketplace.list", "_private"])
def test_an_attribute_that_is_near_to_none_is_only_absent(sdk: Any, path: str) -> None:
    owner, _, name = path.rpartition(".")
    found = getattr(sdk, owner) if owner else sdk
    with pytest.raises(AttributeError, match=f"object has no attribute {name!r}$"):
        getattr(found, name)
    assert getattr(found, name, "absent") == "absent"
    assert not hasattr(found, "__aiter__")


def test_an_instance_has_names_of_its_own_to_suggest() -> None:
    with create_instance("id", token_store="memory") as sdk:
        for asked in (sdk, sdk.with_options(timeout=5)):
            with pytest.raises(AttributeError, match=r"'with_option'; did you mean with_options\?"):
                asked.with_option  # type: ignore[attr-defined]  # noqa: B018 - the mistake
        with pytest.raises(TypeError, match="cannot be pickled"):
            copy.copy(sdk)


def test_an_instance_that_is_not_whole_is_no_endless_search() -> None:
    for kind in (IntegrationSDK, AsyncIntegrationSDK):
        empty = kind.__new__(kind)
        with pytest.raises(AttributeError):
            empty.settings  # noqa: B018 - asked for
