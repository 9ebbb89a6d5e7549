"""Token stores that plug in: one token per identity, one renewal however many need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._identity import TokenIdentity as TokenIdentity
    from ._secret import Secret as Secret
    from ._token import ANY_REVISION as ANY_REVISION
    from ._token import Token as Token
    from ._token import revision_of as revision_of
    from .hookspecs import hookimpl as hookimpl
