"""How many connections a process takes, and which it lets go."""

import pytest

from portal.server import connections
from portal.server.connections import Connections


class Held:
    """A connection, as far as it is counted."""

    IDLE, READING, RESPONDING = range(3)

    def __init__(self, address, state=IDLE, since=0.0):
        self.address, self.state, self.since, self.is_open = address, state, since, True

    def hang_up(self):
        self.is_open = False


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 4)
    return Connections(per_address=2)


def fill(few, *held):
    assert all(few.admit(each, 10.0) for each in held)
    return held


def test_the_one_that_has_been_idle_longest_goes_for_a_new_one(few):
    held = fill(few, *(Held(f"192.0.2.{n}") for n in range(4)))
    few.became_idle(held[0])
    assert few.admit(Held("192.0.2.9"), 10.0)
    assert [each.is_open for each in held] == [True, False, True, True]
    assert len(few) == 4


def test_one_that_sends_slowly_goes_where_none_is_idle(few):
    held = fill(
        few,
        Held("a", Held.RESPONDING),
        Held("b", Held.READING, 9.5),
        Held("c", Held.READING, 5.0),
        Held("d", Held.READING, 3.0),
    )
    assert few.admit(Held("e"), 10.0)
    assert [each.is_open for each in held] == [True, True, False, True]


def test_those_that_are_being_answered_stay(few):
    held = fill(few, *(Held(f"192.0.2.{n}", Held.RESPONDING) for n in range(4)))
    assert not few.admit(Held("192.0.2.9"), 10.0)
    assert all(each.is_open for each in held)


@pytest.mark.parametrize(
    ("one", "other"), [("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::2"), ("fe80::1%eth0", "fe80::2%eth0")]
)
def test_an_address_has_only_its_share(few, one, other):
    held = fill(few, Held(one, Held.RESPONDING), Held(other))
    assert few.admit(Held(one), 10.0)
    assert [each.is_open for each in held] == [True, False]
    assert fill(few, Held("192.0.2.200"), Held("2001:db8:1::1"))


def test_what_has_ended_leaves_its_place(few):
    held = fill(few, Held("a", Held.RESPONDING), Held("a", Held.RESPONDING))
    assert not few.admit(Held("a"), 10.0)
    few.discard(held[0])
    few.discard(held[0])
    assert few.admit(Held("a"), 10.0)
    few.discard(held[1])
    assert set(few.counts) == {"a"}
