"""Where else a secret is seen: other processes, warnings, names, the error of a held lock."""

from __future__ import annotations

import warnings
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from flex_tokenstore import TokenConflictError, TokenLockTimeoutError, TokenStoreError
from flex_tokenstore._plugin.guard import as_raised

from ._audit import Seen, audited
from ._bench import PROMPT, Bench, ContractFixtures, Fault, entered, needed, within
from ._handles import Handle
from ._locks import LEASE
from ._logs import all_logged, check_leaks
from ._tokens import SENTINEL, new_token

_OPTION_LENGTH = 4  # characters; a shorter value is a part of other words


class ExposureTests(ContractFixtures):
    """Neither a token nor the value of a ``Secret`` option leaves the store by a side door."""

    def test_the_error_of_a_held_lock_shows_no_secret(self, bench: Bench) -> None:
        second = bench.second()
        bench.handle.set(new_token(bench.identity))
        with bench.handle.lock(PROMPT, LEASE):
            for handle in (second, bench.handle):
                with as_raised(), pytest.raises(TokenLockTimeoutError) as caught:
                    _enter(handle)
                _check_error(bench, caught.value, "the lock is held")

    def test_waiting_conflicts_and_closing_log_no_secret(
        self, bench: Bench, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with all_logged(*_option_secrets(bench)) as leaks, as_raised():
            other = bench.open()
            bench.handle.set(new_token(bench.identity))
            with other.lock(PROMPT, LEASE), suppress(TokenLockTimeoutError):
                _enter(bench.handle)
            with suppress(TokenConflictError):
                other.set(new_token(bench.identity, "late"), "0" * 64)
            with suppress(TokenConflictError):
                other.remove("0" * 64)
            if not bench.setup.is_object:
                other.close()
        printed = capfd.readouterr()
        check_leaks(leaks, type(bench.handle.plugin))
        for stream, text in zip(("output", "error"), printed, strict=True):
            for secret, what in _secrets(bench):
                if secret in text:  # not an assert: pytest would show the text
                    pytest.fail(f"{what} was written to standard {stream}")

    def test_warnings_show_no_secret(self, bench: Bench) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _use(bench)
        for warning in caught:
            for secret, what in _secrets(bench):
                if secret in str(warning.message):
                    pytest.fail(
                        f"a {warning.category.__name__} of {warning.filename}:{warning.lineno} "
                        f"shows {what}"
                    )

    def test_the_location_and_names_show_no_secret(self, bench: Bench) -> None:
        """By themselves: what the framework would mask is looked for too."""
        bench.handle.set(new_token(bench.identity))
        bench.handle.get()
        opened = bench.handle.store._opened
        shown = {
            "its location (place)": str(opened.binding.place),
            "the repr of the store": f"{bench.handle.plugin!r} {bench.handle.plugin}",
            "the repr of its handle": f"{bench.handle.store!r}",
        }
        if opened.binding.lock_id is not None:
            shown["its lock_id"] = str(bench.handle.hook("lock_id"))
        for name, text in shown.items():
            for secret, what in _secrets(bench):
                if secret in text:
                    pytest.fail(f"{name} shows {what}")

    def test_errors_show_no_secret_option(self, bench: Bench, outage: Fault | None) -> None:
        if not _option_secrets(bench):
            pytest.skip("no option of this config is a Secret")
        bench.handle.set(new_token(bench.identity))
        with entered(needed(outage, "outage")):
            for call in (bench.handle.get, bench.handle.remove):
                with as_raised(), pytest.raises(TokenStoreError) as caught:
                    within(self.patience, call)
                _check_error(bench, caught.value, "the backend is down")

    def test_no_program_and_no_environment_is_given_a_secret(self, bench: Bench) -> None:
        """Arguments of a process are shown by ``ps`` to every user, and children inherit both."""
        with audited() as seen:
            _use(bench)
        for each in seen:
            for secret, what in _secrets(bench):
                _check_seen(each, secret, what)


def _check_seen(seen: Seen, secret: str, what: str) -> None:
    for number, argument in enumerate(seen.arguments):
        if secret in argument:
            pytest.fail(
                f"argument {number} of the program {seen.name!r} ({seen.where}) is {what}: every "
                "user of the host sees it in ps; write it to the program's standard input"
            )
    for name, value in seen.environment.items():
        if secret in value:
            pytest.fail(
                f"the environment variable {name!r} ({seen.where}) holds {what}: all child "
                "processes and crash reports get it"
            )


def _use(bench: Bench) -> None:
    """All that the store does."""
    handle = bench.open()
    handle.set(new_token(bench.identity, 1))
    handle.get()
    with handle.lock(PROMPT, LEASE):
        handle.prepare()
        handle.set(new_token(bench.identity, 2))
    with suppress(TokenConflictError):
        handle.set(new_token(bench.identity, 3), "0" * 64)
    handle.remove()
    if not bench.setup.is_object:
        handle.close()


def _enter(handle: Handle) -> None:
    with handle.lock(0.0, LEASE):
        pass


def _secrets(bench: Bench) -> list[tuple[str, str]]:
    """Texts that must not be seen, and what each is."""
    options = [(value, "the value of a Secret option") for value in _option_secrets(bench)]
    return [(SENTINEL, "a token"), *options]


def _option_secrets(bench: Bench) -> list[str]:
    """Also the password within an address."""
    values = [secret.reveal() for secret in bench.handle.store._opened.binding.secrets]
    texts = [value.decode("latin-1") if isinstance(value, bytes) else value for value in values]
    passwords = [_password_in(text) for text in texts if isinstance(text, str)]
    return [
        text
        for text in (*texts, *passwords)
        if isinstance(text, str) and len(text) >= _OPTION_LENGTH
    ]


def _password_in(text: str) -> str | None:
    try:
        return urlsplit(text).password
    except ValueError:
        return None


def _check_error(bench: Bench, error: BaseException | None, when: str) -> None:
    """No secret in the error, nor in those that are shown with it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        shown = [str(error), repr(error), repr(error.args), *getattr(error, "__notes__", ())]
        shown += [repr(value) for value in vars(error).values()]
        for secret, what in _secrets(bench):
            if secret in " ".join(shown):
                pytest.fail(f"{type(error).__name__} shows {what} when {when}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
