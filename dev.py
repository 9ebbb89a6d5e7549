#!/usr/bin/env python3
"""Sets this clone up and runs a job in it; needs nothing but Python 3.11 or newer with pip.

python3 dev.py demo      the main job, on a local sandbox
python3 dev.py test      the tests (further arguments go to pytest)
python3 dev.py quick     those that need no server and take a minute in all, while you work
python3 dev.py lint | types | layers | slow | setup
python3 dev.py coverage  the tests, and how much of src and plugins they run (further arguments go
                         to pytest: a part of the tests gives the figure of that part)
python3 dev.py build     source distributions and wheels, of the project and its plugins
python3 dev.py bench storm | header | start | stores | tenants | transit | waiters (and its
                         arguments)

Everything is installed into ``.venv`` (or the folder that FLEX_DEV_VENV names), once for each
state of the pyproject.toml files (the plugins' too) and the requirements; for ``bench``, with the
peers that it compares with, into ``.venv-bench``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
DEFAULT_VENV = ".venv-bench" if sys.argv[1:2] == ["bench"] else ".venv"
VENV = Path(os.environ.get("FLEX_DEV_VENV") or ROOT / DEFAULT_VENV).resolve()
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
JS_SDK = "sharetribe-flex-integration-sdk@1.14.1"
NO_TESTS = 5  # pytest's exit code when nothing was selected
BENCHMARKS = ("storm", "header", "start", "stores", "tenants", "transit", "waiters")
KINDS = {"demo": "user", "bench": "bench"}  # what to install; for all else, the developer's
PINS = {"developer": "requirements-dev.txt", "bench": "benchmarks/requirements.txt"}

# What most changes break, within a minute on two cores: no server, few processes.
QUICK = {
    "tests/architecture": ["circles", "imports", "plugins", "words"],
    "tests/flex_tokenstore/events": ["events", "on_event"],
    "tests/flex_tokenstore/values": ["formats", "identity", "token"],
    "tests/flex_tokenstore/config": ["merge", "options"],
    "tests/flex_tokenstore/store": ["newer_format"],
    "tests/flex_tokenstore/plugin": ["own_objects", "prepare_save", "store_mistakes", "wrapper"],
    "tests/flex_tokenstore/host": ["patience"],
    "tests/flex_tokenstore/registry": ["registry"],
    "tests/flex_tokenstore/session": [
        "session",
        "session_corrupt",
        "session_places",
        "session_refusals",
        "session_requests",
    ],
    "tests/flex_tokenstore/stores": ["file_permissions", "file_store"],
    "tests/model": ["explorer"],
    "tests/flex_integration_sdk/client": ["async_client", "client"],
    "tests/flex_integration_sdk/settings": ["base_url", "variables"],
    "tests/flex_integration_sdk": ["config", "errors", "resources", "types"],
    "tests/flex_integration_sdk/endpoints": ["endpoints"],
    "tests/flex_integration_sdk/transport": ["environment", "failures"],
    "tests/flex_integration_sdk/wire": [
        "grants",
        "media_types",
        "query",
        "rates",
        "redirects",
        "type_handlers",
    ],
    "tests/flex_integration_sdk/values": ["subclasses"],
    "tests/flex_integration_sdk/transit": ["transit"],
}
QUICK_FILES = [f"{folder}/test_{name}.py" for folder, names in QUICK.items() for name in names]

MANY_EXAMPLES = ["--hypothesis-profile", "many"]  # of conftest.py

JOBS = {
    "demo": [["flex-sdk", "demo"]],
    "setup": [],
    # Four workers for two cores, since many tests wait: for servers, locks and time limits. The
    # slow ones start many processes themselves.
    "test": [["python", "-m", "pytest", "-n", "4", "-m", "not slow"]],
    # What Hypothesis tries, too: with many examples.
    "slow": [["python", "-m", "pytest", "-n", "3", "-m", "slow or hypothesis", *MANY_EXAMPLES]],
    "quick": [["python", "-m", "pytest", "-n", "2", "-m", "not slow", *QUICK_FILES]],
    "lint": [["ruff", "check", "."], ["ruff", "format", "--check", "."]],
    # Told which Python, since it looks for a folder `.venv` of its own accord and for no other.
    "types": [["mypy"], ["basedpyright", "--pythonpath", str(PYTHON)]],
    "layers": [["lint-imports"]],
    "coverage": [
        ["coverage", "erase"],
        ["coverage", "run", "-m", "pytest", "-n", "3", "-m", "not slow"],
        ["coverage", "combine", "-q"],
        ["coverage", "report"],
    ],
    "build": [["python", "tools/build.py"]],
    "bench": [["python", "-m"]],
}


def main(arguments: list[str]) -> int:
    """Does one job; returns its exit code."""
    job, *rest = arguments or ["help"]
    if job not in JOBS:
        print(__doc__)
        return 0 if job in ("help", "-h", "--help") else 2
    if rest[:1] == ["--"]:
        rest = rest[1:]
    if job == "bench":
        if not rest or rest[0] not in BENCHMARKS:
            print(__doc__)
            return 2
        rest[0] = f"benchmarks.{rest[0]}"
    set_up(KINDS.get(job, "developer"))
    if job in ("test", "slow", "coverage", "bench"):
        install_javascript_sdk()
    return do(job, rest)


def do(job: str, rest: list[str]) -> int:
    """Runs the job's commands up to one that fails; those of ``coverage`` to the end.

    What failed tests have run is measured too. ``rest`` goes to pytest, or to the last command.
    """
    commands = JOBS[job]
    tests = [each for each in commands if "pytest" in each]
    takes_rest = (tests or commands)[-1:]  # none for ``setup``, which has no command
    first_code = 0
    for command in commands:
        program = str(PYTHON) if command[0] == "python" else str(BIN / command[0])
        extra = rest if command in takes_rest else []
        done = subprocess.run([program, *command[1:], *extra], cwd=ROOT, env=_kept(), check=False)
        code = done.returncode
        if job == "slow" and code == NO_TESTS:
            print("no test is marked slow")
            code = 0
        first_code = first_code or code
        if code and job != "coverage":
            break
    return first_code


def set_up(kind: str) -> None:
    """Makes the virtual environment and installs what the job needs, if that changed."""
    requirements = ["-e", f"{ROOT}[cli,sandbox]"]
    sources = [folder / "pyproject.toml" for folder in (ROOT, *PLUGINS)]
    if kind in PINS:
        # In one command: the plugins need the project, which no registry has to know.
        requirements += [part for plugin in PLUGINS for part in ("-e", str(plugin))]
        requirements += ["-r", str(ROOT / PINS[kind])]
    sources.append(ROOT / PINS.get(kind, PINS["developer"]))
    state = hashlib.sha256(f"{sys.version}{sys.base_prefix}".encode())
    for path in sources:
        state.update(path.read_bytes())
    stamps = [VENV / f".installed-{kind}"]
    if kind == "user":  # what developers need holds all that users need
        stamps.append(VENV / ".installed-developer")
    if PYTHON.exists() and any(_holds(stamp, state.hexdigest()) for stamp in stamps):
        return
    if find_spec("pip") is None:
        sys.exit(
            f"{sys.executable} has no pip, which is needed to install the project: install it "
            "(on Debian and Ubuntu: the package python3-pip), or use another Python"
        )
    print(f"setting up {VENV} …", flush=True)
    # Without pip in it: some systems split ensurepip off, and this Python's own pip will do.
    run(sys.executable, "-m", "venv", "--without-pip", str(VENV))
    run(sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "-q", *requirements)
    stamps[0].write_text(state.hexdigest())


def install_javascript_sdk() -> None:
    """For the tests that compare with the official JavaScript SDK; skipped where npm is missing."""
    folder = VENV / "js"
    npm = shutil.which("npm")
    if npm is None or (folder / "node_modules" / JS_SDK.partition("@")[0]).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    flags = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
    command = [npm, "install", "--prefix", str(folder), *flags, JS_SDK]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=300)
        failed = done.returncode != 0
    except (OSError, subprocess.TimeoutExpired):
        failed = True
    if failed:
        print("npm could not install the JavaScript SDK; the tests with it will be skipped")


def run(*command: str) -> None:
    """Runs a command that must succeed."""
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit(f"this failed: {' '.join(command)}")


def _kept() -> dict[str, str]:
    """The environment, in which Python keeps what it compiled.

    Tests start hundreds of programs; without that, each compiles all that it imports.
    """
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def _holds(stamp: Path, state: str) -> bool:
    return stamp.exists() and stamp.read_text() == state


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - said clearly to whoever has an older one
        sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0])
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
