"""`Cache-Control` of what is made of several replies: nothing is kept longer than each allows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.cache_control import strictest


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([], ""),
        (["max-age=60"], "max-age=60"),
        (["max-age=60", "max-age=10"], "max-age=10"),
        (["max-age=60", ""], ""),
        (["max-age=60", "no-store"], "no-store"),
        (["public, max-age=60", "private, max-age=90"], "private, max-age=60"),
        (["public, s-maxage=5, max-age=60"], "public, max-age=60, s-maxage=5"),
        (["s-maxage=5, max-age=60", "max-age=60"], "max-age=60, s-maxage=5"),
        (["s-maxage=5, private, max-age=60"], "private, max-age=60"),
        (["public, max-age=1", "max-age=1"], "max-age=1"),
        (["No-Cache", "max-age=5"], "no-cache"),
        (["max-age=60, stale-while-revalidate=9", "max-age=60"], "max-age=60"),
        (["max-age=soon"], "max-age=0"),
        (['max-age="30"'], "max-age=30"),
        (['max-age=5, ext="no-store, private"'], "max-age=5"),
        (["max-age=99999999999"], "max-age=0"),
    ],
    ids=[
        "no replies",
        "one is as it is",
        "the shortest time",
        "one that says nothing allows no time",
        "no-store is all there is to say",
        "private if one is, then nothing for shared caches",
        "what is allowed to all caches",
        "a time of shared caches, which else go by the other",
        "private wins in one reply too",
        "public if all are",
        "names in any case",
        "what only one allows is not allowed",
        "a time that is none is none at all",
        "a quoted time",
        "nothing in quotes is a directive",
        "a time that nobody means",
    ],
)
def test_what_all_allow(values, told):
    assert strictest(values) == told


@given(st.lists(st.text(max_size=40), max_size=4))
def test_anything_can_be_read(values):
    assert isinstance(strictest(values), str)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=5))
def test_the_order_of_replies_says_nothing(seconds):
    values = [f"private, max-age={each}" for each in seconds]
    assert strictest(values) == strictest(values[::-1]) == f"private, max-age={min(seconds)}"
