"""``__init__`` of a store must not connect: told when it fails there, and when a store is checked.

A store is made when a program starts. One that connects there stops the program while the backend
is down, also if the program wants to go on without its store.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import PurePath
from types import FunctionType

RULE = (
    "A store must not connect, or read files, in __init__: it does so in its hooks, so that a "
    "program can start while the backend is down"
)

# How calls end that reach another machine, a socket or a database at once. Not what makes a client
# that connects later, such as redis.Redis() or create_engine().
_CONNECTS = (
    *("connect", "connect_ex", "create_connection", "open_connection"),
    *("getaddrinfo", "gethostbyname", "login", "ping", "urlopen"),
)
_HTTP_LIBRARIES = ("httpx", "httpx2", "requests", "urllib3")
_HTTP_CALLS = ("delete", "get", "head", "patch", "post", "put", "request")


def is_outage(error: Exception) -> bool:
    """Whether ``__init__`` raised what a refused connection or a missing file looks like."""
    # What is not built in is a driver's; of the built-in ones, ValueError is about an option.
    return isinstance(error, (OSError, EOFError)) or type(error).__module__ != "builtins"


def refuses_options(error: Exception) -> bool:
    """Whether ``__init__`` raised what a driver raises for arguments that it does not take."""
    # An SSLError may be a ValueError too, and a missing module is no matter of options.
    if isinstance(error, (OSError, EOFError, ImportError)):
        return False
    return isinstance(error, (ValueError, TypeError)) or not is_outage(error)


def call_in_init(cls: type) -> str:
    """The first call in ``__init__`` that connects, with its line; "" if none is seen.

    It reads the source of the class and runs nothing. What a called function does in turn is not
    seen, except in methods of the same class.
    """
    waiting, seen = ["__init__"], {"__init__"}
    while waiting:
        function = inspect.getattr_static(cls, waiting.pop(), None)
        if not isinstance(function, FunctionType):
            continue
        for call in _calls(function):
            name = _dotted(call.func)
            owner, _, last = name.rpartition(".")
            if last in _CONNECTS or (owner in _HTTP_LIBRARIES and last in _HTTP_CALLS):
                first = function.__code__.co_firstlineno
                file = PurePath(function.__code__.co_filename).name
                return f"{name} (at {file}:{first + call.lineno - 1})"
            if owner == "self" and last not in seen:
                seen.add(last)
                waiting.append(last)
    return ""


def _calls(function: FunctionType) -> Iterator[ast.Call]:
    try:
        source = textwrap.dedent(inspect.getsource(function))
        (definition,) = ast.parse(source).body
    # No source: a frozen program, a class made at run time. Or Python's cache of sources, which has
    # no lock, was changed by another thread meanwhile (KeyError, TokenError).
    except Exception:  # noqa: BLE001 - it is a word of advice
        return
    if isinstance(definition, ast.FunctionDef):
        for statement in definition.body:
            yield from _calls_in(statement)


def _calls_in(node: ast.AST) -> Iterator[ast.Call]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
        return  # it runs later
    if isinstance(node, ast.Call):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _calls_in(child)


def _dotted(node: ast.expr) -> str:
    """``a.b.c`` as it is written; of what is not a plain name, the attributes only."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return f"{before}.{node.attr}" if before else node.attr
    return ""
