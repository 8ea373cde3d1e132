"""Whether one list of networks has addresses that another has not."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app.effects.networks import more


@pytest.mark.parametrize(
    ("before", "after", "has_more"),
    [
        pytest.param(["10.0.0.0/8"], ["10.0.0.0/9"], False, id="a half"),
        pytest.param(["10.0.0.0/9"], ["10.0.0.0/8"], True, id="twice as many"),
        pytest.param(["10.0.0.0/9", "10.128.0.0/9"], ["10.0.0.0/8"], False, id="two halves"),
        pytest.param(["10.0.0.1", "10.0.0.0"], ["10.0.0.0/31"], False, id="addresses"),
        pytest.param(["10.0.0.0/8"], ["10.0.0.0/8", "192.0.2.1"], True, id="one more"),
        pytest.param(["10.0.0.0/8", "10.1.0.0/16"], ["10.0.0.0/8"], False, id="one within another"),
        pytest.param(["0.0.0.0/0"], ["::/0"], True, id="of another version"),
        pytest.param([], ["192.0.2.1"], True, id="of none"),
        pytest.param(["192.0.2.1"], [], False, id="none"),
    ],
)
def test_whether_there_are_more(before, after, has_more):
    assert more(before, after) is has_more


BLOCKS = st.builds(
    lambda length, number: f"192.0.2.{number & (-1 << (32 - length)) & 0xFF}/{length}",
    st.integers(27, 32),
    st.integers(0, 63),
)


@given(st.lists(BLOCKS, max_size=6), st.lists(BLOCKS, max_size=6))
def test_it_is_so_if_one_address_is_there_that_was_not(before, after):
    def within(networks):
        return {
            number
            for number in range(64)
            if any(ip_address(f"192.0.2.{number}") in ip_network(each) for each in networks)
        }

    assert more(before, after) is bool(within(after) - within(before))
