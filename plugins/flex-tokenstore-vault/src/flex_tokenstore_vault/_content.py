"""What a secret's fields hold, and how a token is put into them."""

from __future__ import annotations

import json
from typing import Any

from flex_tokenstore import Secret
from flex_tokenstore.records import Record

FIELD = "token"
"""The field of the secret that holds the token's JSON, as text: Vault itself would round large
integers in a JSON object and replace lone surrogates."""
TOMBSTONE: Secret[dict[str, Any]] = Secret({FIELD: None})
"""Written in place of a token that is removed."""


class Empty(int):
    """A version of a secret that holds nothing: it needs no tombstone to be removed."""


def record_of(fields: Secret[Any], version: Any) -> Record:
    """The record in the fields of a secret, whoever wrote them."""
    text: Secret[Any] = Secret(
        fields.reveal().get(FIELD) if isinstance(fields.reveal(), dict) else None
    )
    if isinstance(text.reveal(), str):
        data = Secret(text.reveal().encode("utf-8", "surrogatepass"))
        return Record(data, version, raw=fields)
    data = Secret(json.dumps(fields.reveal(), sort_keys=True).encode())
    return Record(data, version, problem=f"it has no string field `{FIELD}`", raw=fields)


def fields_of(data: Secret[bytes]) -> Secret[dict[str, Any]]:
    """The fields of the secret that holds this token."""
    return Secret({FIELD: data.reveal().decode()})
