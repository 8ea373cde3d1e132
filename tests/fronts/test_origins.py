"""Which pages may open a WebSocket (RFC 6454, RFC 6455 section 10.2, Fetch Metadata)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import RpcError
from gateway.fronts.origins import check_origin
from gateway.http import Headers, Request
from gateway.http.origin import Origin


def opens(*headers, origins=(), scheme="https", host="shop.example"):
    request = Request("GET", "/ws", None, Headers(headers), authority=host, scheme=scheme)
    try:
        check_origin(request, origins)
    except RpcError as failure:
        assert failure.reason == "CROSS_SITE_REQUEST"
        return False
    return True


def page(origin, **given):
    return opens(("origin", origin), **given)


@pytest.mark.parametrize("site", [None, "none", " None "])
def test_who_is_no_browser_may(site):
    assert opens(*([("sec-fetch-site", site)] if site else []))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "a-value-to-come", ""])
def test_a_page_of_another_site_whose_origin_is_not_told_may_not(site):
    assert not opens(("sec-fetch-site", site))


@pytest.mark.parametrize(
    ("scheme", "host", "origin"),
    [
        pytest.param("https", "shop.example", "https://shop.example", id="equal"),
        pytest.param("http", "shop.example", "http://shop.example", id="of-http"),
        pytest.param("https", "shop.example:443", "https://shop.example", id="the-hosts-default"),
        pytest.param("http", "shop.example", "http://shop.example:80", id="the-origins-default"),
        pytest.param("http", "shop.example:8080", "http://shop.example:8080", id="of-a-port"),
        pytest.param("https", "Shop.Example", "HTTPS://shop.EXAMPLE", id="of-any-case"),
        pytest.param("http", "[::1]:8080", "http://[::1]:8080", id="of-an-ipv6-address"),
        pytest.param("http", "127.0.0.1", "http://127.0.0.1", id="of-an-ipv4-address"),
    ],
)
def test_a_page_of_the_gateways_own_origin_may(scheme, host, origin):
    assert page(origin, scheme=scheme, host=host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        pytest.param("https://evil.example", "shop.example", id="another-host"),
        pytest.param("http://shop.example", "shop.example", id="another-scheme"),
        pytest.param("https://shop.example:8443", "shop.example", id="another-port"),
        pytest.param("https://shop.example:80", "shop.example", id="the-default-of-another-scheme"),
        pytest.param("https://www.shop.example", "shop.example", id="a-host-below"),
        pytest.param("https://example", "shop.example", id="the-host-above"),
        pytest.param("https://evil-shop.example", "shop.example", id="a-name-that-ends-alike"),
        pytest.param("https://shop.example.evil", "shop.example", id="a-name-that-begins-alike"),
        pytest.param("https://shop.example@evil", "shop.example", id="a-user"),
        pytest.param("https://shop.example/", "shop.example", id="a-path"),
        pytest.param("shop.example", "shop.example", id="no-scheme"),
        pytest.param("null", "shop.example", id="null"),
        pytest.param("null", "", id="null-where-no-host-is-told"),
        pytest.param("", "", id="empty"),
        pytest.param("https://", "", id="no-host"),
        pytest.param("https://shop.example https://evil.example", "shop.example", id="a-list"),
        pytest.param("https://*.shop.example", "*.shop.example.", id="a-pattern"),
    ],
)
def test_a_page_of_another_origin_may_not(origin, host):
    assert not page(origin, host=host)


def test_a_browser_that_names_two_origins_is_none():
    own = ("origin", "https://shop.example")
    assert not opens(own, own)


@pytest.mark.parametrize("site", ["same-origin", " Same-Origin "])
def test_a_browser_that_says_same_origin_knows_better_than_a_gateway_behind_a_proxy(site):
    headers = [("origin", "https://shop.example"), ("sec-fetch-site", site)]
    assert opens(*headers, scheme="http", host="10.0.0.7:8080")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    ("origins", "origin"),
    [
        pytest.param(["https://app.example"], "https://app.example", id="named"),
        pytest.param(["https://app.example:443"], "https://app.example", id="default-port-named"),
        pytest.param(["https://App.Example"], "https://app.example", id="of-any-case"),
        pytest.param(["https://a.example", "https://b.example"], "https://b.example", id="second"),
        pytest.param(["https://*.app.example"], "https://eu.app.example", id="below"),
        pytest.param(["https://*.app.example"], "https://a.eu.app.example", id="two-below"),
        pytest.param(["http://*.app.example:81"], "http://eu.app.example:81", id="below-of-a-port"),
        pytest.param(["capacitor://localhost"], "capacitor://localhost", id="scheme-of-an-app"),
        pytest.param(["*"], "https://evil.example", id="any"),
        pytest.param(["*"], "null", id="any-even-null"),
    ],
)
def test_a_page_of_an_origin_that_is_listed_may(origins, origin, site):
    assert opens(("origin", origin), ("sec-fetch-site", site), origins=origins)


@pytest.mark.parametrize(
    ("origins", "origin"),
    [
        pytest.param(["https://app.example"], "https://eu.app.example", id="below-one-named"),
        pytest.param(["https://app.example"], "http://app.example", id="another-scheme"),
        pytest.param(["https://app.example"], "https://app.example:8443", id="another-port"),
        pytest.param(["https://*.app.example"], "https://app.example", id="not-below-but-it"),
        pytest.param(["https://*.app.example"], "https://.app.example", id="below-without-a-name"),
        pytest.param(["https://*.app.example"], "https://evilapp.example", id="alike"),
        pytest.param(["https://*.app.example"], "http://eu.app.example", id="below-by-http"),
        pytest.param(["https://*.app.example"], "null", id="null"),
        pytest.param([], "https://app.example", id="nothing-listed"),
    ],
)
def test_a_page_of_no_listed_origin_may_not(origins, origin):
    assert not page(origin, origins=origins)


hosts = st.from_regex(r"[a-z0-9-]{1,9}(\.[a-z0-9-]{1,9}){0,3}", fullmatch=True)


@given(st.sampled_from(["http", "https", "app"]), hosts, st.integers(1, 65535))
def test_what_is_listed_is_covered_and_nothing_beside_it(scheme, host, port):
    origin = Origin.read(f"{scheme}://{host}:{port}")
    below = Origin.read(f"{scheme}://*.{host}:{port}")
    assert origin.covers(origin)
    assert not below.covers(origin)
    assert below.covers(origin._replace(host=f"a.{host}"))
    assert not below.covers(origin._replace(host=f"a{host}"))
    assert not origin.covers(origin._replace(host=f"a.{host}"))


@given(st.text())
def test_no_text_is_an_origin_by_accident(text):
    read = Origin.read(text)
    assert read is None or "://" in text
