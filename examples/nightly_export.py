"""Writes all listings into a file, for a job of each night.

python examples/nightly_export.py listings.jsonl

The file is whole or not there; an older one stays until the new one is whole. The command
``flex-sdk export`` does more: it goes on where a killed run ended.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flex_integration_sdk import create_instance, to_json


def main(target: Path) -> None:
    os.umask(0o077)  # the file has personal data
    part = target.with_suffix(".part")
    # A long job meets more trouble than one call: it may repeat each request more often.
    with create_instance(token_store="file", max_retries=8) as sdk, part.open("w") as file:
        listings = sdk.listings.iterate(include="author")
        for listing in listings:
            author = listing.related("author")
            row = {**listing, "author": author and author["attributes"]["email"]}
            file.write(f"{to_json(row)}\n")
            if listings.done % 1000 == 0:
                print(f"{listings.done} of {listings.total}", file=sys.stderr)
    part.replace(target)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python nightly_export.py FILE.jsonl")
    main(Path(sys.argv[1]))
