"""What an endpoint and a parameter are, as data; where the API's endpoints are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

API_PATH: Final = "/v1/integration_api/"
TOKEN_PATH: Final = "/v1/auth/token"  # noqa: S105 - a path
REVOKE_PATH: Final = "/v1/auth/revoke"


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of an endpoint."""

    name: str
    """As the API spells it, such as ``"perPage"``."""
    type: str
    """Its type in Python, as an annotation that :mod:`.param_types` has the names of."""
    doc: str
    required: bool = False
    null: bool = False
    """None is sent, to clear the value or to say that there is none."""
    names: str = ""
    """The closed set that its values are of: a name of :mod:`flex_integration_sdk.names`."""
    shape: str = ""
    """For type checkers, in place of its type: a ``TypedDict`` of
    :mod:`flex_integration_sdk.resources`."""

    @property
    def python_name(self) -> str:
        """As Python spells it, such as ``"per_page"``."""
        return snake(self.name)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of the Integration API."""

    resource: str
    """Attribute of the SDK, such as ``"users"``."""
    action: str
    """Method of that attribute, such as ``"query"``."""
    method: str
    """HTTP method: ``"GET"`` for queries, ``"POST"`` for commands."""
    path: str
    """Path under ``/v1/integration_api/``."""
    result: str
    """Name of the resource class in :mod:`flex_integration_sdk.resources` that it returns."""
    doc: str
    """What it does, in one sentence."""
    many: bool = False
    """It returns a page of resources, not one."""
    params: tuple[Param, ...] = ()
    """Of the query for GET, of the body for POST."""
    query: tuple[Param, ...] = ()
    """Of the query for POST."""
    multipart: bool = False
    """The body is ``multipart/form-data`` (RFC 7578), not Transit."""
    label: tuple[Param, ...] = ()
    """Of the head of the file's part, for multipart; no parameters of the API."""
    local: tuple[Param, ...] = ()
    """Of the method alone: they are not sent, and no command line has them."""
    one_of: tuple[str, ...] = ()
    """Names of parameters of which exactly one is needed."""
    filters: bool = False
    """It filters by extended data: ``pub_…``, ``meta_…``, ``priv_…``, ``prot_…``."""
    repeatable: str = ""
    """Of a command: why it can be repeated although the first request may have been carried out;
    empty: it cannot."""
    once: str = ""
    """Of a command that cannot: what a repetition would do."""

    @property
    def name(self) -> str:
        """Such as ``"users.query"``."""
        return f"{self.resource}.{self.action}"

    @property
    def result_type(self) -> str:
        """Type of the resources it returns, as the API spells it, such as ``"user"``."""
        return self.result[0].lower() + self.result[1:]

    def set_of(self, param: Param) -> str:
        """Name of the closed set that values of a parameter are of; empty: of none."""
        if param.name != "include":
            return param.names
        from flex_integration_sdk._vocabulary.relationships import RELATIONSHIPS

        return f"{self.result}Include" if RELATIONSHIPS.get(self.result_type) else ""

    @property
    def all_params(self) -> tuple[Param, ...]:
        """Of body, file and query."""
        return self.params + self.label + self.query

    @property
    def arguments(self) -> tuple[Param, ...]:
        """Of the method."""
        return self.params + self.label + self.local + self.query


def snake(name: str) -> str:
    """``perPage`` as ``per_page``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
