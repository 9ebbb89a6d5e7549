"""Right stores by construction: the base of a store that keeps one record for each identity.

A store derives from :class:`RecordStore`, or :class:`AsyncRecordStore`, and says how its service
reads, writes and deletes bytes under a key if their version is the expected one. The base does what
all stores must do alike.
"""

from __future__ import annotations

from ._aio import AsyncRecordStore
from ._clients import end_transport
from ._options import RemoteOptions, doc
from ._record import ABSENT, ANY_VERSION, Busy, Changed, Kind, Problem, Record, Sleep, Steps
from ._sync import RecordStore
from ._tls import tls_problem

__all__ = [
    "ABSENT",
    "ANY_VERSION",
    "AsyncRecordStore",
    "Busy",
    "Changed",
    "Kind",
    "Problem",
    "Record",
    "RecordStore",
    "RemoteOptions",
    "Sleep",
    "Steps",
    "doc",
    "end_transport",
    "tls_problem",
]
