"""What the tests of the registry share: a folder to install plugins into."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from flex_tokenstore._registry import registered


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder at the start of ``sys.path``, with no rule about what may load."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delenv("FLEX_TOKENSTORE_ALLOW", raising=False)
    monkeypatch.delenv("FLEX_TOKENSTORE_BLOCK", raising=False)
    monkeypatch.setattr(registered, "_registered", {})
    return folder


@pytest.fixture
def module() -> str:
    """A module name that no other test has imported."""
    return f"plugin_{uuid.uuid4().hex}"
