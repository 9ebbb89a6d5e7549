"""What the tests of the Vault stores share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flex_tokenstore import Token
from tests.support.handles import IDENTITY

if TYPE_CHECKING:
    from tests.servers.openbao import OpenBao

KEY = f"flex-tokenstore/{IDENTITY.key}"
DATA = f"secret/data/{KEY}"
LOCK = f"{DATA}/lock"
METADATA = f"secret/metadata/{KEY}"

# As in the README.
POLICY = """
path "secret/data/flex-tokenstore/*" { capabilities = ["create", "read", "update"] }
path "secret/metadata/flex-tokenstore/*" { capabilities = ["read"] }
path "secret/destroy/flex-tokenstore/*" { capabilities = ["update"] }
"""
POLICY_KV1 = """
path "kv1/flex-tokenstore/*" { capabilities = ["create", "read", "update", "delete"] }
"""


def fields(token: Token) -> dict[str, str]:
    """The fields of the secret that holds this token."""
    return {"token": json.dumps(token.to_dict())}


def config(server: OpenBao, **options: Any) -> dict[str, Any]:
    """The store's config, with the root token unless another way to sign in is given."""
    if not {"auth", "token", "token_file"} & set(options):
        options["token"] = server.root_token
    return {"name": "vault", "address": server.url, **options}
