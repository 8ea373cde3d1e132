"""What an issuer's answer makes of a token (RFC 7662 section 2.2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Principal
from gateway.policies.auth.introspection_answer import BadAnswerError, Expected, judge
from gateway.policies.auth.provider import BadCredentials

NOW = 1000.0
GOOD = {
    "active": True, "sub": "ada", "username": "Ada", "client_id": "app", "scope": "a.read a.write",
    "roles": ["clerk"], "exp": 2000, "iss": "https://id.example/", "aud": ["shop", "mail"],
    "token_type": "Bearer", "tenant": {"id": 7},
}  # fmt: skip


def judged(expected=None, /, **changes):
    answer = {name: value for name, value in (GOOD | changes).items() if value is not ...}
    return judge(answer, expected or Expected("tokens"), NOW)


def test_a_good_answer_makes_a_principal_of_all_that_it_says():
    principal = judged()
    assert principal == Principal(
        "ada", "tokens", frozenset({"a.read", "a.write"}), frozenset({"clerk"}), None,
        principal.claims, 2000.0,
    )  # fmt: skip
    assert principal.claims["tenant"] == {"id": 7}
    assert "active" not in principal.claims


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        pytest.param({}, "ada", id="sub"),
        pytest.param({"sub": ...}, "Ada", id="else the user"),
        pytest.param({"sub": "", "username": 7}, "app", id="else the client"),
        pytest.param({"sub": "a\r\nb"}, "Ada", id="none that is no text for a header"),
        pytest.param({"sub": "a" * 256}, "Ada", id="none that is too long"),
    ],
)
def test_whom_it_names(changes, subject):
    assert judged(**changes).subject == subject


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"active": False}, "INVALID_CREDENTIALS", id="not active"),
        pytest.param({"exp": 1000}, "TOKEN_EXPIRED", id="it ends now"),
        pytest.param({"exp": 1}, "TOKEN_EXPIRED", id="it has ended"),
        pytest.param({"nbf": 1000.5}, "INVALID_CREDENTIALS", id="it has not begun"),
        pytest.param({"token_type": "refresh_token"}, "INVALID_CREDENTIALS", id="for refreshing"),
        pytest.param({"token_use": "refresh_token"}, "INVALID_CREDENTIALS", id="used for that"),
        pytest.param({"token_type": "DPoP"}, "INVALID_CREDENTIALS", id="bound to a key"),
        pytest.param({"token_type": 7}, "INVALID_CREDENTIALS", id="of no kind"),
    ],
)
def test_what_is_refused(changes, reason):
    with pytest.raises(BadCredentials) as failure:
        judged(**changes)
    assert failure.value.reason == reason


@pytest.mark.parametrize(
    "answer",
    [
        None, [], "active", 7, {}, {"active": "true"}, {"active": 1}, {"active": None},
        {**GOOD, "exp": "2000"}, {**GOOD, "exp": True}, {**GOOD, "exp": float("nan")},
        {**GOOD, "exp": 1e999}, {**GOOD, "nbf": []},
        {"active": True}, {"active": True, "sub": 7},
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_answer_lets_nobody_in(answer):
    with pytest.raises(BadAnswerError):
        judge(answer, Expected("tokens"), NOW)


@pytest.mark.parametrize(
    ("expected", "changes", "good"),
    [
        pytest.param(Expected("t"), {"iss": ..., "aud": ...}, True, id="nothing is asked for"),
        pytest.param(Expected("t", "https://id.example/"), {}, True, id="the issuer"),
        pytest.param(Expected("t", "https://id.example"), {}, False, id="another issuer"),
        pytest.param(Expected("t", "https://id.example/"), {"iss": ...}, False, id="no issuer"),
        pytest.param(Expected("t", None, frozenset({"shop"})), {}, True, id="in a list"),
        pytest.param(Expected("t", None, frozenset({"shop"})), {"aud": "shop"}, True, id="a text"),
        pytest.param(Expected("t", None, frozenset({"sho"})), {"aud": "shop"}, False, id="a part"),
        pytest.param(
            Expected("t", None, frozenset({"a"})), {"aud": "a b"}, False, id="a text is one"
        ),
        pytest.param(Expected("t", None, frozenset({"shop"})), {"aud": ...}, False, id="nobody"),
        pytest.param(Expected("t", None, frozenset({"shop"})), {"aud": [7]}, False, id="no text"),
    ],
)
def test_issuer_and_audience(expected, changes, good):
    if good:
        assert judged(expected, **changes).subject == "ada"
    else:
        with pytest.raises(BadCredentials):
            judged(expected, **changes)


@pytest.mark.parametrize(
    ("scope", "scopes"),
    [
        pytest.param("a  b", {"a", "b"}, id="between spaces"),
        pytest.param("a\tb c\xa0d e", {"e"}, id="no other space is one (RFC 6749 section 3.3)"),
        pytest.param("", set(), id="none"),
        pytest.param(..., set(), id="not said"),
        pytest.param(["a", 7], {"a"}, id="a list"),
        pytest.param({"a": 1}, set(), id="nonsense"),
    ],
)
def test_scopes(scope, scopes):
    assert judged(scope=scope).scopes == scopes


def test_roles_stand_where_the_config_says():
    assert judged(Expected("t", roles="groups"), groups="a clerk").roles == {"a clerk"}
    nested = {"roles": ["clerk", 7]}
    assert judged(Expected("t", roles="access.roles"), access=nested).roles == {"clerk"}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(GOOD, JSON)) | JSON)
def test_whatever_is_answered_nobody_is_let_in_but_by_an_active_token(answer):
    try:
        principal = judge(answer, Expected("tokens"), NOW)
    except (BadCredentials, BadAnswerError):
        return
    assert answer["active"] is True
    assert principal.subject
