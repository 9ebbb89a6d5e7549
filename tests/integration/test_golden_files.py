"""The golden files of the plugins are what their last version writes today, on real servers."""

from __future__ import annotations

import pytest

from tools import golden


@pytest.mark.slow
@pytest.mark.usefixtures("valkey_server", "openbao_server", "postgres_server", "last_version")
def test_the_golden_files_are_what_the_last_version_writes() -> None:
    """The fixtures skip where a server, or the history, is not there."""
    assert golden.main(["--check"]) == 0
