"""Writes all listings into a file, for a job of each night.

python examples/nightly_export.py listings.jsonl

The file is whole or not there; an older one stays until the new one is whole. A run that is killed
is gone on with by the next one. The command ``flex-sdk export`` does the same, of each kind.
"""

import json
import os
import sys
import time
from pathlib import Path

from flex_integration_sdk import create_instance, to_json

FRESH = 12 * 3600  # seconds; what a run left that began before is not used


def main(target: Path) -> None:
    os.umask(0o077)  # the file has personal data
    part, state = (target.with_name(target.name + end) for end in (".part", ".state"))
    begun, size, position = json.loads(state.read_text()) if state.exists() else (0, 0, None)
    if time.time() - begun > FRESH:
        begun, size, position = time.time(), 0, None
    # A long job meets more trouble than one call: it may repeat each request more often.
    with create_instance(token_store="file", max_retries=8) as sdk, part.open("ab") as file:
        file.truncate(size)  # what came after the last saved position comes again
        listings = sdk.listings.iterate(include="author", resume=position)
        for listing in listings:
            author = listing.related("author")
            row = {**listing, "author": author and author["attributes"]["email"]}
            file.write(f"{to_json(row)}\n".encode())
            if listings.done % 100 == 0:
                file.flush()
                save(state, [begun, file.tell(), listings.position])
            if listings.done % 1000 == 0:
                print(f"{listings.done} of {listings.total}", file=sys.stderr)
    part.replace(target)
    state.unlink(missing_ok=True)


def save(state: Path, value: object) -> None:
    """Whole or not at all, whenever the program is killed."""
    new = state.with_suffix(".new")
    new.write_text(json.dumps(value))
    new.replace(state)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python nightly_export.py FILE.jsonl")
    main(Path(sys.argv[1]))
