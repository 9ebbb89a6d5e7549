"""A store that the program names, completed by the environment."""

from __future__ import annotations

import asyncio
import re
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from flex_integration_sdk.config import resolve
from flex_tokenstore import StoreOptionsError, open_async_store, open_store
from flex_tokenstore._config.merge import complete_store_config
from flex_tokenstore._config.store_config import OptionValues, parse
from tests.support.fakes import IDENTITY

V = "FLEX_INTEGRATION_TOKEN_STORE"


class Own:
    def get_token(self) -> None:
        return None


OWN = Own()


@pytest.mark.parametrize(
    ("given", "environ", "expected"),
    [
        (None, {}, None),
        (None, {V: "file", f"{V}__PATH": "/p"}, {"name": "file", "path": "/p"}),
        ("file", {}, "file"),
        ("file", {V: "file"}, "file"),
        ("file", {V: "", f"{V}__PATH": ""}, "file"),
        ("file", {f"{V}__PATH": "/p"}, {"name": "file", "path": "/p"}),
        (" file ", {V: "file\n", f"{V}__PATH": "/p"}, {"name": " file ", "path": "/p"}),
        ({"name": "file"}, {f"{V}__PATH": "/p"}, {"name": "file", "path": "/p"}),
        (
            {"name": "file", "permissions": "warn"},
            {V: "file", f"{V}__PATH": "/p"},
            {"name": "file", "permissions": "warn", "path": "/p"},
        ),
        (
            {"name": "sealed", "inner": "file"},
            {f"{V}__INNER__PATH": "/p", f"{V}__KEY": "k"},
            {"name": "sealed", "inner": {"name": "file", "path": "/p"}, "key": "k"},
        ),
        (
            "sealed",
            {f"{V}__INNER__NAME": "file", f"{V}__INNER__PATH": "/p"},
            {"name": "sealed", "inner": {"name": "file", "path": "/p"}},
        ),
        ({"name": "sealed", "inner": OWN}, {f"{V}__KEY": "k"}, None),
    ],
)
def test_options_of_the_environment_complete_the_programs(
    given: Any, environ: dict[str, str], expected: Any
) -> None:
    found, notes = complete_store_config(given, V, environ)
    assert notes == []
    assert found == (expected or (None if given is None else {**given, "key": "k"}))


@pytest.mark.parametrize(
    ("given", "environ", "expected", "words"),
    [
        (
            "file",
            {V: "redis", f"{V}__URL": "SENTINEL"},
            "file",
            f"chooses the token store 'file'.*says 'redis'.*not used: {V}, {V}__URL",
        ),
        (OWN, {V: "redis"}, OWN, f"its own store object.*not used: {V}"),
        (OWN, {f"{V}__PATH": "SENTINEL"}, OWN, f"not used: {V}__PATH"),
        (
            {"name": "file", "path": "/mine"},
            {f"{V}__PATH": "/SENTINEL"},
            {"name": "file", "path": "/mine"},
            f"{V}__PATH is not used: the program sets the option 'path' itself",
        ),
        (
            {"name": "sealed", "inner": {"name": "file", "path": "/mine"}},
            {f"{V}__INNER__PATH": "SENTINEL"},
            {"name": "sealed", "inner": {"name": "file", "path": "/mine"}},
            f"{V}__INNER__PATH is not used",
        ),
        (
            {"name": "sealed", "inner": "file"},
            {f"{V}__INNER__NAME": "redis", f"{V}__INNER__URL": "SENTINEL"},
            {"name": "sealed", "inner": "file"},
            f"'file' as the inner store, so {V}__INNER__NAME, {V}__INNER__URL is not used",
        ),
        (
            {"name": "sealed", "inner": "file"},
            {f"{V}__INNER": "redis"},
            {"name": "sealed", "inner": "file"},
            f"so {V}__INNER is not used",
        ),
        ("file", {V: '"redis"'}, "file", "'file'"),
        ("file", {V: "redis://:SENTINEL@h"}, "file", "'file'"),
    ],
)
def test_what_is_not_used_is_told(
    given: Any,
    environ: dict[str, str],
    expected: Any,
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(2):
        assert resolve(client_id="c", token_store=given, environ=environ).token_store == expected
    (record,) = caplog.records
    assert re.search(words, record.getMessage()), record.getMessage()
    assert "SENTINEL" not in caplog.text


def test_the_variable_is_named_where_the_option_is_wrong() -> None:
    found, _ = complete_store_config({"name": "file"}, V, {f"{V}__PTH": "/p"})
    assert isinstance(found, OptionValues)
    assert found.variables == {"pth": f"{V}__PTH"}


@pytest.mark.parametrize("given", [5, {"path": "x"}, {"name": 5}, Own, "redis://:SENTINEL@h"])
def test_what_is_not_a_config_is_left_to_the_opener(given: Any) -> None:
    found, notes = complete_store_config(given, V, {V: "file", f"{V}__PATH": "/p"})
    assert notes == []
    assert "SENTINEL" not in repr(found)
    assert isinstance(parse(found).error, StoreOptionsError)


SECRET = "SENTINEL-of-a-password"


class Broken(Mapping[str, Any]):
    """A mapping of the user's own that fails when it is read."""

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError(SECRET)

    def __iter__(self) -> Iterator[str]:
        return iter(["name"])

    def __len__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return SECRET


def shown(error: BaseException) -> str:
    """What a traceback that shows locals has of the framework's frames."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [each.f_locals for each in frames if each.f_globals["__name__"] != __name__]
    assert ours
    return repr([str(error), error.__context__, *ours])


@pytest.mark.parametrize("given", [None, "redis", {"name": "redis", "password": SECRET}])
def test_no_frame_shows_the_environment(given: Any) -> None:
    environ = {V: "redis", f"{V}__PASSWORD": f"'{SECRET}'", "OTHER": SECRET}
    with pytest.raises(StoreOptionsError, match="is in quotes") as caught:
        complete_store_config(given, V, environ)
    assert SECRET not in shown(caught.value)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_mapping_that_cannot_be_read_is_refused_and_not_shown(kind: str) -> None:
    def open_it(config: Any) -> object:
        if kind == "sync":
            return open_store(config, IDENTITY)
        return asyncio.run(open_async_store(config, IDENTITY))

    config, _ = complete_store_config(Broken(), V, {V: "redis", f"{V}__URL": "redis://h"})
    for each in (Broken(), config):
        with pytest.raises(StoreOptionsError, match="mapping that cannot be read") as caught:
            open_it(each)
        assert SECRET not in shown(caught.value)
