"""What an import loads, seen in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ["httpx2", "asyncio", "msgspec", "platformdirs", "importlib_metadata", "click", "rich"]
HEAVY += ["tenacity"]  # it is loaded after a first failure
STORES = ["flex_tokenstore.stores.file.store", "flex_tokenstore.stores.memory"]


@pytest.mark.parametrize(
    ("package", "absent"),
    [
        ("flex_tokenstore", [*HEAVY, *STORES, "flex_tokenstore.embedding"]),
        (
            "flex_tokenstore.auth",
            [*HEAVY, *STORES, "httpx", "requests", "flex_tokenstore.embedding"],
        ),
        ("flex_integration_sdk", [*HEAVY, *STORES, "starlette", "uvicorn"]),
        (
            "flex_integration_sdk._client.sync",
            ["httpx2", "tenacity", "asyncio", "click", "rich", "starlette", "uvicorn"],
        ),
    ],
)
def test_an_import_loads_no_more_than_it_needs(package: str, absent: list[str]) -> None:
    program = f"import sys, {package}; print(sorted(set({absent!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_public_names_are_there() -> None:
    import flex_integration_sdk
    import flex_tokenstore.auth
    import flex_tokenstore.embedding

    modules = (flex_tokenstore.auth, flex_tokenstore.embedding)
    for package in (flex_tokenstore, flex_integration_sdk, *modules):
        assert sorted(package.__all__) == list(package.__all__)
        for name in package.__all__:
            assert getattr(package, name) is not None
