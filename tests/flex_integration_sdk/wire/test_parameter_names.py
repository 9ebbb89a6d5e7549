"""Which parameter a name means, and what is said of one that is near to a known one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_integration_sdk._endpoints.endpoint import Endpoint
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._wire.parameter_names import check_names, meant, parameter_of
from flex_integration_sdk._wire.requests import prepare
from flex_integration_sdk.errors import ParameterError

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SHAPES = ("fields.listing", "limit.images", "imageVariant.my_one", "image_variant.x.y")
LONG = [
    (endpoint, param)
    for endpoint in ENDPOINTS.values()
    for param in endpoint.all_params
    if len(param.name) >= 5
]


def sent(name: str, named: dict[str, Any] | None = None, /, **further: Any) -> str:
    """The address that a call with these further arguments asks for."""
    return prepare("https://example.com", ENDPOINTS[name], named or {}, further).url


@st.composite
def typos(draw: st.DrawFn) -> tuple[Endpoint, str, str]:
    """An endpoint, one of its parameters of five letters or more, and that with one typo."""
    endpoint, param = draw(st.sampled_from(LONG))
    name = draw(st.sampled_from([param.name, param.python_name]))
    letter = draw(st.sampled_from(LETTERS))
    places = [at for at, each in enumerate(name) if each != "_"]
    at = draw(st.sampled_from(places))
    typed = {
        "another": name[:at] + letter + name[at + 1 :],
        "one more": name[:at] + letter + name[at:],
        "one less": name[:at] + name[at + 1 :],
        "exchanged": name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
    }[draw(st.sampled_from(["another", "one more", "one less", "exchanged"]))]
    return endpoint, param.python_name, typed


@given(typos())
def test_each_typo_of_one_letter_is_found_with_what_was_meant(
    typo: tuple[Endpoint, str, str],
) -> None:
    endpoint, right, typed = typo
    if parameter_of(endpoint, typed) in endpoint.all_params:
        assert meant(endpoint, typed) == []
        return
    assert right in meant(endpoint, typed)
    with pytest.raises(ParameterError, match="has no parameter"):
        check_names(endpoint, {}, [typed])


@pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=ENDPOINTS)
def test_each_known_name_passes_as_python_and_as_the_api_spell_it(endpoint: Endpoint) -> None:
    names = {name for each in endpoint.all_params for name in (each.name, each.python_name)}
    if any(each.name == "fields" for each in endpoint.all_params):
        names |= {*SHAPES}
    if endpoint.filters:
        names |= {"pub_x", "meta_data", "priv_ate", "prot_someKey", "pub_a.b"}
    for name in names:
        assert meant(endpoint, name) == [], name
    check_names(endpoint, {}, names)


@given(typos(), st.text(LETTERS + "ABC_.-", max_size=3))
def test_what_is_meant_is_known_and_means_nothing_else(
    typo: tuple[Endpoint, str, str], more: str
) -> None:
    endpoint, _, typed = typo
    for found in meant(endpoint, f"{typed}{more}", loosely=True):
        if "=" not in found:
            assert meant(endpoint, found) == []
            assert parameter_of(endpoint, found) is not None


@pytest.mark.parametrize(
    ("call", "typed", "said"),
    [
        ("listings.query", "perpage", "did you mean per_page?"),
        ("listings.query", "PerPage", "did you mean per_page?"),
        ("listings.query", "per__page", "did you mean per_page?"),
        ("listings.query", "state", "did you mean states?"),
        ("listings.query", "id", "did you mean ids?"),
        ("listings.query", "author", "did you mean author_id?"),
        ("listings.query", "stats", "did you mean states or seats?"),
        ("listings.query", "feilds.listing", "did you mean fields.listing?"),
        ("listings.query", "fields.listng", "did you mean fields.listing?"),
        ("listings.query", "fields.listings", "did you mean fields.listing?"),
        ("listings.query", "fields_listing", 'did you mean fields={"listing": …}?'),
        ("listings.query", "limit_image", 'did you mean limit={"images": …}?'),
        ("listings.query", "image_variant_small", 'did you mean image_variant={"small": …}?'),
        ("listings.query", "fields.", "did you mean fields.NAME=…?"),
        ("listings.query", "public_data", "did you mean pub_KEY=…?"),
        ("listings.query", "metadata", "did you mean meta_KEY=…?"),
        ("listings.query", "pub_", "did you mean pub_KEY=…?"),
        ("listings.query", "pubGears", "did you mean pub_gears?"),
        ("listings.query", "pubgears", "did you mean pub_gears?"),
        ("listings.query", "pubcategory", "did you mean pub_category?"),
        ("listings.query", "page_size", "did you mean per_page?"),
        ("users.query", "pageSize", "did you mean per_page?"),
        ("messages.query", "pagesize", "did you mean per_page?"),
        ("listings.query", "page_number", "did you mean page?"),
        ("listings.query", "created_after", "did you mean created_at_start?"),
        ("events.query", "createdSince", "did you mean created_at_start?"),
        ("transactions.query", "created_before", "did you mean created_at_end?"),
        ("listings.query", "order_by", "did you mean sort?"),
        ("listings.query", "public_gears", "did you mean pub_gears?"),
        ("listings.query", "publicData.wheelSize", "did you mean pub_wheelSize?"),
        ("users.query", "meta-vip", "did you mean meta_vip?"),
        ("users.query", "PROT_x", "did you mean prot_x?"),
        ("users.show", "idd", "did you mean id?"),
        ("listings.update", "pub_gears", "did you mean public_data?"),
        ("listings.update", "titel", "did you mean title?"),
        ("listings.update", "expnd", "did you mean expand?"),
        ("images.upload", "mimetyp", "did you mean mime_type?"),
        ("images.upload", "progress", "did you mean on_progress?"),
        ("images.upload", "on_upload_progress", "did you mean on_progress?"),
        ("fileUploads.create", "file", "file_uploads.create has no parameter 'file'; did you mean"),
        ("listings.query", "timeout", "sdk.with_options(timeout=0.5).listings.query(…)"),
        ("listings.query", "requestTimeout", "sdk.with_options(timeout=0.5).listings"),
        ("fileUploads.create", "max_retries", "with_options(max_retries=5).file_uploads.create"),
        ("images.upload", "headers", 'with_options(headers={"X-Name": "value"}).images.upload'),
    ],
)
def test_a_name_that_is_surely_wrong_is_refused_with_what_was_meant(
    call: str, typed: str, said: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        sent(call, **{typed: 1})
    assert said in str(caught.value)
    assert "with_options(" in str(caught.value) or "on_progress" in said


def test_a_near_name_is_sent_if_the_program_says_so() -> None:
    further = {"perpage": 1, "timeout": 2}
    endpoint = ENDPOINTS["listings.query"]
    request = prepare("https://example.com", endpoint, {}, further, unknown="send")
    assert request.url.endswith("?perpage=1&timeout=2")


@pytest.mark.parametrize(
    ("call", "typed"),
    [
        ("listings.query", "new_one"),
        ("listings.query", "max_stock"),
        ("listings.query", "published"),
        ("listings.query", "publisher"),
        ("messages.query", "pubcategory"),
        ("messages.query", "created_after"),
        ("marketplace.show", "page_size"),
        ("listings.create", "progress"),
        ("listings.query", "private"),
        ("listings.query", "created_at"),
        ("listings.query", "expand"),
        ("users.query", "ids"),
        ("users.query", "email"),
        ("users.show", "aid"),
        ("messages.query", "pub_x"),
        ("listings.update", "status_now"),
        ("listings.query", "fields.coupon"),
        ("listings.query", "limit.coupons"),
        ("marketplace.show", "page"),
        ("marketplace.show", "p" * 5000),
    ],
)
def test_a_name_that_may_be_newer_than_this_sdk_is_sent(call: str, typed: str) -> None:
    request = prepare("https://example.com", ENDPOINTS[call], {}, {typed: "x"})
    if request.method == "GET":
        assert request.url.endswith("=x")
    else:
        assert request.content is not None
        assert b'"x"' in request.content


def test_the_keys_of_a_mapping_are_looked_at_too() -> None:
    with pytest.raises(ParameterError, match=r"'fields\.listings'; did you mean fields\.listing\?"):
        sent("listings.query", {"fields": {"listings": ["title"]}})
    with pytest.raises(ParameterError, match=r"'limit\.image'; did you mean limit\.images\?"):
        sent("listings.update", {"id": "x", "limit": {"image": 1}})
    url = sent("listings.query", {"fields": {"listing": "title", "coupon": "x"}})
    assert url.endswith("?fields.listing=title&fields.coupon=x")
    assert sent("listings.query", {"image_variant": {"fields": "w:1"}})


def test_names_that_are_missing_are_asked_for() -> None:
    said = (
        r'limit of listings\.query must be a mapping, such as {"images": 1}, got int; for the size '
        r"of a page pass per_page$"
    )
    with pytest.raises(ParameterError, match=said):
        sent("listings.query", {"limit": 10})
    with pytest.raises(ParameterError, match=r'limit of users\.show .* {"images": 1}, got int$'):
        sent("users.show", {"id": "x", "limit": 10})
    for wrong in ("title", ["title"]):
        with pytest.raises(ParameterError, match=r'such as {"user": \["email"\]}, got '):
            sent("listings.update", {"id": "x", "fields": wrong})
    with pytest.raises(ParameterError, match=r"image_variant of users\.show must be a mapping"):
        sent("users.show", {"id": "x", "imageVariant": "w:320"})
    request = prepare("", ENDPOINTS["users.show"], {"limit": 10}, {}, unknown="send")
    assert request.url.endswith("?limit=10")


def test_a_wrong_name_is_refused_whatever_its_value() -> None:
    for value in (None, object()):
        with pytest.raises(ParameterError, match="has no parameter 'titel'"):
            sent("listings.update", {"id": "x"}, titel=value)
