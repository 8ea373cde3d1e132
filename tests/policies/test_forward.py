"""What backends are told of callers, in metadata."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Call, Code, Metadata, Principal, RpcError
from gateway.policies.forward import MAX_FORWARDED, Forward, encoded

ADA = Principal("ada", "customers", claims={"tenant": "acme", "level": 7, "nothing": None})


def told(forward, principal=ADA, *, before=()):
    """The metadata of a call that the gate has admitted."""
    call = Call("a.B/C", metadata=Metadata(before), principal=principal)
    assert forward.admit(call) is None
    return list(call.metadata)


EVERYTHING = Forward(
    subject="x-subject",
    claims={"tenant": "x-claim-tenant", "level": "x-claim-level", "nothing": "x-claim-nothing"},
)


def test_subject_and_claims_are_told_behind_what_the_client_sent():
    assert told(EVERYTHING, before=[("x-other", "1")]) == [
        ("x-other", "1"),
        ("x-subject", "ada"),
        ("x-claim-tenant", "acme"),
        ("x-claim-level", "7"),
    ]


def test_of_nobody_nothing_is_told():
    assert told(EVERYTHING, None, before=[("x-other", "1")]) == [("x-other", "1")]


@pytest.mark.parametrize("principal", [ADA, None])
def test_what_got_there_some_other_way_is_replaced(principal):
    before = [("x-subject", "root"), ("x-claim-tenant", "root"), ("x-claim-nothing", "root")]
    assert "root" not in dict(told(EVERYTHING, principal, before=before)).values()


def test_of_a_caller_without_a_name_nothing_is_told():
    nameless = replace(ADA, subject="")
    assert told(EVERYTHING, nameless, before=[("x-subject", "eve")]) == []


def test_a_claim_that_is_null_empty_or_not_there_is_left_out():
    principal = replace(ADA, claims={"tenant": "", "level": None})
    assert told(EVERYTHING, principal) == [("x-subject", "ada")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("acme", "acme"),
        ("a b, c=d;é", "a b, c=d;%C3%A9"),
        ("a%20b", "a%2520b"),
        (" a ", "%20a%20"),
        (" ", "%20"),
        ("a\r\nx-subject: root", "a%0D%0Ax-subject: root"),
        ("\0", "%00"),
        ("\ud800", "%ED%A0%80"),
        (True, "true"),
        (0, "0"),
        (1.5, "1.5"),
        (["a", "b"], '["a","b"]'),
        ({"a": "é%"}, '{"a":"%C3%A9%25"}'),
    ],
    ids=repr,
)
def test_values(value, text):
    assert encoded(value) == text


@given(st.text())
def test_a_text_is_what_is_decoded_and_nothing_a_header_ends_by(text):
    shown = encoded(text)
    assert unquote_to_bytes(shown).decode() == text
    assert all(" " <= char <= "~" for char in shown)
    assert shown == shown.strip(" ")


@pytest.mark.parametrize(
    "value", ["a" * MAX_FORWARDED, "é" * (MAX_FORWARDED // 3), ["a"] * MAX_FORWARDED]
)
def test_a_caller_of_whom_there_is_too_much_to_tell_is_refused(value):
    call = Call("a.B/C", principal=replace(ADA, claims={"tenant": value}))
    with pytest.raises(RpcError) as failure:
        EVERYTHING.admit(call)
    assert failure.value.reason == "HEADERS_TOO_LARGE"
    assert failure.value.status.code is Code.INVALID_ARGUMENT


def test_so_is_one_whose_claims_have_no_end():
    endless = "x"
    for _ in range(100_000):
        endless = [endless]
    with pytest.raises(RpcError):
        encoded(endless)


class Signs:
    def token(self, principal, claims):
        return f"signed for {principal.subject}: {claims}"


def test_a_token_says_what_is_forwarded():
    forward = Forward(claims={"tenant": "x-claim-tenant"}, token=("x-gateway-token", Signs()))
    assert told(forward)[1:] == [("x-gateway-token", "signed for ada: {'tenant': 'acme'}")]
    for nobody in None, replace(ADA, subject=""):
        assert told(forward, nobody, before=[("x-gateway-token", "mine")]) == []
