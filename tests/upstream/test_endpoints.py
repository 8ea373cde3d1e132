"""Addresses of backends."""

import pytest

from gateway.upstream.endpoints import Endpoint, is_address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:50051", "127.0.0.1", 50051),
        ("catalog:1", "catalog", 1),
        ("my_service.ns-1.svc.cluster.local:65535", "my_service.ns-1.svc.cluster.local", 65535),
        ("[::1]:80", "::1", 80),
        ("[::ffff:10.0.0.1]:80", "::ffff:10.0.0.1", 80),
    ],
)
def test_host_and_port_are_read_and_written(text, host, port):
    assert Endpoint.parse(text) == Endpoint(host, port)
    assert str(Endpoint(host, port)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "catalog",
        "catalog:",
        ":80",
        "catalog:0",
        "catalog:65536",
        "catalog:-1",
        "catalog:80x",
        "catalog:८०",
        "catalog:80/",
        "a b:80",
        "x:80\n",
        "::1:80",
        "[catalog]:80",
        "[1:2]:80",
        "http://catalog:80",
        "unix:/tmp/socket",
        "dns:///catalog:80",
    ],
)
def test_anything_else_is_refused_with_what_was_found(text):
    with pytest.raises(ValueError, match=r"has no|is not") as refused:
        Endpoint.parse(text)
    assert repr(text) in str(refused.value)


def test_addresses_are_told_from_names():
    assert is_address("127.0.0.1")
    assert is_address("::1")
    assert not is_address("localhost")
    assert not is_address("1.2.3")
