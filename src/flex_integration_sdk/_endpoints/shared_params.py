"""Parameters that several endpoints have."""

from __future__ import annotations

from .endpoint import Param


def id_of(what: str, name: str = "id") -> Param:
    return Param(name, "Id", f"The {what}'s id.", required=True)


INCLUDE = Param("include", "Names", "Relationships to include, such as ``author.profileImage``.")
FIELDS = Param("fields", "Fields", 'Attributes to return, by type: ``{"user": ["email"]}``.')
LIMIT = Param("limit", "Limits", 'Maximum of resources for each relationship: ``{"images": 1}``.')
VARIANT = Param(
    "imageVariant",
    "ImageVariants",
    'Image variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit": "scale"}}``.',
)
SHAPE = (INCLUDE, FIELDS, LIMIT, VARIANT)
EXPAND = (
    Param("expand", "bool", "True: return the whole resource; otherwise only its id and type."),
    *SHAPE,
)
PROGRESS = Param(
    "onProgress",
    "Progress",
    "Called with the bytes that were sent, and with their number (None: it is not known). It "
    "begins again from 0 if the file has to be sent again. What it raises ends the upload.",
)
PAGING = (
    Param("page", "int", "Page number, from 1."),
    Param("perPage", "int", "Resources on a page, 1 to 100 (default 100)."),
)
CREATED = (
    Param("createdAtStart", "datetime", "Created at this time or later."),
    Param("createdAtEnd", "datetime", "Created before this time."),
)


def sort_by(names: str, closed_set: str) -> Param:
    doc = f"Up to 3 of {names}; ``-`` before a name reverses it."
    return Param("sort", "Names", doc, names=closed_set)


EXTENDED = (
    Param("publicData", "ExtendedData", "Merged with the stored data, key by key."),
    Param("privateData", "ExtendedData", "Merged key by key; owner and operators read it."),
    Param("metadata", "ExtendedData", "Merged key by key; only operators write it, all read it."),
)
LISTING_TEXTS = (
    Param("description", "str", "Text on the listing's page."),
    Param("geolocation", "LatLng", "Location of the listing.", null=True),
    Param("price", "Money", "Price of the listing.", null=True),
    Param(
        "availabilityPlan",
        "ExtendedData",
        "``type`` (``availability-plan/day`` or ``…/time``), ``timezone``, ``entries``.",
        null=True,
        shape="AvailabilityPlan",
    ),
    *EXTENDED,
    Param("images", "Ids", "Ids of uploaded images, in their order."),
)
STATES = "``pending``, ``proposed``, ``accepted``, ``declined``, ``cancelled``."
SPAN = (
    id_of("listing", "listingId"),
    Param("start", "datetime", "Start of the time span.", required=True),
    Param("end", "datetime", "End of the time span.", required=True),
)
TRANSITION = (
    id_of("transaction"),
    Param("transition", "str", "A transition of operators: ``transition/accept``.", required=True),
    Param("params", "ExtendedData", "Parameters of the transition; may be empty.", required=True),
)
# Why commands can be repeated, and why not.
SETS_VALUES = (
    "It sets the given values, whatever they were. What somebody else gave them meanwhile is "
    "overwritten, as by a call that came a little later."
)
URL = "A second URL does no harm: each works for itself, until it expires."
CONFLICT = "It would be refused (409), since the first one changed the state."
