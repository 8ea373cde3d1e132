"""A condition allows if it is true, and never else: not by error, type, size or accident."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from typing import ClassVar

import pytest
from google.protobuf import any_pb2
from hypothesis import given
from hypothesis import strategies as st

from gateway.policies.cel.condition import CHOOSES, Condition
from gateway.policies.cel.limits import MAPPED, NODES, WORK
from gateway.policies.cel.syntax import Reading
from tests.policies.cel.shop import ADA, LAPTOP, SEALED, Order, Sealed, call, condition

TABLE = {
    # Who calls.
    "principal.subject == 'ada'": True,
    "principal.provider == 'customers' && principal.plan == 'pro'": True,
    "'orders.read' in principal.scopes": True,
    "'admin' in principal.roles": False,
    "principal.roles.exists(r, r == 'clerk')": True,
    # Claims: there, not there, of another type.
    "claims.tenant == 'acme'": True,
    "claims['tenant'] == 'acme'": True,
    "claims['https://shop.example/tenant'] == 'acme'": True,
    "claims.tenant == 'other'": False,
    "claims.admin == true": True,
    "claims.admin == 'true'": False,
    "claims.admin == 1": False,
    "claims.level == 7": True,
    "claims.level == 7.0": True,
    "claims.level == '7'": False,
    "claims.level > 6": True,
    "claims.tenant > 6": False,
    "claims.rate > 1.0": True,
    "claims.nothing == null": True,
    "claims.missing == null": False,
    "claims.missing == 'a'": False,
    "claims.missing != 'a'": False,
    "!(claims.missing == 'a')": False,
    "claims.missing == claims.missing": False,
    "has(claims.missing)": False,
    "!has(claims.missing)": True,
    "has(claims.nothing)": True,
    "'tenant' in claims": True,
    "'missing' in claims": False,
    "claims.size() == 9": True,
    "claims.tenant.missing == 'a'": False,
    "has(claims.tenant.missing)": False,
    "has(claims.missing.a)": False,
    "claims.org.unit.name == 'x'": True,
    "claims.org.missing.name == 'x'": False,
    "'a' in claims.groups": True,
    "'a' in claims.tenant": False,
    "'a' in claims.missing": False,
    "claims.groups[1] == 'b'": True,
    "claims.groups[2] == 'b'": False,
    "claims.groups[-1] == 'b'": False,
    "claims.groups.all(g, g in ['a', 'b'])": True,
    "claims.missing.all(g, false)": False,
    "claims.tenant.all(g, true)": False,
    "claims.level && true": False,
    "claims.tenant ? true : false": False,
    # What fails, and what stands beside it.
    "claims.missing == 'a' || true": True,
    "claims.missing == 'a' || false": False,
    "claims.missing == 'a' && false": False,
    "1 / (claims.level - 7) == 1": False,
    "claims.level + 9223372036854775807 > 0": False,
    "int(claims.tenant) == 1": False,
    "timestamp(claims.tenant) < timestamp('2026-01-01T00:00:00Z')": False,
    "claims.tenant.matches('^ac')": True,
    "claims.tenant.matches('(')": False,
    "claims.tenant.matches(claims.level)": False,
    "dyn(claims.admin) == true": True,
    # The rest of the call.
    "method == 'shop.Orders/Create'": True,
    "method.startsWith('shop.')": True,
    "peer.address == '203.0.113.7'": True,
    "peer.certificate.fingerprint == ''": True,
    "peer.certificate.uris == []": True,
    "metadata['x-tenant'] == 'a, b'": True,
    "metadata['x-missing'] == ''": False,
    "'x-raw-bin' in metadata": False,
    "has(metadata.one) && metadata.one == '1'": True,
}
METADATA = [("x-tenant", "a"), ("x-tenant", "b"), ("x-raw-bin", b"\xff"), ("one", "1")]


@pytest.mark.parametrize(("text", "holds"), TABLE.items(), ids=TABLE.keys())
def test_of_a_caller(text, holds):
    assert condition(text).allows(call(metadata=METADATA)) is holds


ANONYMOUS = {
    "principal.subject == ''": True,
    "principal.provider + principal.plan == ''": True,
    "principal.scopes == [] && principal.roles == []": True,
    "claims == {}": True,
    "claims.tenant == 'acme'": False,
    "claims.tenant == ''": False,
    "has(claims.tenant)": False,
    "'a' in principal.scopes": False,
}


@pytest.mark.parametrize(("text", "holds"), ANONYMOUS.items(), ids=ANONYMOUS.keys())
def test_of_nobody(text, holds):
    assert condition(text).allows(call(None)) is holds


def test_of_a_caller_without_a_plan():
    assert condition("principal.plan == ''").allows(call(replace(ADA, plan=None)))


@pytest.mark.parametrize(
    "text",
    [
        "peer.certificate.subject == 'CN=laptop'",
        "'spiffe://shop/laptop' in peer.certificate.uris",
        "peer.certificate.dns[0].endsWith('.example')",
        "peer.certificate.emails.size() == 0",
        "peer.certificate.fingerprint.startsWith('abab')",
    ],
)
def test_of_a_certificate(text):
    assert condition(text).allows(call(certificate=LAPTOP))
    made = condition(text)
    assert made.allows(call(certificate=None)) is (text == "peer.certificate.emails.size() == 0")


def order(**given):
    return Order(**given)


REQUESTS = {
    "a field": ("request.tenant == claims.tenant", {"tenant": "acme"}, True),
    "another's": ("request.tenant == claims.tenant", {"tenant": "other"}, False),
    "a field that is not set": ("request.tenant == ''", {}, True),
    "a number": ("request.total > 5 && request.limit > 5u", {"total": 6, "limit": 6}, True),
    "a number against a claim": ("request.total <= claims.level", {"total": 7}, True),
    "the largest number": ("request.limit > 1u", {"limit": 2**64 - 1}, True),
    "an enum by name": ("request.state == shop.State.STATE_PAID", {"state": 1}, True),
    "an enum by number": ("request.state == 1", {"state": 1}, True),
    "an enum's unknown number": ("request.state == 77", {"state": 77}, True),
    "no message": ("has(request.parent)", {}, False),
    "an empty message": ("has(request.parent)", {"parent": {}}, True),
    "a field of no message": ("request.parent.parent.tenant == ''", {}, True),
    "presence of a plain field": ("has(request.tenant)", {}, False),
    "presence of an optional one": ("has(request.coupon)", {"coupon": ""}, True),
    "a wrapper": ("request.note == 'a'", {"note": {"value": "a"}}, True),
    "a wrapper that is not set": ("request.note == null", {}, True),
    "nor is it empty": ("request.note == ''", {}, False),
    "a wrapped bool": ("request.express == true", {"express": {"value": True}}, True),
    "one that is not set": ("request.express == false", {}, False),
    "a wrapped bool by itself": ("request.express", {"express": {"value": True}}, True),
    "one that is not set, by itself": ("request.express", {}, False),
    "elements": (
        "request.items.all(i, i.count < 5)",
        {"items": [{"count": 1}, {"count": 4}]},
        True,
    ),
    "one too many": ("request.items.all(i, i.count < 5)", {"items": [{"count": 9}]}, False),
    "a map": ("request.labels['a'] == 'b'", {"labels": {"a": "b"}}, True),
    "a map without the key": ("request.labels['a'] == 'b'", {}, False),
    "a time": (
        "request.due < timestamp('2026-01-01T00:00:00Z')",
        {"due": {"seconds": 1_700_000_000}},
        True,
    ),
    "a time out of range": (
        "request.due < timestamp('2026-01-01T00:00:00Z')",
        {"due": {"seconds": -(2**62)}},
        False,
    ),
    "a span": ("request.wait < duration('1m')", {"wait": {"seconds": 59}}, True),
    "bytes": ("request.raw == b'\\xff'", {"raw": b"\xff"}, True),
    "JSON": ("request.extra.a == 1.0", {"extra": {"a": 1}}, True),
    "JSON without it": ("request.extra.a == 1.0", {}, False),
}


@pytest.mark.parametrize(("text", "given_", "holds"), REQUESTS.values(), ids=REQUESTS.keys())
def test_of_a_request(text, given_, holds):
    assert condition(text).allows(call(request=order(**given_))) is holds


@pytest.mark.parametrize("junk", [b"\xff", b"\x0a\x05a", b"\x0a\x01\xff"])
def test_of_what_is_no_request(junk):
    made = condition("request.tenant == 'a' || request.tenant != 'a' || true")
    assert made.allows(call(request=junk)) is False


def test_of_a_message_of_a_stream():
    made = condition("request.tenant == claims.tenant")
    assert made.allows_message(call(), order(tenant="acme").SerializeToString()) is True
    assert made.allows_message(call(), order(tenant="x").SerializeToString()) is False


class TestCosts:
    def test_a_large_request_is_looked_at(self):
        made = condition("request.tenant == 'a' && request.items.exists(i, i.sku == 'z')")
        items = [{"sku": "x" * 100}] * 5_000
        assert made.allows(call(request=order(tenant="a", items=[*items, {"sku": "z"}])))

    def test_one_that_may_have_maps_up_to_a_size(self):
        made = condition("request.tenant == ''")
        assert made.allows(call(request=order(raw=b"x" * (MAPPED - 10)))) is True
        assert made.allows(call(request=order(raw=b"x" * MAPPED))) is False
        plain = condition("request.count == 0", "shop.Item")
        assert plain.allows(call(request=order(raw=b"x" * MAPPED))) is True

    # Expression; what of it is small enough; what is not.
    BEYOND: ClassVar = {
        "a list of the request in itself": (
            "request.weights.all(w, w in request.weights)",
            {"request": order(weights=[1] * 1_000)},
            {"request": order(weights=[1] * 2_500)},
        ),
        "by another name": (
            "[request].all(r, r.weights.all(w, w in r.weights))",
            {"request": order(weights=[1] * 900)},
            {"request": order(weights=[1] * 2_500)},
        ),
        "in a loop over something else": (
            "claims.groups.exists(g, 1 in request.weights && g != '')",
            {"request": order(weights=[1] * 9_000), "groups": ["a"] * 400},
            {"request": order(weights=[1] * 9_000), "groups": ["a"] * 1_900},
        ),
        "in two loops": (
            "[1].all(one, request.weights.all(w, w == one || w in request.weights))",
            {"request": order(weights=[1] * 1_000)},
            {"request": order(weights=[1] * 2_500)},
        ),
        "messages of the request in themselves": (
            "request.items.all(i, i in request.items)",
            {"request": order(items=[{"count": 1}] * 200)},
            {"request": order(items=[{"count": 1}] * 1_000)},
        ),
        "elements among claims": (
            "request.items.all(i, i.sku in claims.groups)",
            {"request": order(items=[{"sku": "a"}] * 9_000), "groups": ["a"] * 200},
            {"request": order(items=[{"sku": "a"}] * 9_000), "groups": ["a"] * 1_900},
        ),
        "elements among long claims": (
            "request.items.all(i, !(i.sku in claims.groups))",
            {"request": order(items=[{"sku": "a"}] * 2_000), "groups": ["a" * 300] * 15},
            {"request": order(items=[{"sku": "a"}] * 2_000), "groups": ["a" * 3_000] * 100},
        ),
        "elements among scopes": (
            "request.items.all(i, i.sku in principal.scopes || i.sku == 'a')",
            {"request": order(items=[{"sku": "a"}] * 5_000), "scopes": 500},
            {"request": order(items=[{"sku": "a"}] * 5_000), "scopes": 4_000},
        ),
        "elements in metadata": (
            "request.items.all(i, metadata.x.contains(i.sku))",
            {"request": order(items=[{"sku": "a"}] * 1_000), "metadata": "a" * 1_500},
            {"request": order(items=[{"sku": "a"}] * 9_000), "metadata": "a" * 15_000},
        ),
        "one text of the request in another": (
            "request.tenant.contains(request.coupon)",
            {"request": order(tenant="a" * 20_000, coupon="a" * 10_000)},
            {"request": order(tenant="a" * 200_000, coupon="a" * 100_000)},
        ),
        "a pattern of the request": (
            "request.tenant.matches(request.coupon)",
            {"request": order(tenant="a", coupon="a+")},
            {"request": order(tenant="a", coupon="(a|b|c)*" * 1_000)},
        ),
        "a pattern that repeats, in each round": (
            "request.items.all(i, i.sku.matches('^((a{10}){10}){9}|b$'))",
            {"request": order(items=[{"sku": "b"}] * 3)},
            {"request": order(items=[{"sku": "b"}] * 5_000)},
        ),
        "a round of many steps": (
            f"request.items.all(i, [{', '.join(['0'] * 900)}].size() == 900)",
            {"request": order(items=[{}] * 400)},
            {"request": order(items=[{}] * 9_000)},
        ),
        "claims in themselves": (
            "claims.groups.all(g, g in claims.groups && !('b' in claims.groups))",
            {"groups": ["a"] * 60},
            {"groups": ["a"] * 1_900},
        ),
    }

    def sized(self, request=b"", groups=("a",), scopes=0, metadata=""):
        scopes = frozenset(f"s{number}" for number in range(scopes))
        principal = replace(ADA, claims={"groups": list(groups)}, scopes=scopes)
        return call(principal, request, [("x", metadata)])

    @pytest.mark.parametrize(("text", "small", "large"), BEYOND.values(), ids=BEYOND.keys())
    def test_sizes_are_multiplied_before_it_is_evaluated(self, text, small, large):
        made = condition(text)
        assert made.allows(self.sized(**small)) is True
        made._evaluate = lambda data: Answer(True)
        assert made.allows(self.sized(**large)) is False

    @pytest.mark.parametrize(
        "text",
        [
            "request.items.all(i, i.count < 2 && i.count in [0, 1])",
            "[request].all(r, r.items.all(i, i.count < 2))",
            "request.items.all(i, ['a', 'b'].exists(g, g == 'a'))",
            "request.items.all(x, true) && request.items.exists(x, x.count == 1)",
            "request.items.all(i, i.count <= request.total + 1)",
            "request.items.all(i, i.sku.startsWith('x') && i.sku != claims.tenant)",
        ],
    )
    def test_what_rounds_do_with_their_own_element_is_not(self, text):
        large = order(items=[{"sku": "x" * 100, "count": 1}] * 3_000)
        assert condition(text).allows(call(request=large)) is True

    def test_what_has_no_sizes_costs_no_look_at_them(self):
        text = "claims.tenant == 'acme' && principal.plan == 'pro' && request.total == 0"
        assert condition(text)._work.reads == frozenset()
        assert condition(text)._work.of({}) < WORK / 10_000

    @pytest.mark.parametrize("text", ["request.tenant == 1", "has(request.any)"])
    def test_what_is_packed_stays_so(self, text):
        any_ = any_pb2.Any()
        for _ in range(2_000):
            packed = any_.SerializeToString()
            any_ = any_pb2.Any(type_url="type.googleapis.com/google.protobuf.Any", value=packed)
        sealed = Sealed(tenant=1)
        sealed.any.ParseFromString(any_.SerializeToString())
        assert condition(text, SEALED).allows(call(request=sealed)) is True

    def test_loops_end(self):
        made = condition("request.weights.all(w, true)")
        assert made.allows(call(request=order(weights=[1] * 9_000))) is True
        assert made.allows(call(request=order(weights=[1] * 20_000))) is False

    def test_claims_beyond_measure_are_not_looked_at(self):
        principal = replace(ADA, claims={"groups": ["a"] * NODES, "tenant": "acme"})
        assert condition("'a' in claims.groups").allows(call(principal)) is True
        principal.claims["groups"].append("a")
        assert condition("'a' in claims.groups").allows(call(principal)) is False
        assert condition("claims.size() > 0").allows(call(principal)) is False
        assert condition("claims.tenant == 'acme'").allows(call(principal)) is True

    @pytest.mark.parametrize(
        "value", [2**64, -(2**63) - 1, 10**400, {1, 2}, object(), {1: 2}, {None: 1}, b"a", "\ud800"]
    )
    def test_nor_claims_that_are_no_JSON_of_64_bits(self, value):
        principal = replace(ADA, claims={"a": value, "b": 1})
        assert condition("claims.a == claims.a").allows(call(principal)) is False
        assert condition("claims.a != 1").allows(call(principal)) is False
        assert condition("claims.b == 1").allows(call(principal)) is True


class TestLog:
    @pytest.fixture
    def time(self):
        return [1000.0]

    def made(self, text, time):
        compiled = condition(text)
        compiled._clock = lambda: time[0]
        return compiled

    def test_what_fails_is_told_once_in_a_while(self, caplog, time):
        made = self.made("claims.missing == 'a'", time)
        for _ in range(50):
            made.allows(call())
        assert [record.getMessage() for record in caplog.records] == [
            (
                "the condition \"claims.missing == 'a'\" denied a call of shop.Orders/Create: "
                "it has no value (NOT_FOUND)"
            )
        ]
        time[0] += 61
        made.allows(call())
        assert "49 more times" in caplog.records[-1].getMessage()

    def test_a_header_that_few_calls_have_is_no_news_where_it_chooses(self, caplog, time):
        made = self.made("metadata['x-canary'] == 'always'", time)
        made._use = CHOOSES
        caplog.set_level(logging.DEBUG)
        assert made.allows(call()) is False
        assert [record.levelno for record in caplog.records] == [logging.DEBUG]
        assert "chose no upstream for a call of" in caplog.text

    def test_other_failures_are_where_it_chooses(self, caplog, time):
        made = self.made("int(claims.tenant) == 1", time)
        made._use = CHOOSES
        assert made.allows(call()) is False
        assert [record.levelno for record in caplog.records] == [logging.WARNING]

    def test_what_is_false_is_not(self, caplog, time):
        assert self.made("claims.tenant == 'x'", time).allows(call()) is False
        assert not caplog.records

    @pytest.mark.parametrize(
        "text",
        [
            "claims.secret == 1",
            "{'s3cr3t': 1}[claims.key] == 1",
            "request.labels[claims.key] == ''",
            "int(claims.key) == 1",
        ],
    )
    def test_values_are_not_told(self, caplog, text, time):
        caplog.set_level(logging.DEBUG)
        principal = replace(ADA, claims={"secret": 2**70, "key": "hidden-value"})
        assert self.made(text, time).allows(call(principal)) is False
        assert len(caplog.records) == 1
        assert str(2**70) not in caplog.text
        assert "hidden-value" not in caplog.text


class Answer:
    def __init__(self, value):
        self._value = value

    def value(self):
        return self._value


@pytest.mark.parametrize(
    "value", ["NOT_FOUND: a", "true", 1, 1.0, [True], object(), None, "", b"x", {"a": True}]
)
def test_nothing_but_true_allows(value):
    made = Condition("x", lambda data: Answer(value), names=(), reading=Reading())
    assert made.allows(call()) is False


def raising(failure):
    def evaluate(*, data):
        raise failure

    return evaluate


@pytest.mark.parametrize(
    "failure", [RuntimeError("a"), ValueError(), MemoryError(), RecursionError()]
)
def test_nor_does_what_raises(failure):
    made = Condition("x", raising(failure), names=(), reading=Reading())
    assert made.allows(call()) is False


# --- by chance, against a reference -------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.integers(-(2**65), 2**65)
    | st.floats()
    | st.sampled_from(["x", "", "true", "y"])
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


class Undecided(Exception):  # noqa: N818
    """The reference has no answer: nothing may be allowed for it."""


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_readable(value):
    if isinstance(value, list | dict):
        return all(map(is_readable, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int) or -(2**63) <= value < 2**64


def member(value, key):
    if not isinstance(value, dict) or key not in value:
        raise Undecided
    return value[key]


def equal(one, other):
    if is_number(one) and is_number(other):
        return one == other
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return one == other


def either(*parts):
    failed = False
    for part in parts:
        try:
            value = part()
        except Undecided:
            failed = True
        else:
            if value is True:
                return True
            failed |= value is not False
    if failed:
        raise Undecided
    return False


def greater(value, than):
    if not is_number(value):
        raise Undecided
    return not math.isnan(value) and value > than


def contains(value, item):
    if isinstance(value, list):
        return either(*(lambda each=each: equal(each, item) for each in value))
    if isinstance(value, dict):
        return item in value
    raise Undecided


REFERENCE = {
    "claims.a == 'x'": lambda c: equal(member(c, "a"), "x"),
    "claims.a != 'x'": lambda c: not equal(member(c, "a"), "x"),
    "claims.a == true": lambda c: equal(member(c, "a"), True),
    "claims.a == 1": lambda c: equal(member(c, "a"), 1),
    "claims.a > 1": lambda c: greater(member(c, "a"), 1),
    "has(claims.a)": lambda c: "a" in c,
    "'a' in claims": lambda c: "a" in c,
    "claims.a.b == 'x'": lambda c: equal(member(member(c, "a"), "b"), "x"),
    "'x' in claims.a": lambda c: contains(member(c, "a"), "x"),
    "claims.a == 'x' || claims.b == 'x'": lambda c: either(
        lambda: equal(member(c, "a"), "x"), lambda: equal(member(c, "b"), "x")
    ),
    "claims.a || claims.b == 'x'": lambda c: either(
        lambda: member(c, "a"), lambda: equal(member(c, "b"), "x")
    ),
    "claims.a == claims.b": lambda c: equal(member(c, "a"), member(c, "b")),
}
COMPILED = {text: condition(text) for text in REFERENCE}


@given(st.sampled_from(list(REFERENCE)), st.dictionaries(st.sampled_from("abx"), JSON, max_size=3))
def test_it_allows_what_the_reference_does_and_no_more(text, claims):
    read = [key for key in claims if text.endswith("in claims") or f"claims.{key}" in text]
    try:
        expected = REFERENCE[text](claims) and all(is_readable(claims[key]) for key in read)
    except Undecided:
        expected = False
    allowed = COMPILED[text].allows(call(replace(ADA, claims=claims)))
    assert allowed is expected
