"""Each store is described by its own docstring, which is read without an import."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flex_tokenstore import describe_store, list_stores
from flex_tokenstore._registry.catalogue import load_store_class
from flex_tokenstore._registry.summaries import first_paragraph, summary_of_class
from tests.support.plugins import install

STORE = '''
class One:
    """The first
    store.

    More of it.
    """

    class Inner:
        """Within."""

class Bare: ...
'''


@pytest.mark.parametrize(
    ("files", "value", "told"),
    [
        ({"mod.py": STORE}, "mod:One", "The first store."),
        ({"mod.py": STORE}, "mod:One.Inner", "Within."),
        ({"mod.py": STORE}, "mod:Bare", ""),
        ({"mod.py": STORE}, "mod:Two", ""),
        ({"mod.py": STORE}, "mod:One.Two", ""),
        ({"pkg/__init__.py": "from ._s import One", "pkg/_s.py": STORE}, "pkg:One", "The first"),
        (
            {"pkg/__init__.py": "from .a._s import One as Two", "pkg/a/_s.py": STORE},
            "pkg:Two",
            "The",
        ),
        ({"pkg/a/b.py": "from ..c import One", "pkg/c.py": STORE}, "pkg.a.b:One", "The first"),
        ({"pkg/__init__.py": "from pkg.c import One", "pkg/c.py": STORE}, "pkg:One", "The first"),
        (
            {
                "pkg/__init__.py": "if TYPE_CHECKING:\n    from .c import One",
                "pkg/c.py": "try:\n    from .d import One\nexcept ImportError:\n    raise",
                "pkg/d.py": STORE,
            },
            "pkg:One",
            "The first",
        ),
        ({"mod.py": "from mod import One"}, "mod:One", ""),
        ({"mod.py": "from ....x import One"}, "mod:One", ""),
        ({"mod.py": "not Python"}, "mod:One", ""),
        ({"mod.py": "x = '\\d'\n" + STORE}, "mod:One", "The first"),
        ({"mod.py": "\0"}, "mod:One", ""),
        ({}, "mod:One", ""),
    ],
)
def test_the_summary_is_read_from_the_source(
    tmp_path: Path, files: dict[str, str], value: str, told: str
) -> None:
    for name, source in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    found = summary_of_class(value, [str(tmp_path / "missing"), str(tmp_path)])
    assert found.startswith(told) if told else not found


def test_two_stores_of_one_distribution_are_told_apart(site: Path, module: str) -> None:
    source = STORE + 'class Two(One):\n    """The second store."""\n'
    points = f"one = {module}:One\ntwo = {module}:Two\nbare = {module}:Bare"
    install(site, "both", points, **{module: source})
    shown = {info.name: info.summary for info in list_stores() if info.distribution == "both"}
    assert shown == {"one": "The first store.", "two": "The second store.", "bare": "For tests"}
    assert module not in sys.modules


def test_each_store_here_has_a_summary_of_its_own() -> None:
    infos = list_stores()
    assert len({info.summary for info in infos}) == len(infos) >= 6
    for info in infos:
        # What was read from the source is what the class says.
        assert info.summary == first_paragraph(load_store_class(info.name).__doc__)
        assert describe_store(info.name).summary == info.summary
        assert len(info.summary) <= 100
