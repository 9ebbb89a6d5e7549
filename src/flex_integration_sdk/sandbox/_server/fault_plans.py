"""Reads what a test plans: a fault, as a JSON object."""

from __future__ import annotations

import difflib
import re
from dataclasses import fields
from typing import Any, get_args

from flex_integration_sdk.sandbox._endpoints.router import BY_PATH
from flex_integration_sdk.sandbox._settings import is_whole

from .planned_faults import Fault, FaultKind, FaultTarget

KINDS: tuple[str, ...] = get_args(FaultKind)
TARGETS: tuple[str, ...] = get_args(FaultTarget)
_MOST = 1_000_000
# Seconds that a response can be delayed at most.
_LONGEST = 600.0
# What a header may be called and hold (RFC 9110 section 5), of ASCII.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
# The server writes these itself.
_FRAMING = {"content-length", "transfer-encoding", "connection"}


def read_fault(wanted: Any) -> Fault:
    """The fault that a JSON object describes.

    Raises:
        ValueError: It is not a fault; the message says why.
    """
    if not isinstance(wanted, dict):
        raise ValueError("a fault must be a JSON object")
    known = [each.name for each in fields(Fault)]
    if unknown := sorted(set(wanted) - set(known)):
        raise ValueError(f"unknown: {', '.join(unknown)}; a fault has {', '.join(known)}")
    _check_numbers({each.name: each.default for each in fields(Fault)} | wanted)
    fault = Fault(**wanted)
    if fault.kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    if fault.target not in TARGETS:
        raise ValueError(f"target must be one of {', '.join(TARGETS)}")
    if fault.kind == "token_type" and fault.target != "token":
        raise ValueError("kind token_type needs target token")
    _check_path(fault)
    _check_answer(fault)
    return fault


def _check_numbers(given: dict[str, Any]) -> None:
    for name, least in (("count", 1), ("after", 0), ("every", 1)):
        is_open = name != "after" and given[name] is None
        if not is_open and not is_whole(given[name], least, _MOST):
            raise ValueError(f"{name} must be a whole number, {least} or more")
    if not is_whole(given["seed"], -(2**63), 2**63):
        raise ValueError("seed must be a whole number")
    if not is_whole(given["status"], 400, 599):
        raise ValueError("status must be a whole number from 400 to 599")
    seconds = given["seconds"]
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not number or not 0 <= seconds <= _LONGEST:
        raise ValueError(f"seconds must be a number from 0 to {_LONGEST:.0f}")


def _check_path(fault: Fault) -> None:
    if fault.path is None:
        return
    if fault.target not in ("api", "any"):
        raise ValueError("path needs target api: it is an endpoint of the API")
    if fault.path not in BY_PATH:
        near = difflib.get_close_matches(str(fault.path), BY_PATH, n=1)
        meant = f"did you mean {near[0]}?" if near else "one is listings/query, for example"
        raise ValueError(f"path {str(fault.path)[:100]!r} is not an endpoint: {meant}")


def _check_answer(fault: Fault) -> None:
    if fault.kind != "status" and (fault.code is not None or fault.body is not None):
        raise ValueError("code and body need kind status")
    if fault.code is not None and (not isinstance(fault.code, str) or not fault.code):
        raise ValueError("code must be a string")
    if fault.code is not None and fault.body is not None:
        raise ValueError("code and body cannot be combined: the body has the code")
    given: Any = fault.headers
    if not isinstance(given, dict):
        raise ValueError("headers must be a JSON object")
    for name, value in given.items():
        if not _NAME.fullmatch(name) or name.lower() in _FRAMING:
            raise ValueError(f"headers: {name[:100]!r} cannot be set")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise ValueError(f"headers: the value of {name} must be a string of printable ASCII")
