"""What the service is told of a request."""

from __future__ import annotations

from gateway.call import Call
from gateway.http import Headers, Request
from gateway.http.certificate import Certificate
from gateway.policies.auth.ext_authz import authorization_pb2 as pb
from gateway.policies.auth.ext_authz.attributes import check_request

HEAD = Request(
    "POST",
    "/v1/orders%2F7",
    "a=1&b=%20",
    Headers([("authorization", "Bearer t"), ("accept", "a"), ("accept", "b"), ("cookie", "x=1"),
             ("cookie", "y=2"), ("content-length", "12"), ("x-name", "\xe9")]),
    authority="shop.example",
    scheme="https",
    peer="203.0.113.7",
)  # fmt: skip


def told(head=HEAD, **given):
    call = Call(
        **{"method": "a.B/C", "peer": head.peer, "request_id": "r-1", "head": head, **given}
    )
    return pb.CheckRequest.FromString(check_request(call, head, 1.5)).attributes


def test_the_request_is_told_as_it_came():
    http = told().request.http
    assert (http.id, http.method, http.host, http.scheme) == (
        "r-1",
        "POST",
        "shop.example",
        "https",
    )
    assert http.path == "/v1/orders%2F7?a=1&b=%20"
    assert (http.size, http.protocol) == (12, "HTTP/1.1")


def test_headers_of_one_name_are_joined_and_what_is_envoys_is_among_them():
    assert dict(told().request.http.headers) == {
        "authorization": "Bearer t",
        "accept": "a,b",
        "cookie": "x=1; y=2",
        "content-length": "12",
        "x-name": "\xe9",
        ":method": "POST",
        ":path": "/v1/orders%2F7?a=1&b=%20",
        ":authority": "shop.example",
        ":scheme": "https",
    }


def test_where_it_comes_from_and_when():
    attributes = told()
    assert attributes.source.address.socket_address.address == "203.0.113.7"
    assert (attributes.request.time.seconds, attributes.request.time.nanos) == (1, 500_000_000)


def test_the_method_is_told_beside_it():
    assert dict(told().context_extensions) == {"method": "a.B/C"}


def test_a_page_is_told_by_its_path_only():
    assert not told(method="").context_extensions


def test_a_certificate_is_told_as_envoy_does():
    def principal(**names):
        return told(Request("GET", "/", None, Headers(), certificate=Certificate("CN=a", **names)))

    assert principal(uris=("spiffe://a/b",), dns=("a.b",)).source.principal == "spiffe://a/b"
    assert principal(dns=("a.b",)).source.principal == "a.b"
    assert principal().source.principal == "CN=a"
    assert told().source.principal == ""


def test_a_client_of_a_unix_socket_has_no_address():
    assert not told(peer="").source.HasField("address")


def test_what_is_not_known_is_said_so():
    assert told(Request("GET", "/", None, Headers())).request.http.size == -1


def test_a_token_of_a_sockets_hello_that_is_no_unicode_can_be_told():
    head = HEAD.with_field("authorization", "Bearer \ud800")
    assert told(head).request.http.headers["authorization"] == "Bearer ?"
