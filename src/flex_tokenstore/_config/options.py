"""A store's options, checked against its ``Options`` dataclass."""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, NamedTuple

from .._values.redaction import Redactor, current, secrets_of
from .._values.secret import Secret
from ..errors import StoreLoadError, StoreOptionsError
from .coercion import convert, has_secret, is_path, takes, type_name
from .env_text import expand_path, problem_of_path, strip_value
from .store_config import OptionValues, hidden

# How the names of options end that hold the path of a local file.
_PATHS = ("_file", "_dir", "_folder")

# Of options that should be a ``Secret`` and are not in a stranger's store.
_SECRET_NAME = re.compile(r"secret|passw|passphrase|token|key|credential|pin\b", re.IGNORECASE)


class OptionInfo(NamedTuple):
    """One option of a store, for people."""

    name: str
    type: str
    default: str
    required: bool
    secret: bool
    doc: str


def check_options(cls: type, options: Mapping[str, Any], *, store: str) -> Any:
    """An instance of ``cls.Options``; None if the class has none.

    Args:
        cls: The store class.
        options: Values of Python or TOML, or texts from the environment. An option holds a
            local path if its type is a path, its name ends in ``_file``, ``_dir`` or ``_folder``,
            or its field's metadata has ``path``: True, or a function that is given the value as
            a ``Secret`` and returns the path in it, or None.
        store: The store's name, for messages.

    Raises:
        StoreOptionsError: An option is unknown, missing, or of a wrong type or value. The
            message names the option, and the variable if it comes from one; it quotes the value
            unless that may be secret.
        StoreLoadError: ``cls.Options`` is not a dataclass, or its annotations cannot be resolved.
    """
    try:
        return _checked(cls, OptionValues(options), store)
    except StoreOptionsError as error:
        name_variable(error, getattr(options, "variables", {}))
        raise


def name_variable(error: StoreOptionsError, variables: Mapping[str, str]) -> None:
    """Adds to the message the variable, or the line of a file, that the wrong option comes from."""
    source = variables.get(error.option or "")
    if source and source not in error.message:
        is_variable = source.isidentifier()
        error.message += f" (set {'by the variable' if is_variable else 'in'} {source})"
        error.args = (error.message,)


def _checked(cls: type, options: OptionValues, store: str) -> Any:
    fields = _fields(cls, store)
    _check_names(fields, options, store)
    schema = getattr(cls, "Options", None)
    if schema is None:
        return None
    hints = _hints(cls, store)
    _check_paths(fields, hints, options, store)
    wrong = _convert(options, hints)
    if wrong is not None:
        raise StoreOptionsError(
            f"option {wrong!r} of token store {store!r} takes {takes(hints[wrong])}; got "
            f"{_shown(options, wrong, hints)}",
            option=wrong,
            store=store,
        )
    if "inner" in options:  # a store's config, whose repr would show its options
        options["inner"] = hidden(options["inner"])
    if isinstance(options.get("stores"), (list, tuple)):
        options["stores"] = [hidden(config) for config in options["stores"]]
    elif isinstance(options.get("stores"), Mapping):
        options["stores"] = hidden(options["stores"])
    redactor = Redactor(secrets_of(options))
    # The plugin's code runs now: what its loggers write is masked with these secrets.
    before = current.set(redactor)
    refused: BaseException
    try:
        return schema(**options)
    except StoreOptionsError as error:  # the plugin's own words
        error.store = error.store or store
        refused = redactor.error(error)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's __post_init__ raises
        refused = _refused(fields, hints, options, _said(error), store)
    finally:
        current.reset(before)
    raise refused  # outside of the handler: the frames of the context would hold values


def _convert(options: OptionValues, hints: Mapping[str, Any]) -> str | None:
    """Converts each in place; the name of the first that has a wrong type. It raises nothing: its
    frame holds values."""
    for name in options:
        value = convert(hints[name], options, name)
        if value is NotImplemented:
            return name
        options[name] = value
    return None


def _shown(options: Mapping[str, Any], name: str, hints: Mapping[str, Any]) -> str:
    """What was given, for a message: the value, unless that may be or hold a secret."""
    value = options[name]
    named_secret = _SECRET_NAME.search(name) and not name.endswith(_PATHS)
    if has_secret(hints[name]) or named_secret or not isinstance(value, (str, int, float)):
        return "None" if value is None else f"a value of type {type(value).__name__}"
    if isinstance(value, str) and ("://" in value or "@" in value):
        return "an address, which is not shown here"  # it may hold a password
    # Not all are converted yet: a password may still be a plain string.
    secret = [Secret(options[other]) for other in options if has_secret(hints[other])]
    return Redactor(secrets_of(secret)).text(f"{value!r:.80}")


def _check_paths(
    fields: Mapping[str, dataclasses.Field[Any]],
    hints: Mapping[str, Any],
    options: OptionValues,
    store: str,
) -> None:
    """Refuses a path that names no file of this machine, and expands ``~``."""
    for name in options:
        path = _path_in(fields[name], hints[name], options[name])
        if path is None or not path.reveal():
            continue
        problem = problem_of_path(path.reveal(), relative=name not in options.variables)
        if problem:
            got = "" if has_secret(hints[name]) else f"; got {_shown(options, name, hints)}"
            raise StoreOptionsError(
                f"option {name!r} of token store {store!r} {problem}{got}",
                option=name,
                store=store,
            )
        # A function finds the path inside of a larger value, such as a URL, which stays as it is.
        whole = not callable(fields[name].metadata.get("path"))
        if whole and isinstance(options[name], (str, PurePath)):
            options[name] = expand_path(path.reveal())


def _path_in(field: dataclasses.Field[Any], kind: Any, value: Any) -> Secret[str] | None:
    """The path of a local file or folder that an option holds, if it is of that kind."""
    find = field.metadata.get("path")
    if find is None:
        find = is_path(kind) or field.name.endswith(_PATHS)
    if isinstance(value, Secret):
        value = value.reveal()
    if isinstance(value, PurePath):
        value = str(value)
    if not find or not isinstance(value, str):
        return None
    if not callable(find):
        return Secret(strip_value(value))
    try:
        found = find(Secret(value))
    except Exception:  # noqa: BLE001 - a plugin's own code; the value is checked later, too
        return None
    return Secret(found) if isinstance(found, str) else None


def describe_options(cls: type) -> list[OptionInfo]:
    """The options of a store class, in the order of their definition.

    Raises:
        StoreLoadError: ``cls.Options`` is not a dataclass, or its annotations cannot be resolved.
    """
    fields = _fields(cls, cls.__name__)
    if not fields:
        return []
    hints = _hints(cls, cls.__name__)
    # Only if a text is missing in the metadata: this reads and parses the source file.
    docs = _docs(cls) if any("doc" not in field.metadata for field in fields.values()) else {}
    return [
        OptionInfo(
            name,
            type_name(hints[name]),
            _default(field, secret=has_secret(hints[name])),
            _required(field),
            has_secret(hints[name]),
            str(field.metadata.get("doc", docs.get(name, ""))),
        )
        for name, field in fields.items()
    ]


def _check_names(
    fields: Mapping[str, dataclasses.Field[Any]], options: Mapping[str, Any], store: str
) -> None:
    for name in options:
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            known = ", ".join(fields) or "none"
            raise StoreOptionsError(
                f"token store {store!r} has no option {name!r}{hint} (it takes: {known})",
                option=name,
                store=store,
            )
    for name, field in fields.items():
        if name not in options and _required(field):
            raise StoreOptionsError(
                f"token store {store!r} needs the option {name!r}", option=name, store=store
            )


def _refused(
    fields: Mapping[str, dataclasses.Field[Any]],
    hints: Mapping[str, Any],
    given: Mapping[str, Any],
    text: str,
    store: str,
) -> StoreOptionsError:
    # Not the plugin's text, which likely quotes the value; only the options that it speaks of.
    named = [name for name in fields if re.search(rf"\b{re.escape(name)}\b", text)]
    named = named or (list(given) if len(given) == 1 else [])
    about = " and ".join(map(repr, named)) or "a value, or a combination of values"
    one = named[0] if len(named) == 1 else None
    doc = str(fields[one].metadata.get("doc", "")) if one else ""
    got = f"; got {_shown(given, one, hints)}" if one is not None and one in given else ""
    return StoreOptionsError(
        f"token store {store!r} does not accept its options: {about}"
        + (f" ({doc})" if doc else "")
        + got,
        option=one,
        store=store,
    )


def _fields(cls: type, store: str) -> dict[str, dataclasses.Field[Any]]:
    schema = getattr(cls, "Options", None)
    if schema is None:
        return {}
    if not isinstance(schema, type) or not dataclasses.is_dataclass(schema):
        raise StoreLoadError(
            f"the nested class Options of token store {store!r} is not a dataclass", store=store
        )
    return {field.name: field for field in dataclasses.fields(schema) if field.init}


def _hints(cls: Any, store: str) -> dict[str, Any]:
    try:
        # An annotation may use names of the class body around Options, which get_type_hints does
        # not look at by itself.
        return typing.get_type_hints(cls.Options, localns=dict(vars(cls)))
    except Exception as error:  # noqa: BLE001 - an annotation is any expression of a stranger's
        raise StoreLoadError(
            f"the options of token store {store!r} have a type that cannot be resolved "
            f"({type(error).__name__}{_missing(error)}); import it at run time, not for type "
            "checkers only",
            store=store,
        ) from None


def _missing(error: Exception) -> str:
    """The name that is not known. Not the error's text: an annotation is a stranger's code."""
    name = getattr(error, "name", None)
    known = isinstance(error, (NameError, AttributeError)) and isinstance(name, str)
    return f": {name!r}" if known else ""


def _said(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - whatever a stranger's class does
        return ""


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _default(field: dataclasses.Field[Any], *, secret: bool) -> str:
    if field.default is not dataclasses.MISSING:
        return repr(field.default) if field.default is None or not secret else "(hidden)"
    if field.default_factory is dataclasses.MISSING:
        return ""
    return "(made when opened)"


def _docs(cls: Any) -> dict[str, str]:
    """Texts after the fields: a ``#:`` comment on the line, or a string below it."""
    # Imported late: only a list of options for people needs them (docs/decisions/017).
    import ast
    import inspect
    import textwrap

    try:
        source = textwrap.dedent(inspect.getsource(cls.Options))
        (definition,) = ast.parse(source).body
    # No source: a zip file, a class made at run time. Or Python's cache of sources, which has no
    # lock, was changed by another thread meanwhile (KeyError, TokenError).
    except Exception:  # noqa: BLE001 - these are texts for people
        return {}
    if not isinstance(definition, ast.ClassDef):
        return {}
    lines = source.splitlines()
    docs: dict[str, str] = {}
    for node, below in zip(definition.body, [*definition.body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        end = (node.end_lineno or node.lineno) - 1
        # ast counts columns in bytes of UTF-8, not in characters.
        comment = lines[end].encode()[node.end_col_offset or 0 :].decode().strip()
        if comment.startswith("#:"):
            docs[node.target.id] = comment.removeprefix("#:").strip()
        elif isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            docs[node.target.id] = inspect.cleandoc(str(below.value.value))
    return docs
