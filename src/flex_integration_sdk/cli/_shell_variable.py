"""The variable by which a shell asks for completions: read before click is imported."""

from __future__ import annotations

COMPLETES = "_FLEX_SDK_COMPLETE"
"""click derives the name from the program's."""
