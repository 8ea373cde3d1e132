"""No token of the table lets anybody in, and none that is good is refused."""

from __future__ import annotations

import logging
import time

import pytest

from gateway.call import Code, RpcError
from tests.policies.auth.attacks import ATTACKS, EXPIRED, hostile
from tests.policies.auth.issuer import Issuer, SigningKey
from tests.policies.auth.jwt.verifying import Verifier

ALL = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


@pytest.fixture(scope="module")
def issuer():
    return hostile(Issuer("http://127.0.0.1:12345"))


@pytest.fixture
def verifier(issuer):
    return Verifier(issuer, time.time)


@pytest.mark.parametrize("name", ATTACKS)
def test_a_bad_token_is_refused(issuer, verifier, name, caplog):
    caplog.set_level(logging.DEBUG)
    token = ATTACKS[name](issuer)
    for _ in range(2):  # by judging it, and by what is remembered of that
        with pytest.raises(RpcError) as refused:
            verifier.admit(token)
        failure = refused.value
        assert failure.status.code is Code.UNAUTHENTICATED
        assert failure.reason == ("TOKEN_EXPIRED" if name in EXPIRED else "INVALID_CREDENTIALS")
        assert 'error="invalid_token"' in failure.headers["www-authenticate"]
    assert verifier.guard.spent == 2, "both are charged to the address"
    assert len(verifier.cache) == 0
    shown = caplog.text + str(failure) + failure.status.message + str(failure.headers)
    assert not [part for part in token.split(".") if len(part) > 15 and part[:16] in shown]


def test_the_good_token_beside_them_lets_in(issuer, verifier):
    """Else the table would prove nothing."""
    principal = verifier.admit(issuer.token()).principal
    assert (principal.subject, principal.provider) == ("ada", "customers")


@pytest.mark.parametrize("number", [0, 1, 2], ids=["ES256", "EdDSA", "RS256"])
def test_a_good_token_of_each_key_lets_in(issuer, verifier, number):
    assert verifier.admit(issuer.token(key=issuer.keys[number])).principal


@pytest.mark.parametrize("alg", [*ALL, "Ed25519"])
def test_every_algorithm_verifies(alg):
    issuer = Issuer(alg=alg)
    verifier = Verifier(issuer, time.time, algorithms=[alg])
    assert verifier.admit(issuer.token()).principal


@pytest.mark.parametrize("alg", [*ALL, "Ed25519"])
def test_every_algorithm_is_refused_where_the_config_does_not_name_it(alg):
    issuer = Issuer(alg=alg)
    issuer.keys = [SigningKey.make("other", "RS256" if alg != "RS256" else "ES256"), *issuer.keys]
    verifier = Verifier(issuer, time.time, algorithms=[issuer.keys[0].alg])
    with pytest.raises(RpcError, match="UNAUTHENTICATED"):
        verifier.admit(issuer.token())


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        pytest.param({"typ": None}, {}, id="no typ"),
        pytest.param({"typ": "jwt"}, {}, id="typ in lower case (RFC 7519 section 5.1)"),
        pytest.param({"typ": "at+jwt"}, {}, id="an access token (RFC 9068)"),
        pytest.param({"typ": "application/at+jwt"}, {}, id="an access token, in full"),
        pytest.param({"kid": None}, {}, id="no kid"),
        pytest.param(
            {"jku": "https://evil.example/", "x5t": "x", "nonce": "n"},
            {},
            id="members that say nothing here",
        ),
        pytest.param({}, {"aud": ["another", "shop"]}, id="one audience of several"),
        pytest.param({}, {"aud": ["shop"]}, id="a list of one audience"),
        pytest.param({}, {"iat": None}, id="no iat"),
        pytest.param({}, {"exp": 4_000_000_000.5}, id="a time with a fraction"),
        pytest.param({}, {"sub": "x" * 255}, id="the longest subject"),
        pytest.param({}, {"sub": "Ада Лавлейс"}, id="a subject beyond ASCII"),
        pytest.param({}, {"unknown": {"deep": [1, 2.5, None, True]}}, id="claims of any kind"),
        pytest.param({}, {"padding": "x" * 11_000}, id="16 KiB"),
    ],
)
def test_what_is_unusual_but_good_lets_in(issuer, verifier, header, claims):
    assert verifier.admit(issuer.token(header=header, **claims)).principal


@pytest.mark.parametrize(("name", "seconds"), [("exp", -20), ("nbf", 20), ("iat", 20)])
def test_clocks_may_differ_by_the_leeway(issuer, verifier, name, seconds):
    assert verifier.admit(issuer.token(**{name: int(time.time()) + seconds})).principal
