"""What the hosts file says, and `localhost`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.endpoints import is_address
from gateway.upstream.resolvers.hosts import addresses_of

HOSTS = """
127.0.0.1 localhost
::1       localhost ip6-localhost
# 10.0.0.9 orders
10.0.0.1\torders orders.example
10.0.0.2  ORDERS # the second
10.0.0.1  orders
fe80::1%lo0 orders
orders    orders
"""


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("orders", ("10.0.0.1", "10.0.0.2")),
        ("Orders.Example", ("10.0.0.1",)),
        ("orders.", ("10.0.0.1", "10.0.0.2")),
        ("localhost", ("127.0.0.1", "::1")),
        ("api.localhost", ("127.0.0.1",)),
        ("unknown", ()),
        ("10.0.0.1", ()),
    ],
)
def test_a_name_has_the_addresses_of_its_lines(name, addresses):
    assert addresses_of(name, HOSTS) == addresses


def test_localhost_is_this_machine_without_a_line_too():
    assert addresses_of("localhost", "") == ("127.0.0.1",)


@given(st.text(), st.text())
def test_whatever_the_file_says_there_are_addresses_or_nothing(name, text):
    assert all(map(is_address, addresses_of(name, text)))
