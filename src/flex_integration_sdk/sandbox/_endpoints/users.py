"""``users`` and ``marketplace``."""

from __future__ import annotations

from typing import Any

from flex_integration_sdk.sandbox._data.database import Resource
from flex_integration_sdk.sandbox._refusal import ApiFault, conflict, not_found

from .context import Context, endpoint, has_extended, merged
from .pages import page, plain, sort
from .parameters import Arguments
from .permissions import ALLOW, DENY

_EXTENDED = ("publicData", "protectedData", "privateData", "metadata")


@endpoint("marketplace.show")
def marketplace(context: Context, asked: Arguments) -> Resource:
    return context.db.all("marketplace")[0]


@endpoint("users.show")
def show(context: Context, asked: Arguments) -> Resource:
    if "id" in asked:
        return context.shown("user", asked["id"])
    for user in context.db.all("user"):
        if user["attributes"]["email"] == asked["email"]:
            return user
    raise not_found("There is no such user")


@endpoint("users.query")
def query(context: Context, asked: Arguments) -> dict[str, Any]:
    if (every := plain(context, "user", asked)) is not None:
        return page(context, every, asked)
    created = context.created("user", asked)
    found = [each for each in created if has_extended(_extended(each), asked.filters)]
    return page(context, sort(found, asked, ("createdAt",)), asked)


@endpoint("users.updateProfile")
def update_profile(context: Context, asked: Arguments) -> Resource:
    user = context.needed("user", asked["id"], "user-not-found")
    profile = user["attributes"]["profile"]
    given = {k: v for k, v in asked.values.items() if k not in ("id", "profileImageId")}
    for name in _EXTENDED:
        if name in given:
            given[name] = merged(profile[name], given[name], name)
    profile = {**profile, **given}
    first, last = profile["firstName"], profile["lastName"]
    if profile["displayName"] is None:
        profile["displayName"] = f"{first} {last[:1]}"
    profile["abbreviatedName"] = f"{first[:1]}{last[:1]}"
    relations: dict[str, Resource | list[Resource] | None] = {}
    if "profileImageId" in asked:
        wanted = asked["profileImageId"]
        relations["profileImage"] = None if wanted is None else image(context, wanted)
    return context.change(user, {"profile": profile}, relations)


def image(context: Context, wanted: Any) -> Resource:
    """The image with that id."""
    return context.needed("image", wanted, "image-invalid")


@endpoint("users.approve")
def approve(context: Context, asked: Arguments) -> Resource:
    user = context.needed("user", asked["id"], "user-not-found")
    if user["attributes"]["state"] == "banned":
        raise conflict("user-is-banned", "The user is banned")
    return context.change(user, {"state": "active"})


@endpoint("users.updatePermissions")
def update_permissions(context: Context, asked: Arguments) -> Resource:
    user = context.needed("user", asked["id"], "user-not-found")
    given = {name: value for name, value in asked.values.items() if name != "id"}
    for name, value in given.items():
        if value not in (ALLOW, DENY):
            title = f"{name} must be {ALLOW} or {DENY}"
            raise ApiFault(400, "validation-invalid-value", title, path=(name,), where="body")
    return context.change(user, {"permissions": {**user["attributes"]["permissions"], **given}})


@endpoint("users.verifyEmail")
def verify_email(context: Context, asked: Arguments) -> Resource:
    user = context.needed("user", asked["id"], "user-not-found")
    attributes, email = user["attributes"], asked["email"]
    if email == attributes["pendingEmail"]:
        return context.change(user, {"email": email, "pendingEmail": None, "emailVerified": True})
    if email != attributes["email"]:
        raise conflict("email-not-found", "The user has no such e-mail address")
    if attributes["emailVerified"]:
        raise conflict("email-already-verified", "The e-mail address is already verified")
    return context.change(user, {"emailVerified": True})


def _extended(user: Resource) -> dict[str, Any]:
    profile = user["attributes"]["profile"]
    return {
        "pub": profile["publicData"],
        "prot": profile["protectedData"],
        "priv": profile["privateData"],
        "meta": profile["metadata"],
    }
