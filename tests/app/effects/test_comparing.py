"""What two sets of facts differ in, in words."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from gateway.app.effects import Facts, bounded, effects
from gateway.app.effects.effect import Effect
from gateway.app.effects.facts import MethodFacts
from gateway.app.reach import Reach

OPEN = Reach(anonymous=True, providers=frozenset({"a"}))
KNOWN = Reach(anonymous=False, providers=frozenset({"a"}))
DOCS, GRAPHIQL = ("rest", "docs"), ("graphql", "graphiql")


def method(reach=KNOWN, **settings):
    given = {key.replace("__", "."): value for key, value in settings.items()}
    return MethodFacts("shop", "unary, M to M", reach, given)


def facts(reach=KNOWN, **more):
    return Facts(methods={"x.S/Get": method(reach)}, **more)


def told(before, after):
    return [("opened: " if each.opens else "") + str(each) for each in effects(before, after)]


def known(**changes):
    return replace(KNOWN, **{key: frozenset(value) for key, value in changes.items()})


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        pytest.param(KNOWN, OPEN, "opened: 1 method now anonymous: x.S/Get", id="anonymous"),
        pytest.param(OPEN, KNOWN, "1 method no longer anonymous: x.S/Get", id="known"),
        pytest.param(
            known(scopes="rw"),
            known(scopes="r"),
            "opened: 1 method no longer asking for the scopes w: x.S/Get",
            id="a scope is lost",
        ),
        pytest.param(
            known(),
            known(scopes="w"),
            "1 method now asking for the scopes w: x.S/Get",
            id="a scope is asked for",
        ),
        pytest.param(
            known(roles="r"),
            known(),
            "opened: 1 method no longer asking for one of the roles r: x.S/Get",
            id="roles are lost",
        ),
        pytest.param(
            known(roles="r"),
            known(roles="rs"),
            "opened: 1 method with the roles r → r, s: x.S/Get",
            id="of any of the roles, one more",
        ),
        pytest.param(
            known(roles="rs"),
            known(roles="r"),
            "1 method with the roles r, s → r: x.S/Get",
            id="one less",
        ),
        pytest.param(
            known(),
            known(roles="r"),
            "1 method now asking for one of the roles r: x.S/Get",
            id="a role is asked for",
        ),
        pytest.param(
            replace(KNOWN, when="a == b"),
            KNOWN,
            'opened: 1 method with the condition "a == b" → none: x.S/Get',
            id="a condition is lost",
        ),
        pytest.param(
            replace(KNOWN, when="a == b"),
            replace(KNOWN, when="a != b"),
            '1 method with the condition "a == b" → "a != b": x.S/Get',
            id="of another condition nobody can tell",
        ),
        pytest.param(
            known(),
            known(providers="ab"),
            "opened: 1 method now for callers of b too: x.S/Get",
            id="another provider",
        ),
        pytest.param(
            known(providers="ab"),
            known(),
            "1 method no longer for callers of b: x.S/Get",
            id="a provider less",
        ),
    ],
)
def test_who_may_call(before, after, line):
    assert told(facts(before), facts(after)) == [line]


def test_the_same_is_no_change():
    assert effects(facts(), facts()) == []


def test_what_changes_alike_is_one_line_that_names_the_first():
    names = [f"x.S/M{number}" for number in range(8)]
    before = Facts(methods=dict.fromkeys(names, method(KNOWN)))
    after = Facts(methods=dict.fromkeys(names, method(OPEN)))
    (effect,) = effects(before, after)
    assert effect.text == (
        "8 methods now anonymous: x.S/M0, x.S/M1, x.S/M2, x.S/M3, x.S/M4 and 3 more"
    )
    assert effect.names == tuple(names)


def test_a_new_method_is_opened_only_where_others_ask_who_calls():
    fresh = {"x.S/New": method(OPEN)}
    before = facts(KNOWN)
    after = replace(before, methods={**before.methods, **fresh})
    assert told(before, after) == [
        "opened: 1 new method anonymous: x.S/New",
        "1 method added: x.S/New",
    ]
    open_ = facts(OPEN)
    after = replace(open_, methods={**open_.methods, **fresh})
    assert told(open_, after) == ["1 method added: x.S/New"]


def test_a_new_method_in_the_place_of_all_others_is_opened_if_those_asked_who_calls():
    assert told(facts(), Facts(methods={"y.S/Get": method(OPEN)}))[0] == (
        "opened: 1 new method anonymous: y.S/Get"
    )


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        pytest.param(
            {"routes": {"GET /a": "x.S/Get"}},
            {"routes": {"GET /b": "x.S/Get"}},
            ["1 route added: GET /b", "1 route removed: GET /a"],
            id="a route moves",
        ),
        pytest.param(
            {"routes": {"GET /a": "x.S/Get"}},
            {"routes": {"GET /a": "x.S/List"}},
            ["1 route changed (now calls another): GET /a"],
            id="a route calls another",
        ),
        pytest.param(
            {"fields": {"Query.a": "Int", "Query.b": "Int"}},
            {"fields": {"Query.a": "String"}},
            [
                "1 field of the graph removed: Query.b",
                "1 field of the graph changed (has another type or other arguments): Query.a",
            ],
            id="the graph",
        ),
        pytest.param(
            {"fields": {"A.b": "Int"}, "scoped": {"A.b": frozenset({"s"})}},
            {"fields": {"A.b": "Int"}},
            ["opened: 1 field of the graph now seen with fewer scopes: A.b"],
            id="a field loses its scopes",
        ),
        pytest.param(
            {"fields": {"A.b": "Int"}},
            {"fields": {"A.b": "Int"}, "scoped": {"A.b": frozenset({"s"})}},
            ["1 field of the graph now seen with more scopes only: A.b"],
            id="a field gets scopes",
        ),
        pytest.param(
            {"documents": {"Home": "1", "Old": "1"}},
            {"documents": {"Home": "2", "New": "1"}},
            [
                "1 trusted document added: New",
                "1 trusted document removed: Old",
                "1 trusted document changed (has another text): Home",
            ],
            id="documents",
        ),
        pytest.param(
            {"messages": {"x.M": {"a": "string = 1", "b": "int32 = 2"}}},
            {"messages": {"x.M": {"a": "string = 1", "c": "int32 = 2"}}},
            ["message x.M: +c, -b"],
            id="a field is renamed",
        ),
        pytest.param(
            {"messages": {"x.M": {"a": "string = 1"}}},
            {"messages": {"x.M": {"a": "bytes = 1"}}},
            ["message x.M: a (string = 1 → bytes = 1)"],
            id="a field has another type",
        ),
        pytest.param(
            {"pages": {DOCS: KNOWN, GRAPHIQL: KNOWN}},
            {"pages": {DOCS: OPEN, GRAPHIQL: OPEN}},
            ["opened: pages now anonymous: the documentation, GraphiQL"],
            id="pages open",
        ),
        pytest.param(
            {},
            {"pages": {DOCS: OPEN, GRAPHIQL: KNOWN}},
            ["opened: pages served now, to anyone: the documentation"],
            id="pages appear",
        ),
        pytest.param({"pages": {DOCS: OPEN}}, {}, [], id="pages go, which their keys tell"),
        pytest.param(
            {"routes": {"GET /a": "x.S/Get"}, "bodies": {"GET /a": "body *"}},
            {"routes": {"GET /a": "x.S/Get"}, "bodies": {"GET /a": "body note"}},
            ["1 route changed (takes or gives another part of the message): GET /a"],
            id="the body of a route",
        ),
        pytest.param(
            {"fields": {"A.b": "B"}, "sources": {"A.b": "by x"}},
            {"fields": {"A.b": "B"}, "sources": {"A.b": "by y"}},
            ["1 field of the graph changed (has its value from elsewhere): A.b"],
            id="a join",
        ),
    ],
)
def test_what_is_served(before, after, lines):
    assert told(facts(**before), facts(**after)) == lines


def test_what_policies_set_is_told_of_the_methods_that_it_holds_for():
    names = ["x.S/A", "x.S/B", "x.S/C"]
    before = Facts(methods={name: method(timeout="5s") for name in names})
    after = Facts(
        methods={
            "x.S/A": method(timeout="2s"),
            "x.S/B": method(timeout="2s"),
            "x.S/C": method(timeout="5s", cache__ttl="1m"),
        }
    )
    assert told(before, after) == [
        "timeout 5s → 2s, of 2 methods: x.S/A, x.S/B",
        "cache.ttl default → 1m, of 1 method: x.S/C",
    ]


def test_methods_that_move_and_change_their_form():
    before = facts()
    moved = MethodFacts("other", "server streaming, M to M", KNOWN)
    assert told(before, Facts(methods={"x.S/Get": moved})) == [
        "1 method moved from upstream shop to other: x.S/Get",
        "x.S/Get: unary, M to M → server streaming, M to M",
    ]


UPSTREAM = {("upstreams", "a", "timeout"): "5s", ("upstreams", "a", "endpoints"): ("h:1", "h:2")}
NETWORKS = ("addresses", "allow")


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        pytest.param(
            UPSTREAM,
            {("upstreams", "a", "timeout"): "2s", ("upstreams", "a", "endpoints"): ("h:2", "h:3")},
            ["upstream a: timeout 5s → 2s", "upstream a: endpoints: +h:3, -h:1"],
            id="an upstream",
        ),
        pytest.param({}, UPSTREAM, ["upstream a added"], id="an upstream comes, told once"),
        pytest.param(
            {("auth", "providers", "k", "mtls", "subject"): "auto"},
            {},
            ["provider k removed"],
            id="a provider goes",
        ),
        pytest.param(
            {("state",): SecretStr("redis://a:s3cr3t@h")},
            {("state",): SecretStr("memory")},
            ["state changed"],
            id="a secret is not told",
        ),
        pytest.param(
            {("graphql",): "none"},
            {("graphql", "path"): "/graphql"},
            ["GraphQL is now on"],
            id="a front is switched on",
        ),
        pytest.param(
            {("workers",): "1"},
            {("workers",): "2"},
            ["workers 1 → 2 (at the next start)"],
            id="what waits for the next start",
        ),
        pytest.param(
            {("limits", "keys"): "1000", ("workers",): "2"},
            {("limits", "keys"): "2000", ("workers",): "2"},
            ["limits.keys 1000 → 2000 (at the next start)"],
            id="keys with several workers",
        ),
        pytest.param(
            {("limits", "keys"): "1000", ("workers",): "1"},
            {("limits", "keys"): "2000", ("workers",): "1"},
            ["limits.keys 1000 → 2000"],
            id="keys with one",
        ),
        pytest.param(
            {NETWORKS: ("10.0.0.0/8",)},
            {NETWORKS: ()},
            ["opened: addresses.allow: -10.0.0.0/8"],
            id="all addresses are allowed",
        ),
        pytest.param(
            {NETWORKS: ()},
            {NETWORKS: ("10.0.0.0/8",)},
            ["addresses.allow: +10.0.0.0/8"],
            id="only some are",
        ),
        pytest.param(
            {("addresses", "deny"): ("10.0.0.0/8",)},
            {("addresses", "deny"): ()},
            ["opened: addresses.deny: -10.0.0.0/8"],
            id="addresses are not denied any more",
        ),
        pytest.param(
            {("addresses", "deny"): ("10.0.0.0/8",)},
            {("addresses", "deny"): ("10.0.0.0/7",)},
            ["addresses.deny: +10.0.0.0/7, -10.0.0.0/8"],
            id="more addresses are denied, in other words",
        ),
        pytest.param(
            {NETWORKS: ("10.0.0.0/8",)},
            {NETWORKS: ("10.0.0.0/9",)},
            ["addresses.allow: +10.0.0.0/9, -10.0.0.0/8"],
            id="fewer are allowed, in other words",
        ),
        pytest.param(
            {("auth", "providers", "k", "jwt", "audiences"): ("a",)},
            {("auth", "providers", "k", "jwt", "audiences"): ("a", "b")},
            ["opened: provider k: jwt.audiences: +b"],
            id="tokens for another audience are taken",
        ),
        pytest.param(
            {("auth", "providers", "k", "introspection", "audiences"): ("a",)},
            {("auth", "providers", "k", "introspection", "audiences"): ()},
            ["opened: provider k: introspection.audiences: -a"],
            id="tokens for any audience are taken",
        ),
        pytest.param(
            {("auth", "providers", "k", "basic", "users", "file"): "u"},
            {("auth", "providers", "k", "mtls", "subject"): "auto"},
            ["opened: provider k knows other callers: basic → mtls"],
            id="a provider becomes one of another kind",
        ),
        pytest.param(
            {("listener", "tls", "client_certificate"): "required"},
            {("listener", "tls", "client_certificate"): "none"},
            ["opened: listener.tls.client_certificate required → none"],
            id="clients need no certificate",
        ),
        pytest.param(
            {("listener", "tls", "client_certificate"): "required"},
            {("listener", "tls"): "none"},
            [
                "TLS of the listener is now off (at the next start)",
                "opened: listener.tls.client_certificate required → none (at the next start)",
            ],
            id="what kept clients out goes with its section",
        ),
        pytest.param(
            {("graphql", "trusted_only"): "true"},
            {("graphql",): "none"},
            ["GraphQL is now off"],
            id="what goes with all that it was about opens nothing",
        ),
        pytest.param(
            {("listener", "cors"): "none"},
            {("listener", "cors", "origins"): ("https://a",)},
            ["listener.cors.origins none → [https://a]"],
            id="a section that comes is not told as a value too",
        ),
        pytest.param(
            {("graphql", "trusted_only"): "true"},
            {("graphql", "trusted_only"): "false"},
            ["opened: graphql.trusted_only true → false"],
            id="any document is taken",
        ),
        pytest.param(
            {("policies",): ("a",), ("schema", "protos"): ("p",)},
            {("policies",): ("b",), ("schema", "protos"): ("q",)},
            [],
            id="what shows in what it does",
        ),
    ],
)
def test_values(before, after, lines):
    assert told(Facts(values=before), Facts(values=after)) == lines


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        pytest.param(
            {"protos": {"a": b"1"}, "contents": {("graphql", "joins"): b"1"}},
            {"protos": {"a": b"2", "b": b"1"}, "contents": {("graphql", "joins"): b"2"}},
            [
                "2 protos changed in comments, layout or options that alter no call: a, b",
                "joins changed in comments, layout or options that alter no call",
            ],
            id="where nothing else is told",
        ),
        pytest.param(
            {"protos": {"a": b"1"}, "routes": {"GET /a": "x.S/Get"}},
            {"protos": {"a": b"2"}, "routes": {"GET /a": "x.S/List"}},
            ["1 route changed (now calls another): GET /a"],
            id="not beside what they do",
        ),
    ],
)
def test_files_that_are_others_are_told(before, after, lines):
    assert told(facts(**before), facts(**after)) == lines


def test_a_file_with_another_content():
    key = ("upstreams", "a", "tls", "ca")
    before, after = Facts(contents={key: b"1"}), Facts(contents={key: b"2"})
    assert told(before, after) == ["upstream a: tls.ca: its file has changed"]


def test_answers_of_a_mock_that_come_go_and_change():
    before = Facts(written={"x.S/Get": b"1", "x.S/List": b"1", "x.S/Put": b"1"})
    after = Facts(written={"x.S/Get": b"2", "x.S/List": b"1", "x.S/Watch": b"1"})
    assert told(before, after) == [
        "mock answers changed, of 3 methods: x.S/Get, x.S/Put, x.S/Watch"
    ]


def test_lines_are_bounded_and_those_that_open_come_first():
    every = [Effect("x", f"line {number}", opens=number == 7) for number in range(10)]
    assert bounded(every, 4) == ["line 7", "line 0", "line 1", "and 7 more changes"]
    assert len(bounded(every, 10)) == 10


def test_a_long_value_is_cut():
    before = Facts(values={("zone",): "x" * 1000})
    (effect,) = effects(before, Facts(values={("zone",): "y"}))
    assert len(effect.text) < 200
