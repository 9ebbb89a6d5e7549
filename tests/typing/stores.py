"""What a type checker says of stores: an error in each line that ends so, and in no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flex_integration_sdk import create_instance
from flex_tokenstore import TokenIdentity, file_store, hookimpl, open_async_store, open_store

IDENTITY = TokenIdentity("https://api.example.com", "a-client")


class Sync:
    def get_token(self) -> dict[str, Any] | None:
        return None

    def set_token(self, token: dict[str, Any]) -> None: ...

    def remove_token(self) -> None: ...


class Comparing:
    def get_token(self) -> dict[str, object] | None:
        return None

    def set_token(self, token: dict[str, Any], expected: str | None) -> None: ...

    def remove_token(self, expected: str | None) -> None: ...


class Async:
    async def get_token(self) -> dict[str, Any] | None:
        return None

    async def set_token(self, token: dict[str, Any]) -> None: ...

    async def remove_token(self, expected: str | None) -> None: ...


class Untyped:
    def get_token(self):  # type: ignore[no-untyped-def]
        return None

    def set_token(self, token, expected):  # type: ignore[no-untyped-def]
        pass

    def remove_token(self):  # type: ignore[no-untyped-def]
        pass


class Plugin:
    @dataclass(kw_only=True)
    class Options:
        """It has none."""

    def __init__(self, options: Options, identity: TokenIdentity) -> None: ...

    @hookimpl
    def get_token(self) -> dict[str, Any] | None:
        return None

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None: ...

    @hookimpl
    def remove_token(self, expected: str | None) -> None: ...


class NoRemove:
    def get_token(self) -> dict[str, Any] | None:
        return None

    def set_token(self, token: dict[str, Any]) -> None: ...


class GivesText(Sync):
    def get_token(self) -> str:  # type: ignore[override]
        return ""


class TakesText:
    def get_token(self) -> dict[str, Any] | None:
        return None

    def set_token(self, token: str) -> None: ...

    def remove_token(self) -> None: ...


class SaysFalse(Sync):
    def set_token(self, token: dict[str, Any]) -> bool:  # type: ignore[override]
        return False


class TakesItByKeyword(Sync):
    def set_token(self, token: dict[str, Any], *, expected: str | None) -> None: ...  # type: ignore[override]


class TakesMore:
    def get_token(self, key: str) -> dict[str, Any] | None:
        return None

    def set_token(self, token: dict[str, Any]) -> None: ...

    def remove_token(self, expected: int) -> None: ...


class AsyncGivesText:
    async def get_token(self) -> str:
        return ""

    async def set_token(self, token: dict[str, Any]) -> None: ...

    async def remove_token(self) -> None: ...


class RemovesByNumber:
    def get_token(self) -> dict[str, Any] | None:
        return None

    def set_token(self, token: dict[str, Any], expected: int) -> None: ...

    def remove_token(self, expected: int) -> None: ...


class Generates:
    def get_token(self) -> Iterator[dict[str, Any]]:
        yield {}

    def set_token(self, token: dict[str, Any]) -> None: ...

    def remove_token(self) -> None: ...


class NotAMethod:
    get_token = None
    set_token = "set"
    remove_token = 1


async def stores() -> None:
    open_store("file", IDENTITY)
    open_store({"name": "file", "path": "x"}, IDENTITY)
    open_store(file_store(path="x"), IDENTITY)
    open_store(Sync(), IDENTITY)
    open_store(Comparing(), IDENTITY)
    open_store(Async(), IDENTITY)
    open_store(Untyped(), IDENTITY)
    open_store(Plugin(Plugin.Options(), IDENTITY), IDENTITY)
    await open_async_store(Async(), IDENTITY)
    create_instance("id", token_store=Comparing())
    open_store(5, IDENTITY)  # wrong
    open_store(None, IDENTITY)  # wrong
    open_store(NoRemove(), IDENTITY)  # wrong
    open_store(GivesText(), IDENTITY)  # wrong
    open_store(TakesText(), IDENTITY)  # wrong
    await open_async_store(b"file", IDENTITY)  # wrong
    open_store(SaysFalse(), IDENTITY)  # wrong
    open_store(TakesItByKeyword(), IDENTITY)  # wrong
    open_store(TakesMore(), IDENTITY)  # wrong
    open_store(RemovesByNumber(), IDENTITY)  # wrong
    open_store(Generates(), IDENTITY)  # wrong
    open_store(NotAMethod(), IDENTITY)  # wrong
    open_store(Sync, IDENTITY)  # wrong
    open_store(Sync(), "a-client")  # wrong
    open_store(Sync(), 5)  # wrong
    open_store({1: "file"}, IDENTITY)  # wrong
    open_store("file", IDENTITY, host_lock="of")  # wrong
    await open_async_store(AsyncGivesText(), IDENTITY)  # wrong
    await open_async_store(5, IDENTITY)  # wrong
    create_instance("id", token_store=5)  # wrong
    create_instance("id", token_store=TakesText())  # wrong
