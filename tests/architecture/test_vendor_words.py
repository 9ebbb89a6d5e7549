"""The framework names no vendor: which program embeds it, ``HostProgram`` says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FRAMEWORK = ROOT / "src" / "flex_tokenstore"
PLUGINS = sorted(ROOT.glob("plugins/*/src"))
VENDOR = re.compile(
    r"flex-sdk|share_with_js|FLEX_INTEGRATION|sharetribe|marketplace", re.IGNORECASE
)

# The store ``file`` declares the option ``share_with_js``; there it may be named.
DECLARES = FRAMEWORK / "stores" / "file"


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each string, docstrings and parts of f-strings too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def faults(source: str, allowed: str = "") -> list[str]:
    return [
        f"line {line}: {found[0]}"
        for line, text in texts(source)
        for found in VENDOR.finditer(text)
        if found[0] != allowed
    ]


def test_the_framework_names_no_vendor() -> None:
    files = [path for folder in (FRAMEWORK, *PLUGINS) for path in folder.rglob("*.py")]
    assert len(files) > 100
    found = {}
    for path in files:
        allowed = "share_with_js" if path.is_relative_to(DECLARES) else ""
        if lines := faults(path.read_text(encoding="utf-8"), allowed):
            found[str(path.relative_to(ROOT))] = lines
    assert not found


def test_the_check_finds_them() -> None:
    source = (
        '"""See https://flex-integ-api.sharetribe.com."""\n'
        'raise ValueError(f"{name}: `flex-sdk token remove`")\n'
        'VARIABLE = "FLEX_INTEGRATION_TOKEN_STORE"\n'
        'OPTION = "set share_with_js"\n'
    )
    assert len(faults(source)) == 4
    assert len(faults(source, "share_with_js")) == 3
