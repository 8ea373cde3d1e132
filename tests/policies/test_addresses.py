"""Which addresses may call."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policies.addresses import REMEMBERED, admitted_by


def listed(allow=(), deny=()):
    return admitted_by(map(ip_network, allow), map(ip_network, deny))


@pytest.mark.parametrize(
    ("allow", "deny", "address", "admitted"),
    [
        pytest.param([], [], "203.0.113.7", True, id="without networks all may"),
        pytest.param(["203.0.113.0/24"], [], "203.0.113.7", True, id="one that is allowed"),
        pytest.param(["203.0.113.0/24"], [], "198.51.100.1", False, id="one that is not"),
        pytest.param([], ["203.0.113.0/24"], "203.0.113.7", False, id="one that is denied"),
        pytest.param([], ["203.0.113.0/24"], "198.51.100.1", True, id="one that is not denied"),
        pytest.param(
            ["203.0.113.0/24"], ["203.0.113.7/32"], "203.0.113.7", False, id="deny beats allow"
        ),
        pytest.param(["2001:db8::/32"], [], "2001:db8::1", True, id="IPv6"),
        pytest.param(["2001:db8::/32"], [], "203.0.113.7", False, id="IPv4 is in no IPv6 network"),
        pytest.param(["0.0.0.0/0"], [], "2001:db8::1", False, id="nor the reverse"),
        pytest.param([], ["::ffff:10.0.0.0/104"], "10.1.2.3", False, id="IPv4 mapped into IPv6"),
        pytest.param(["::ffff:10.0.0.1"], [], "10.0.0.2", False, id="one address, mapped"),
        pytest.param([], ["::fffe:0:0/95"], "10.0.0.1", True, id="what holds more is of IPv6"),
        pytest.param([], ["fe80::1%eth0"], "fe80::1", False, id="a zone does not count"),
        pytest.param(["0.0.0.0/0"], [], "", False, id="no address is in no network"),
        pytest.param([], ["0.0.0.0/0", "::/0"], "", True, id="so it is not denied either"),
    ],
)
def test_who_is_admitted(allow, deny, address, admitted):
    assert listed(allow, deny)(address) is admitted


def test_an_answer_is_remembered_and_their_number_is_bounded():
    addresses = listed(deny=["10.0.0.0/8"])
    for _ in range(3):
        assert not addresses("10.0.0.1")
    remembered = addresses.cache_info()
    assert (remembered.hits, remembered.misses) == (2, 1)
    assert remembered.maxsize == REMEMBERED


def is_not_mapped(network):
    """IPv4 addresses that are written as IPv6 mean themselves, see above."""
    return getattr(network.network_address, "ipv4_mapped", None) is None


NETWORKS = st.lists(st.ip_addresses().map(ip_network).filter(is_not_mapped), max_size=3)


@given(NETWORKS, NETWORKS, st.ip_addresses())
def test_denied_is_never_admitted_and_allowed_alone_is(allow, deny, address):
    admitted = admitted_by(allow, deny)(str(address))
    assert admitted is (
        all(address not in each for each in deny)
        and (not allow or any(address in each for each in allow))
    )
