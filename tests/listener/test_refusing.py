"""What is known of a request that the listener refuses: what its first line says, where it is one."""

import pytest

from gateway.listener.refusing import begun

REST = b"\r\nhost: shop.example\r\n\r\n"


@pytest.mark.parametrize(
    ("line", "known"),
    [
        (b"GET /v1/products?a=1 HTTP/1.1", ("GET", "/v1/products", "a=1")),
        (b"PROPFIND /v1 HTTP/1.1", ("PROPFIND", "/v1", None)),
        (b"GET /v1", ("", "", None)),
        (b"\x16\x03\x01", ("", "", None)),
        (b"", ("", "", None)),
    ],
    ids=["all of it", "a method that nobody knows", "a part of it", "TLS", "nothing"],
)
def test_it_is_known_as_its_first_line_says(line, known):
    request = begun(line + REST, "192.0.2.1", "http")
    assert (request.method, request.path, request.query) == known


@pytest.mark.parametrize(
    "method", [b'G\nforged\t"GET', b"GET\x1b[2J", b"G\xc3\xa9T", b"M" * 33, b'"', b""]
)
def test_what_is_no_method_is_none(method):
    """It is told in logs and tells requests apart: nobody writes a line with it, or fills tables."""
    request = begun(method + b" /v1 HTTP/1.1" + REST, "192.0.2.1", "http")
    assert (request.method, request.path) == ("", "/v1")
