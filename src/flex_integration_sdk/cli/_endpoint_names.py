"""What was probably meant by words that name no endpoint."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from ._argument_values import endpoint_of, endpoints


def call_meant(words: Sequence[str]) -> str:
    """The endpoint that was probably meant where a command, or another endpoint, was typed.

    Args:
        words: What was typed, such as ``["listings", "query"]``.

    Returns:
        Its name; "" if none is exactly these words, in another order or with other signs.
    """
    parts = [part for part in re.split(r"[./:\s]+", " ".join(words[:2])) if part]
    for two in (parts[:2], parts[:2][::-1]):
        for name in (".".join(two), ".".join(two).lower()):
            if endpoint_of(name) is not None:
                return name
    return ""


def call_hint(words: Sequence[str]) -> str:
    """What to type in place of words that are not an endpoint, as a sentence."""
    if meant := call_meant(words):
        return f"Did you mean {meant}?"
    later = next((word for word in words if endpoint_of(word) is not None), "")
    if later:
        return f"Type the call first, and its parameters after it: {later} KEY=VALUE"
    resource = words[0].partition(".")[0]
    resources = sorted({name.partition(".")[0] for name in endpoints()})
    if resource in resources:
        return _of_action(words[0], resource)
    near = difflib.get_close_matches(words[0], endpoints(), n=1)
    if near:
        return f"Did you mean {near[0]}?"
    if near := difflib.get_close_matches(words[0], resources, n=1):
        return _of_action(near[0], near[0])
    return f"Calls are of the form RESOURCE.ACTION, with the resources {', '.join(resources)}."


def _of_action(word: str, resource: str) -> str:
    actions = [name for name in endpoints() if name.partition(".")[0] == resource]
    near = difflib.get_close_matches(word, actions, n=1) if "." in word else []
    if near:
        return f"Did you mean {near[0]}?"
    return f"Name its action too: {', '.join(sorted(actions))}."
