"""Which rule a request reaches; the rows are in routing.yaml.

The router is held against a slow, obvious one: a search through the templates, written out as
rest.md words it.
"""

from itertools import permutations, product
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.routing.router import Match, NotAllowed, NotFound, RouteConflictError, RouterBuilder
from gateway.routing.table import Entry, Table
from gateway.routing.template import Wildcard, parse

ROWS = yaml.safe_load(Path(__file__).with_name("routing.yaml").read_text())
GROUPS = pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in ROWS])


def build(rules):
    builder = RouterBuilder()
    for rule in rules:
        method, template = rule.split(" ", 1)
        builder.add(method, parse(template), rule, label=rule, source="here")
    return builder.freeze()


def as_row(found):
    """A result as routing.yaml writes it."""
    match found:
        case Match(target, captures):
            return [target, *captures]
        case NotAllowed(methods):
            return [405, *methods]
        case NotFound():
            return 404


@GROUPS
def test_a_request_reaches_its_rule_whatever_the_order(row):
    for rules in list(permutations(row["rules"]))[:24]:
        router = build(rules)
        for request, expected in row["requests"].items():
            assert as_row(router.match(*request.split(" ", 1))) == expected, request


class TestConflicts:
    def conflicts(self, *rules):
        with pytest.raises(RouteConflictError) as caught:
            build(rules)
        return caught.value.conflicts

    def test_two_that_match_the_same_requests_are_named(self):
        (conflict,) = self.conflicts("GET /v1/{id}", "GET /v1/{name}")
        assert {conflict.first.label, conflict.second.label} == {"GET /v1/{id}", "GET /v1/{name}"}
        assert str(conflict) == (
            'GET /v1/* is bound twice: by GET /v1/{id} ("/v1/{id}", here) '
            'and by GET /v1/{name} ("/v1/{name}", here)'
        )

    def test_all_are_found_at_once(self):
        found = self.conflicts("GET /a", "GET /a", "GET /a", "POST /b:c", "POST /%62:c", "PUT /a")
        assert [(item.method, item.shape) for item in found] == [
            ("GET", "/a"),
            ("GET", "/a"),
            ("POST", "/b:c"),
        ]

    def test_two_of_kind_star(self):
        assert self.conflicts("* /a/{b}", "* /a/*")

    @pytest.mark.parametrize(
        "rules",
        [
            pytest.param(["GET /a", "POST /a"], id="other methods"),
            pytest.param(["GET /a", "* /a"], id="a method and star"),
            pytest.param(["GET /a", "HEAD /a"], id="GET and HEAD"),
            pytest.param(["GET /a", "GET /a:b"], id="a verb"),
            pytest.param(["GET /*", "GET /**"], id="one and many"),
            pytest.param(["GET /%2A", "GET /*"], id="an escaped star"),
            pytest.param(["GET /a", "GET /A"], id="upper and lower case"),
        ],
    )
    def test_others_do_not_clash(self, rules):
        build(rules)


# ---------------------------------------------------------------- the slow, obvious router


def walk(segments, parts):
    """Whether a template's segments match, with a rank for each step of the search that led there.

    Yields the ranks of every way: literal 0, one 1, the end 2, many 3 with what it leaves over.
    """
    if not segments:
        return (2,) if not parts else None
    first, rest = segments[0], segments[1:]
    if first is Wildcard.MANY:
        for taken in range(len(parts) + 1):
            if (tail := walk(rest, parts[taken:])) is not None:
                return 3, *tail
        return None
    if not parts or (first is Wildcard.ONE and not parts[0]):
        return None
    if first is not Wildcard.ONE and first != parts[0]:
        return None
    tail = walk(rest, parts[1:])
    return None if tail is None else (int(first is Wildcard.ONE), *tail)


def takes(methods, method):
    return method in methods or "*" in methods or (method == "HEAD" and "GET" in methods)


def obvious(rules, method, path):
    """Finds the rule as rest.md words it, by trying every template; no captures."""
    known = {}
    for rule in rules:
        verb, text = rule.split(" ", 1)
        known.setdefault(parse(text).shape, {})[verb] = rule
    parts = [] if path == "/" else path[1:].split("/")
    readings = [(parts, None)]
    if parts and ":" in parts[-1]:
        head, _, verb = parts[-1].rpartition(":")
        readings.insert(0, ([*parts[:-1], head], verb))
    allowed = set()
    for reading, verb in readings:
        ways = [
            (rank, by_method)
            for (segments, known_verb), by_method in known.items()
            if known_verb == verb and (rank := walk(segments, reading)) is not None
        ]
        for _, by_method in sorted(ways, key=lambda way: way[0]):
            allowed |= set(by_method)
            if takes(by_method, method):
                names = (method, "GET", "*") if method == "HEAD" else (method, "*")
                return next(by_method[name] for name in names if name in by_method)
    if not allowed:
        return 404
    return [405, *sorted(allowed | {"OPTIONS"} | ({"HEAD"} if "GET" in allowed else set()))]


names = st.sampled_from(["a", "b"])
middles = st.lists(names | st.just("*"), max_size=4)
templates = st.builds(
    lambda start, many, end, verb: "/" + "/".join([*start, *many, *end]) + verb,
    middles,
    st.sampled_from([[], ["**"]]),
    st.lists(names, max_size=2),
    st.sampled_from(["", ":a", ":b"]),
).filter(lambda text: not text.startswith("/:"))
rule_sets = st.lists(
    st.builds("{} {}".format, st.sampled_from(["GET", "POST", "*"]), templates),
    min_size=1,
    max_size=12,
    unique_by=lambda rule: (rule.split(" ")[0], parse(rule.split(" ", 1)[1]).shape),
)
paths = st.lists(st.sampled_from(["a", "b", "c", "", "a:b", "a:a", ":a"]), max_size=6).map(
    lambda parts: "/" + "/".join(parts)
)


@given(rule_sets, st.sampled_from(["GET", "POST", "HEAD", "PUT"]), paths)
def test_it_finds_what_the_obvious_router_finds(rules, method, path):
    found = as_row(build(rules).match(method, path))
    expected = obvious(rules, method, path)
    assert (found[0] if isinstance(expected, str) else found) == expected


# ---------------------------------------------------------------- cost


class Counted(str):
    """A segment that counts how often it is looked up."""

    __slots__ = ()
    steps = 0

    def __hash__(self):
        Counted.steps += 1
        return super().__hash__()

    __eq__ = str.__eq__


def steps(table, path):
    """How many look-ups of a segment it takes to find, or not to find, a path's template."""
    parts = [Counted(part) for part in path]
    Counted.steps = 0
    table.find(parts, "GET")
    return Counted.steps


def table(templates):
    parsed = (parse(text) for text in templates)
    return Table(Entry(item.segments, frozenset({"GET"}), item.text) for item in parsed)


class TestCost:
    def test_it_does_not_grow_with_the_routes(self):
        few = table(["/v1/things/{id}/parts/{part}"])
        many = table(f"/v1/things{n}/{{id}}/parts/{{part}}" for n in range(10_000))
        assert steps(few, ["v1", "things", "1", "parts", "2"]) == steps(
            many, ["v1", "things9999", "1", "parts", "2"]
        )

    def test_no_set_of_templates_makes_it_search(self):
        # Every literal may lead on or not: a search with backtracking visits 2 ** 12 nodes.
        worst = table("/" + "/".join(kinds) + "/x" for kinds in product("a*", repeat=12))
        path = ["a"] * 12
        assert worst.find([*path, "x"], "GET") == "/a" * 12 + "/x"
        assert steps(worst, [*path, "y"]) <= 2 * 13

    def test_no_method_makes_it_search(self):
        worst = table("/" + "/".join(kinds) for kinds in product("a*", repeat=12))
        assert worst.find(["a"] * 12, "POST") is None
        assert worst.methods(["a"] * 12) == {"GET"}

    def test_tails_after_many_are_not_tried_one_by_one(self):
        tails = table(f"/v1/**/x{n}/y" for n in range(10_000))
        assert steps(tails, ["v1", *"abc", "x77", "y"]) <= 2 * 6

    @given(st.lists(templates.filter(lambda text: ":" not in text), min_size=1, max_size=30), paths)
    def test_it_is_four_look_ups_a_segment_at_most(self, texts, path):
        # In the dictionary of literals, among templates of the length, and in both directions
        # among those with `**`.
        parts = path[1:].split("/")
        assert steps(table(texts), parts) <= 4 * len(parts)

    def test_a_path_of_64000_slashes(self):
        router = build(["GET /v1/{name=**}", "GET /v1/*/*", "GET /{a=**}/x/y"])
        assert router.match("GET", "/" * 64_000) == NotFound()
        found = router.match("GET", "/v1" + "/" * 64_000)
        assert found == Match("GET /v1/{name=**}", ("/" * 63_999,))
        assert router.match("GET", "/v1" + "/%41" * 16_000).captures == ("/".join("A" * 16_000),)

    def test_10000_routes_are_all_reached(self):
        router = build(f"GET /v1/things{n}/{{id}}" for n in range(10_000))
        for n in (0, 4_999, 9_999):
            expected = Match(f"GET /v1/things{n}/{{id}}", ("7",))
            assert router.match("GET", f"/v1/things{n}/7") == expected
