"""``python -m flex_integration_sdk.cli``: the same as ``flex-sdk``."""

from __future__ import annotations

from . import main

if __name__ == "__main__":
    main()
