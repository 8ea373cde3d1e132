"""What replies say of limits (draft-ietf-httpapi-ratelimit-headers-10)."""

from __future__ import annotations

import pytest

from gateway.policies.limits.ask import Algorithm, Numbers, Share
from gateway.policies.limits.headers import Headers
from gateway.policies.limits.limit import Limit
from gateway.policies.limits.quotas import Calendar, Quota

DATES = Calendar(lambda: 1_795_279_563.0)  # 2026-11-21


def limit(name="user", count=100, period=1.0, burst=None, algorithm="token_bucket"):
    numbers = Numbers(Algorithm(algorithm), count, period, count if burst is None else burst)
    return Limit(name=name, rate="", numbers=numbers, prefix="", key=lambda _: "")


def told(*pairs, legacy=False):
    limits, shares = zip(*pairs, strict=True)
    return Headers(limits, legacy=legacy).of(shares)


def test_a_limit_is_told_with_its_window_and_what_is_left():
    assert told((limit(), Share(True, 42, 0.58))) == {
        "ratelimit-policy": '"user";q=100;w=1',
        "ratelimit": '"user";r=42;t=1',
    }


def test_a_burst_of_its_own_is_told_beside():
    shown = told((limit(burst=200), Share(True, 199, 0.01)))
    assert shown["ratelimit-policy"] == '"user";q=100;w=1;gateway-burst=200'


def test_all_limits_are_told():
    shown = told(
        (limit(), Share(True, 42, 0.58)),
        (limit("hour", 1000, 3600.0, algorithm="fixed_window"), Share(True, 9, 1799.2)),
    )
    assert shown == {
        "ratelimit-policy": '"user";q=100;w=1, "hour";q=1000;w=3600',
        "ratelimit": '"user";r=42;t=1, "hour";r=9;t=1800',
    }


@pytest.mark.parametrize(
    ("count", "resets", "seconds"),
    [
        pytest.param(10, 0.0, 0, id="all-of-it-is-there"),
        pytest.param(10, 57.0, 3, id="the-next-of-ten-a-minute"),
        pytest.param(10, 54.0, 6, id="just-taken"),
        pytest.param(120, 30.0, 1, id="more-than-one-a-second"),
    ],
)
def test_a_bucket_tells_when_there_is_one_more(count, resets, seconds):
    shown = told((limit(count=count, period=60.0), Share(True, 1, resets)))
    assert shown["ratelimit"] == f'"user";r=1;t={seconds}'


@pytest.mark.parametrize("noise", [-7e-12, 0.0, 7e-12])
def test_the_last_digits_of_times_are_no_second_more_or_less(noise):
    """Clocks' differences are not exact: what takes 900 s is told so, not as 901 s or 1 s."""
    bucket, window = limit(count=4, period=3600.0), limit(count=4, algorithm="fixed_window")
    assert told((bucket, Share(True, 3, 900.0 + noise)))["ratelimit"].endswith("t=900")
    assert told((window, Share(True, 3, 900.0 + noise)))["ratelimit"].endswith("t=900")
    refused = Share(False, 0, 3600.0, 900.0 + noise)
    assert told((bucket, refused))["ratelimit"].endswith("t=900")


@pytest.mark.parametrize("algorithm", ["token_bucket", "sliding_window", "fixed_window"])
def test_a_limit_that_refuses_tells_what_retry_after_does(algorithm):
    given = limit(count=10, period=60.0, algorithm=algorithm)
    assert told((given, Share(False, 0, 60.0, 5.2)))["ratelimit"] == '"user";r=0;t=6'


def test_a_refusal_is_never_told_to_be_over():
    assert told((limit(), Share(False, 0, 1.0, 0.0)))["ratelimit"] == '"user";r=0;t=1'


@pytest.mark.parametrize(
    ("quota", "item"),
    [
        (Quota("calls", 10_000, "d", DATES), '"calls/d";q=10000;w=86400'),
        (Quota("calls", 10_000, "month", DATES), '"calls/month";q=10000'),
        (
            Quota("bytes", 1024, "month", DATES),
            '"bytes/month";q=1024;qu="content-bytes"',
        ),
        (
            Quota("messages", 50, "d", DATES),
            '"messages/d";q=50;gateway-unit="messages";w=86400',
        ),
    ],
)
def test_quotas_are_told_in_their_units(quota, item):
    shown = told((quota, Share(True, 7, 1000.0)))
    assert shown == {"ratelimit-policy": item, "ratelimit": f'"{quota.name}";r=7;t=1000'}


def test_of_what_is_not_known_there_is_the_policy_only():
    assert told((limit(), None)) == {"ratelimit-policy": '"user";q=100;w=1'}
    both = told((limit(), None), (limit("all"), Share(True, 1, 0.5)))
    assert both["ratelimit"] == '"all";r=1;t=1'


def test_older_clients_are_told_of_the_tightest():
    shown = told(
        (limit(), Share(True, 42, 0.58)),
        (limit("hour", 10, 3600.0, algorithm="fixed_window"), Share(True, 1, 1799.2)),
        legacy=True,
    )
    assert list(shown) == [
        *("ratelimit-policy", "ratelimit"),
        *("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
    ]
    assert list(shown.values())[2:] == ["10", "1", "1800"]


def test_older_clients_are_told_of_the_one_that_refused():
    shown = told(
        (limit("empty", 10), Share(True, 0, 0.5)),
        (limit(), Share(False, 0, 1.0, 0.2)),
        legacy=True,
    )
    assert shown["x-ratelimit-limit"] == "100"
