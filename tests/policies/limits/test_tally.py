"""What limits decided, counted by each of them."""

from __future__ import annotations

from dataclasses import astuple

import pytest

from gateway.policies.limits.allowance import Allowance
from gateway.policies.limits.ask import Algorithm, Numbers, Share, Verdict
from gateway.policies.limits.delay import Room
from gateway.policies.limits.limit import Limit

HOURLY = Numbers(Algorithm.TOKEN_BUCKET, 10, 3600.0, 10)
YES, LATER, NO = Share(True, 5, 1.0), Share(True, 5, 1.0, wait=0.5), Share(False, 0, 1.0, 2.0)


def limit(name, **more):
    return Limit(name=name, rate="10/h", numbers=HOURLY, prefix=name, key=lambda _: "", **more)


@pytest.mark.parametrize(
    ("verdict", "tallies"),
    [
        pytest.param(Verdict(True, (YES, YES)), [(1, 0, 0, 0), (1, 0, 0, 0)], id="both allow it"),
        pytest.param(Verdict(False, (NO, YES)), [(0, 0, 1, 0), (0, 0, 0, 0)], id="one refuses"),
        pytest.param(Verdict(True, (None, YES)), [(1, 0, 0, 0), (1, 0, 0, 0)], id="one can't say"),
    ],
)
def test_plain_limits(verdict, tallies):
    limits = [limit("a"), limit("b")]
    Allowance(limits, lambda: 0.0).count(verdict)
    assert [astuple(each.tally) for each in limits] == tallies


def test_one_that_is_dark_only_counts():
    plain, dark = limit("plain"), limit("dark", dark=True)
    Allowance([plain, dark], lambda: 0.0).count(Verdict(True, (YES, NO)))
    assert astuple(plain.tally) == (1, 0, 0, 0)
    assert astuple(dark.tally) == (0, 0, 0, 1)


def test_a_call_that_waits_is_delayed_and_not_allowed():
    slow = limit("slow", patience=1.0, room=Room())
    allowance = Allowance([slow], lambda: 0.0)
    for share in (YES, LATER):
        allowance.count(Verdict(True, (share,)))
    assert astuple(slow.tally) == (1, 1, 0, 0)
