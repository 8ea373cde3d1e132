"""Which upstream takes a call: routes in order, then shares; callers stay where they are."""

from __future__ import annotations

from collections import Counter
from itertools import cycle
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Call, Principal
from gateway.http import Headers, Request
from gateway.policies.choose_upstream import (
    ChooseUpstream,
    Route,
    by_chance,
    point_of,
    shares,
)
from gateway.policies.hash_key import key_on

CALLERS = [f"caller-{number}" for number in range(10_000)]


def asked(*fields, query=None, **given):
    head = Request("GET", "/v1/x", query, Headers(fields))
    return Call("a.B/C", head=head, **given)


def of(caller):
    return Call("a.B/C", principal=Principal(caller, "keys"))


def chosen(gate, call):
    assert gate.admit(call) is None
    return call.upstream


class When:
    """A condition that is as it is told."""

    def __init__(self, *, value):
        self.text = "a\n  == b"
        self.value = value

    def allows(self, call):
        return self.value


class TestRoutes:
    @pytest.mark.parametrize(
        ("given", "call", "fits"),
        [
            pytest.param({}, Call("a.B/C"), True, id="nothing-given-fits-all"),
            pytest.param(
                {"headers": {"x-canary": "always"}},
                asked(("x-canary", "always")),
                True,
                id="a-header",
            ),
            pytest.param(
                {"headers": {"x-canary": "always"}},
                asked(("x-canary", "never"), ("x-canary", "always")),
                True,
                id="any-field-of-the-name",
            ),
            pytest.param(
                {"headers": {"x-canary": "always"}},
                asked(("x-canary", "Always")),
                False,
                id="a-value-has-case",
            ),
            pytest.param(
                {"headers": {"x-canary": "always", "x-b": "1"}},
                asked(("x-canary", "always")),
                False,
                id="all-headers-must-fit",
            ),
            pytest.param(
                {"headers": {"x-canary": "always"}},
                Call("a.B/C"),
                False,
                id="a-call-of-the-gateways-own-has-no-headers",
            ),
            pytest.param(
                {"query": {"canary": "a b"}},
                asked(query="x=1&canary=a+b"),
                True,
                id="a-parameter-as-it-is-decoded",
            ),
            pytest.param(
                {"query": {"canary": "1"}},
                asked(query="canary=2&canary=1"),
                True,
                id="any-parameter-of-the-name",
            ),
            pytest.param(
                {"query": {"canary": ""}}, asked(query="canary"), True, id="an-empty-parameter"
            ),
            pytest.param({"query": {"canary": "1"}}, asked(), False, id="no-query"),
            pytest.param(
                {"query": {"canary": "1"}},
                asked(query="canary=1&" + "a=1&" * 1000),
                False,
                id="a-query-without-bounds-fits-nothing",
            ),
            pytest.param({"when": When(value=True)}, Call("a.B/C"), True, id="a-condition"),
            pytest.param(
                {"when": When(value=False), "headers": {"x-canary": "always"}},
                asked(("x-canary", "always")),
                False,
                id="a-condition-and-a-header",
            ),
        ],
    )
    def test_all_that_is_given_must_fit(self, given, call, fits):
        route = Route("canary", given.get("headers", {}), given.get("query", {}), given.get("when"))
        assert route.fits(call) is fits

    def test_the_first_that_fits_decides(self):
        gate = ChooseUpstream(
            [
                Route("", {"x-canary": "never"}, {}),
                Route("one", {"x-canary": "always"}, {}),
                Route("two", {}, {}, When(value=True)),
            ],
            shares([("three", 100.0, by_chance(lambda: 0.0))]),
        )
        assert chosen(gate, asked(("x-canary", "always"))) == "one"
        assert chosen(gate, asked()) == "two"
        assert chosen(gate, asked(("x-canary", "never"))) == ""

    def test_where_none_fits_shares_decide(self):
        gate = ChooseUpstream(
            [Route("one", {"x-canary": "always"}, {})],
            shares([("two", 50.0, by_chance(lambda: 0.49))]),
        )
        assert chosen(gate, asked()) == "two"


class TestShares:
    @pytest.mark.parametrize(
        "percents",
        [(5.0,), (0.5, 20.0), (30.0, 30.0, 30.0), (50.0, 50.0), (0.0, 100.0)],
        ids=str,
    )
    @pytest.mark.parametrize("sticky", [True, False], ids=["by-caller", "by-chance"])
    def test_each_upstream_gets_its_own(self, percents, sticky):
        chance = by_chance(Random(7).random)
        names = [f"u{number}" for number in range(len(percents))]
        key = key_on("principal")
        points = [point_of(name, key, chance) if sticky else chance for name in names]
        gate = ChooseUpstream([], shares(zip(names, percents, points, strict=True)))
        found = Counter(chosen(gate, of(caller)) for caller in CALLERS)
        for name, percent in zip(names, percents, strict=True):
            assert abs(found[name] / len(CALLERS) * 100 - percent) < 1.5
        if sum(percents) == 100:
            assert not found[""]

    @pytest.mark.parametrize(
        "percents", [(33.3, 33.3, 33.4), (60.2, 25.6, 14.2), (99.9, 0.1), (1e-3, 99.999)]
    )
    def test_shares_of_all_leave_no_call_to_the_own(self, percents):
        at_the_end = by_chance(lambda: 1 - 2**-53)
        made = shares([(f"u{number}", each, at_the_end) for number, each in enumerate(percents)])
        assert made[-1].mark == 1.0
        assert chosen(ChooseUpstream([], made), asked()) == made[-1].upstream

    def test_a_caller_stays_on_its_side(self):
        def gate():
            point = point_of("canary", key_on("principal"), by_chance(Random(1).random))
            return ChooseUpstream([], shares([("canary", 20.0, point)]))

        before, after = gate(), gate()  # as after a restart, or in another process
        for caller in CALLERS[:500]:
            sides = {chosen(each, of(caller)) for each in (before, after) for _ in range(3)}
            assert len(sides) == 1

    @given(
        before=st.lists(st.integers(0, 40), min_size=1, max_size=2),
        grown=st.integers(0, 1),
        by=st.integers(0, 20),
    )
    def test_a_share_that_grows_gives_nobody_back(self, before, grown, by):
        grown %= len(before)
        after = [each + (by if at == grown else 0) for at, each in enumerate(before)]
        names = [f"u{number}" for number in range(len(before))]

        def gate(percents):
            never = by_chance(lambda: 1.0)
            points = [point_of(name, key_on("principal"), never) for name in names]
            return ChooseUpstream([], shares(zip(names, percents, points, strict=True)))

        old, new = gate(before), gate(after)
        for caller in CALLERS[:300]:
            was, is_ = chosen(old, of(caller)), chosen(new, of(caller))
            if was:  # it stays, or goes to the one that grew
                assert is_ in (was, names[grown])

    def test_those_without_what_is_hashed_go_by_chance(self):
        chance = cycle([0.0, 0.99])
        point = point_of("canary", key_on("header:x-user"), by_chance(lambda: next(chance)))
        gate = ChooseUpstream([], shares([("canary", 50.0, point)]))
        assert [chosen(gate, asked()) for _ in range(4)] == ["canary", "", "canary", ""]
        sides = {chosen(gate, asked(("x-user", "ada"))) for _ in range(20)}
        assert len(sides) == 1

    def test_upstreams_see_the_same_callers_at_other_points(self):
        one, other = (
            point_of(name, key_on("principal"), by_chance(lambda: 0.0)) for name in ("a", "b")
        )
        both = sum(one(of(each)) < 0.1 and other(of(each)) < 0.1 for each in CALLERS)
        assert both < len(CALLERS) * 0.02  # a tenth of a tenth, about


def test_it_says_so():
    gate = ChooseUpstream(
        [Route("one", {"x-canary": "always"}, {"v": "2"}, When(value=True)), Route("two", {}, {})],
        shares([("three", 2.5, by_chance(lambda: 0.0)), ("", 10.0, by_chance(lambda: 0.0))]),
    )
    assert gate.describe() == (
        "Chooses the upstream: one where x-canary is always and ?v=2 and a == b; two where it is "
        "called; 2.5 % to three; 10 % to its own; else its own."
    )
