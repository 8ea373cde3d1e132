"""Where a request shows a bearer token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import RpcError
from gateway.policies.auth.bearer import LONGEST, BearerTokens
from gateway.policies.auth.provider import BadCredentials
from tests.policies.auth.callers import head

PLAIN = BearerTokens(None, lambda _: True)
COOKIE = BearerTokens("session", lambda _: True)
CROSS_SITE = BearerTokens("session", lambda _: False)


def authorization(value):
    return head(("authorization", value))


def cookie(*values):
    return head(*(("cookie", value) for value in values))


@pytest.mark.parametrize(
    ("value", "token"),
    [
        pytest.param("Bearer abc", "abc", id="as of RFC 6750"),
        pytest.param("bearer abc", "abc", id="the scheme in any case (RFC 9110 section 11.1)"),
        pytest.param("Bearer  abc ", "abc", id="with more spaces"),
        pytest.param("Bearer a.b-c_d~e+f/g==", "a.b-c_d~e+f/g==", id="every character of b64token"),
        pytest.param("Basic abc", None, id="another scheme"),
        pytest.param("BearerX abc", None, id="a longer scheme"),
    ],
)
def test_the_token_of_a_field(value, token):
    assert PLAIN.of(authorization(value)) == token
    assert PLAIN.carried(authorization(value)) is (token is not None)


@pytest.mark.parametrize(
    "value",
    ["Bearer", "Bearer ", "Bearer\tabc", "bearer,abc", "Bearer=abc", "Bearer \tabc", "Bearer a b", "Bearer a,b", "Bearer =",
     "Bearer a=b", "Bearer \xe9", "Bearer " + "a" * (LONGEST + 1)],
    ids=lambda value: value[:12],
)  # fmt: skip
def test_what_is_no_token_is_refused_and_not_repeated(value):
    assert PLAIN.carried(authorization(value))
    with pytest.raises(BadCredentials) as failure:
        PLAIN.of(authorization(value))
    shown = value.removeprefix("Bearer").strip()
    assert len(shown) < 2 or shown not in failure.value.text + failure.value.why


@pytest.mark.parametrize("other", ["Bearer b", "Basic b", "bearer a"])
def test_two_fields_are_refused_whoever_reads_the_other(other):
    with pytest.raises(BadCredentials):
        PLAIN.of(head(("authorization", "Bearer a"), ("authorization", other)))


def test_two_fields_of_other_schemes_are_not_this_ones():
    assert PLAIN.of(head(("authorization", "Basic a"), ("authorization", "Digest b"))) is None


@pytest.mark.parametrize(
    ("shown", "token"),
    [
        pytest.param(cookie("session=abc"), "abc", id="alone"),
        pytest.param(cookie("a=b; session=abc; c=d"), "abc", id="among others"),
        pytest.param(cookie("a=b", "session=abc"), "abc", id="in a field of its own"),
        pytest.param(cookie('session="abc"'), "abc", id="quoted (RFC 6265 section 4.1.1)"),
        pytest.param(cookie("Session=abc"), None, id="names are case-sensitive"),
        pytest.param(cookie("xsession=abc"), None, id="a longer name"),
        pytest.param(cookie("session"), "", id="without a value"),
    ],
)
def test_the_token_of_a_cookie(shown, token):
    if token == "":
        with pytest.raises(BadCredentials):
            COOKIE.of(shown)
    else:
        assert COOKIE.of(shown) == token
    assert COOKIE.carried(shown) is (token is not None)
    assert PLAIN.of(shown) is None


def test_of_two_cookies_of_the_name_one_may_be_another_sites():
    with pytest.raises(BadCredentials):
        COOKIE.of(cookie("session=abc; session=def"))


def test_a_cookie_counts_only_where_it_is_the_senders_own_doing():
    with pytest.raises(RpcError) as failure:
        CROSS_SITE.of(cookie("session=abc"))
    assert failure.value.reason == "CROSS_SITE_REQUEST"


def test_a_field_wins_over_a_cookie_and_needs_no_trust():
    shown = head(("authorization", "Bearer abc"), ("cookie", "session=def"))
    assert CROSS_SITE.of(shown) == "abc"


def test_a_field_of_another_scheme_leaves_the_cookie_alone():
    shown = head(("authorization", "Basic abc"), ("cookie", "session=def"))
    assert COOKIE.of(shown) is None
    assert not COOKIE.carried(shown)


@given(st.lists(st.tuples(st.sampled_from(["authorization", "cookie"]), st.text(max_size=40))))
def test_whatever_comes_is_a_token_nothing_or_refused(fields):
    try:
        token = COOKIE.of(head(*fields))
    except BadCredentials:
        assert COOKIE.carried(head(*fields))
        return
    assert (token is not None) is COOKIE.carried(head(*fields))


SHOWN = st.sampled_from(
    ["Bearer a", "Bearer a ", "Bearer  a", "bearer a", "Bearer", "Bearer ", "Basic a", "a", ""]
)
HELD = st.sampled_from(["session=a", "x=y", "session=a; session=b", 'session="a"', "session=", ""])
FIELDS = st.lists(
    st.tuples(st.just("authorization"), SHOWN)
    | st.tuples(st.just("cookie"), HELD)
    | st.tuples(st.just("accept"), st.just("*/*")),
    max_size=5,
)


@given(FIELDS, st.sampled_from([PLAIN, COOKIE, CROSS_SITE]))
def test_what_is_shown_at_once_is_the_token_or_none_at_all(fields, tokens):
    """A look into a table by it must find what `of` would have been asked for."""
    request = head(*fields)
    shown = tokens.at_once(request)
    if shown is not None and shown.strip(' "') == "a":
        assert tokens.of(request) == "a"


@given(FIELDS)
def test_the_usual_way_is_seen_at_once(fields):
    others = [field for field in fields if field[0] != "authorization"]
    assert COOKIE.at_once(head(*others, ("authorization", "Bearer a"))) == "a"
