"""A token's text has one meaning. What is refused is in the table of attacks; here is the rest."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policies.auth.jwt.compact import LONGEST, MalformedError, claims_of, parse
from tests.policies.auth.issuer import Issuer, b64

HEADER = b64({"alg": "RS256", "kid": "a"})


def test_the_parts_of_a_token():
    token = parse(f"{HEADER}.{b64({'iss': 'x'})}.{b64(b'signature')}")
    assert token.algorithm == "RS256"
    assert token.kid == "a"
    assert token.claims == {"iss": "x"}
    assert token.signed == f"{HEADER}.{b64({'iss': 'x'})}".encode()
    assert token.signature == b"signature"


@given(st.text(max_size=50) | st.text("eyJ.=-_A ", max_size=50))
def test_no_text_makes_more_than_an_error(text):
    claims_of(text)
    with pytest.raises(MalformedError):
        parse(text)


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_no_bytes_make_more_than_an_error(header, payload, signature):
    text = f"{b64(header)}.{b64(payload)}.{b64(signature)}"
    claims_of(text)
    with pytest.raises(MalformedError):
        parse(text)


@given(st.binary(min_size=1, max_size=8), st.characters(), st.integers(0, 20))
def test_bytes_have_one_text(signature, character, place):
    """Whatever is put anywhere into a part, it is another token or none."""
    usual = b64(signature)
    changed = usual[:place] + character + usual[place:]
    try:
        token = parse(f"{HEADER}.{b64('{}')}.{changed}")
    except MalformedError:
        return
    assert token.signature != signature


def test_the_longest_token():
    rest = f"{HEADER}.{b64('{}')}."
    size = LONGEST - len(rest)
    assert parse(rest + "A" * (size - size % 4))
    with pytest.raises(MalformedError, match="too long"):
        parse(rest + "A" * (size + 4 - size % 4))


@pytest.mark.parametrize(
    ("payload", "claims"),
    [
        ('{"iss": "x"}', {"iss": "x"}),
        ('{"iss": "a", "iss": "b"}', {"iss": "b"}),
        ('{"iss": ["x"]}', {"iss": ["x"]}),
        ("{}", {}),
        ("[]", {}),
        ("x", {}),
        ("[" * 5000, {}),
    ],
)
def test_whose_a_token_is_can_be_asked_of_any(payload, claims):
    assert claims_of(f"x.{b64(payload)}.x") == claims


def test_an_error_quotes_nothing():
    token = Issuer().token(secret_claim="x")
    for text in (token + "=", token.replace(".", ".!", 1), token[:-1], token + ".x"):
        try:
            parse(text)
        except MalformedError as wrong:
            assert len(str(wrong)) < 60
            assert json.dumps("secret_claim") not in str(wrong)
