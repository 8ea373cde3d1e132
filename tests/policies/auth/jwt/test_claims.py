"""What claims must say, and whom they show. What is refused is in the table of attacks."""

from __future__ import annotations

import pytest

from gateway.policies.auth.jwt.claims import EarlyError, Expected
from gateway.policies.auth.provider import BadCredentials

NOW = 1_800_000_000.0
CLAIMS = {"iss": "https://id.example/", "sub": "ada", "aud": "shop", "exp": NOW + 60}


def principal(expected=None, **claims):
    expected = expected or {}
    asked = Expected("https://id.example/", frozenset({"shop", "admin"}), **expected)
    return asked.principal("customers", CLAIMS | claims, NOW)


@pytest.mark.parametrize("aud", ["shop", "admin", ["shop"], ["x", "admin"], ["shop", "admin"]])
def test_any_of_the_audiences_will_do(aud):
    assert principal(aud=aud)


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        pytest.param({}, set(), id="none"),
        pytest.param({"scope": None}, set(), id="null"),
        pytest.param({"scope": ""}, set(), id="empty"),
        pytest.param({"scope": "a b"}, {"a", "b"}, id="a text (RFC 8693 section 4.2)"),
        pytest.param({"scope": " a  b "}, {"a", "b"}, id="more spaces"),
        pytest.param({"scope": ["a", "b"]}, {"a", "b"}, id="a list"),
        pytest.param({"scope": "a\xa0b\u2003c"}, {"a\xa0b\u2003c"}, id="other spaces (RFC 6749)"),
        pytest.param({"scp": "a"}, set(), id="another claim"),
    ],
)
def test_scopes(claims, scopes):
    assert principal(**claims).scopes == scopes


@pytest.mark.parametrize(
    ("name", "claims", "roles"),
    [
        ("roles", {"roles": ["a", "b c"]}, {"a", "b c"}),
        ("roles", {"roles": "a b"}, {"a b"}),
        ("roles", {}, set()),
        ("realm_access.roles", {"realm_access": {"roles": ["a"]}}, {"a"}),
        (
            "realm_access.roles",
            {"realm_access.roles": ["b"], "realm_access": {"roles": ["a"]}},
            {"b"},
        ),
        ("realm_access.roles", {"realm_access": ["roles"]}, set()),
        ("realm_access.roles", {"realm_access": "roles"}, set()),
        ("realm_access.roles", {}, set()),
        ("https://shop.example/roles", {"https://shop.example/roles": ["a"]}, {"a"}),
        ("resource_access.shop.roles", {"resource_access": {"shop": {"roles": "a"}}}, {"a"}),
    ],
)
def test_roles(name, claims, roles):
    assert principal({"roles": name}, **claims).roles == roles


@pytest.mark.parametrize(("plan", "found"), [("pro", "pro"), (None, None)])
def test_the_plan(plan, found):
    assert principal(plan=plan).plan == found


def test_other_claims_can_be_named():
    found = principal({"scopes": "scp", "plan": "tier"}, scp=["a"], tier="free")
    assert (found.scopes, found.plan) == ({"a"}, "free")


@pytest.mark.parametrize(
    ("leeway", "exp", "good"), [(30, -29.5, True), (30, -30, False), (0, 0.5, True), (0, 0, False)]
)
def test_a_token_ends_a_leeway_after_exp(leeway, exp, good):
    if good:
        assert principal({"leeway": leeway}, exp=NOW + exp).expires == NOW + exp + leeway
    else:
        with pytest.raises(BadCredentials) as refused:
            principal({"leeway": leeway}, exp=NOW + exp)
        assert refused.value.reason == "TOKEN_EXPIRED"


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_a_token_that_is_early_says_how_long(name):
    assert principal(**{name: NOW + 30})
    with pytest.raises(EarlyError) as refused:
        principal(**{name: NOW + 31})
    assert refused.value.wait == 1


def test_a_subject_that_is_bad_is_not_repeated():
    with pytest.raises(BadCredentials) as refused:
        principal(sub="secret\n")
    assert "secret" not in refused.value.why + refused.value.text


LIST = "not a text or a list of texts"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("exp", "4102444800", "a text, not a number of seconds since 1970"),
        ("exp", True, "true or false, not a number of seconds since 1970"),
        ("exp", None, "null, not a number of seconds since 1970"),
        ("exp", 1e15, "a number that is no time in seconds since 1970"),
        ("nbf", [NOW], "a list, not a number of seconds since 1970"),
        ("iat", {"at": NOW}, "an object, not a number of seconds since 1970"),
        ("sub", 4711, "a number, not a text"),
        ("sub", None, "missing"),
        ("sub", "", "empty"),
        ("sub", "s" * 256, "longer than 255 characters"),
        ("sub", "s\n", "a text with a control character"),
        ("aud", {"shop": 1}, f"an object, {LIST}"),
        ("aud", ["shop", 4711], "a list with a number in it, not of texts"),
        ("scope", 4711, f"a number, {LIST}"),
        ("roles", ["a", None], "a list with null in it, not of texts"),
        ("scope", "a\tb", "a text with a control character"),
        ("scope", "a\x1fb", "a text with a control character"),
        ("scope", ["a", "b\n"], "a text with a control character"),
        ("scope", "a\x7f", "a text with a control character"),
        ("scope", "a\x85b", "a text with a control character"),
        ("plan", ["pro"], "a list, not a text"),
        ("plan", "p" * 256, "longer than 255 characters"),
        ("plan", "pro\n", "a text with a control character"),
    ],
)
def test_of_a_wrong_claim_its_sender_is_told_which_and_the_log_what_it_is(name, value, why):
    with pytest.raises(BadCredentials) as refused:
        principal(**{name: value})
    assert refused.value.text == f"The token's claim {name} is not as it should be."
    assert refused.value.why == f"the claim {name} is {why}"
    assert refused.value.reason == "INVALID_CREDENTIALS"
