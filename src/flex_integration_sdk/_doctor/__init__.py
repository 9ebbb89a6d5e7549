"""Finds what keeps an SDK instance from working, and says what to do; ``flex-sdk doctor``.

A check is a small function in the module of its topic. ``finding`` has what it yields, ``ground``
what it stands on, ``running`` how it is run, ``examine`` all checks in their order.
"""

from .examine import TIMEOUT, examine
from .finding import Finding, Status

__all__ = ["TIMEOUT", "Finding", "Status", "examine"]
