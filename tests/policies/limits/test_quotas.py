"""Days and months, in UTC, and what is asked of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Call, Principal
from gateway.policies.limits.ask import Algorithm
from gateway.policies.limits.quotas import Calendar, Quota, period_at

ADA = Principal("ada", "customers", plan="free")


def at(*when):
    return datetime(*when, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("span", "now", "name", "begins", "ends"),
    [
        ("d", (2026, 11, 21, 23, 59, 59), "2026-11-21", (2026, 11, 21), (2026, 11, 22)),
        ("d", (2026, 11, 21), "2026-11-21", (2026, 11, 21), (2026, 11, 22)),
        ("d", (2026, 12, 31, 12), "2026-12-31", (2026, 12, 31), (2027, 1, 1)),
        ("month", (2026, 12, 31, 12), "2026-12", (2026, 12, 1), (2027, 1, 1)),
        ("month", (2028, 2, 29), "2028-02", (2028, 2, 1), (2028, 3, 1)),
        ("month", (2027, 2, 28, 23, 59, 59), "2027-02", (2027, 2, 1), (2027, 3, 1)),
    ],
)
def test_a_day_and_a_month_of_the_calendar(span, now, name, begins, ends):
    assert period_at(span, at(*now)) == (name, at(*begins), at(*ends))


@given(st.sampled_from(["d", "month"]), st.floats(0, 4e9))
def test_each_time_is_in_one_period_and_the_next_begins_at_its_end(span, now):
    period = period_at(span, now)
    assert period.begins <= now < period.ends
    assert period_at(span, period.ends).begins == period.ends


def test_a_new_day_is_noticed_and_a_clock_that_is_put_back():
    now = at(2026, 11, 21, 23, 59)
    dates = Calendar(lambda: now)
    assert dates.now("d").name == "2026-11-21"
    now += 60
    assert dates.now("d").name == "2026-11-22"
    now -= 60
    assert dates.now("d").name == "2026-11-21"


def asked(quota, principal=ADA):
    return quota.asker()(Call("a.B/C", principal=principal), float("inf"))


def test_calls_are_charged_one_each():
    ask = asked(Quota("calls", 10, "d", Calendar(lambda: at(2026, 11, 21, 12))))
    assert (ask.cost, ask.dark, ask.patience) == (1, False, 0.0)
    assert ask.numbers == (Algorithm.CALENDAR, 10, 86_400.0, 10)
    assert ask.ends == at(2026, 11, 22)


@pytest.mark.parametrize("what", ["messages", "bytes"])
def test_of_what_is_not_known_yet_there_must_be_any_left(what):
    quota = Quota(what, 10, "d", Calendar(lambda: at(2026, 11, 21, 12)))
    assert asked(quota).cost == 0
    charged = quota.charge(Call("a.B/C", principal=ADA), 7)
    assert (charged.key, charged.cost, charged.dark) == (asked(quota).key, 7, True)


def test_each_caller_has_its_own_and_each_day_another():
    now = at(2026, 11, 21, 12)
    quota = Quota("calls", 10, "d", Calendar(lambda: now))
    ada = asked(quota).key
    assert ada != asked(quota, Principal("bob", "customers", plan="free")).key
    now += 86_400
    assert ada != asked(quota).key


def test_a_larger_quota_does_not_forget_what_was_used():
    dates = Calendar(lambda: at(2026, 11, 21, 12))
    assert asked(Quota("calls", 10, "d", dates)).key == asked(Quota("calls", 99, "d", dates)).key


def test_calls_of_a_day_and_of_a_month_are_two_counts():
    dates = Calendar(lambda: at(2026, 11, 21, 12))
    assert asked(Quota("calls", 9, "d", dates)).key != asked(Quota("calls", 9, "month", dates)).key
