"""Options of a store: what is taken, what is refused, and that no value is shown."""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.traceback import Traceback

from flex_tokenstore import Secret, StoreLoadError, StoreOptionsError
from flex_tokenstore._config.options import OptionInfo, check_options, describe_options
from flex_tokenstore._config.store_config import OptionValues
from flex_tokenstore._values.redaction import secrets_of

SENTINEL = "SENTINEL-value"


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Store:
    @dataclass(kw_only=True)
    class Options:
        url: str
        password: Secret[str] | None = field(default=None, metadata={"doc": "of the user"})
        keys: list[Secret[str]] = field(default_factory=list)
        port: int = 1  #: where it listens
        timeout: float = 5.0
        """Seconds to wait.

        For an answer.
        """
        tls: bool = True
        mode: Literal["strict", "warn"] = "strict"
        folder: Path | None = None
        inner: Any = None
        either: str | Path = "x"
        hosts: tuple[str, ...] = ()
        extra: dict[str, int] = field(default_factory=dict)
        names: Sequence[str] = ()
        span: tuple[int, int] = (0, 0)
        wait: timedelta = timedelta()
        color: Color = Color.RED

        def __post_init__(self) -> None:
            if self.port > 65535:
                raise ValueError(f"port {self.port} of {self.url} is too high")
            if self.timeout < 0:
                raise StoreOptionsError("timeout must not be negative", option="timeout")
            if self.mode == "warn" and not self.tls:
                raise KeyError(self.url)


class Bare:
    """No options."""


def check(**options: Any) -> Any:
    return check_options(Store, {"url": "u", **options}, store="s")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"port": "5"}, 5),
        ({"port": 5}, 5),
        ({"timeout": "2.5"}, 2.5),
        ({"timeout": 3}, 3.0),
        ({"tls": "false"}, False),
        ({"tls": "0"}, False),
        ({"tls": "Off"}, False),
        ({"tls": "YES"}, True),
        ({"tls": False}, False),
        ({"mode": "warn"}, "warn"),
        ({"folder": "a/b"}, Path("a/b")),
        ({"folder": Path("a")}, Path("a")),
        ({"names": "a, b"}, ["a", "b"]),
        ({"span": "1,2"}, (1, 2)),
        ({"color": "blue"}, Color.BLUE),
        ({"folder": None}, None),
        ({"url": Path("a")}, "a"),
        ({"either": Path("a")}, "a"),
        ({"hosts": "a, b,"}, ("a", "b")),
        ({"hosts": ["a"]}, ("a",)),
        ({"extra": {"a": "1"}}, {"a": 1}),
        ({"inner": {"name": "redis", "url": "5"}}, {"name": "redis", "url": "5"}),
        ({"inner": "memory"}, "memory"),
        ({"password": "p"}, Secret("p")),
        ({"password": Secret("p")}, Secret("p")),
        ({"keys": "a,b"}, [Secret("a"), Secret("b")]),
        ({"keys": [Secret("a"), "b"]}, [Secret("a"), Secret("b")]),
    ],
)
def test_value_that_is_taken(options: dict[str, Any], expected: object) -> None:
    (name,) = options
    found = getattr(check(**options), name)
    assert found == expected
    assert type(found) is (
        OptionValues if name == "inner" and isinstance(expected, dict) else type(expected)
    )


@pytest.mark.parametrize("kind", [str, Path])
def test_the_home_folder_in_a_path_is_expanded(kind: Callable[[str], Any]) -> None:
    assert check(folder=kind("~/a")).folder == Path.home() / "a"


def test_inner_object_is_left_as_it_is() -> None:
    thing = object()
    assert check(inner=thing).inner is thing


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"port": "soon"}, "a whole number; got 'soon'"),
        ({"port": 5.5}, "a whole number; got 5.5"),
        ({"port": True}, "got True"),
        ({"port": "redis://:" + SENTINEL + "@host"}, "got an address, which is not shown"),
        ({"port": [SENTINEL]}, "got a value of type list"),
        ({"timeout": "nan"}, "a number; got 'nan'"),
        ({"timeout": "5s"}, "a number; got '5s'"),
        ({"timeout": True}, "a number; got True"),
        ({"tls": 1}, "true or false; got 1"),
        ({"tls": "maybe"}, "true or false; got 'maybe'"),
        ({"mode": "lax"}, "'strict' or 'warn'; got 'lax'"),
        ({"mode": SENTINEL, "password": SENTINEL}, r"'strict' or 'warn'; got '\*+'"),
        ({"folder": 5}, "a path or nothing"),
        ({"url": 5}, "a string"),
        ({"url": None}, "a string"),
        ({"url": Secret(SENTINEL)}, "a string; got a value of type Secret"),
        ({"password": 12345678}, "a secret string or nothing"),
        ({"keys": [5]}, "a list"),
        ({"extra": {"a": SENTINEL}}, "a table"),
        ({"span": "1,2,3"}, "a list of 2 values"),
        ({"color": "green"}, "'red' or 'blue'"),
        ({"wait": "soon"}, "a number of seconds"),
    ],
)
def test_value_that_is_refused(options: dict[str, Any], words: str) -> None:
    name = next(iter(options))
    with pytest.raises(StoreOptionsError, match=words) as caught:
        check(**options)
    assert caught.value.option == name
    assert caught.value.store == "s"
    assert f"{name!r} of token store 's'" in str(caught.value)
    assert SENTINEL not in str(caught.value)
    assert "12345678" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words", "option"),
    [
        (
            {"url": "u", "pasword": SENTINEL},
            "no option 'pasword'; did you mean 'password'",
            "pasword",
        ),
        ({"url": "u", "zzz": SENTINEL}, "it takes: url, password", "zzz"),
        ({"port": 5}, "needs the option 'url'", "url"),
    ],
)
def test_unknown_and_missing(options: dict[str, Any], words: str, option: str) -> None:
    with pytest.raises(StoreOptionsError, match=words) as caught:
        check_options(Store, options, store="s")
    assert caught.value.option == option
    assert SENTINEL not in str(caught.value)


def test_store_without_options() -> None:
    assert check_options(Bare, {}, store="bare") is None
    assert describe_options(Bare) == []
    with pytest.raises(StoreOptionsError, match=r"no option 'a' \(it takes: none\)"):
        check_options(Bare, {"a": 1}, store="bare")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"port": 70000}, "does not accept its options: ('url' and )?'port'"),
        ({"timeout": -1}, "timeout must not be negative"),
        ({"mode": "warn", "tls": False}, "options: a value, or a combination"),
    ],
)
def test_post_init_that_refuses(options: dict[str, Any], words: str) -> None:
    with pytest.raises(StoreOptionsError, match=words) as caught:
        check_options(Store, {"url": SENTINEL, **options}, store="s")
    assert caught.value.store == "s"
    assert SENTINEL not in str(caught.value)


FAULTS: list[Callable[[], dict[str, Any]]] = [
    lambda: {"url": SENTINEL, "port": 70000},
    lambda: {"url": SENTINEL, "port": "soon"},
    lambda: {"url": SENTINEL, "mode": "warn", "tls": False},
    lambda: {"url": SENTINEL, "timeout": -1},
    lambda: {"url": SENTINEL, "oops": SENTINEL},
    lambda: {"password": SENTINEL},
    lambda: {"url": "u", "password": SENTINEL, "keys": 5},
]


@pytest.mark.sample(3)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_traceback_shows_a_value(fault: Callable[[], dict[str, Any]]) -> None:
    options = OptionValues(fault())
    with pytest.raises(StoreOptionsError) as caught:
        check_options(Store, options, store="s")
    error = caught.value
    output = io.StringIO()
    Console(file=output, width=200).print(
        Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True)
    )
    assert "check_options" in output.getvalue()
    shown = output.getvalue() + "".join(
        traceback.TracebackException.from_exception(error, capture_locals=True).format()
    )
    assert SENTINEL not in shown
    assert error.__context__ is None


def test_description() -> None:
    found = {info.name: info for info in describe_options(Store)}
    assert found["url"] == OptionInfo("url", "str", "", True, False, "")
    assert found["password"] == OptionInfo(
        "password", "Secret[str] | None", "None", False, True, "of the user"
    )
    assert found["keys"].secret
    assert found["keys"].type == "list[Secret[str]]"
    assert (found["port"].doc, found["port"].default) == ("where it listens", "1")
    assert found["timeout"].doc == "Seconds to wait.\n\nFor an answer."
    assert found["mode"].type == "'strict' | 'warn'"
    assert found["hosts"].type == "tuple[str, ...]"
    assert list(found) == list(Store.Options.__dataclass_fields__)


def test_description_without_source() -> None:
    namespace: dict[str, Any] = {"dataclass": dataclass}
    exec("class S:\n @dataclass\n class Options:\n  a: int = 1 #: text", namespace)
    assert [(info.name, info.doc) for info in describe_options(namespace["S"])] == [("a", "")]


def test_default_of_a_secret_is_hidden() -> None:
    class WithDefault:
        @dataclass(kw_only=True)
        class Options:
            key: Secret[str] = Secret("x")  # noqa: RUF009 - a bad habit, and not ours to show

    assert describe_options(WithDefault)[0].default == "(hidden)"


def test_options_that_are_no_dataclass() -> None:
    class Forgotten:
        class Options:
            url: str = "x"

    with pytest.raises(StoreLoadError, match="not a dataclass"):
        check_options(Forgotten, {}, store="s")
    with pytest.raises(StoreLoadError, match="not a dataclass"):
        describe_options(Forgotten)


@given(st.integers(-(2**31), 2**31) | st.floats(allow_nan=False) | st.booleans() | st.text())
def test_texts_of_the_environment_mean_what_python_values_mean(value: Any) -> None:
    class Any_:
        @dataclass(kw_only=True)
        class Options:
            number: int | None = None
            real: float | None = None
            switch: bool | None = None
            text: str | None = None

    name = {int: "number", float: "real", bool: "switch", str: "text"}[type(value)]
    given_as_text = check_options(Any_, {name: str(value)}, store="s")
    given_as_value = check_options(Any_, {name: value}, store="s")
    assert given_as_text == given_as_value
    assert getattr(given_as_text, name) == value


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_secrets_in_any_list_are_known(kind: type) -> None:
    """What is not known could not be masked."""
    assert secrets_of({"keys": kind([Secret(SENTINEL)])}) == (Secret(SENTINEL),)
