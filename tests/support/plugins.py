"""Makes installed-looking distributions with store plugins in a folder."""

from __future__ import annotations

from pathlib import Path

GOOD = '''
from dataclasses import dataclass
from flex_tokenstore import hookimpl

class Store:
    """A store for tests."""

    @dataclass(kw_only=True)
    class Options:
        url: str = "x"  #: where it is

    def __init__(self, options, identity):
        self.token = None

    @hookimpl
    def get_token(self):
        return self.token

    @hookimpl
    def set_token(self, token):
        self.token = token

    @hookimpl
    def remove_token(self):
        self.token = None
'''


def install(
    folder: Path,
    distribution: str,
    entry_points: str | bytes,
    *,
    requires: str = "",
    metadata: str | bytes | None = None,
    **modules: str,
) -> None:
    """A ``.dist-info`` folder and the modules, as an installer leaves them.

    Args:
        folder: The entry of ``sys.path``.
        distribution: Its name.
        entry_points: Lines of the group, or the whole file as bytes.
        requires: A ``Requires-Dist`` value.
        metadata: The METADATA file, if it is not to be a good one.
        modules: Sources by module name.
    """
    info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    if metadata is None:
        metadata = (
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\nSummary: For tests\n"
        )
        metadata += f"Requires-Dist: {requires}\n" if requires else ""
    (info / "METADATA").write_bytes(metadata.encode() if isinstance(metadata, str) else metadata)
    if isinstance(entry_points, str):
        entry_points = f"[flex_tokenstore]\n{entry_points}\n".encode()
    (info / "entry_points.txt").write_bytes(entry_points)
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source)
