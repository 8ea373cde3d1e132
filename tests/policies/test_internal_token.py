"""The signed tokens that backends get (RFC 7519), and the keys to check them with (RFC 7517)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jwt
from joserfc.jwk import KeySet

from gateway.call import Principal
from gateway.policies.internal_token import InternalTokens, KeyFileError, SigningKey, published

ADA = Principal(
    "ada", "customers", scopes=frozenset({"b", "a"}), roles=frozenset({"clerk"}), claims={"x": 1}
)


def pem_of(key, password=None):
    protection = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
    )


P256 = pem_of(ec.generate_private_key(ec.SECP256R1()))
ED25519 = pem_of(ed25519.Ed25519PrivateKey.generate())
ALGORITHMS = {"ES256": P256, "EdDSA": ED25519}


class Time:
    def __init__(self):
        self.now = 1_800_000_000.5

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


def tokens(time, pem=P256, **given):
    options = {"issuer": "gateway", "audience": "orders", "lifetime": 60.0, **given}
    return InternalTokens(SigningKey.of_pem(pem), now=time, **options)


def read(token, *pems):
    """The claims of a token, checked with the public keys alone."""
    keys = KeySet.import_key_set(json.loads(published(map(SigningKey.of_pem, pems))))
    return jwt.decode(token, keys, algorithms=["ES256", "Ed25519", "EdDSA"])


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize(("algorithm", "pem"), ALGORITHMS.items(), ids=ALGORITHMS.keys())
def test_a_token_is_checked_with_the_published_key(algorithm, pem, time):
    token = tokens(time, pem).token(ADA, {"tenant": "acme"})
    decoded = read(token, P256, ED25519)
    assert decoded.header == {
        "typ": "JWT", "alg": algorithm, "kid": SigningKey.of_pem(pem).id,
    }  # fmt: skip
    assert decoded.claims.pop("jti")
    assert decoded.claims == {
        "iss": "gateway",
        "sub": "ada",
        "aud": "orders",
        "iat": 1_800_000_000,
        "exp": 1_800_000_060,
        "provider": "customers",
        "scope": "a b",
        "roles": ["clerk"],
        "claims": {"tenant": "acme"},
    }


def test_no_claim_passes_for_one_of_the_gateway(time):
    claims = read(tokens(time).token(ADA, {"aud": "all", "sub": "root"}), P256).claims
    assert (claims["aud"], claims["sub"]) == ("orders", "ada")


def test_without_claims_there_are_none(time):
    assert "claims" not in read(tokens(time).token(ADA, {}), P256).claims


def test_a_token_is_used_again_for_half_its_life(time):
    made = tokens(time)
    first = made.token(ADA, {})
    time.now += 29
    assert made.token(replace(ADA), {}) == first
    time.now += 2
    second = made.token(ADA, {})
    assert second != first
    assert read(second, P256).claims["exp"] >= time.now + 59


@pytest.mark.parametrize(
    "other",
    [
        replace(ADA, subject="bob"),
        replace(ADA, provider="partners"),
        replace(ADA, scopes=frozenset({"a"})),
        replace(ADA, roles=frozenset()),
    ],
    ids=["subject", "provider", "scopes", "roles"],
)
def test_it_is_nobody_elses(other, time):
    made = tokens(time)
    assert made.token(ADA, {}) != made.token(other, {})
    assert read(made.token(other, {}), P256).claims["sub"] == other.subject


def test_nor_one_with_other_claims(time):
    made = tokens(time)
    assert made.token(ADA, {"a": 1}) != made.token(ADA, {"a": "1"})


def test_of_many_callers_the_latest_are_remembered(time):
    made = tokens(time, most=2)
    ada, _ = made.token(ADA, {}), made.token(replace(ADA, subject="bob"), {})
    assert made.token(ADA, {}) == ada
    made.token(replace(ADA, subject="eve"), {})  # in place of bob
    assert made.token(ADA, {}) == ada
    assert len(made._kept) == 2


def test_only_public_keys_are_published():
    keys = json.loads(published([SigningKey.of_pem(P256), SigningKey.of_pem(ED25519)]))["keys"]
    assert [set(key) for key in keys] == [
        {"kty", "crv", "x", "y", "use", "alg", "kid"},
        {"kty", "crv", "x", "use", "alg", "kid"},
    ]


def test_a_key_that_is_given_twice_is_published_once():
    assert len(json.loads(published([SigningKey.of_pem(P256)] * 2))["keys"]) == 1


def test_a_key_does_not_show_itself():
    key = SigningKey.of_pem(P256)
    assert repr(key) == f"SigningKey(ES256, {key.id})"


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"not a key",
        pem_of(rsa.generate_private_key(65537, 2048)),
        pem_of(ec.generate_private_key(ec.SECP384R1())),
        pem_of(ec.generate_private_key(ec.SECP256R1()), b"password"),
        P256.replace(b"PRIVATE", b"PUBLIC"),
    ],
    ids=["empty", "text", "RSA", "P-384", "encrypted", "public"],
)
def test_what_can_not_sign(pem):
    with pytest.raises(KeyFileError):
        SigningKey.of_pem(pem)
