"""`hosts` and `addresses`: their names and networks, and what is wrong with them."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from gateway.config import ConfigError, from_mapping


def config(**sections):
    return from_mapping(sections, origin="test").config


def problems(**sections):
    with pytest.raises(ConfigError) as caught:
        config(**sections)
    return [f"{each.path}: {each.message}" for each in caught.value.problems]


def test_a_host_has_every_service_and_front_unless_it_is_said():
    host = config(hosts={"api.example": {}}).hosts["api.example"]
    assert (host.services, host.rest, host.graphql, host.websocket) == (("*",), True, True, True)


def test_a_name_has_no_case():
    assert [*config(hosts={"API.Example": {}, "*.Admin.example": {}}).hosts] == [
        "api.example",
        "*.admin.example",
    ]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        pytest.param("shop_gateway", "shop_gateway", id="a name of a container"),
        pytest.param("*.shop_internal.example", "*.shop_internal.example", id="below such a name"),
        pytest.param("127.0.0.1", "127.0.0.1", id="an address of IPv4"),
        pytest.param("::1", "::1", id="an address of IPv6"),
        pytest.param("[2001:DB8:0::1]", "2001:db8::1", id="one as URLs have it"),
    ],
)
def test_what_is_a_name(name, read):
    assert [*config(hosts={name: {}}).hosts] == [read]


def test_an_address_that_is_written_in_two_ways_is_one():
    (told,) = problems(hosts={"::1": {}, "[0:0::1]": {"rest": False}})
    assert "given twice; first at" in told


def test_a_name_that_is_given_twice_is_told_with_both_places():
    (told,) = problems(hosts={"a.example": {}, "A.example": {"rest": False}})
    assert "given twice; first at" in told


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("*", id="all names: leave hosts out"),
        pytest.param("a.*.example", id="a wildcard within"),
        pytest.param("*example", id="a wildcard of a part of a label"),
        pytest.param("api.example:8080", id="a port"),
        pytest.param("[::1]:8080", id="an address of IPv6 with a port"),
        pytest.param("127.0.0.1:8080", id="one of IPv4 with a port"),
        pytest.param(":::1", id="what only looks like one of IPv6"),
        pytest.param("https://api.example", id="a URL"),
        pytest.param("api.example.", id="a last dot"),
    ],
)
def test_what_is_no_name(name):
    (told,) = problems(hosts={name: {}})
    assert "a host name, *.name, or an IP address, without a port" in told


def test_networks_are_read():
    given = config(addresses={"allow": ["10.0.0.0/8"], "deny": ["10.1.0.0/16", "2001:db8::/32"]})
    assert given.addresses.allow == (ip_network("10.0.0.0/8"),)
    assert given.addresses.deny == (ip_network("10.1.0.0/16"), ip_network("2001:db8::/32"))


def test_what_is_no_network_is_told():
    assert len(problems(addresses={"deny": ["10.0.0.0/33", "example"]})) == 2
