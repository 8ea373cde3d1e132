"""What an address may ask before anybody knows who asks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Code, RpcError
from gateway.policies.auth.guard import AddressGuard


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def guarded(rate=10.0, burst=10, **given):
    clock = Clock()
    return AddressGuard(rate, burst, clock, **given), clock


def spend(guard, times, address="203.0.113.7"):
    """How many of so many calls are let through."""
    passed = 0
    for _ in range(times):
        try:
            guard.spend(address)
        except RpcError:
            continue
        passed += 1
    return passed


def test_a_burst_passes_and_no_more():
    guard, _ = guarded(rate=10, burst=10)
    assert spend(guard, 50) == 10


def test_the_refusal_says_when_to_come_back():
    guard, clock = guarded(rate=2, burst=4)
    assert spend(guard, 4) == 4
    with pytest.raises(RpcError) as refused:
        guard.spend("203.0.113.7")
    assert refused.value.reason == "TOO_MANY_UNAUTHENTICATED"
    assert refused.value.status.code is Code.RESOURCE_EXHAUSTED
    clock.now += 0.5
    guard.spend("203.0.113.7")


def test_time_brings_it_back_at_the_rate():
    guard, clock = guarded(rate=10, burst=10)
    spend(guard, 10)
    clock.now += 0.5
    assert spend(guard, 50) == 5
    clock.now += 60
    assert spend(guard, 50) == 10


def test_a_refused_call_takes_nothing():
    guard, clock = guarded(rate=10, burst=10)
    spend(guard, 1000)
    clock.now += 0.1
    assert spend(guard, 1) == 1


def test_what_is_given_back_can_be_spent_again():
    guard, _ = guarded(rate=10, burst=2)
    for _ in range(100):
        guard.spend("203.0.113.7")
        guard.give_back("203.0.113.7")
    assert spend(guard, 10) == 2


def test_nobody_gets_more_than_the_whole_by_giving_back():
    guard, _ = guarded(rate=10, burst=2)
    for _ in range(10):
        guard.give_back("203.0.113.7")
    assert spend(guard, 10) == 2


def test_addresses_do_not_pay_for_each_other():
    guard, _ = guarded(rate=10, burst=3)
    assert spend(guard, 10, "203.0.113.7") == 3
    assert spend(guard, 10, "203.0.113.8") == 3


def test_a_site_of_ipv6_is_one_address():
    guard, _ = guarded(rate=10, burst=3)
    assert spend(guard, 2, "2001:db8::1") == 2
    assert spend(guard, 5, "2001:db8:0:0:ffff::2") == 1
    assert spend(guard, 5, "2001:db8:0:1::1") == 3


def test_the_most_silent_address_is_forgotten_first():
    guard, _ = guarded(rate=1, burst=1, most=2)
    for address in ("a", "b", "c"):
        guard.spend(address)
    assert spend(guard, 1, "a") == 1
    assert spend(guard, 1, "c") == 0


@given(
    st.lists(st.tuples(st.floats(0, 2), st.integers(1, 30)), max_size=30),
    st.integers(1, 50),
    st.integers(1, 50),
)
def test_never_more_than_the_burst_and_the_rate_allow(steps, rate, burst):
    guard, clock = guarded(rate=float(rate), burst=burst)
    passed, began = 0, clock.now
    for pause, calls in steps:
        clock.now += pause
        passed += spend(guard, calls)
    assert passed <= burst + (clock.now - began) * rate + 1
