"""Signal handlers and finalizers that use the SDK within a call of their own thread.

Each program runs in a process of its own with a time limit: what is to be excluded is that it never
ends.
"""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk._endpoints.lazy import resource
from flex_integration_sdk.sandbox import RunningSandbox

LIMIT = 60  # seconds that a program gets before it shows its stacks and ends

HEAD = """
import faulthandler, gc, json, signal, sys, threading, time
from flex_integration_sdk import RateLimiter, RateLimits, create_instance
faulthandler.dump_traceback_later(LIMIT, exit=True)
options = OPTIONS

def outcome(function):
    try:
        found = function()
        return getattr(found, "status", "done")
    except Exception as error:
        return type(error).__name__
"""

AT_EACH_LINE = """
class Interrupt:
    '''Calls ``handler`` once, before the ``moment``th line that this thread runs in our files or
    in those of the HTTP library; as a signal handler, it is not itself traced. Not in a finalizer
    that the garbage collector happens to run meanwhile: Python lets no exception out of it.'''

    def __init__(self, moment, handler):
        self.left, self.handler = moment, handler

    def __call__(self, frame, event, arg):
        name = frame.f_code.co_filename
        if not any(part in name for part in ("flex_integration_sdk", "flex_tokenstore", "http")):
            return None
        caller = frame
        while caller is not None:
            if caller.f_code.co_name == "__del__":
                return None
            caller = caller.f_back
        return self.line

    def line(self, frame, event, arg):
        if event == "line":
            self.left -= 1
            if self.left == 0:
                self.handler()
        return self.line

def interrupted(moment, function, handler):
    interrupt = Interrupt(moment, handler)
    sys.settrace(interrupt)
    try:
        return outcome(function), interrupt.left > 0
    finally:
        sys.settrace(None)
"""


def run(sandbox: RunningSandbox, program: str) -> Any:
    options = {
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "base_url": sandbox.base_url,
    }
    head = HEAD.replace("OPTIONS", repr(options)).replace("LIMIT", str(LIMIT))
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", head + program],
        capture_output=True,
        text=True,
        timeout=2 * LIMIT,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    assert done.stderr == ""
    return json.loads(done.stdout)


slow = pytest.mark.slow


@pytest.mark.parametrize(
    "call", [pytest.param("sdk.marketplace.show", marks=slow), "sdk.auth_info"]
)
def test_a_call_at_many_lines_of_a_call(flex_sandbox: RunningSandbox, call: str) -> None:
    """It is refused, or works; the call that it interrupts always works."""
    found = run(
        flex_sandbox,
        AT_EACH_LINE
        + f"""
nested, outer = set(), set()
with create_instance(**options) as sdk:
    sdk.marketplace.show()
    moment, over = 1, False
    while not over:
        found, over = interrupted(moment, {call}, lambda: nested.add(outcome(sdk.marketplace.show)))
        outer.add(found)
        moment += 3
print(json.dumps([sorted(map(str, nested)), sorted(map(str, outer)), moment]))
""",
    )
    nested, outer, moments = found
    assert outer == (["200"] if call == "sdk.marketplace.show" else ["done"])
    assert nested == ["200", "NestedCallError"]
    assert moments > (300 if call == "sdk.marketplace.show" else 20)


@pytest.mark.parametrize("signed_in", [pytest.param(False, marks=slow), True])
def test_a_close_at_many_lines_of_a_call(flex_sandbox: RunningSandbox, signed_in: bool) -> None:
    """The call ends with its answer, or says that the instance is closed; it is closed after it."""
    found = run(
        flex_sandbox,
        AT_EACH_LINE
        + f"""
outer, after, left = set(), set(), set()
moment, over, step = 1, False, 29
while not over:
    sdk = create_instance(**options)
    if {signed_in}:  # else it signs in first; now it looks into the store
        sdk.marketplace.show()
        sdk.session._state.held = None
    found, over = interrupted(moment, sdk.marketplace.show, sdk.close)
    if over:
        sdk.close()
    outer.add(found)
    after.add(outcome(sdk.marketplace.show))
    left.add(len(sdk._http._used.get()))
    moment += step
print(json.dumps([sorted(map(str, outer)), sorted(after), sorted(left), moment]))
""",
    )
    outer, after, left, moments = found
    assert outer == ["200", "SessionClosedError"]
    assert after == ["SessionClosedError"]
    assert left == [0]
    assert moments > 200


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no interval timers")
@pytest.mark.parametrize(
    ("handler", "turns"),
    [("close", 12), *(pytest.param(n, 40, marks=slow) for n in ("close", "call", "revoke"))],
)
def test_real_signals_at_many_moments(
    flex_sandbox: RunningSandbox, handler: str, turns: int
) -> None:
    found = run(
        flex_sandbox,
        f"""
nested, outer = set(), set()
for turn in range({turns}):
    sdk = create_instance(**options)
    if turn % 2:  # else the signal may come while it signs in
        outer.add(outcome(sdk.marketplace.show))
    fired = []
    def handler(*_):
        fired.append(1)
        use = {{"close": sdk.close, "call": sdk.marketplace.show, "revoke": sdk.revoke}}
        nested.add(outcome(use[{handler!r}]))
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001 + turn * 0.12 / {turns})
    while not fired:
        outer.add(outcome(sdk.marketplace.show))
    sdk.close()
print(json.dumps([sorted(map(str, nested)), sorted(map(str, outer))]))
""",
    )
    nested, outer = found
    assert (
        set(nested)
        <= {
            "close": {"done"},
            "call": {"200", "NestedCallError"},
            "revoke": {"done", "NestedCallError"},
        }[handler]
    )
    assert set(outer) <= {"200", "SessionClosedError"}
    assert "200" in outer


def test_a_close_wakes_the_call_that_it_interrupts(flex_sandbox: RunningSandbox) -> None:
    found = run(
        flex_sandbox,
        """
limits = RateLimits(queries=RateLimiter(burst=1, seconds=3600))
sdk = create_instance(**options, rate_limits=limits)
sdk.marketplace.show()
if hasattr(signal, "setitimer"):
    signal.signal(signal.SIGALRM, lambda *_: sdk.close())
    signal.setitimer(signal.ITIMER_REAL, 0.3)
else:
    threading.Timer(0.3, sdk.close).start()
said = [outcome(sdk.marketplace.show), outcome(sdk.auth_info)]
print(json.dumps([*said, len(sdk._http._used.get())]))
""",
    )
    assert found == ["SessionClosedError", "SessionClosedError", 0]


def test_a_handler_that_closes_and_exits(flex_sandbox: RunningSandbox) -> None:
    """What most programs do at SIGTERM."""
    found = run(
        flex_sandbox,
        AT_EACH_LINE
        + """
import warnings
# The HTTP library loses a socket if an exception comes right after it was opened.
warnings.filterwarnings("ignore", category=ResourceWarning)
def end():
    sdk.close()
    raise SystemExit(0)
ends, moment = set(), 1
while "over" not in ends:
    sdk = create_instance(**options)
    try:
        interrupted(moment, sdk.marketplace.show, end)
        ends.add("over")
    except SystemExit:
        ends.add("exit")
    finally:
        sdk.close()
    moment += 61
print(json.dumps(sorted(ends)))
""",
    )
    assert found == ["exit", "over"]


@pytest.mark.parametrize("step", [183, pytest.param(61, marks=slow)])
def test_a_finalizer_that_closes(flex_sandbox: RunningSandbox, step: int) -> None:
    found = run(
        flex_sandbox,
        AT_EACH_LINE
        + """
class Owner:
    def __init__(self):
        self.sdk, self.myself = sdk, self
    def __del__(self):
        said.append(outcome(self.sdk.marketplace.show))
        self.sdk.close()

said, outer, moment, over = [], set(), 1, False
while not over:
    sdk = create_instance(**options)
    Owner()
    found, over = interrupted(moment, sdk.marketplace.show, gc.collect)
    outer.add(found)
    gc.collect()
    assert sdk._closed and not sdk._http._used.get()
    moment += step
print(json.dumps([sorted(set(map(str, said))), sorted(map(str, outer))]))
""".replace("moment += step", f"moment += {step}"),
    )
    said, outer = found
    assert set(said) == {"200", "NestedCallError"}
    assert set(outer) == {"200", "SessionClosedError"}


def test_type_handlers_and_other_instances_may_call(flex_sandbox: RunningSandbox) -> None:
    found = run(
        flex_sandbox,
        """
from flex_integration_sdk import TypeHandler
from flex_integration_sdk.types import Money

class Price:
    def __init__(self, money): self.money = money

def read(money):
    said.append(outcome(sdk.auth_info))
    said.append(outcome(other.marketplace.show))
    return Price(money)

def write(price):
    said.append(outcome(other.marketplace.show))
    said.append(outcome(sdk.marketplace.show))
    return price.money

said = []
with create_instance(**options) as other:
    handler = TypeHandler(Money, Price, reader=read, writer=write)
    with create_instance(**options, type_handlers=[handler]) as sdk:
        found = sdk.listings.query(per_page=1)
        one = found.data[0]
        sdk.listings.update(id=one.id, price=one.attributes["price"])
    # A call of another instance from within one is not nested in it.
    def outer(frame, event, arg):
        if frame.f_code.co_name == "send" and event == "call":
            sys.settrace(None)
            said.append(outcome(other.marketplace.show))
    with create_instance(**options) as third:
        third.marketplace.show()
        sys.settrace(outer)
        said.append(outcome(third.marketplace.show))
print(json.dumps(sorted({str(each) for each in said})))
""",
    )
    assert found == ["200", "done"]


@pytest.mark.parametrize("use", ["close", "call"])
def test_a_finalizer_in_the_thread_of_a_renewal(flex_sandbox: RunningSandbox, use: str) -> None:
    """The garbage collector runs it where it likes; the renewal goes on, and its token is saved."""
    found = run(
        flex_sandbox,
        f"""
class Owner:
    def __init__(self):
        self.myself = self
    def __del__(self):
        thread = threading.current_thread()
        said.append([thread is main, outcome(sdk.close if {use!r} == "close" else sdk.auth_info)])

def trace(frame, event, arg):
    if frame.f_code.co_name == "read_token" and not said:
        gc.collect()

said, main = [], threading.main_thread()
sdk = create_instance(**options)
gc.disable()
Owner()
threading.settrace(trace)
found = outcome(sdk.marketplace.show)
threading.settrace(None)
if {use!r} == "close":
    for thread in threading.enumerate():
        if thread.name == "flex-integration-close":
            thread.join()
else:
    sdk.close()
print(json.dumps([said, found, sdk._closed, len(sdk._http._used.get())]))
""",
    )
    if use == "close":
        assert found == [[[False, "done"]], "SessionClosedError", True, 0]
    else:
        assert found == [[[False, "NestedCallError"]], 200, True, 0]


def test_the_first_use_of_a_resource_that_interrupts_the_first_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a signal handler does while the resource's module is imported."""

    class Owner:
        @resource
        def things(self) -> Any:
            from a_lazy_resource import Things  # type: ignore[import-not-found]

            return Things()

    owner, found = Owner(), list[Any]()

    def handler() -> None:
        if not found:
            found.append(None)
            found.append(owner.things)

    text = "import builtins\nbuiltins.a_handler()\nclass Things: ...\n"
    (tmp_path / "a_lazy_resource.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(builtins, "a_handler", handler, raising=False)
    things = owner.things
    assert type(things).__name__ == "Things"
    assert found == [None, things]
    assert owner.things is things
