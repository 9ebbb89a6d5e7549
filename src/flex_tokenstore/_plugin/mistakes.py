"""Tells a programming error in a store from an outage, without showing what the exception says.

"Check that it is up" is no help to somebody whose store raises KeyError. Built-in exceptions that
only wrong code raises are told as a bug, with the hook, the class and the line. What a driver
raises stays an outage: its own classes, and anything that is raised within an installed library.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import PurePath
from types import CodeType
from typing import TYPE_CHECKING, Any

from .._values.foreign_errors import attribute, described
from .connecting import RULE, is_outage, refuses_options

if TYPE_CHECKING:
    from types import TracebackType

    from .hooks import Binding

BUG = "the store has a bug"
REPORT = "Fix it, or report it to the author of the store"
_OURS = "flex_tokenstore"
# What a healthy store and a healthy driver never let out. Not ValueError and RuntimeError, which
# drivers raise for many reasons, nor OSError and EOFError, which are outages.
_BUGS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, NameError),
    *(NotImplementedError, RecursionError, StopIteration, StopAsyncIteration),
    *(SyntaxError, TypeError),
)
_DOUBTFUL = (RuntimeError, ValueError)
_LOCK_MISTAKES = {
    "generator didn't yield": "never yields; it must yield once, while the lock is held",
    "generator didn't stop": "yields more than once; it must yield once, while the lock is held",
}
_DENIED = "42501"  # SQLSTATE insufficient_privilege: an administrator's matter, in the class 42


def explained(error: Exception, found: str | None, remedy: str) -> str:
    """What went wrong and what to do next; never a word of the exception's text.

    Args:
        error: What the store raised.
        found: What :func:`mistake` says of it.
        remedy: What to do about an outage.
    """
    if found is not None:
        return found
    if remedy and type(error) in _DOUBTFUL:
        remedy += ". If it is, the store has a bug"
    return described(error) + (f". {remedy}" if remedy else "")


def mistake(error: Exception, binding: Binding, hook: str) -> str | None:
    """For a programming error: what it is, and in which method; None: it may be an outage."""
    owner = _culprit(binding, hook, error)
    return mistake_in(error, f"{hook} of {owner.label}", type(owner.plugin))


def mistake_in(error: Exception, where: str, cls: type) -> str | None:
    """The same, for a method of a store class."""
    steps = [*_steps(error)]
    lock = _lock_mistake(error, steps)
    if lock is not None:
        return f"{BUG}: {where} {lock}. {REPORT}"
    if isinstance(error, ModuleNotFoundError) and type(error.name) is str:
        name = error.name if all(part.isidentifier() for part in error.name.split(".")) else "?"
        return f"{where} needs the module {name!r}, which is not installed"
    if _is_refused_statement(error):
        return (
            f"the database refused a statement of {where} as wrong ({described(error)}): a table "
            "or column is missing, or the store has a bug. Create its tables as its instructions "
            "say, or report it to the author of the store"
        )
    # Exactly: a subclass is a driver's own, and means what that driver says.
    if not isinstance(error, _BUGS) or type(error).__module__ != "builtins":
        return None
    library = _library(steps, cls)
    if library:
        return (
            f"{described(error)} within the library {library!r}. Check that it is up and "
            f"reachable. If it is, {library!r} or {where} has a bug"
        )
    empty = where.startswith("get_token ") and isinstance(error, LookupError)
    none = ". If nothing is stored, get_token must return None" if empty else ""
    return f"{BUG}: {described(error)} in {where}{_line(steps)}{none}. {REPORT}"


def mistake_in_init(error: Exception, where: str, cls: type) -> str | None:
    """The same for ``__init__``, which must not reach out: hardly anything is an outage there."""
    found = mistake_in(error, where, cls)
    if found is not None and is_bug(found):
        return found
    if refuses_options(error):
        line = _line([*_steps(error)])
        return f"an option is wrong, or {BUG}: {described(error)} in {where}{line}. {REPORT}"
    if found is None and is_outage(error):
        found = f"{described(error)} in {where}{_line([*_steps(error)])}. {RULE}. {REPORT}"
    return found


def is_bug(said: str) -> bool:
    """Whether a message tells a bug: what somebody must correct, and no outage."""
    return f"{BUG}: " in said


def _culprit(binding: Binding, hook: str, error: Exception) -> Binding:
    """Of a wrapper and what it wraps, the innermost one whose hook was being run."""
    codes = {step.tb_frame.f_code for step in _steps(error)}
    found, each = binding, binding.inner
    while each is not None:
        theirs = getattr(each, hook, None)
        if theirs is not None and code_of(theirs.function) in codes:
            found = each
        each = each.inner
    return found


def code_of(function: Any) -> CodeType | None:
    """The code that an author wrote, below decorators such as ``@contextmanager``."""
    try:
        code = getattr(inspect.unwrap(function), "__code__", None)
    except ValueError:  # a circle
        return None
    return code if isinstance(code, CodeType) else None


def _steps(error: BaseException) -> Iterator[TracebackType]:
    """Its way through the code, the innermost step last."""
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _lock_mistake(error: Exception, steps: list[TracebackType]) -> str | None:
    """A generator that ``contextlib`` refuses; its words there are constant, and no secret."""
    if not steps or _module(steps[-1]) != "contextlib":
        return None
    if type(error) is TypeError:  # what the decorated function returned is not a generator
        return _LOCK_MISTAKES["generator didn't yield"]
    return _LOCK_MISTAKES.get(str(error)) if type(error) is RuntimeError else None


def _is_refused_statement(error: Exception) -> bool:
    """What a database says of wrong SQL, a missing table included."""
    for each in (error, attribute(error, "orig")):  # SQLAlchemy's, around a driver's
        state = attribute(each, "sqlstate") or attribute(each, "pgcode")
        if isinstance(state, str):
            # SQLSTATE's class 42: syntax error or access rule violation.
            return state.startswith("42") and state != _DENIED
        if attribute(each, "sqlite_errorname") == "SQLITE_ERROR":
            return True
    # PEP 249: "table not found or already exists, syntax error in the SQL statement".
    return any(cls.__name__ == "ProgrammingError" for cls in type(error).__mro__)


def _library(steps: list[TracebackType], cls: type) -> str | None:
    """The installed library, other than the store's own, in which it was raised."""
    own = {_OURS, *(each.__module__.partition(".")[0] for each in cls.__mro__)}
    for step in reversed(steps):
        top = _module(step).partition(".")[0]
        if top in sys.stdlib_module_names:
            continue  # it was called with something wrong, by whoever is below
        installed = {"site-packages", "dist-packages"} & {*PurePath(_file(step)).parts}
        return top if installed and top not in own else None
    return None


def _line(steps: list[TracebackType]) -> str:
    """The innermost line of the author's own."""
    for step in reversed(steps):
        top = _module(step).partition(".")[0]
        if top not in sys.stdlib_module_names and top != _OURS:
            file = "/".join(_file(step).replace("\\", "/").split("/")[-2:])
            return f", at {file}:{step.tb_lineno}"
    return ""


def _module(step: TracebackType) -> str:
    name = step.tb_frame.f_globals.get("__name__")
    return name if isinstance(name, str) else ""


def _file(step: TracebackType) -> str:
    return step.tb_frame.f_code.co_filename
