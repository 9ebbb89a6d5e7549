"""The error tree: fitting built-in classes, facts as attributes, copies for several threads."""

from __future__ import annotations

import copy

import httpx2
import pytest

from flex_integration_sdk import errors
from flex_integration_sdk._wire.interpret import interpret
from flex_tokenstore.errors import GrantError

BODY = {"errors": [{"id": "1", "status": 409, "code": "conflict", "title": "Taken"}]}


def failed(status: int, **options: object) -> errors.ApiError:
    with pytest.raises(errors.ApiError) as caught:
        interpret(httpx2.Response(status, **options), "GET", "users/show")  # type: ignore[arg-type]  # forwarded
    return caught.value


@pytest.mark.parametrize(
    ("status", "expected", "built_in"),
    [
        (302, errors.ApiError, RuntimeError),
        (400, errors.BadRequestError, RuntimeError),
        (401, errors.UnauthorizedError, errors.AuthenticationError),
        (402, errors.PaymentFailedError, RuntimeError),
        (403, errors.ForbiddenError, PermissionError),
        (404, errors.NotFoundError, LookupError),
        (409, errors.ConflictError, RuntimeError),
        (413, errors.PayloadTooLargeError, RuntimeError),
        (418, errors.ApiError, RuntimeError),
        (429, errors.RateLimitedError, GrantError),
        (500, errors.ServerError, RuntimeError),
        (503, errors.ServerError, RuntimeError),
    ],
)
def test_the_class_follows_from_the_status(
    status: int, expected: type[errors.ApiError], built_in: type[Exception]
) -> None:
    error = failed(status, json=BODY)
    assert type(error) is expected
    assert isinstance(error, built_in)
    assert (error.status, error.method, error.path) == (status, "GET", "users/show")
    assert error.body == BODY
    assert error.errors == BODY["errors"]
    assert str(error).startswith(f"GET users/show failed: HTTP {status}, conflict, Taken")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 503])
def test_a_copy_is_as_good_as_the_original(status: int) -> None:
    error = failed(status, json=BODY, headers={"Retry-After": "7"})
    twin = copy.copy(error)
    assert twin is not error
    assert type(twin) is type(error)
    assert str(twin) == str(error)
    assert vars(twin) == vars(error)


@pytest.mark.parametrize(
    "error",
    [
        errors.AuthenticationError("no", reason="rejected", status=401, code="invalid_grant"),
        errors.TransportError("no", reason="transient", status=502),
        errors.ConfigurationError("no"),
    ],
)
def test_other_errors_are_copied_too(error: Exception) -> None:
    twin = copy.copy(error)
    assert str(twin) == "no"
    assert vars(twin) == vars(error)


@pytest.mark.parametrize("body", [b"<html>Gateway</html>", b'{"errors": 5}', b"{broken", b""])
@pytest.mark.parametrize("kind", ["text/html", "application/json", "application/transit+json"])
def test_an_error_with_any_body_is_typed(body: bytes, kind: str) -> None:
    error = failed(502, content=body, headers={"Content-Type": kind})
    assert isinstance(error, errors.ServerError)
    assert error.errors == []
    assert "try again later" in str(error)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<html>Welcome to our hotel</html>", "text/html"),
        (b"{broken", "application/json"),
        (b"{broken", "application/transit+json;charset=UTF-8"),
        (b"[1]", "application/json"),
        (b"", "application/transit+json"),
    ],
)
def test_a_success_that_is_not_the_apis_is_a_transport_error(content: bytes, kind: str) -> None:
    response = httpx2.Response(200, content=content, headers={"Content-Type": kind})
    with pytest.raises(errors.TransportError) as caught:
        interpret(response, "GET", "users/show")
    assert caught.value.status == 200
    assert isinstance(caught.value, ConnectionError)


def test_a_page_of_a_proxy_points_to_base_url() -> None:
    assert "base_url" in str(failed(404, html="<html>nginx</html>"))
    assert "base_url" not in str(failed(404, json=BODY))


@pytest.mark.parametrize(
    ("path", "code", "advice"),
    [
        ("listings/create", "user-not-found", "check author_id: it must name an existing user"),
        ("users/approve", "user-not-found", "check id: it must name an existing user"),
        ("listings/update", "listing-not-found", "check id: it must name an existing listing"),
        (
            "stock/compare_and_set",
            "listing-not-found",
            "listing_id: it must name an existing listing",
        ),
        ("transactions/transition", "listing-not-found", "the command needs an existing listing"),
        (
            "transactions/transition",
            "transaction-not-found",
            "id: it must name an existing transaction",
        ),
        (
            "listings/update",
            "image-invalid",
            "check images: it must name an existing image that can be used here",
        ),
        (
            "users/update_profile",
            "image-invalid",
            "check profile_image_id: it must name an existing image that can be used here",
        ),
        (
            "newer/command",
            "image-invalid",
            "the command needs an existing image that can be used here",
        ),
        ("listings/close", "listing-invalid-state", "not in a state that allows this"),
        ("listings/close", ["odd"], "not in a state that allows this"),
    ],
)
def test_a_409_for_what_is_not_there_says_what_to_check(path: str, code: str, advice: str) -> None:
    response = httpx2.Response(409, json={"errors": [{"code": code, "title": "No"}]})
    with pytest.raises(errors.ConflictError) as caught:
        interpret(response, "POST", path)
    assert str(caught.value).endswith(advice)
    assert ("not in a state" in str(caught.value)) is ("state" in advice)


def test_retry_after_in_both_forms() -> None:
    error = failed(429, json=BODY, headers={"Retry-After": "12"})
    assert isinstance(error, errors.RateLimitedError)
    assert error.retry_after == 12.0
    assert "wait 12 s" in str(error)
    without = failed(429, json=BODY)
    assert isinstance(without, errors.RateLimitedError)
    assert without.retry_after is None


def test_any_error_that_may_be_waited_for_says_how_long() -> None:
    error = failed(503, json=BODY, headers={"Retry-After": "7"})
    assert isinstance(error, errors.ServerError)
    assert error.retry_after == 7
    assert "in 7 s" in str(error)


def test_a_401_with_a_page_is_not_the_apis() -> None:
    error = failed(401, html="<html>401 Authorization Required</html>")
    assert isinstance(error, errors.UnauthorizedError)
    assert "firewall" in str(error)
    assert "sign in" not in str(error).replace("sign-in", "")
    assert "sign in again" in str(failed(401, json=BODY))


def test_what_a_server_writes_makes_no_line_of_its_own() -> None:
    body = {"errors": [{"code": "x\r\nWARNING forged", "title": "\x1b[31m\u2028"}]}
    text = str(failed(400, json=body))
    assert text.isprintable()
    assert "x\\r\\nWARNING forged" in text
