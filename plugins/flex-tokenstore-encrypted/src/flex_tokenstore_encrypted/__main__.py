"""``python -m flex_tokenstore_encrypted new-key``: makes a key that nobody has to type."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from flex_tokenstore import Secret, TokenStoreError, host_lock

from ._backend import NoBackendError, backend
from ._key_file import KeyFile, write_new
from ._key_text import SIZE, from_bytes, key_id, to_line, with_first
from ._keychain import parts_of
from ._new_entry import put_key

_WAIT = 10.0  # seconds for another command that is making a key


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; returns the exit code: 0 done, 1 refused, 2 a wrong argument."""
    options = _parser().parse_args(arguments)
    if (options.file is None) == (options.keychain is None):
        return _failed("name a FILE, or --keychain SERVICE/USERNAME", 2)
    if options.keychain is not None and not all(parts_of(options.keychain)):
        return _failed("--keychain takes SERVICE/USERNAME", 2)
    key = Secret(os.urandom(SIZE))
    problem = _saved(options, key)
    if problem:
        return _failed(problem, 1)
    where = f"key_file = {str(Path(options.file or '').absolute())!r}"
    if options.keychain is not None:
        where = f"key_keychain = {options.keychain!r}"
    sys.stdout.write(f"made the key {key_id(key)}\noption of the store 'encrypted': {where}\n")
    return 0


def _saved(options: argparse.Namespace, key: Secret[bytes]) -> str:
    """Saves the key; returns what is wrong."""
    if options.keychain is None and not options.first:
        return _into_file(Path(options.file), key, first=False)  # only if there is none
    try:
        # Of two at once the second would replace what the first has made, and told the id of.
        with host_lock("encrypted-new-key", wait=_WAIT):
            if options.keychain is not None:
                return _into_keychain(options.keychain, key, first=options.first)
            return _into_file(Path(options.file), key, first=options.first)
    except TokenStoreError as error:
        return error.message


def _failed(problem: str, code: int) -> int:
    sys.stderr.write(f"error: {problem}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m flex_tokenstore_encrypted")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    new = commands.add_parser("new-key", help="makes a new key; prints its id, never the key")
    new.add_argument("file", nargs="?", metavar="FILE", help="the key file, which must not exist")
    new.add_argument("--keychain", metavar="SERVICE/USERNAME", help="keep it in the keychain")
    new.add_argument(
        "--first",
        action="store_true",
        help="the file or entry exists: put the new key before the keys in it",
    )
    return parser


def _into_file(path: Path, key: Secret[bytes], *, first: bool) -> str:
    """Writes it; returns what is wrong."""
    lines = to_line(key)
    if first:
        data, problem = KeyFile(path, "strict").read()
        if data is None:
            said = problem.message if isinstance(problem, TokenStoreError) else f"{path} {problem}"
            return f"{said}. Without --first a new file is made"
        _, told = from_bytes(data)
        if told:
            return f"{path} {told}"
        lines = with_first(key, data)
    try:
        write_new(path, lines, replace=first)
    except FileExistsError:
        return (
            f"{path} exists. Tokens may be encrypted with the keys in it: use --first to put the "
            "new key before them, or choose another file"
        )
    except OSError as error:
        return f"{path} cannot be written: {error.strerror or type(error).__name__}"
    return ""


def _into_keychain(entry: str, key: Secret[bytes], *, first: bool) -> str:
    """Saves it; returns what is wrong."""
    try:
        return put_key(backend(), entry, key, first=first)
    except NoBackendError as error:
        return f"--keychain {error}"
    except Exception as error:  # noqa: BLE001 - of any backend; its text may hold the key
        return f"the keychain cannot be used ({type(error).__name__}): is it locked?"


if __name__ == "__main__":
    sys.exit(main())
