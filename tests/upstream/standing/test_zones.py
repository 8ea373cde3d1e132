"""Zones: what is kept, and where the rest goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.standing.zones import zone_shares


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [
        pytest.param({"a": 2, "b": 2}, {"a": 1.0}, id="a fair share keeps all"),
        pytest.param({"a": 3, "b": 1}, {"a": 1.0}, id="more than a fair share keeps all"),
        pytest.param({"a": 1, "b": 3}, {"a": 0.5, "b": 0.5}, id="half of one keeps half"),
        pytest.param(
            {"a": 1, "b": 3, "c": 2},
            {"a": 0.5, "b": 0.5},
            id="the rest goes to who has more than a fair share",
        ),
        pytest.param(
            {"a": 1, "b": 4, "c": 4}, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, id="by how much more"
        ),
        pytest.param({"a": 0, "b": 2}, {"b": 1.0}, id="nobody usable keeps nothing"),
        pytest.param({"b": 1, "c": 1}, {"b": 0.5, "c": 0.5}, id="nobody there keeps nothing"),
        pytest.param({"a": 4}, {"a": 1.0}, id="one zone"),
        pytest.param({None: 4}, {None: 1.0}, id="no zones at all"),
        pytest.param(
            {"a": 2, "b": 4, None: 2},
            {"a": 0.5, None: 0.5},
            id="one without a zone is nobody else's",
        ),
    ],
)
def test_the_share_of_each_zone(capacity, expected):
    assert zone_shares(capacity, "a") == pytest.approx(expected)


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c", "d", None]), st.integers(0, 100), min_size=1
    ).filter(lambda capacity: any(capacity.values()))
)
def test_all_calls_go_somewhere_and_none_to_nobody(capacity):
    shares = zone_shares(capacity, "a")
    assert sum(shares.values()) == pytest.approx(1)
    assert all(capacity[zone] > 0 for zone in shares)


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 100), min_size=2, max_size=4))
def test_with_as_many_gateways_in_each_zone_all_backends_have_the_same(capacity):
    load = dict.fromkeys(capacity, 0.0)
    for own in capacity:
        for zone, share in zone_shares(capacity, own).items():
            load[zone] += share / len(capacity)
    whole = sum(capacity.values())
    assert load == pytest.approx({zone: size / whole for zone, size in capacity.items()})
