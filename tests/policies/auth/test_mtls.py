"""Who a certificate says its client is."""

from __future__ import annotations

import pytest

from gateway.call import Call, RpcError
from gateway.fronts.cross_site import is_own_doing
from gateway.http.certificate import Certificate
from gateway.policies.auth.mtls import Mtls
from gateway.policies.auth.provider import BadCredentials
from tests.policies.auth.callers import head

SPIFFE = "spiffe://shop/billing"
FULL = Certificate(
    "CN=billing,O=Shop",
    uris=("urn:device:7",),
    dns=("billing.shop", "pay.shop"),
    emails=("ops@shop.example",),
    fingerprint="ab" * 32,
    expires=1000.0,
)


def called(certificate, *fields):
    return Call("a.B/C", head=head(*fields, certificate=certificate))


def provider(subject="auto", now=lambda: 500.0):
    return Mtls("devices", subject, now, is_own_doing)


@pytest.mark.parametrize(
    ("key", "shown", "subject"),
    [
        pytest.param("auto", FULL, "urn:device:7", id="a URI first"),
        pytest.param("auto", Certificate("CN=a", uris=(SPIFFE,)), SPIFFE, id="a SPIFFE id is one"),
        pytest.param("auto", Certificate("CN=a", dns=("a.b", "c.d")), "a.b", id="then a DNS name"),
        pytest.param("auto", Certificate("CN=a", emails=("a@b",)), "CN=a", id="then the DN"),
        pytest.param("uri", FULL, "urn:device:7", id="a URI by choice"),
        pytest.param("dns", FULL, "billing.shop", id="a DNS name by choice"),
        pytest.param("email", FULL, "ops@shop.example", id="a mail address by choice"),
        pytest.param("dn", FULL, "CN=billing,O=Shop", id="the DN by choice"),
    ],
)
def test_which_name_it_is_known_by(key, shown, subject):
    assert provider(key).identify(called(shown)).subject == subject


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        pytest.param("auto", Certificate("CN=a", uris=(SPIFFE, "spiffe://b/c")), id="two ids"),
        pytest.param("auto", Certificate("CN=a", uris=("urn:x", SPIFFE)), id="an id and a URI"),
        pytest.param("dn", Certificate("CN=a", uris=(SPIFFE, "urn:x")), id="even by its DN"),
        pytest.param("auto", Certificate("CN=a", uris=(SPIFFE,), signs=True), id="an authority's"),
        pytest.param("auto", Certificate(""), id="without any name"),
        pytest.param("dns", Certificate("CN=a", uris=(SPIFFE,)), id="without the name of choice"),
        pytest.param("auto", Certificate("CN=a", dns=("",)), id="with an empty name"),
        pytest.param("auto", Certificate("CN=a", dns=("a\nb",)), id="with a name that is no text"),
    ],
)
def test_what_is_refused(key, shown):
    with pytest.raises(BadCredentials) as failure:
        provider(key).identify(called(shown))
    assert failure.value.reason == "INVALID_CREDENTIALS"


@pytest.mark.parametrize("again", [False, True], ids=["first", "remembered"])
def test_another_sites_page_can_not_use_a_browsers_certificate(again):
    asked = provider()
    if again:
        asked.identify(called(FULL))
    made = called(FULL, ("sec-fetch-site", "cross-site"))
    assert asked.known(made) is None
    with pytest.raises(RpcError) as failure:
        asked.identify(made)
    assert failure.value.reason == "CROSS_SITE_REQUEST"
    assert asked.known(called(FULL, ("sec-fetch-site", "same-origin"))) is not None


def test_an_authoritys_own_certificate_is_fine_where_spiffe_has_no_say():
    shown = Certificate("CN=a", signs=True)
    assert provider().identify(called(shown)).subject == "CN=a"


def test_the_principal_has_all_that_it_says():
    principal = provider().identify(called(FULL))
    assert principal.provider == "devices"
    assert principal.expires == 1000.0
    assert principal.claims == {
        "subject": "CN=billing,O=Shop",
        "uris": ["urn:device:7"],
        "dns": ["billing.shop", "pay.shop"],
        "emails": ["ops@shop.example"],
        "fingerprint": "ab" * 32,
    }


def test_one_that_is_accepted_is_known_at_once():
    devices = provider()
    principal = devices.known(called(FULL))
    assert principal.subject == "urn:device:7"
    assert devices.known(called(FULL)) is principal


def test_one_that_is_not_accepted_is_not_known():
    assert provider().known(called(Certificate(""))) is None


def test_one_that_ended_while_its_connection_stood_is_not():
    now = [999.0]
    devices = provider(now=lambda: now[0])
    devices.identify(called(FULL))
    now[0] = 1000.0
    assert devices.known(called(FULL)) is None
    with pytest.raises(BadCredentials) as failure:
        devices.identify(called(FULL))
    assert failure.value.reason == "TOKEN_EXPIRED"


@pytest.mark.parametrize("made", [Call("a.B/C"), called(None)], ids=["no head", "no certificate"])
def test_without_a_certificate_there_is_nobody(made):
    devices = provider()
    assert devices.known(made) is None
    assert devices.identify(made) is None


def test_it_is_carried_by_the_connection():
    assert provider().carried(head(certificate=FULL))
    assert not provider().carried(head())


def test_so_many_are_remembered_and_no_more():
    devices = provider()
    for number in range(5000):
        devices.identify(called(Certificate(f"CN={number}", fingerprint=str(number))))
    last = Certificate("CN=4999", fingerprint="4999")
    assert devices.known(called(last)) is devices.known(called(last))
    assert len(devices._known) <= 4096
