"""How much may be made again, whatever happens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.attempts.budget import WINDOW, Budget
from gateway.upstream.spec import RetrySpec

SPEC = RetrySpec(ratio=0.2, minimum=1.0)


def taken(budget, now, wanted=10_000):
    return sum(budget.take(now) for _ in range(wanted))


def test_without_calls_there_is_the_minimum():
    budget = Budget(SPEC, 0.0)
    assert taken(budget, 0.0) == 10
    assert taken(budget, 9.0) == 0
    assert taken(budget, 10.0) == 10


def test_calls_pay_a_share():
    budget = Budget(SPEC, 0.0)
    for _ in range(500):
        budget.called(0.0)
    assert budget.left(0.0) == 100
    assert taken(budget, 0.0) == 100
    assert budget.left(0.0) == 0


def test_what_was_paid_is_lost_after_the_window():
    budget = Budget(SPEC, 0.0)
    for _ in range(500):
        budget.called(0.5)
    assert budget.left(9.5) == 100
    assert budget.left(10.0) == 10
    assert budget.calls == 0


def test_a_long_silence_is_forgotten_at_once():
    budget = Budget(SPEC, 0.0)
    for _ in range(500):
        budget.called(0.0)
    budget.called(1e6)
    assert (budget.calls, budget.taken) == (1, 0)
    budget.called(1e6 + 1)
    assert budget.calls == 2


def test_nothing_is_a_budget_too():
    budget = Budget(RetrySpec(ratio=0.0, minimum=0.0), 0.0)
    budget.called(0.0)
    assert not budget.take(0.0)


def test_a_reload_changes_what_there_is_and_keeps_what_was_taken():
    budget = Budget(SPEC, 0.0)
    taken(budget, 0.0)
    budget.configure(RetrySpec(ratio=0.2, minimum=2.0))
    assert budget.left(0.0) == 10
    budget.configure(RetrySpec(ratio=0.2, minimum=0.5))
    assert not budget.take(0.0)


@pytest.mark.parametrize("rate", [50, 1_000, 5_000], ids=lambda rate: f"{rate}-calls-a-second")
def test_an_outage_adds_no_more_than_the_ratio_and_the_minimum(rate):
    """Every call fails, for a minute, and as often as it may it is made again."""
    budget = Budget(RetrySpec(ratio=0.2, minimum=10.0), 0.0)
    calls = attempts = 0
    for tick in range(60 * rate):
        now = tick / rate
        budget.called(now)
        calls += 1
        attempts += 1 + taken(budget, now, 2)
    assert attempts <= max(1.2 * calls, calls + 10.0 * 60)
    assert attempts > 1.15 * calls  # and it is used


@given(
    st.lists(st.tuples(st.floats(0, 3), st.integers(0, 5), st.integers(0, 5)), max_size=60),
    st.floats(0, 1),
    st.floats(0, 3),
)
def test_nothing_is_granted_above_the_share_of_the_calls_of_the_window(steps, ratio, minimum):
    budget = Budget(RetrySpec(ratio=ratio, minimum=minimum), 0.0)
    now, calls, made = 0.0, [], []
    for passed, called, wanted in steps:
        now += passed
        for _ in range(called):
            budget.called(now)
        calls += [now] * called
        granted = taken(budget, now, wanted)
        made += [now] * granted
        # Slices of a second: what is looked back at is nine to ten of them.
        lately = sum(now - at < WINDOW - 1 for at in made)
        paid = sum(now - at <= WINDOW for at in calls)
        assert not granted or lately <= max(ratio * paid, minimum * WINDOW)
