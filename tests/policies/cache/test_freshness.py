"""For how long a reply holds (RFC 9111, RFC 5861), by what its backend and its policy say."""

from __future__ import annotations

import pytest

from gateway.call import Metadata
from gateway.policies.cache.freshness import (
    LONGEST,
    Policy,
    forbidden,
    lifetime,
    negative_lifetime,
)

POLICY = Policy(ttl=30.0, revalidate=5.0, on_error=60.0, negative=10.0)
SILENT = Policy(ttl=None)
SHARED = POLICY._replace(shared=True)


def said(*values, **others):
    items = [("cache-control", value) for value in values]
    return Metadata([*items, *((name.replace("_", "-"), each) for name, each in others.items())])


def times(found):
    return found and (found.fresh, found.revalidate, found.on_error)


@pytest.mark.parametrize(
    ("initial", "policy", "expected"),
    [
        pytest.param(said(), POLICY, (30, 5, 60), id="the-policy's-where-nothing-is-said"),
        pytest.param(said(x="y"), POLICY, (30, 5, 60), id="other-metadata-says-nothing"),
        pytest.param(said("public"), POLICY, (30, 5, 60), id="public-says-nothing-of-time"),
        pytest.param(said(), SILENT, None, id="neither-says-anything"),
        pytest.param(said("max-age=7"), SILENT, (7, 0, 0), id="the-backend's"),
        pytest.param(said("max-age=90"), POLICY, (90, 5, 60), id="the-backend's-over-the-policy's"),
        pytest.param(said("max-age=9, s-maxage=90"), POLICY, (90, 5, 60), id="s-maxage-first"),
        pytest.param(said("MAX-AGE=9"), POLICY, (9, 5, 60), id="names-in-any-case"),
        pytest.param(said('max-age="9"'), POLICY, (9, 5, 60), id="a-quoted-number"),
        pytest.param(said("max-age=9, max-age=1"), POLICY, (9, 5, 60), id="the-first-of-two"),
        pytest.param(said("max-age=9", "max-age=1"), POLICY, (9, 5, 60), id="of-two-entries-too"),
        pytest.param(said("max-age=0"), POLICY, None, id="no-time"),
        pytest.param(said("max-age=soon"), POLICY, None, id="no-number"),
        pytest.param(said("max-age=-1"), POLICY, None, id="a-negative-number"),
        pytest.param(said("max-age"), POLICY, None, id="no-argument"),
        pytest.param(said("s-maxage=0, max-age=9"), POLICY, None, id="s-maxage-of-no-time"),
        pytest.param(said("max-age=99999999999999"), SILENT, (LONGEST, 0, 0), id="a-year-at-most"),
        pytest.param(said("no-store"), POLICY, None, id="no-store"),
        pytest.param(said("no-store, max-age=9"), POLICY, None, id="no-store-over-all"),
        pytest.param(said("max-age=9", "no-store"), POLICY, None, id="no-store-in-another-entry"),
        pytest.param(said("no-cache"), POLICY, None, id="no-cache"),
        pytest.param(said('no-cache="x-a", max-age=9'), POLICY, None, id="no-cache-of-a-field"),
        pytest.param(said("private"), POLICY, (30, 5, 60), id="private-to-a-caller's-own-entry"),
        pytest.param(said("private"), SHARED, None, id="private-to-a-shared-entry"),
        pytest.param(said("private, max-age=9"), SHARED, None, id="private-with-a-time"),
        pytest.param(
            said("max-age=9, stale-while-revalidate=1, stale-if-error=2"),
            POLICY,
            (9, 1, 2),
            id="stale-times-of-the-backend",
        ),
        pytest.param(said("max-age=9, must-revalidate"), POLICY, (9, 0, 0), id="must-revalidate"),
        pytest.param(said("proxy-revalidate"), POLICY, (30, 0, 0), id="proxy-revalidate"),
        pytest.param(said("max-age=9", age="4"), SILENT, (9, 0, 0), id="some-of-it-is-over"),
        pytest.param(said("max-age=9", age="9"), SILENT, None, id="all-of-it-is-over"),
        pytest.param(said(set_cookie="a=b"), POLICY, None, id="a-cookie"),
        pytest.param(said("max-age=9", set_cookie="a=b"), POLICY, None, id="a-cookie-and-a-time"),
        pytest.param(said(x_http_code="201"), POLICY, None, id="another-status"),
        pytest.param(said(x_http_code="200"), POLICY, (30, 5, 60), id="the-usual-status"),
        pytest.param(said(vary="*"), POLICY, None, id="varies-by-what-nobody-knows"),
        pytest.param(said(vary="accept"), POLICY, (30, 5, 60), id="varies-by-a-header"),
    ],
)
def test_times(initial, policy, expected):
    assert times(lifetime(initial, policy)) == expected


@pytest.mark.parametrize(
    ("initial", "told"),
    [
        (said(), "max-age=30"),
        (said("max-age=9"), "max-age=9"),
        (said("max-age=9, s-maxage=90"), "max-age=9"),
        (said("s-maxage=90"), "max-age=90"),
        (said("max-age=9, must-revalidate"), "max-age=9, must-revalidate"),
    ],
    ids=str,
)
def test_what_clients_are_told(initial, told):
    assert lifetime(initial, POLICY).told == told


@pytest.mark.parametrize(
    ("metadata", "fresh"),
    [
        pytest.param(said(), 10, id="the-policy's"),
        pytest.param(said("max-age=3"), 3, id="the-backend's-is-shorter"),
        pytest.param(said("max-age=99"), 10, id="the-policy's-is-shorter"),
        pytest.param(
            said("max-age=3, stale-while-revalidate=600"), 3, id="no-stale-one-while-it-is-fetched"
        ),
        pytest.param(said("max-age=99, stale-if-error=600"), 10, id="no-stale-one-on-errors"),
        pytest.param(said("stale-if-error=600"), 10, id="nor-with-the-policy's-time"),
        pytest.param(said("max-age=0, stale-if-error=600"), None, id="no-time"),
        pytest.param(said("max-age=99", age="9"), 10, id="most-of-it-is-over"),
        pytest.param(said("max-age=99", age="10"), None, id="all-of-it-is-over"),
        pytest.param(said("max-age=5, stale-if-error=600", age="7"), None, id="stale-as-it-comes"),
        pytest.param(said("no-store"), None, id="no-store"),
        pytest.param(said(set_cookie="a=b"), None, id="a-cookie"),
        pytest.param(said(vary="*"), None, id="varies-by-what-nobody-knows"),
    ],
)
def test_not_found(metadata, fresh):
    found = negative_lifetime(metadata, POLICY)
    assert (found and found.all) == fresh


@pytest.mark.parametrize(
    ("initial", "told"),
    [
        (said(), "max-age=10"),
        (said("max-age=3"), "max-age=3"),
        (said("max-age=99"), "max-age=10"),
        (said("max-age=99, must-revalidate"), "max-age=10, must-revalidate"),
        (said("s-maxage=3, max-age=99"), "max-age=10"),
        (said("s-maxage=99, max-age=3"), "max-age=3"),
    ],
    ids=str,
)
def test_what_clients_are_told_of_not_found(initial, told):
    assert negative_lifetime(initial, POLICY).told == told


def test_not_found_is_kept_only_where_the_policy_says_so():
    assert negative_lifetime(said("max-age=99"), POLICY._replace(negative=0.0)) is None


@pytest.mark.parametrize(
    ("initial", "told"),
    [
        (said(), None),
        (said("public"), None),
        (said("no-store, max-age=1"), "no-store, max-age=1"),
        (said("no-cache"), "no-cache"),
        (said("max-age=9, private"), "private, max-age=9"),
        (said("max-age=nine"), "max-age=0"),
    ],
    ids=str,
)
def test_what_is_told_of_a_reply_that_is_not_kept(initial, told):
    assert forbidden(initial) == told
