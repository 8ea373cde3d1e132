"""Which JWKs are taken, and for what (RFC 7517, RFC 7518)."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policies.auth.jwt.keys import KeySet, KeySetError
from tests.policies.auth.issuer import SigningKey, b64

ALL = [
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"),
    *("EdDSA", "Ed25519"),
]
RSA, EC, ED = (SigningKey.make(alg, alg) for alg in ("RS256", "ES256", "EdDSA"))


def keys(*jwks, algorithms=ALL):
    found = KeySet(algorithms)
    found.replace({"keys": list(jwks)})
    return found


def algorithms_of(jwk):
    (key,) = keys(jwk)._keys.values()
    return set(key.algorithms)


@pytest.mark.parametrize(
    ("jwk", "algorithms"),
    [
        pytest.param(RSA.public(alg=None), set(ALL[:6]), id="RSA, any"),
        pytest.param(RSA.public(), {"RS256"}, id="RSA, one"),
        pytest.param(RSA.public(alg="PS384"), {"PS384"}, id="RSA, another"),
        pytest.param(EC.public(alg=None), {"ES256"}, id="P-256"),
        pytest.param(SigningKey.make("a", "ES384").public(alg=None), {"ES384"}, id="P-384"),
        pytest.param(SigningKey.make("a", "ES512").public(alg=None), {"ES512"}, id="P-521"),
        pytest.param(ED.public(alg=None), {"EdDSA", "Ed25519"}, id="Ed25519"),
        pytest.param(ED.public(alg="Ed25519"), {"Ed25519"}, id="Ed25519, by its new name"),
        pytest.param(SigningKey.make("a", "Ed448").public(alg=None), {"EdDSA"}, id="Ed448"),
        pytest.param(RSA.public(use=None, key_ops=["verify"]), {"RS256"}, id="key_ops"),
        pytest.param(RSA.public(use=None), {"RS256"}, id="no use"),
        pytest.param(
            RSA.public(x5c=["x"], x5t="x", unknown={}),
            {"RS256"},
            id="members that say nothing here",
        ),
    ],
)
def test_a_key_is_for_what_it_says(jwk, algorithms):
    assert algorithms_of(jwk) == algorithms


BAD = {
    "no object": "key",
    "no kty": RSA.public(kty=None),
    "another kty": RSA.public(kty="rsa"),
    "symmetric": {"kty": "oct", "kid": "a", "k": b64(b"x" * 32)},
    "symmetric, for RS256": {"kty": "oct", "kid": "a", "k": b64(b"x" * 32), "alg": "RS256"},
    "private RSA": RSA.public(d="AQAB"),
    "private EC": EC.public(d="AQAB"),
    "use enc": RSA.public(use="enc"),
    "use is a list": RSA.public(use=["sig"]),
    "key_ops without verify": RSA.public(use=None, key_ops=["sign"]),
    "key_ops is a text": RSA.public(use=None, key_ops="verify"),
    "use sig and key_ops encrypt": RSA.public(key_ops=["encrypt"]),
    "kid is a number": RSA.public(kid=5),
    "alg of another kind": RSA.public(alg="ES256"),
    "alg of another curve": EC.public(alg="ES384"),
    "alg is HS256": RSA.public(alg="HS256"),
    "alg is none": RSA.public(alg="none"),
    "alg is a list": RSA.public(alg=["RS256"]),
    "1024 bits": SigningKey.make("weak", bits=1024).public(),
    "2047 bits": RSA.public(n=b64((2**2046 + 1).to_bytes(256, "big"))),
    "an endless modulus": RSA.public(n=b64(b"\xff" * 2000)),
    "no modulus": RSA.public(n=None),
    "a modulus that is a number": RSA.public(n=5),
    "a modulus of no alphabet": RSA.public(n="é" * 400),
    "exponent 1": RSA.public(e=b64(b"\x01")),
    "an even exponent": RSA.public(e=b64(b"\x02")),
    "no exponent": RSA.public(e=None),
    "an unknown curve": EC.public(crv="secp256k1"),
    "no curve": EC.public(crv=None),
    "a curve that is a list": EC.public(crv=["P-256"]),
    "a curve of another kind": EC.public(crv="Ed25519"),
    "a point off the curve": EC.public(y=EC.public()["x"]),
    "half a point": EC.public(y=None),
    "the origin": EC.public(x=b64(bytes(32)), y=b64(bytes(32))),
    "a key for agreement": ED.public(crv="X25519"),
    "too short": ED.public(x="AAAA"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_key_is_left_out_and_the_others_are_taken(name):
    assert len(keys(BAD[name], RSA.public(kid="good"))) == 1


@pytest.mark.parametrize("name", BAD)
def test_a_set_of_bad_keys_is_refused(name):
    with pytest.raises(KeySetError, match="no key"):
        keys(BAD[name])


@pytest.mark.parametrize(
    "document",
    [None, [], "x", 5, {}, {"keys": None}, {"keys": {}}, {"keys": []}, [RSA.public()], RSA.public(),
     {"keys": [RSA.public(kid=str(number)) for number in range(101)]}],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_what_is_no_set_is_refused_and_the_keys_of_before_stay(document):
    found = keys(RSA.public())
    with pytest.raises(KeySetError):
        found.check(document)
    with pytest.raises(KeySetError):
        found.replace(document)
    assert found.fitting("RS256", "RS256")[0].alive


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
MEMBERS = st.sampled_from(["kty", "kid", "use", "key_ops", "alg", "n", "e", "crv", "x", "y", "d"])


@given(st.sampled_from([RSA, EC, ED]), st.dictionaries(MEMBERS, JSON, max_size=3))
def test_nothing_in_a_key_makes_more_than_an_error_of_the_set(key, changes):
    jwk = key.public() | changes
    found = KeySet(ALL)
    try:
        found.replace({"keys": [jwk]})
    except KeySetError:
        assert len(found) == 0


def test_only_what_the_config_allows():
    found = keys(RSA.public(alg=None), EC.public(), algorithms=["PS256"])
    assert found.allows("PS256")
    assert not found.allows("RS256")
    assert len(found) == 1
    assert found.fitting("RS256", "RS256") == []
    assert len(found.fitting("PS256", "RS256")) == 1


def test_a_name_may_stand_for_keys_of_two_kinds():
    found = keys(RSA.public(kid="a"), EC.public(kid="a"))
    assert len(found.fitting("RS256", "a")) == len(found.fitting("ES256", "a")) == 1


def test_the_same_set_changes_nothing():
    changes = []
    found = KeySet(ALL, lambda: changes.append(1))
    found.replace({"keys": [RSA.public(), EC.public()]})
    before = found.fitting("RS256", "RS256")
    found.replace({"keys": [EC.public(x5t="new"), RSA.public()]})
    assert found.fitting("RS256", "RS256") == before
    assert changes == [1]


def test_a_key_that_is_gone_is_dead_and_stays_so():
    found = keys(RSA.public(), EC.public())
    (gone,) = found.fitting("RS256", "RS256")
    (kept,) = found.fitting("ES256", "ES256")
    found.replace({"keys": [EC.public()]})
    assert (gone.alive, kept.alive) == (False, True)
    found.replace({"keys": [RSA.public(), EC.public()]})
    assert not gone.alive
    assert found.fitting("RS256", "RS256") != [gone]


@pytest.mark.parametrize(
    "member",
    [{"use": None}, {"alg": None}, {"kid": "RS256", "n": SigningKey.make("b").public()["n"]}],
)
def test_a_key_that_is_changed_is_another(member):
    found = keys(RSA.public())
    (before,) = found.fitting("RS256", "RS256")
    found.replace({"keys": [RSA.public(**member)]})
    assert not before.alive


def test_nothing_of_a_key_is_shown():
    (key,) = keys(RSA.public())._keys.values()
    assert RSA.public()["n"][:20] not in repr(key)


WEAK = SigningKey.make("weak", bits=1024).public()


@pytest.mark.parametrize(
    ("jwk", "said"),
    [
        (WEAK, 'key "weak" is not used: it is an RSA key of 1024 bits, not of 2048 to 8192'),
        (RSA.public(d="AQAB"), 'key "RS256" is not used: it is private, and so known'),
        (RSA.public(use="enc"), 'key "RS256" is not used: its use is "enc", not sig'),
        (RSA.public(use=None, key_ops=["sign"]), "its key_ops do not have verify"),
        ({"kty": "oct", "kid": "a", "k": "AA"}, 'its kty is "oct" (a secret that both sides know), not RSA'),
        (RSA.public(kty="rsa"), 'its kty is "rsa", not RSA, EC or OKP'),
        (RSA.public(kty=None), "its kty is no text, not RSA, EC or OKP"),
        (EC.public(crv="secp256k1"), 'its crv is "secp256k1", not P-256 or P-384 or P-521, as'),
        (RSA.public(alg="ES256"), 'its alg is "ES256", but its kind is for RS256, RS384'),
        (EC.public(y=None), "it has no y"),
        (EC.public(y=EC.public()["x"]), "its members make no key"),
        (RSA.public(use="enc", kid=None), "key 2, without a kid, is not used"),
        (RSA.public(use="enc", kid="a\n\u2028" + "b" * 99), 'key "a\\n\\u2028' + "b" * 61),
        ("key", "key 2, without a kid, is not used: it is no object"),
    ],
)  # fmt: skip
def test_what_is_left_out_is_told_once_a_version(jwk, said, caplog):
    caplog.set_level(logging.INFO, "gateway.auth")
    found = KeySet(ALL)
    for _ in range(2):
        found.replace({"keys": [RSA.public(kid="good"), jwk]}, "jwks.json")
    (line,) = caplog.messages
    assert line.startswith("jwks.json: key ")
    assert said in line
    assert line.isascii()
    assert len(line) < 250
    found.replace({"keys": [RSA.public(kid="good")]})
    found.replace({"keys": [RSA.public(kid="good"), jwk]})
    assert len(caplog.messages) == 2, "gone and there again: another version"


@pytest.mark.parametrize(
    ("jwk", "level"),
    [(RSA.public(use="enc"), "INFO"), (EC.public(), "INFO"), (WEAK, "WARNING")],
    ids=["a key for encryption", "an algorithm that the config does not name", "a weak one"],
)
def test_what_is_as_it_should_be_is_no_warning(jwk, level, caplog):
    caplog.set_level(logging.INFO, "gateway.auth")
    KeySet(["RS256"]).replace({"keys": [RSA.public(kid="good"), jwk]})
    assert [record.levelname for record in caplog.records] == [level]


def test_of_many_that_are_left_out_a_few_are_told(caplog):
    many = [RSA.public(kid=str(number), d="AQAB") for number in range(20)]
    KeySet(ALL).replace({"keys": [*many, RSA.public()]}, "jwks.json")
    assert len(caplog.messages) == 11
    assert caplog.messages[-1] == "jwks.json: 10 more keys are not used"
    with pytest.raises(KeySetError, match=r'"9" is not used: [^;]*; and 10 more$'):
        KeySet(ALL).replace({"keys": many})


def test_where_none_is_left_the_error_says_why():
    with pytest.raises(KeySetError) as refused:
        keys(WEAK, RSA.public(use="enc"))
    assert str(refused.value) == (
        'it has no key that can be used: key "weak" is not used: it is an RSA key of 1024 bits, not '
        'of 2048 to 8192; key "RS256" is not used: its use is "enc", not sig'
    )


def test_of_one_key_it_is_said_how_to_make_a_set_of_it():
    with pytest.raises(KeySetError, match=r'one key, not a set; write \{"keys": \[…\]\} around it'):
        KeySet(ALL).replace(RSA.public())
