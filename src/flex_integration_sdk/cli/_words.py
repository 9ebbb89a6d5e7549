"""Errors and warnings in the words of the command line: its options in place of arguments."""

from __future__ import annotations

import re

_IN_FILE = re.compile(r", line \d+")
_ADDRESS = ", and FLEX_INTEGRATION_TOKEN_STORE__URL the address"

# In this order. An argument without an option of its own has no place in an advice.
_WORDS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"^the program chooses the token store", "--store chooses"),
        (r"pass client_id=…", "use --client-id ID"),
        (r"pass allow_http=True", "use --allow-http"),
        (r"pass profile=…", "use --profile NAME"),
        (r"the program's folder in ~/\.config\b", "~/.config/flex-integration-sdk"),
        (r"`list_stores\(\)`", "`flex-sdk stores list`"),
        (r"check client_id and client_secret\b", "check the client id and the client secret"),
        (r",? or raise (request_timeout|timeout|the time-out)\b", ""),
        (r" \(request_timeout\)", ""),
        (r",? or raise busy_timeout\b", ""),
        (r',? or another one and the option host_lock="off"', ""),
        (r',? or work without a lock between processes: host_lock="off"', ""),
        (r', and the address as an option: \{"name": …, "url": …\}', _ADDRESS),
        (r",? or pass an object made from its class", ""),
        (r"\bfile_store\(path=…\)", "--store file and FLEX_INTEGRATION_TOKEN_STORE__PATH"),
        (
            r"the option 'path'(?! \()",
            "the option 'path' (FLEX_INTEGRATION_TOKEN_STORE__PATH)",
        ),
        (
            r"pass client_secret=… or client_secret_file=…",
            "use --client-secret-file FILE",
        ),
        (
            r"work without a lock between processes: host_lock=\"off\"",
            "choose a store with a lock",
        ),
    )
)
_NAMES = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"\bclient_id\b", "--client-id"),
        (r"\bclient_secret_file\b", "--client-secret-file"),
        (r"\bclient_secret\b", "FLEX_INTEGRATION_CLIENT_SECRET"),
        (r"\bbase_url\b", "--base-url"),
        (r"\ballow_http\b", "--allow-http"),
        (r"\b(the setting )?require_encrypted\b", "FLEX_INTEGRATION_REQUIRE_ENCRYPTED"),
        (r"\btoken_store\b", "--store"),
        (r"^profile\b", "--profile"),
    )
)


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
    # What is said of a line of the config file is about the key there.
    words_of = _WORDS if _IN_FILE.search(text) else (*_WORDS, *_NAMES)
    for pattern, words in words_of:
        text = pattern.sub(words, text)
    return text
