"""Which replies may mix a caller's secret with another site's words (BREACH, CVE-2013-3587)."""

import pytest

from gateway.http import Headers, Request
from gateway.http.certificate import Certificate
from gateway.listener.mixing import may_mix

COOKIE = ("cookie", "session=1")
CERTIFICATE = Certificate("CN=me")


def site(word):
    return ("sec-fetch-site", word)


def asked(*headers, **more):
    return Request("GET", "/v1/search", "q=guess", Headers(headers), **more)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="nobody"),
        pytest.param([site("cross-site")], id="nobody-from-another-site"),
        pytest.param([("authorization", "Bearer t"), site("cross-site")], id="token-of-a-script"),
        pytest.param([("x-api-key", "k"), site("cross-site")], id="key-of-a-script"),
        pytest.param([COOKIE, site("same-origin")], id="cookie-of-an-own-page"),
        pytest.param([COOKIE, site("none")], id="cookie-and-typed-by-the-user"),
        pytest.param([COOKIE, site(" Same-Origin ")], id="in-any-case"),
    ],
)
def test_nobody_else_chose_anything(headers):
    assert not may_mix(asked(*headers))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([COOKIE, site("cross-site")], id="cookie-from-another-site"),
        pytest.param([COOKIE, site("same-site")], id="cookie-from-a-sister-host"),
        pytest.param([COOKIE, site("")], id="cookie-and-an-empty-word"),
        pytest.param([COOKIE, site("same-origin"), site("cross-site")], id="two-words"),
        pytest.param([COOKIE], id="cookie-of-an-old-browser"),
        pytest.param([("authorization", "Basic dTpw")], id="password"),
        pytest.param([("authorization", "NTLM x"), site("cross-site")], id="windows"),
        pytest.param([COOKIE, ("authorization", "Bearer t")], id="cookie-beside-a-token"),
    ],
)
def test_another_site_may_have_chosen(headers):
    assert may_mix(asked(*headers))
    assert not may_mix(asked(*headers, is_let_in=True)), "pages that may act as the user"


def test_a_certificate_is_attached_too():
    assert may_mix(asked(certificate=CERTIFICATE))
    assert not may_mix(asked(site("same-origin"), certificate=CERTIFICATE))
