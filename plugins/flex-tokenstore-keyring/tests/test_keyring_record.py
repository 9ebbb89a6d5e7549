"""One token in two slots: whatever is interrupted, and whoever reads meanwhile."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator

import pytest

from flex_tokenstore import Secret
from flex_tokenstore_keyring._problems import Failed, Problem
from flex_tokenstore_keyring._record import TooLarge, look, save
from keyring_worlds import (
    BASE,
    Killed,
    Rereading,
    State,
    World,
    name_of,
    run,
    seen,
    token,
)

LARGEST = 256
SMALL, TWO, THREE = token("small"), token("two", 300), token("three", 600)
CALLS: dict[str, Secret[str] | None] = {"small": SMALL, "two": TWO, "three": THREE, "gone": None}


def interrupted(state: State, new: Secret[str] | None) -> Iterator[State]:
    """The states that a call leaves if it is killed before its first change, its second, …"""
    for dies in itertools.count():
        world = World(state, LARGEST, dies)
        try:
            run(world, new)
        except Killed:
            yield world.state
        else:
            return


def finished(state: State, new: Secret[str] | None) -> State:
    world = World(state, LARGEST)
    run(world, new)
    return world.state


def expected_of(name: str) -> str | None:
    return None if name == "gone" else name


@functools.cache
def reachable(depth: int) -> list[State]:
    """Whatever so many calls, each killed at any step or none, can leave."""
    known: set[State] = {()}
    newest = known
    for _ in range(depth):
        found = {
            left
            for state in newest
            for new in CALLS.values()
            for left in (*interrupted(state, new), finished(state, new))
        }
        newest = found - known
        known |= newest
    return sorted(known)


@pytest.mark.parametrize("call", CALLS)
def test_a_kill_between_any_two_steps_leaves_the_old_or_the_new_token(call: str) -> None:
    """Also if three earlier calls were killed, one after the other."""
    count = 0
    for state in reachable(3):
        old = seen(state)
        wanted = expected_of(call)
        for left in interrupted(state, CALLS[call]):
            assert seen(left) in (old, wanted)
            count += 1
        after = finished(state, CALLS[call])
        assert seen(after) == wanted
    assert count > 300  # it tried something


@pytest.mark.parametrize("call", CALLS)
def test_what_a_kill_left_is_cleared_by_the_next_two_saves(call: str) -> None:
    for state in reachable(2):
        twice = finished(finished(state, CALLS[call]), CALLS[call])
        # Both slots were cleared, and one is in use; a removal leaves nothing.
        slots = {name.split("/")[2] for name, _ in twice}
        assert len(slots) == (0 if call == "gone" else 1)


@pytest.mark.parametrize("call", ["small", "two", "three"])
def test_a_save_is_the_newest_at_one_step(call: str) -> None:
    """Readers see the old token until then, and the new one from then on."""
    for start in ("small", "two", "three"):
        world = World(finished((), CALLS[start]), LARGEST)
        run(world, token(f"new-{call}", 300))
        names = [seen(state) for state in world.states]
        assert [name for name, _ in itertools.groupby(names)] == [start, f"new-{call}"]


def moments(reads: int, last: int) -> Iterator[tuple[int, ...]]:
    """When each read of a reader happens, by the number of the state that it sees."""
    return itertools.combinations_with_replacement(range(last + 1), reads)


@pytest.mark.parametrize("saves", [1, 2])
def test_a_reader_never_takes_a_mixture_for_a_token(saves: int) -> None:
    """It reads item by item while others save; what it then calls certain was so at some moment."""
    world = World(finished((), token("0", 300)), LARGEST)
    for number in range(saves):
        run(world, token(str(number + 1), 300))
    truth = [seen(state) for state in world.states]
    uncertain = 0
    for choice in moments(4, len(world.states) - 1):
        reader = Rereading(world.states, LARGEST).see(iter(choice))
        found = look(reader, BASE)
        if found.is_certain:
            assert name_of(found) in truth[choice[0] : choice[-1] + 1]
        else:
            uncertain += 1
    assert uncertain > 0


def test_no_reader_is_certain_that_a_token_is_absent() -> None:
    """Of two slots that were never empty at once, each may be when it is read."""
    world = World(finished((), SMALL), LARGEST)
    run(world, token("other"))
    last = len(world.states) - 1
    assert None not in [seen(state) for state in world.states]
    # It reads slot a when that is empty again, and slot b when it is empty still: in any order of
    # its reads, since a program may be suspended between them while others save.
    found = look(Rereading(world.states, LARGEST).see(iter((last, 0))), BASE)
    assert not found.heads
    assert not found.is_certain


@pytest.mark.parametrize("largest", [256, 1200, None])
def test_any_length_comes_back(largest: int | None) -> None:
    for length in (0, 1, 120, 180, 240, 256, 257, 511, 512, 513, 3000):
        world = World((), largest)
        run(world, token("t", length))
        found = look(world, BASE)
        assert found.token is not None
        assert found.token.reveal() == {"access_token": "t", "filling": "x" * length}
        if largest is None:
            assert list(world.items) == [f"{BASE}/a"]


@pytest.mark.parametrize("largest", [256, None])
def test_a_token_that_is_too_large_changes_nothing(largest: int | None) -> None:
    world = World(finished((), TWO), largest)
    before = world.state
    with pytest.raises(TooLarge):
        run(world, token("huge", 256 * 101 if largest else 2 << 20))
    assert world.state == before


DAMAGE = {
    "not JSON": "text",
    "cut": '{"format":1,"sequence":3,"tok',
    "a list": "[]",
    "another's": '{"access_token":"a"}',
    "no sequence": '{"format":1,"token":{"access_token":"a"}}',
    "no token": '{"format":1,"sequence":3}',
    "no access token": '{"format":1,"sequence":3,"token":{}}',
    "a list for a token": '{"format":1,"sequence":3,"token":[1]}',
    "parts of nothing": '{"format":1,"sequence":3,"parts":0,"sha256":""}',
    "too many parts": '{"format":1,"sequence":3,"parts":101,"sha256":""}',
    "true": '{"format":true,"sequence":true,"token":{"access_token":"a"}}',
    "missing parts": '{"format":1,"sequence":3,"parts":1,"sha256":"00"}',
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_a_problem_that_a_save_and_a_removal_end(damage: str) -> None:
    """An older token beside it is not taken: it may be used up."""
    older = _head(2, "older")
    for slot, beside in (
        ("a", {}),
        ("b", {}),
        ("a", {f"{BASE}/b": older}),
        ("b", {f"{BASE}/a": older}),
    ):
        world = World(tuple({f"{BASE}/{slot}": DAMAGE[damage], **beside}.items()), LARGEST)
        found = look(world, BASE)
        assert found.problem
        assert not found.is_certain
        for new in (SMALL, None):
            twin = World(world.state, LARGEST)
            run(twin, new)
            assert {seen(state) for state in twin.states if _is_whole(state)} <= {
                "small" if new else None
            }
            assert seen(twin.state) == ("small" if new else None)


@pytest.mark.parametrize(
    "newer", ['{"format":2}', '{"format":1,"sequence":1,"token":{"flex_tokenstore":{"format":2}}}']
)
def test_a_newer_format_is_told(newer: str) -> None:
    found = look(World(((f"{BASE}/a", newer),)), BASE)
    assert found.newer
    assert found.is_certain


def test_a_changed_part_is_noticed() -> None:
    state = finished((), THREE)
    names = [name for name, _ in state if name.count("/") == 3]
    assert len(names) == 3
    for name in names:
        for change in (None, "y" * LARGEST, dict(state)[names[0]][:-1]):
            items = dict(state)
            if change is None:
                del items[name]
            else:
                items[name] = change
            assert look(World(tuple(items.items())), BASE).problem


def test_the_numbers_of_saves_go_on() -> None:
    world = World()
    for number in range(1, 6):
        save(world, BASE, look(world, BASE), SMALL)
        (head,) = world.items.values()
        assert json.loads(head)["sequence"] == number


class Stubborn(World):
    """What is there stays there."""

    def drop(self, name: str) -> bool:
        if name in self.items:
            raise Failed(Problem("it may not be deleted"))
        return False


def test_an_older_copy_that_cannot_be_deleted_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = Stubborn(finished((), SMALL))
    run(world, token("new"))
    assert seen(world.state) == "new"
    (record,) = caplog.records
    assert "it may not be deleted" in record.getMessage()


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_save_that_could_not_be_read_is_a_failure(damage: str) -> None:
    """A head that cannot be read counts as the newest, so it must go."""
    world = Stubborn(((f"{BASE}/a", DAMAGE[damage]),))
    saved = True
    try:
        run(world, token("new"))
    except Failed:
        saved = False
    found = look(world, BASE)
    assert saved == (found.token is not None)


def test_of_two_unreadable_slots_that_of_a_newer_version_counts() -> None:
    """So that neither is replaced."""
    newer = '{"format":2}'
    for a, b in (("damaged", newer), (newer, "damaged")):
        assert look(World(((f"{BASE}/a", a), (f"{BASE}/b", b))), BASE).newer


def _head(sequence: int, name: str) -> str:
    return f'{{"format":1,"sequence":{sequence},"token":{token(name).reveal()}}}'


def _is_whole(state: State) -> bool:
    return not look(World(state), BASE).problem
