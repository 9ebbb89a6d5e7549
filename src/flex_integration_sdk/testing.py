"""For the tests of programs that use the SDK: a pytest fixture with a sandbox.

In ``conftest.py``::

    pytest_plugins = ["flex_integration_sdk.testing"]
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flex_integration_sdk.sandbox import RunningSandbox, serve


@pytest.fixture
def flex_sandbox() -> Iterator[RunningSandbox]:
    """A sandbox of this test's own: ``base_url``, ``client_id``, ``client_secret``, ``stats()``."""
    with serve() as sandbox:
        yield sandbox
