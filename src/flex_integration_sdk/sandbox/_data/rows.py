"""How a resource is stored: a row of SQLite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from flex_integration_sdk._transit import dumps, loads

Resource = dict[str, Any]
"""As the API returns it. Never changed in place: reads share what they decoded."""

Row = tuple[str, str, int, str]
"""A resource as it is stored: id, type, when it was created, body."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS resource (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT UNIQUE NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    created INTEGER
);
CREATE INDEX IF NOT EXISTS resource_type ON resource (type, position);
CREATE TABLE IF NOT EXISTS content (id TEXT PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS made_with (seed TEXT NOT NULL);
"""
# Apart: the file of an earlier version gets the column first.
INDEX = "CREATE INDEX IF NOT EXISTS resource_created ON resource (type, created, position)"
ADD_CREATED = "ALTER TABLE resource ADD COLUMN created INTEGER"

PUT = (
    "INSERT INTO resource (id, type, created, body) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET created = excluded.created, body = excluded.body"
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def encoded(resource: Resource) -> Row:
    """A resource as it is stored."""
    return str(resource["id"]), resource["type"], created_at(resource), dumps(resource)


def decoded_anew(body: str) -> Resource:
    """The resource that is stored as this body."""
    found: Resource = loads(body)
    return found


# A query that filters reads all resources of a type, so they are decoded again and again. There is
# room for those of ``--listings 25000``: without, such a query takes 2 seconds, with it 0.1.
decoded = lru_cache(maxsize=32_768)(decoded_anew)


def created_at(resource: Resource) -> int:
    """When it was created, in milliseconds since 1970; 0 if its type does not tell."""
    found = resource["attributes"].get("createdAt")
    return 0 if found is None else milliseconds(found)


def milliseconds(moment: datetime) -> int:
    """Since 1970, rounded up: what is stored has whole milliseconds, so all comparisons hold."""
    return -((_EPOCH - moment) // _MILLISECOND)
