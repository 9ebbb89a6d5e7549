"""Uploads an image of any size, from a path or from another program, and shows how far it is.

python examples/upload_large_image.py bike.jpg
convert bike.png jpg:- | python examples/upload_large_image.py -

The image is read while it is sent, so that memory does not grow with it. If the token has expired,
the SDK obtains another and sends the image again.
"""

from __future__ import annotations

import sys

from flex_integration_sdk import create_instance
from flex_integration_sdk.errors import SourceConsumedError


def show(sent: int, total: int | None) -> None:
    """Begins again from 0 when the image is sent again."""
    print(f"\r{sent:,} of {f'{total:,}' if total else '?'} bytes", end="", file=sys.stderr)


def main(source: str) -> None:
    with create_instance(token_store="file") as sdk:
        # A pipe can be read only once: a cheap call first, so that the token is a good one.
        if source == "-":
            sdk.marketplace.show()
        try:
            image = sdk.images.upload(
                image=sys.stdin.buffer if source == "-" else source,
                name="image.jpg" if source == "-" else None,
                on_progress=show,
            )
        except SourceConsumedError as error:
            raise SystemExit(f"\n{error}") from None
        print(file=sys.stderr)
        print(image.data.id)


if __name__ == "__main__":
    main(sys.argv[1])
