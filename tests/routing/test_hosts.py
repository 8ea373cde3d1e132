"""Which entry of a table a request is for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.routing.hosts import HostTable, host_of

TABLE = HostTable(
    {
        "api.example": "api",
        "*.example": "any",
        "*.admin.example": "admin",
        "one.admin.example": "one",
        "localhost": "local",
        "127.0.0.1": "address",
        "2001:db8::1": "six",
        "shop_gateway": "compose",
    }
)


@pytest.mark.parametrize(
    ("authority", "entry"),
    [
        pytest.param("api.example", "api", id="exact beats a wildcard"),
        pytest.param("one.admin.example", "one", id="exact beats a longer wildcard"),
        pytest.param("shop.example", "any", id="a wildcard stands for one label"),
        pytest.param("a.b.shop.example", "any", id="and for several"),
        pytest.param("x.admin.example", "admin", id="the longest wildcard wins"),
        pytest.param("x.one.admin.example", "admin", id="below an exact name"),
        pytest.param("admin.example", "any", id="a wildcard is not for its own name"),
        pytest.param("example", None, id="nor is the shortest"),
        pytest.param(".example", None, id="an empty label is none"),
        pytest.param("badexample", None, id="labels are whole"),
        pytest.param("API.Example", "api", id="case does not count"),
        pytest.param("api.example:8443", "api", id="a port does not count"),
        pytest.param("X.ADMIN.example:1", "admin", id="nor both, below a wildcard"),
        pytest.param("api.example.", "api", id="a last dot does not count"),
        pytest.param("api.example.:80", "api", id="nor before a port"),
        pytest.param("api.example..", None, id="two dots do"),
        pytest.param("localhost:1", "local", id="a name of one label"),
        pytest.param("127.0.0.1:1", "address", id="an address"),
        pytest.param("[::1]:80", None, id="an address of IPv6 that has no entry"),
        pytest.param("[2001:db8::1]:80", "six", id="an address of IPv6"),
        pytest.param("[2001:DB8:0:0::1]", "six", id="the same, written at length"),
        pytest.param("[2001:db8::1%eth0]", None, id="an address of one link"),
        pytest.param("shop_gateway:8080", "compose", id="a name of a container"),
        pytest.param("", None, id="no name"),
        pytest.param("api.example.evil", None, id="a name that only begins so"),
        pytest.param("a." * 200 + "example", None, id="a name too long for DNS"),
    ],
)
def test_the_entry_of_a_name(authority, entry):
    assert TABLE.find(authority) == entry


def test_without_entries_nothing_is_found():
    assert HostTable({}).find("api.example") is None


def test_an_address_of_ipv6_is_read_without_its_brackets():
    assert host_of("[2001:DB8::1]:443") == "2001:db8::1"


LABEL = st.sampled_from(["a", "b", "c"])
NAME = st.lists(LABEL, min_size=1, max_size=4).map(".".join)


@given(st.sets(st.one_of(NAME, NAME.map("*.{}".format))), NAME)
def test_the_best_of_all_that_fit_is_found(names, host):
    fitting = [
        name
        for name in names
        if name == host or (name.startswith("*.") and host.endswith(name[1:]))
    ]
    best = max(fitting, key=lambda name: (name == host, len(name)), default=None)
    assert HostTable({name: name for name in names}).find(host) == best
