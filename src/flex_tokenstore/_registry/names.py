"""What a token store may be called."""

from __future__ import annotations

import re

# What an environment variable, a file name, a Python module and a distribution's name can all be
# made of.
_is_name = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*").fullmatch
_LONGEST = 40  # characters; a table in a terminal still has room for the rest


def problem_of_store_name(name: str) -> str:
    """Tells what is wrong with the form of a store's name.

    Args:
        name: The name of an entry point, or one that is about to become that.

    Returns:
        The end of a sentence whose subject is the name: ``"cannot be the name of a token
        store: …"``; "" if nothing is wrong.
    """
    if _is_name(name) and len(name) <= _LONGEST:
        return ""
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", name).lower())
    near = words.strip("-0123456789")[:_LONGEST].strip("-")
    valid = f"; {near!r} would be valid" if near else ""
    return (
        "cannot be the name of a token store: it takes lower-case letters, digits and single "
        f"dashes, a letter first, at most {_LONGEST} characters{valid}"
    )
