"""Throttling of failed authentication, counted by network and name in memory that does not grow."""

import logging

import pytest

from core import throttling
from core.throttling import MAX_KEYS, WINDOW, mark_authenticated, network_of, record_failure, retry_after

HERE, NAME = "192.0.2.7", "cl_one"


@pytest.fixture(autouse=True)
def clock(settings, monkeypatch):
    """A limit of 12 for an address, so 2 for a name; time passes when the test says so."""
    settings.FAILURES_PER_MINUTE = 12
    now = [1000.0]
    monkeypatch.setattr(throttling, "monotonic", lambda: now[0])

    def later(seconds):
        now[0] += seconds

    return later


def fail(times, ip=HERE, name=NAME):
    for _ in range(times):
        record_failure(ip, name)


def test_nobody_waits_who_has_not_failed():
    assert retry_after(HERE, NAME) == 0
    assert retry_after(None, "") == 0


def test_a_name_that_failed_twice_waits_and_others_from_there_do_not():
    fail(1)
    assert retry_after(HERE, NAME) == 0
    fail(1)
    assert retry_after(HERE, NAME) == WINDOW
    assert retry_after(HERE, "cl_two") == 0
    assert retry_after("192.0.2.8", NAME) == 0


def test_an_address_that_tries_many_names_waits_under_each():
    for number in range(12):
        assert retry_after(HERE, f"cl_{number}") == 0
        fail(1, name=f"cl_{number}")
    assert retry_after(HERE, "cl_new") == WINDOW
    assert retry_after("192.0.2.8", "cl_new") == 0


def test_who_has_authenticated_from_there_answers_for_their_own_failures_alone():
    mark_authenticated(HERE, "cl_honest")
    for number in range(30):
        fail(1, name=f"cl_{number}")
    assert retry_after(HERE, "cl_new") > 0
    assert retry_after(HERE, "cl_honest") == 0
    fail(2, name="cl_honest")
    assert retry_after(HERE, "cl_honest") > 0


def test_the_wait_ends_a_minute_after_the_first_failure(clock):
    fail(1)
    clock(20.5)
    fail(5)
    assert retry_after(HERE, NAME) == 40
    clock(39.5)
    assert retry_after(HERE, NAME) == 0
    fail(1)
    assert retry_after(HERE, NAME) == 0
    fail(1)
    assert retry_after(HERE, NAME) == WINDOW


def test_the_limit_can_be_turned_off(settings):
    settings.FAILURES_PER_MINUTE = 0
    fail(1000)
    assert retry_after(HERE, NAME) == 0


def test_the_lowest_limit_lets_one_failure_happen(settings):
    settings.FAILURES_PER_MINUTE = 1
    assert retry_after(HERE, NAME) == 0
    fail(1)
    assert retry_after(HERE, NAME) == WINDOW


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        (None, ""),
        ("nonsense", ""),
    ],
)
def test_an_ipv6_line_is_one_place(ip, expected):
    assert network_of(ip) == expected


def test_hopping_through_ones_own_ipv6_addresses_helps_nobody():
    for number in range(12):
        fail(1, ip=f"2001:db8:1:2::{number:x}", name=f"cl_{number}")
    assert retry_after("2001:db8:1:2:abcd::1", "cl_new") == WINDOW
    assert retry_after("2001:db8:1:3::1", "cl_new") == 0


def test_callers_without_an_address_are_counted_by_name_alone():
    for number in range(30):
        fail(1, ip=None, name=f"cl_{number}")
    assert retry_after(None, "cl_new") == 0
    fail(2, ip=None)
    assert retry_after(None, NAME) == WINDOW


def test_memory_stays_bounded_however_many_come(clock):
    for number in range(MAX_KEYS + 500):
        ip = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        fail(2, ip=ip, name=f"cl_{number}" * 1000)
        mark_authenticated(ip, "cl_x")
        clock(0.001)
    for kept in (throttling._by_network.windows, throttling._by_name.windows, throttling._authenticated):
        assert len(kept) == MAX_KEYS
    assert all(isinstance(hashed, int) for _, hashed in throttling._by_name.windows), (
        "no name is kept, which may be long"
    )
    assert retry_after("10.0.0.0", "cl_0" * 1000) == 0, "the oldest is forgotten first"
    assert retry_after(ip, f"cl_{number}" * 1000) > 0


def test_the_operator_is_told_once_of_each_address(caplog, clock):
    with caplog.at_level(logging.WARNING, logger="core.throttling"):
        fail(100)
        assert [HERE in record.getMessage() for record in caplog.records] == [True]
        clock(WINDOW + 1)
        fail(100)
    assert len(caplog.records) == 2
    assert NAME not in caplog.text
