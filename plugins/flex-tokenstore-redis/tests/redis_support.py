"""What the tests of the Redis store share."""

from __future__ import annotations

from typing import Any

from tests.support.handles import IDENTITY

# As in the README.
COMMANDS = (
    "+get +set +del +type +dump +rename +pttl +pexpire +xadd +xread +xrevrange +eval +evalsha"
)
KEY = f"flex-tokenstore:{{{IDENTITY.key}}}"


def redis_config(url: str, **options: Any) -> dict[str, Any]:
    """The store's config."""
    return {"name": "redis", "url": url, **options}
