"""How long a thread may wait for a lock at once."""

from __future__ import annotations

from typing import Final

SLICE: Final = 0.5
"""Seconds. Of a signal that comes just before a wait for a lock, or to another thread, Python tells
only at the end of that wait. On Windows Ctrl-C never interrupts one."""
