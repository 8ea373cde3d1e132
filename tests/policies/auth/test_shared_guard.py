"""What an address may ask while nobody knows who asks, where processes count together."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import RpcError
from gateway.policies.auth.shared_guard import SharedGuard
from gateway.policies.limits.memory import MemoryLimiter
from gateway.state.table import Table

ADDRESS = "203.0.113.7"


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def shared(clock, table, rate=10):
    return SharedGuard(rate, 1.0, MemoryLimiter(table, clock, clock))


def spend(guard, times, address=ADDRESS):
    """How many of so many calls are let through."""
    passed = 0
    for _ in range(times):
        try:
            guard.spend(address)
        except RpcError as refused:
            assert refused.reason == "TOO_MANY_UNAUTHENTICATED"
        else:
            passed += 1
    return passed


def test_processes_have_one_share_of_an_address():
    fd = os.memfd_create("table")
    clock = Clock()
    tables = [Table.share(1000, fd), Table.attach(fd), Table.attach(fd)]
    one, *others = [shared(clock, table) for table in tables]
    assert spend(one, 4) == 4
    assert [spend(each, 50) for each in others] == [6, 0]
    assert spend(others[1], 50, "2001:db8::1") == 10
    assert spend(one, 50, "2001:db8:0:0:1::2") == 0
    for table in tables:
        table.close()
    os.close(fd)


def test_a_refusal_says_when_to_come_back():
    clock = Clock()
    guard = shared(clock, Table.private(1000))
    spend(guard, 10)
    with pytest.raises(RpcError):
        guard.spend(ADDRESS)
    clock.now += 0.1
    guard.spend(ADDRESS)


def test_what_is_given_back_that_nobody_took_is_nothing():
    guard = shared(Clock(), Table.private(1000))
    for _ in range(5):
        guard.give_back(ADDRESS)
    assert spend(guard, 50) == 10


STEPS = st.lists(
    st.tuples(st.sampled_from(["spend", "give", "wait"]), st.integers(1, 8)), max_size=60
)


@given(STEPS, st.integers(1, 12))
def test_never_more_than_the_burst_and_the_rate_allow(steps, rate):
    clock = Clock()
    guard = shared(clock, Table.private(1000), rate)
    taken = 0
    for what, count in steps:
        if what == "wait":
            clock.now += count / 7 / rate
        elif what == "spend":
            taken += spend(guard, count)
        else:
            for _ in range(min(count, taken)):
                guard.give_back(ADDRESS)
                taken -= 1
        assert taken <= rate + (clock.now - 1000.0) * rate + 0.1


def test_all_that_is_given_back_is_there_again():
    guard = shared(Clock(), Table.private(1000))
    assert spend(guard, 10) == 10
    for _ in range(7):
        guard.give_back(ADDRESS)
    assert spend(guard, 50) == 7
