"""What the base does with the token: compare-and-set, lost answers, content that is no token."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import TracebackType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_tokenstore import (
    ANY_REVISION,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenUnavailableError,
    revision_of,
)
from flex_tokenstore._values.token import CheckedToken, checked_token
from flex_tokenstore.records import Changed, Record, _content
from tests.support.kinds import issued

from .service import Fails, Program, Service, lost, unavailable

Open = Callable[..., Program]


def token(number: int) -> dict[str, Any]:
    return issued(number).to_dict()


def rev(number: int) -> str:
    return revision_of(token(number))


def raw(number: int, **tag: Any) -> bytes:
    data = token(number)
    data["flex_tokenstore"] |= tag
    return json.dumps(data).encode()


def test_a_token_is_kept_replaced_and_removed(open_program: Open) -> None:
    program = open_program()
    assert program.get() is None
    program.set(token(1), None)
    assert program.get() == token(1)
    program.set(token(2), rev(1))
    assert open_program().get() == token(2)
    program.remove(rev(2))
    program.remove(ANY_REVISION)
    assert program.get() is None


def test_what_was_read_or_written_saves_the_next_write_its_read(
    open_program: Open, service: Service
) -> None:
    program = open_program()
    program.set(token(1), None)
    program.set(token(2), rev(1))
    program.get()
    program.remove(rev(2))
    assert service.calls == ["write", "write", "read", "delete"]


def test_another_revision_than_the_expected_one_is_a_conflict(open_program: Open) -> None:
    program, other = open_program(), open_program()
    program.set(token(1), None)
    other.set(token(2), rev(1))
    for expected in (None, rev(1), rev(3)):
        with pytest.raises(TokenConflictError):
            program.set(token(3), expected)
        with pytest.raises(TokenConflictError):
            program.remove(expected)
    assert program.get() == token(2)


@pytest.mark.parametrize("done", [True, False])
def test_a_lost_answer_is_no_failure(open_program: Open, service: Service, done: bool) -> None:
    program = open_program()
    service.plan = {"write": [lost(done=done)]}
    program.set(token(1), None)
    service.plan = {"write": [lost(done=done)], "read": [lost(done=done)]}
    program.set(token(2), rev(1))
    assert program.get() == token(2)
    service.plan = {"delete": [lost(done=done)]}
    program.remove(rev(2))
    assert program.get() is None


def test_a_lost_answer_and_another_who_wrote_meanwhile_is_a_conflict(
    open_program: Open, service: Service
) -> None:
    program = open_program()
    program.set(token(1), None)
    service.plan = {"write": [lost(done=False)]}
    shipped = service.write

    def write(key: str, data: Any, version: Any) -> int:
        service.put(key, raw(2))
        return shipped(key, data, version)

    service.write = write  # type: ignore[method-assign]
    with pytest.raises(TokenConflictError):
        program.set(token(3), rev(1))
    assert program.get() == token(2)


def test_an_answer_that_is_lost_twice_is_an_outage(open_program: Open, service: Service) -> None:
    program = open_program()
    service.plan = {"write": [lost(done=False), lost(done=False)]}
    with pytest.raises(TokenUnavailableError, match="it is LOST") as caught:
        program.set(token(1), None)
    assert "SENTINEL" not in str(caught.value)
    assert caught.value.__context__ is None


def test_what_write_returns_need_not_be_a_version(open_program: Open, service: Service) -> None:
    shipped = service.write

    def write(*args: Any) -> Any:
        shipped(*args)

    service.write = write  # type: ignore[method-assign,assignment]
    program = open_program()
    program.set(token(1), None)
    program.remove(rev(1))
    assert program.get() is None


@pytest.mark.parametrize("content", [b"not JSON", b"[]", b"\xff", b"{}"])
@pytest.mark.parametrize("moves", [True, False], ids=["moves", "copies"])
@pytest.mark.parametrize("removes", [True, False], ids=["remove", "set"])
@pytest.mark.each_value
def test_corrupt_content_is_put_aside(
    open_program: Open, service: Service, content: bytes, moves: bool, removes: bool
) -> None:
    program = open_program(moves=moves)
    service.put(program.key, content)
    with pytest.raises(TokenCorruptError) as caught:
        program.get()
    with pytest.raises(TokenConflictError):
        program.set(token(1), None)
    if removes:
        program.remove(caught.value.revision)
    else:
        program.set(token(1), caught.value.revision)
    assert program.get() == (None if removes else token(1))
    (name,) = [key for key in service.records if key != program.key]
    assert name.startswith(f"{program.key}:corrupt-")
    assert service.records[name][0] == content


@pytest.mark.parametrize("expected", ["its revision", ANY_REVISION])
@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("moves", [True, False], ids=["moves", "copies"])
@pytest.mark.each_value
def test_the_answer_to_putting_it_aside_is_lost(
    open_program: Open, service: Service, moves: bool, done: bool, expected: str
) -> None:
    program = open_program(moves=moves)
    service.put(program.key, b"content")
    with pytest.raises(TokenCorruptError) as caught:
        program.get()
    service.plan = {"put_aside" if moves else "write": [lost(done=done)]}
    program.set(token(1), ANY_REVISION if expected == ANY_REVISION else caught.value.revision)
    assert program.get() == token(1)
    kept = {data for key, (data, _) in service.records.items() if key != program.key}
    assert kept == {b"content"}


def test_corrupt_content_that_cannot_be_put_aside_stays(
    open_program: Open, service: Service
) -> None:
    for moves in (True, False):
        program = open_program(moves=moves)
        service.put(program.key, b"content")
        service.plan = {"put_aside" if moves else "write": [unavailable()]}
        with pytest.raises(TokenUnavailableError, match="nothing was removed or overwritten"):
            program.set(token(1), ANY_REVISION)
        assert service.records[program.key][0] == b"content"


def test_a_copy_that_is_not_what_was_copied_protects_the_original(
    open_program: Open, service: Service
) -> None:
    program = open_program()
    service.put(program.key, b"content")
    shipped = service.read

    def read(key: str) -> Record:
        found = shipped(key)
        return found if key == program.key else Record(None, found.version)

    service.read = read  # type: ignore[method-assign]
    with pytest.raises(TokenUnavailableError, match="does not hold what was written"):
        program.remove(ANY_REVISION)
    assert service.records[program.key][0] == b"content"


@pytest.mark.parametrize("left", [None, 2], ids=["nothing is left", "a token is left"])
def test_another_program_repairs_it_first(
    open_program: Open, service: Service, left: int | None
) -> None:
    program = open_program(moves=True)
    service.put(program.key, b"content")
    with pytest.raises(TokenCorruptError) as caught:
        program.get()

    def put_aside(key: str, name: str, record: Record) -> None:
        del service.records[key]
        if left is not None:
            service.put(key, raw(left))
        raise Changed

    service.put_aside = put_aside  # type: ignore[method-assign]
    with pytest.raises(TokenConflictError):
        program.set(token(1), caught.value.revision)
    assert program.get() == (None if left is None else token(left))


@pytest.mark.parametrize("expected", [None, ANY_REVISION, rev(1)])
def test_a_foreign_token_is_left_alone(
    open_program: Open, service: Service, expected: str | None
) -> None:
    program = open_program()
    content = raw(1, identity="another")
    service.put(program.key, content)
    program.get()
    with pytest.raises(TokenIdentityError):
        program.set(token(2), expected)
    with pytest.raises(TokenIdentityError):
        program.remove(expected)
    assert service.records[program.key][0] == content


@pytest.mark.parametrize("expected", [None, ANY_REVISION, rev(1)])
def test_a_newer_format_is_left_alone(
    open_program: Open, service: Service, expected: str | None
) -> None:
    for moves in (True, False):
        program = open_program(moves=moves)
        content = raw(1, format=2)
        service.put(program.key, content)
        with pytest.raises(TokenCorruptError) as caught:
            program.get()
        assert caught.value.revision is None
        with pytest.raises(TokenCorruptError):
            program.set(token(2), expected)
        with pytest.raises(TokenCorruptError):
            program.remove(expected)
        assert set(service.records) == {program.key}
        assert service.records[program.key][0] == content


def test_a_proof_tells_of_lasting_refusals_only(open_program: Open, service: Service) -> None:
    program = open_program()
    program.prove()
    service.plan = {"prove": [unavailable()]}
    program.prove()


def test_no_secret_is_in_the_frames_of_an_error(open_program: Open, service: Service) -> None:
    program = open_program()
    program.set(token(1), None)
    service.plan = {"write": [Fails(TypeError("a bug"))]}
    with pytest.raises(TypeError) as caught:
        program.set(token(2), rev(1))
    step: TracebackType | None = caught.tb
    while step is not None:
        if "/records/_" in step.tb_frame.f_code.co_filename:
            shown = {name: repr(each) for name, each in step.tb_frame.f_locals.items()}
            assert "SENTINEL" not in str(shown), step.tb_frame.f_code
        step = step.tb_next


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["get", "set", "remove"]),
        st.integers(0, 1),
        st.sampled_from(["seen", "none", "any", "wrong"]),
        st.sampled_from([None, "lost", "not done"]),
    ),
    max_size=12,
)


@given(OPERATIONS, st.sampled_from(["sync", "sync generators"]), st.booleans())
def test_two_programs_and_lost_answers_act_like_one_dict(
    operations: Any, style: Any, corrupt: bool
) -> None:
    service = Service()
    programs = [Program(style, service), Program(style, service, moves=True)]
    stored: int | None = None
    number = 10
    if corrupt:
        service.put(programs[0].key, b"content")
        stored = -1
    seen: list[str | None] = [None, None]
    for what, who, expectation, loss in operations:
        program = programs[who]
        now = None if stored is None else (rev(stored) if stored > 0 else "corrupt")
        expected = {"seen": seen[who], "none": None, "any": ANY_REVISION, "wrong": "wrong"}[
            expectation
        ]
        number += 1
        if loss and what != "get":
            service.plan = {
                name: [lost(done=loss == "lost")] for name in ("write", "delete", "put_aside")
            }
        try:
            if what == "get":
                found = program.get()
                assert found == (None if stored is None else token(stored))
                seen[who] = None if found is None else revision_of(found)
                assert now != "corrupt"
            elif what == "set":
                program.set(token(number), expected)
                stored = number
            else:
                program.remove(expected)
                stored = None
        except TokenCorruptError as error:
            assert (now, what) == ("corrupt", "get")
            seen[who] = error.revision
        except TokenConflictError:
            matches = now == expected or (
                now == "corrupt" and (expected or "").startswith("corrupt:")
            )
            assert expected != ANY_REVISION
            assert not matches
        service.plan = {}
        held = service.records.get(programs[0].key)
        assert (held is None) == (stored is None)
        if corrupt:
            assert b"content" in [data for data, _ in service.records.values()]


def test_the_same_bytes_are_parsed_once(
    open_program: Open, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for another's refresh reads the same token again and again."""
    parsed: list[object] = []

    def check(data: object) -> CheckedToken:
        parsed.append(data)
        return checked_token(data)

    monkeypatch.setattr(_content, "checked_token", check)
    program = open_program()
    for number in (1, 2):
        service.put(program.key, raw(number))
        for _ in range(3):
            assert program.get() == token(number)
        service.put(program.key, raw(number))  # another version of the same bytes
        program.set(token(number), rev(number))
        assert len(parsed) == number


def test_what_a_program_makes_of_a_token_is_not_what_is_read_next(
    open_program: Open, service: Service
) -> None:
    program = open_program()
    service.put(program.key, raw(1))
    for _ in range(2):
        found = program.get()
        assert found == token(1)
        found["flex_tokenstore"]["identity"] = found["access_token"] = "changed"
    mine = token(2)
    program.set(mine, rev(1))
    mine["access_token"] = "changed"
    program.set(token(3), rev(2))
    assert program.get() == token(3)
