"""Which requests are their senders' own doing (Go's http.CrossOriginProtection; W3C, Fetch Metadata Request Headers)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.cross_site import is_own_doing
from gateway.http import Headers, Request

OWN = ("origin", "https://shop.example")
EVIL = ("origin", "https://evil.example")


def site(value):
    return ("sec-fetch-site", value)


def own(method, *headers, scheme="https", host="shop.example"):
    return is_own_doing(
        Request(method, "/orders", None, Headers(headers), authority=host, scheme=scheme)
    )


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("headers", [(), (EVIL,), (site("cross-site"),)])
def test_what_changes_nothing_may_come_from_anywhere(method, headers):
    assert own(method, *headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "PURGE", ""])
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param((), True, id="no-browser"),
        pytest.param((site("same-origin"),), True, id="own-page"),
        pytest.param((site("none"),), True, id="typed-by-the-user"),
        pytest.param((site(" Same-Origin "),), True, id="own-page-in-any-case"),
        pytest.param((site("same-site"),), False, id="page-of-a-sister-host"),
        pytest.param((site("cross-site"),), False, id="page-of-another-site"),
        pytest.param((site("a-value-to-come"),), False, id="unknown-word"),
        pytest.param((site(""),), False, id="empty-word"),
        pytest.param((site("same-origin"), site("cross-site")), False, id="two-words"),
        pytest.param((site("same-origin"), EVIL), True, id="browsers-word-before-origin"),
        pytest.param((site("cross-site"), OWN), False, id="origin-does-not-help"),
        pytest.param((OWN,), True, id="older-browser-own-page"),
        pytest.param((EVIL,), False, id="older-browser-page-of-another-site"),
        pytest.param((("origin", "http://shop.example"),), False, id="another-scheme"),
        pytest.param((("origin", "https://shop.example:8443"),), False, id="another-port"),
        pytest.param((("origin", "https://www.shop.example"),), False, id="a-host-below"),
        pytest.param((("origin", "https://shop.example.evil"),), False, id="a-longer-host"),
        pytest.param((("origin", "null"),), False, id="opaque-origin"),
        pytest.param((("origin", ""),), False, id="empty-origin"),
        pytest.param((OWN, EVIL), False, id="two-origins"),
        pytest.param((OWN, OWN), False, id="an-origin-twice"),
    ],
)
def test_what_may_change_something_must_be_the_users_own_doing(method, headers, expected):
    assert own(method, *headers) is expected


def test_an_origin_is_compared_with_its_default_port():
    assert own("POST", OWN, host="shop.example:443")
    assert own("POST", ("origin", "http://shop.example:80"), scheme="http")


@pytest.mark.parametrize("host", ["", "shop.example/", "a b"])
def test_a_host_that_is_none_is_nobodys_own(host):
    assert not own("POST", ("origin", f"https://{host}"), host=host)


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_no_origin_but_the_own_is(text):
    expected = text.strip().lower() in {"https://shop.example", "https://shop.example:443"}
    assert own("POST", ("origin", text)) is expected


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_pages_that_may_act_as_the_user_are_as_own_ones(method):
    """`listener.cors.credentials`: the listener says so of the request."""
    request = Request(method, "/", None, Headers([site("cross-site"), EVIL]), is_let_in=True)
    assert is_own_doing(request)
