"""Wrong inputs at the command line, and the page that shows what the program says to each.

``python -m tests.flex_integration_sdk.cli.wrong_inputs`` writes the page again; read it then.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).resolve().parents[3] / "docs" / "command-line-errors.md"
HOME = "/home/me"
SECRET = "s3cr3t"
ID = "id=00000003-0000-4000-8000-000000000001"
AT = "--base-url https://api.example.com"

_INTRO = """# What the command line says to wrong input

Real runs of the program: what was typed, the exit code, and what it said on stderr. Exit code 2 is
wrong use, 1 a command that failed. A test runs them all again and compares. The client id is in
`FLEX_INTEGRATION_CLIENT_ID`, unless the row has another one. In the home folder there are a few
files, whose names say what is wrong with them.
"""


class Case(NamedTuple):
    """What is typed, in which environment."""

    typed: str
    """After ``flex-sdk``, as in a shell."""
    env: str = ""
    """Variables, as before a command in a shell."""


class Told(NamedTuple):
    """What the program did."""

    code: int
    out: str
    err: str


def _cases(*typed: str) -> list[Case]:
    return [Case(each) for each in typed]


CASES: dict[str, list[Case]] = {
    "Commands": _cases(
        "tokn show",
        "token shwo",
        "show",
        "help",
        "listings query",
        "listings.query page=2",
        "--profile shop token show",
        "stores show",
        "token move file redis",
        "completion",
        "completion powershell",
        "token delete",
        "login",
        "logout",
        "version",
        "profiles",
        "config set",
    ),
    "Options": _cases(
        "token show --jsn",
        "token show -j",
        "token show --profil shop",
        "token show --store",
        "token show --verbose=yes",
        "token show \u2013\u2013json",
        "token show \u2014json",
        "token show file",
        "doctor online",
        "token refresh now",
        "init live",
        "init --redis-url redis://host --store redis",
        "token show --url redis://host",
        "config show --profile ''",
        "token show --config ''",
        "token show --store file --store redis",
        "call marketplace.show --format table",
        "stores show file redis",
        "call marketplace.show --output xml",
        "call marketplace.show --timeout 0",
        "call marketplace.show --timeout -1",
        "call marketplace.show --timeout nan",
        "call marketplace.show --timeout 5s",
        "call marketplace.show --timeout '2 min'",
        "call marketplace.show --timeout soon",
        "doctor --timeout nan",
        "demo --processes 1",
        "demo --processes many",
        "sandbox --port 99999",
        "sandbox --access-ttl 5m",
        "sandbox --access-ttl nan",
        "sandbox --limits prod",
        "sandbox --client-id ''",
    ),
    "The client": [
        Case("call marketplace.show", "FLEX_INTEGRATION_CLIENT_ID="),
        Case("call marketplace.show --client-id caf\u00e9"),
        Case("call marketplace.show", "FLEX_INTEGRATION_CLIENT_ID='\"me\"'"),
        Case("call marketplace.show", "FLEX_INTEGRATION_CLIENTID=me"),
        Case("call marketplace.show", "FLEX_INTEGRATION_TOKEN_STORE_PATH=/srv/token.json"),
        Case(f"call marketplace.show --client-secret {SECRET}"),
        Case(f"call marketplace.show --secret={SECRET}"),
        Case(f"call marketplace.show --client-secret-file {SECRET}"),
        Case("call marketplace.show --client-secret-file ~/missing"),
        Case("call marketplace.show --client-secret-file ~/folder"),
        Case("call marketplace.show --client-secret-file ~/empty"),
        Case("call marketplace.show --client-secret-file ~/two-lines"),
        Case("call marketplace.show --client-secret-file ~/loop"),
        Case("call marketplace.show", "FLEX_INTEGRATION_CLIENT_SECRET_FILE=secret.txt"),
        Case(
            "call marketplace.show",
            f"FLEX_INTEGRATION_CLIENT_SECRET={SECRET} FLEX_INTEGRATION_CLIENT_SECRET_FILE=/run/s",
        ),
        Case("call marketplace.show --base-url api.example.com"),
        Case("call marketplace.show --base-url http://api.example.com"),
        Case("call marketplace.show --base-url https://api.example.com/v1/integration_api"),
        Case("call marketplace.show --base-url ftp://api.example.com"),
        Case(f"call marketplace.show --base-url https://me:{SECRET}@api.example.com"),
        Case("call marketplace.show"),
        Case("call marketplace.show --base-url 'https://api example.com'"),
        Case("call marketplace.show", "FLEX_INTEGRATION_ALLOW_HTTP=maybe"),
    ],
    "The config file": _cases(
        "call marketplace.show --config ~/missing.toml",
        "call marketplace.show --config ~/folder",
        "call marketplace.show --config ~/not-toml.toml",
        "call marketplace.show --config ~/unknown-key.toml",
        "call marketplace.show --config ~/profiles.toml --profile shpo",
        "config shw",
        "init",
        "init --client-id me",
        f"init --client-id me --client-secret {SECRET}",
        "init --client-id me --client-secret-stdin",
        "init --client-id me --client-secret-stdin --client-secret-file ~/missing",
    ),
    "The token store": [
        Case("token show --store fiel"),
        Case("token show --store memory"),
        Case("token show --store FILE"),
        Case("token show --store ~/token.json"),
        Case(f"token show --store redis://:{SECRET}@host/0"),
        Case("token show --store path=/srv/token.json"),
        Case("token show --store redis --store-option url=redis://127.0.0.1:1"),
        Case("token show --store file --store-option pth=/srv/token.json"),
        Case("token show --store file --store-option path"),
        Case("token show --store file --store-option path=/a --store-option path=/b"),
        Case("token show --store file --store-option permissions=maybe"),
        Case("token show --store file --store-option path='$HOME/token.json'"),
        Case("token show --store file --store-option path=~/folder"),
        Case("token show --store file --store-option path=~/not-a-token.json"),
        Case("token show --store file --store-option name=redis"),
        Case(f"token show --store redis --store-option password={SECRET}"),
        Case(f"token show --store redis --store-option url=redis://:{SECRET}@host/0"),
        Case(
            "token show --store redis --store-option url=redis://host --store-option timeout=soon"
        ),
        Case("token show --store redis --store-option url=host:6379"),
        Case("token show --store encrypted --store-option inner=file"),
        Case("token show --store file --store-env MY_STORE"),
        Case("token show --store-env MY_STORE"),
        Case("token show --store-env file"),
        Case("token move"),
        Case("token move --from file --to file"),
        Case("token move --to memory"),
        Case(f"token move --to redis://:{SECRET}@host"),
        Case("token move --to-option url=redis://host"),
        Case("token import"),
        Case("token import --from-js ~/missing.json"),
        Case("token import --from-js ~/not-a-token.json"),
        Case("token rekey --store file"),
        Case("token refresh"),
        Case("token refresh --store memory"),
        Case("token revoke --store memory"),
        Case("token remove"),
        Case("stores show fiel"),
        Case("stores new 'My Store'"),
        Case("stores new file"),
        Case("stores new flex-tokenstore-cloud"),
        Case("stores new cloud --folder ~/folder"),
    ],
    "Calls": _cases(
        "call",
        "call listings",
        "call listing.query",
        "call listings query",
        "call query.listings",
        "call listings/query",
        "call page=2 listings.query",
        "call nonsense",
        "call listings.show",
        "call users.show",
        f"call users.show {ID} email=me@example.com",
        "call listings.query perpage=5",
        "call listings.query timeout=5",
        "call listings.query fields.listings=title",
        "call listings.query --per-page 5",
        "call listings.query per_page",
        "call listings.query per_page = 5",
        "call listings.query per_page=5 perPage=6",
        "call listings.query per_page=five",
        "call listings.query feilds.listing=title",
        "call listings.query fields=title",
        "call listings.query publicData.gears=22",
        "call listings.query zzz=1",
        "call listings.query createdAtStart=tomorrow",
        "call listings.query createdAtStart=2026-02-30",
        "call listings.query origin=60.1",
        "call listings.query ids=1,2",
        "call listings.show id=1",
        f"call listings.show {ID[3:]}",
        "call listings.create A bike",
        f"call listings.update {ID} titel=Bike",
        f"call listings.update {ID} price=19.99",
        f"call listings.update {ID} price='EUR 1999'",
        f"call listings.update {ID} expand=yes",
        f"call listings.update {ID} publicData={{gears:22}}",
        f"call listings.update {ID} publicData={{\u201cgears\u201d:22}}",
        f"call listings.update {ID} publicData=[1]",
        f"call listings.update {ID} publicData=@~/missing.json",
        f"call listings.update {ID} publicData=@~/folder",
        f"call listings.update {ID} publicData=@~/latin-1.json",
        f"call listings.update {ID} publicData=@~/not-json.json",
        f"call listings.update {ID} metadata:={{",
        "call images.upload ~/not-json.json",
        "call images.upload image=@~/missing.png",
        "call images.upload image=~/folder",
        "call images.upload image=",
        "call images.upload image@~/not-json.json",
    ),
}


def fill(home: Path) -> None:
    """Puts the files there that the cases name."""
    (home / "folder").mkdir()
    (home / "folder" / "a").touch()
    (home / "empty").touch(0o600)
    (home / "loop").symlink_to("loop")
    for name, text in {
        "two-lines": f"{SECRET}\n{SECRET}\n",
        "not-a-token.json": '{"hello": "world"}',
        "not-json.json": '{"a": 1,}',
        "not-toml.toml": "client_id = me\n",
        "unknown-key.toml": 'client_idd = "me"\n',
        "profiles.toml": '[profiles.shop]\nclient_id = "me"\n',
    }.items():
        (home / name).write_text(text, encoding="utf-8")
        (home / name).chmod(0o600)
    (home / "latin-1.json").write_bytes('{"a": "caf\u00e9"}'.encode("latin-1"))


def told_to(case: Case, home: Path) -> Told:
    """Runs the program once."""
    kept = ("PATH", "SYSTEMROOT", "COVERAGE_PROCESS_START", "VIRTUAL_ENV")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"HOME": str(home), "LANG": "C.UTF-8", "FLEX_INTEGRATION_CLIENT_ID": "me"}
    pairs = (word.partition("=") for word in shlex.split(case.env))
    environment |= {name: value for name, _, value in pairs}
    words = [re.sub(r"(^|=@?|@)~", rf"\1{home}", word) for word in shlex.split(case.typed)]
    done = subprocess.run(
        [sys.executable, "-m", "flex_integration_sdk.cli", *words],
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    out, err = (text.replace(str(home), HOME) for text in (done.stdout, done.stderr))
    return Told(done.returncode, out, err)


def tell_all() -> dict[Case, Told]:
    """Runs them all."""
    cases = [case for each in CASES.values() for case in each]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        home = Path(folder).resolve()
        fill(home)
        return dict(zip(cases, pool.map(lambda case: told_to(case, home), cases), strict=True))


def page(told: dict[Case, Told]) -> str:
    """The page with all of them."""
    return "\n".join([_INTRO, *_tables(told)]).rstrip("\n") + "\n"


def _tables(told: dict[Case, Told]) -> Iterator[str]:
    for title, cases in CASES.items():
        yield f"## {title}\n\n| typed | exit code | said |\n|---|---|---|"
        yield from (row(case, told[case]) for case in cases)
        yield ""


def row(case: Case, told: Told) -> str:
    """The row of the page for one of them."""
    typed = f"{case.env} flex-sdk {case.typed}".strip().replace("|", r"\|")
    said = "<br>".join(re.sub(r"([<|*])", r"\\\1", line) for line in told.err.strip().splitlines())
    return f"| `{typed}` | {told.code} | {said} |"


if __name__ == "__main__":
    PAGE.write_text(page(tell_all()), encoding="utf-8")
