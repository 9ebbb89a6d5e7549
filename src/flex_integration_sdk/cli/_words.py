"""Errors and warnings in the words of the command line: its options in place of arguments."""

from __future__ import annotations

import re

_IN_FILE = re.compile(r", line \d+")
_ADDRESS = ", and FLEX_INTEGRATION_TOKEN_STORE__URL or --store-option url=… the address"

# What a message advises a program to do, and what it means here; in this order. An argument without
# an option of its own has no place in an advice. A test sees that each of them is needed.
_ADVICE = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"^the program chooses( the token store)?", "--store chooses"),
        (r"pass client_id=…", "use --client-id ID"),
        (r"pass allow_http=True", "use --allow-http"),
        (r"pass profile=…", "use --profile NAME"),
        (r"the program's folder in ~/\.config\b", "~/.config/flex-integration-sdk"),
        (r"`list_stores\(\)`", "`flex-sdk stores list`"),
        (r"check client_id and client_secret\b", "check the client id and the client secret"),
        (
            r",? or raise (request_timeout|lock_timeout|timeout|the time-out)\b",
            ", or use a longer --timeout",
        ),
        (r" \(request_timeout\)", " (--timeout)"),
        (r",? or raise busy_timeout\b", ""),
        (r"by number, with query\(page=…\)", "by number (page=1, page=2)"),
        (
            r"(?<=it asks for a client certificate): pass client_cert\b",
            ", which a program can send and this command cannot",
        ),
        (r',? or another one and the option host_lock="off"', ""),
        (r',? or work without a lock between processes: host_lock="off"', ""),
        (r', and the address as an option: \{"name": …, "url": …\}', _ADDRESS),
        (r",? or pass an object made from its class", ""),
        (r"\bfile_store\(path=…\)", "--store file --store-option path=…"),
        (r"the option 'path'(?! \()", "the option 'path' (--store-option path=…)"),
        (
            r"pass client_secret=… or client_secret_file=…",
            "use --client-secret-file FILE",
        ),
        (
            r"work without a lock between processes: host_lock=\"off\"",
            "choose a store with a lock",
        ),
        (r"\bthe setting require_encrypted\b", "FLEX_INTEGRATION_REQUIRE_ENCRYPTED"),
    )
)
OPTIONS = {
    "client_id": "--client-id",
    "client_secret_file": "--client-secret-file",
    "client_secret": "FLEX_INTEGRATION_CLIENT_SECRET",  # no option: others can see arguments
    "base_url": "--base-url",
    "allow_http": "--allow-http",
    "require_encrypted": "FLEX_INTEGRATION_REQUIRE_ENCRYPTED",
    "token_store": "--store",
}
"""What the command line calls an argument of ``create_instance``."""
# The name of an argument in a sentence: not in a path, a quote or a longer name; nor a key of the
# config file, which is called the same.
_ARGUMENT = re.compile(
    r"(?<![\w./\\='\"-])(?<!did you mean )(?:"
    + "|".join(sorted(OPTIONS, key=len, reverse=True))
    + r")(?![\w/\\=-]|\.\w|['\"]| \(in | of that file)"
)
_PROFILE = re.compile(r"^profile(?! \(in )\b")


def in_words_of(flag: str, text: str) -> str:
    """A message about one of two stores, with its own options.

    Args:
        flag: ``--from`` or ``--to``.
        text: The message.
    """
    for pattern, words in (
        (r"\bfile_store\(path=…\)", f"{flag} file {flag}-option path=…"),
        (r"the option 'path'", f"the option 'path' ({flag}-option path=…)"),
        (r"the option path \(in the environment \w+\)", f"{flag}-option path=…"),
        (r', and the address as an option: \{"name": …, "url": …\}', f", and {flag}-option url=…"),
        (r"\btoken_store\b", flag),
    ):
        text = re.sub(pattern, words, text)
    return text


def in_cli_words(text: str) -> str:
    """A message, with options of ``flex-sdk`` in place of arguments of ``create_instance``."""
    for pattern, words in _ADVICE:
        text = pattern.sub(words, text)
    if _IN_FILE.search(text):  # it is about a key of the config file
        return text
    text = _ARGUMENT.sub(lambda match: OPTIONS[match[0]], text)
    return _PROFILE.sub("--profile", text)
