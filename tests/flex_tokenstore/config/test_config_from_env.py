"""Store configs: the three forms, and the environment's."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_tokenstore import (
    StoreOptionsError,
    TokenIdentity,
    file_store,
    memory_store,
    open_store,
    store_config_from_env,
)
from flex_tokenstore._config.env_text import is_quoted, strip_value
from flex_tokenstore._config.store_config import parse

V = "FLEX_INTEGRATION_TOKEN_STORE"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({V: ""}, None),
        ({V: " "}, None),
        ({V: "memory"}, {"name": "memory"}),
        ({V: " redis ", f"{V}__URL": "u"}, {"name": "redis", "url": "u"}),
        ({V: "file", f"{V}__SHARE_WITH_JS": "1"}, {"name": "file", "share_with_js": "1"}),
        (
            {
                V: "encrypted",
                f"{V}__INNER__NAME": "redis",
                f"{V}__INNER__URL": "u",
                f"{V}__KEY": "k",
            },
            {"name": "encrypted", "inner": {"name": "redis", "url": "u"}, "key": "k"},
        ),
        ({V: "encrypted", f"{V}__INNER": "memory"}, {"name": "encrypted", "inner": "memory"}),
        (
            {V: "a", f"{V}__INNER__NAME": "b", f"{V}__INNER__INNER__NAME": "c"},
            {"name": "a", "inner": {"name": "b", "inner": {"name": "c"}}},
        ),
        ({V: "memory", f"{V}S": "x", f"{V}_URL": "x", "FLEX_INTEGRATION": "x"}, {"name": "memory"}),
    ],
)
def test_config_of_the_environment(
    environ: dict[str, str], expected: dict[str, Any] | None
) -> None:
    assert store_config_from_env(V, environ) == expected


def test_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_STORE", "file")
    monkeypatch.setenv("SOME_STORE__PATH", "p")
    assert store_config_from_env("SOME_STORE") == {"name": "file", "path": "p"}


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({f"{V}__URL": "SENTINEL"}, f"{V}__URL is set, but not {V}: set it"),
        ({f"{V}__URL": "SENTINEL", V: ""}, f"but not {V}"),
        ({V: "a", f"{V}__NAME": "SENTINEL"}, f"{V}__NAME is not an option"),
        ({V: "a", f"{V}__": "SENTINEL"}, "does not name an option"),
        ({V: "a", f"{V}__A____B": "SENTINEL"}, "does not name an option"),
        (
            {V: "a", f"{V}__INNER": "SENTINEL", f"{V}__INNER__URL": "u"},
            f"put its name into {V}__INNER__NAME and unset {V}__INNER$",
        ),
        (
            {V: "fallback", f"{V}__STORES": "SENTINEL", f"{V}__STORES__2": "file"},
            f"{V}__STORES__2 and {V}__STORES are both set; number all stores of the list: "
            f"put the name into {V}__STORES__1 and unset {V}__STORES$",
        ),
        (
            {V: "a", f"{V}__STORES": "b", f"{V}__STORES__1__NAME": "c", f"{V}__STORES__2": "d"},
            f"into {V}__STORES__3 and",
        ),
        (
            {V: "a", f"{V}__STORES__1": "b", f"{V}__STORES__1__URL": "SENTINEL"},
            f"put its name into {V}__STORES__1__NAME and",
        ),
        (
            {V: "a", f"{V}__X__Y": "SENTINEL", f"{V}__X__Y__Z__W": "u"},
            f"{V}__X__Y__Z__W and {V}__X__Y are both set",
        ),
        ({V: "a", f"{V}__URL": "SENTINEL", f"{V}__url": "u"}, "set twice"),
    ],
)
def test_variables_that_contradict(environ: dict[str, str], words: str) -> None:
    with pytest.raises(StoreOptionsError, match=words) as caught:
        store_config_from_env(V, environ)
    assert "SENTINEL" not in str(caught.value)


def test_config_does_not_show_what_may_be_secret() -> None:
    config = store_config_from_env(
        V, {V: "a", f"{V}__INNER__KEY": "SENTINEL", f"{V}__URL": "SENTINEL"}
    )
    assert "SENTINEL" not in f"{config!r} {config}"
    assert "url" in repr(config)
    parsed = parse({"name": "a", "url": "SENTINEL"})
    assert "SENTINEL" not in f"{parsed!r} {parsed.options!r}"
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(parsed)


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", fullmatch=True).filter(lambda s: s != "NAME"),
        st.text(st.characters(exclude_characters="\0")).filter(
            lambda s: not is_quoted(strip_value(s))
        ),
    )
)
def test_every_option_arrives_lower_case_with_its_value(options: dict[str, str]) -> None:
    environ = {V: "some", **{f"{V}__{name}": value for name, value in options.items()}}
    values = {
        name.lower(): strip_value(value) for name, value in options.items() if strip_value(value)
    }
    assert store_config_from_env(V, environ) == {"name": "some", **values}


def test_configs_made_by_functions() -> None:
    assert memory_store() == {"name": "memory"}
    assert file_store(path="p", share_with_js=True) == {
        "name": "file",
        "path": "p",
        "share_with_js": True,
    }


def test_forms_of_a_config() -> None:
    own = object()
    mapping = {"name": " redis ", "url": "u"}
    assert (parse(" memory ").name, parse(" memory ").options) == ("memory", {})
    assert (parse(mapping).name, parse(mapping).options) == ("redis", {"url": "u"})
    assert mapping == {"name": " redis ", "url": "u"}
    assert (parse(own).name, parse(own).options, parse(own).own) == (None, {}, own)
    assert all(parse(config).error is None for config in (" memory ", mapping, own))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("", "empty"),
        (" ", "empty"),
        ({}, "'name'"),
        ({"url": "u"}, "'name'"),
        ({"name": 5}, "'name'"),
        ({"name": "a", 5: "b"}, "names that are strings"),
        (None, "got NoneType"),
        (5, "got int"),
        (["memory"], "got list"),
        (Path("token.json"), "file_store"),
        (dict, "the class dict"),
    ],
)
def test_what_is_no_config(config: Any, words: str) -> None:
    with pytest.raises(StoreOptionsError, match=words):
        open_store(config, TokenIdentity("https://h.test", "c"))
    assert re.search(words, str(parse(config).error))
