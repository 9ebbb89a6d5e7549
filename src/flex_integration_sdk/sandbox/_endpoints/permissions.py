"""What users may do."""

from __future__ import annotations

import uuid
from typing import get_args

from flex_integration_sdk._vocabulary.names import Permission
from flex_integration_sdk.sandbox._data.database import Resource

ALLOW, DENY = get_args(Permission)
# Those of a user who is not approved yet, as the page on access control tells them.
_OF_THE_APPROVED = frozenset({"initiateTransactions", "postListings"})


def effective_permission_set(user: Resource) -> Resource:
    """The relationship ``effectivePermissionSet`` of a user, made from what is stored of the user.

    On the live API it also depends on the marketplace's settings in Console. A sandbox has none, so
    only the state matters: a pending user may read, a banned one may do nothing.
    """
    attributes = user["attributes"]
    state = attributes["state"]
    found = {
        name: DENY
        if state == "banned" or (state == "pendingApproval" and name in _OF_THE_APPROVED)
        else own
        for name, own in attributes["permissions"].items()
    }
    # The same id each time, and not the user's.
    return {
        "id": uuid.uuid5(user["id"], "permissionSet"),
        "type": "permissionSet",
        "attributes": found,
    }
