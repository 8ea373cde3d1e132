"""Which calls are equal, and of which nothing may be kept."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Call, Metadata, Principal
from gateway.http import Headers, Request
from gateway.policies.cache.keys import TRACING, Keys

ADA = Principal("ada", "customers", frozenset({"read"}), frozenset({"staff"}), "pro", {"tenant": 1})


def call(request=b"r", metadata=(), principal=None, headers=()):
    head = Request("GET", "/", None, Headers(headers))
    return Call("a.B/C", request, Metadata(metadata), principal=principal, head=head)


KEYS = Keys([b"a.B/C"], vary=("accept-language",), claims=("tenant",))
SHARED = Keys([b"a.B/C"], vary=("accept-language",), claims=("tenant",), shared=True)


def test_equal_calls_have_one_key():
    assert KEYS.of(call(principal=ADA)) == KEYS.of(call(principal=replace(ADA)))
    assert len(KEYS.of(call())) == 24


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(call(b"s"), id="request"),
        pytest.param(call(metadata=[("x-a", "1")]), id="metadata"),
        pytest.param(call(metadata=[("x-a-bin", b"1")]), id="binary-metadata"),
        pytest.param(call(headers=[("accept-language", "de")]), id="vary"),
        pytest.param(call(principal=ADA), id="a-caller"),
    ],
)
def test_what_makes_another_key(other):
    assert KEYS.of(other) != KEYS.of(call())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"subject": "bob"}, id="subject"),
        pytest.param({"provider": "partners"}, id="provider"),
        pytest.param({"scopes": frozenset()}, id="no-scopes"),
        pytest.param({"scopes": frozenset({"read", "write"})}, id="more-scopes"),
        pytest.param({"roles": frozenset()}, id="no-roles"),
        pytest.param({"plan": None}, id="no-plan"),
        pytest.param({"plan": ""}, id="a-plan-without-a-name"),
        pytest.param({"claims": {}}, id="no-claims"),
        pytest.param({"claims": {"tenant": "1"}}, id="a-claim-of-another-type"),
        pytest.param({"claims": {"tenant": [1]}}, id="a-claim-that-is-a-list"),
    ],
)
def test_every_trait_of_a_caller_that_counts(change):
    other = replace(ADA, **change)
    assert KEYS.of(call(principal=other)) != KEYS.of(call(principal=ADA))
    assert SHARED.of(call(principal=other)) == SHARED.of(call(principal=ADA)) == SHARED.of(call())


def test_claims_that_backends_are_not_told_do_not_count():
    other = replace(ADA, claims={**ADA.claims, "email": "ada@example"})
    assert KEYS.of(call(principal=other)) == KEYS.of(call(principal=ADA))


def test_when_a_caller_ends_does_not_count():
    assert KEYS.of(call(principal=replace(ADA, expires=1.0))) == KEYS.of(call(principal=ADA))


@pytest.mark.parametrize(
    ("metadata", "equal"),
    [
        pytest.param([("baggage", "a" * 900)], True, id="not-so-long"),
        pytest.param([("baggage", "a" * 1000)], False, id="long"),
        pytest.param([("b3", "")] * 31, False, id="many"),
        pytest.param([("baggage", "a" * 600), ("tracestate", "b" * 600)], False, id="together"),
    ],
)
def test_so_much_tracing_that_a_backend_may_refuse_it_counts(metadata, equal):
    assert (KEYS.of(call(metadata=metadata)) == KEYS.of(call())) is equal
    assert (KEYS.of(call(metadata=[*metadata, ("x-a", "1")])) == KEYS.of(call())) is False
    assert KEYS.of(call(metadata=metadata)) == KEYS.of(call(metadata=metadata))


@pytest.mark.parametrize("name", sorted(TRACING))
def test_tracing_does_not_count(name):
    assert KEYS.of(call(metadata=[(name, "1")])) == KEYS.of(call())


def test_the_order_of_names_does_not_count_that_of_values_does():
    one, two, other = ("x-a", "1"), ("x-b", "2"), ("x-a", "3")
    assert KEYS.of(call(metadata=[one, two])) == KEYS.of(call(metadata=[two, one]))
    assert KEYS.of(call(metadata=[one, other])) != KEYS.of(call(metadata=[other, one]))


def test_headers_that_are_not_named_do_not_count():
    assert KEYS.of(call(headers=[("user-agent", "x")])) == KEYS.of(call())


def test_a_header_that_comes_twice_is_another():
    once = call(headers=[("accept-language", "de, en")])
    twice = call(headers=[("accept-language", "de"), ("accept-language", "en")])
    assert KEYS.of(once) != KEYS.of(twice)


def test_a_call_without_a_head_has_none_of_the_headers():
    assert KEYS.of(replace(call(), head=None)) == KEYS.of(call())


@pytest.mark.parametrize("name", ["authorization", "cookie"])
@pytest.mark.parametrize("keys", [KEYS, SHARED], ids=["by-caller", "shared"])
def test_nothing_is_kept_of_who_shows_only_backends_something(keys, name):
    assert keys.of(call(metadata=[(name, "s3cr3t")])) is None


def test_where_the_gateway_knows_the_caller_what_it_shows_is_part_of_the_key():
    one = call(metadata=[("authorization", "a")], principal=ADA)
    other = call(metadata=[("authorization", "b")], principal=ADA)
    assert None not in (KEYS.of(one), KEYS.of(other))
    assert KEYS.of(one) != KEYS.of(other)
    assert SHARED.of(one) != SHARED.of(other)


def test_nothing_is_kept_of_a_caller_without_a_name_but_what_all_share():
    nameless = call(principal=Principal("", "devices"))
    assert KEYS.of(nameless) is None
    assert SHARED.of(nameless) == SHARED.of(call())


def test_claims_that_are_nested_too_deep_keep_nothing():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert KEYS.of(call(principal=replace(ADA, claims={"tenant": deep}))) is None


@pytest.mark.parametrize(
    "other",
    [
        Keys([b"a.B/D"]),
        Keys([b"a.B", b"/C"]),
        Keys([b"a.B/C"], vary=["x"]),
        Keys([b"a.B/C"], claims=["x"]),
        Keys([b"a.B/C"], shared=True),
    ],
)
def test_what_keys_are_made_for_counts(other):
    assert other.of(call()) != Keys([b"a.B/C"]).of(call())


TEXT = st.text("ab", max_size=3)
CALLS = st.builds(
    call,
    request=st.binary(max_size=2),
    metadata=st.lists(st.tuples(TEXT, TEXT), max_size=3),
    principal=st.none()
    | st.builds(Principal, TEXT.filter(bool), TEXT, st.frozensets(TEXT), st.frozensets(TEXT)),
    headers=st.lists(st.tuples(st.just("accept-language"), TEXT), max_size=2),
)


def seen(of):
    """All that a key is made of, as data."""
    return (
        of.request,
        sorted(of.metadata, key=lambda item: item[0]),
        of.head.headers.all("accept-language"),
        of.principal,
    )


@given(CALLS, CALLS)
def test_two_calls_have_one_key_only_if_they_are_equal(one, other):
    assert (KEYS.of(one) == KEYS.of(other)) == (seen(one) == seen(other))


def test_keys_of_keys_are_no_keys_of_calls_and_know_their_parts_apart():
    asked = call(principal=ADA)
    made = {KEYS.of_key(asked, b"ab", b"c"), KEYS.of_key(asked, b"a", b"bc"), KEYS.of(asked)}
    assert len(made) == 3
    assert KEYS.of_key(asked, b"a", b"bc") != KEYS.of_key(call(), b"a", b"bc")


class TestAnotherUpstream:
    """What was chosen for a call makes another key: a canary's reply is never another's."""

    @staticmethod
    def keys(**others):
        return Keys([b"a.B/C"], others=others)

    def test_each_upstream_has_its_own(self):
        keys = self.keys(canary=b"at 1", next=b"at 2")
        made = set()
        for upstream in ("", "canary", "next"):
            asked = call()
            asked.upstream = upstream
            made |= {keys.of(asked), keys.of_key(asked, b"r", b"k")}
        assert len(made) == 6

    def test_what_the_upstream_is_counts_and_not_only_its_name(self):
        asked = call()
        asked.upstream = "canary"
        assert self.keys(canary=b"at 1").of(asked) != self.keys(canary=b"at 2").of(asked)

    def test_replies_of_the_own_are_kept_when_a_canary_comes_or_goes(self):
        assert self.keys().of(call()) == self.keys(canary=b"at 1").of(call())


def test_a_key_takes_microseconds():
    asked = call(b"r" * 20, [("accept-language", "en")], ADA)
    spent = []
    for _ in range(5):
        before = process_time()
        for _ in range(2000):
            KEYS.of(asked)
        spent.append((process_time() - before) / 2000)
    assert min(spent) < 50e-6  # 5 on the machine this was written on
