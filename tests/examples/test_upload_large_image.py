"""``examples/upload_large_image.py``, with a token that has expired."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk.sandbox import RunningSandbox

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "upload_large_image.py"
GIF = bytes.fromhex("474946383961010001008000000000000000002c00000000010001000002024401003b")
# Runs the example twice in one process: with a small image, so that all is loaded, and with the
# large one, after the token has expired. It prints the most memory (KB) that it had until then.
MEASURED = """
import os, resource, runpy, sys, urllib.request
example, small, large = sys.argv[1:]
for image in (small, large):
    sys.argv[1:] = [image]
    if image == large:
        expire = os.environ["FLEX_INTEGRATION_BASE_URL"] + "/_sandbox/expire"
        urllib.request.urlopen(urllib.request.Request(expire, method="POST")).close()
    runpy.run_path(example, run_name="__main__")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def written(path: Path, size: int) -> str:
    """Writes an image of that size; returns the digest of its content."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for piece in [GIF, *[os.urandom(1 << 20)] * (size >> 20)]:
            file.write(piece)
            digest.update(piece)
    return digest.hexdigest()


def environment(sandbox: RunningSandbox, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "FLEX_INTEGRATION_BASE_URL": sandbox.base_url,
        "FLEX_INTEGRATION_CLIENT_ID": sandbox.client_id,
        "FLEX_INTEGRATION_CLIENT_SECRET": sandbox.client_secret,
        "XDG_CONFIG_HOME": str(folder),
        "XDG_STATE_HOME": str(folder),
    }


def digest_of(sandbox: RunningSandbox, image: str) -> str:
    url = f"{sandbox.base_url}/_sandbox/images/{image}"
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=30) as answer:
        while piece := answer.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def upload(sandbox: RunningSandbox, folder: Path, *words: Any, **options: Any) -> list[str]:
    done = subprocess.run(
        [sys.executable, *words],
        env=environment(sandbox, folder),
        capture_output=True,
        check=True,
        timeout=300,
        **options,
    )
    sizes = [line for line in done.stderr.decode().splitlines() if line.isdigit()]
    return [*done.stdout.decode().split(), *sizes]


def test_it_arrives_with_a_token_that_has_expired(
    flex_sandbox: RunningSandbox, tmp_path: Path
) -> None:
    content = written(tmp_path / "bike.gif", 1 << 20)
    upload(flex_sandbox, tmp_path, EXAMPLE, tmp_path / "bike.gif")
    flex_sandbox.expire()
    before = flex_sandbox.stats()
    (image,) = upload(flex_sandbox, tmp_path, EXAMPLE, tmp_path / "bike.gif")
    assert digest_of(flex_sandbox, image) == content
    after = flex_sandbox.stats()
    assert after["unauthorized"] - before["unauthorized"] == 1
    assert after["api_calls"] - before["api_calls"] == 2


@pytest.mark.slow
def test_it_reads_a_pipe(flex_sandbox: RunningSandbox, tmp_path: Path) -> None:
    content = written(tmp_path / "bike.gif", 20 << 20)
    upload(flex_sandbox, tmp_path, EXAMPLE, tmp_path / "bike.gif")
    flex_sandbox.expire()
    with subprocess.Popen(["cat", tmp_path / "bike.gif"], stdout=subprocess.PIPE) as feeding:
        (image,) = upload(flex_sandbox, tmp_path, EXAMPLE, "-", stdin=feeding.stdout)
    assert digest_of(flex_sandbox, image) == content


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no module resource")
def test_50_mb_arrive_once_and_memory_does_not_grow(
    flex_sandbox: RunningSandbox, tmp_path: Path
) -> None:
    written(tmp_path / "small.gif", 0)
    content = written(tmp_path / "large.gif", 50 << 20)
    script = tmp_path / "measured.py"
    script.write_text(MEASURED)
    _, image, small, large = upload(
        flex_sandbox, tmp_path, script, EXAMPLE, tmp_path / "small.gif", tmp_path / "large.gif"
    )
    assert digest_of(flex_sandbox, image) == content
    stats = flex_sandbox.stats()
    assert (stats["api_calls"], stats["unauthorized"]) == (3, 1)
    assert int(large) - int(small) < 20 * 1024  # KB


def test_the_library_alone_keeps_memory_small(flex_sandbox: RunningSandbox) -> None:
    """A stream of 20 MB, measured by Python's own account of memory."""
    import tracemalloc

    seen: list[int] = []

    def pieces() -> Any:
        yield GIF
        for _ in range(160):
            yield bytes(1 << 17)
            seen.append(tracemalloc.get_traced_memory()[1])

    with create_instance(
        flex_sandbox.client_id, flex_sandbox.client_secret, base_url=flex_sandbox.base_url
    ) as sdk:
        sdk.marketplace.show()
        tracemalloc.start()
        try:
            sdk.images.upload(image=pieces())
        finally:
            tracemalloc.stop()
    # 20 MB were sent; of a stream 8 MiB are kept, and a part is the sandbox's in this process.
    assert max(seen) < 16 << 20
