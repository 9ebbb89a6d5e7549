"""What a method of an endpoint returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flex_integration_sdk import Response


@pytest.mark.parametrize(
    "use",
    [
        iter,
        list,
        len,
        lambda response: response[0],
        lambda response: response["data"],
        lambda response: "x" in response,
    ],
    ids=["iter", "list", "len", "index", "key", "in"],
)
def test_a_response_is_no_list_and_says_where_its_data_is(use: Callable[[Any], object]) -> None:
    response = Response[Any](200, {"data": []})
    with pytest.raises(TypeError, match=r"a Response cannot be .*\.data.*iterate\(\)"):
        use(response)


def test_a_response_is_true_whatever_is_in_it() -> None:
    assert Response[Any](200, {"data": []})
