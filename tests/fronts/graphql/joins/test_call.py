"""`@call`: one RPC as a field of a root or of a message, and what is said of one that is wrong."""

from __future__ import annotations

import re

import pytest

from gateway.fronts.graphql.graph.sources import Argument, ParentCall, Rpc, input_source
from tests.fronts.graphql.joins.joining import (
    API,
    FILE,
    field,
    joined,
    names,
    problem,
    problems,
    source,
)

FIND = f'method: "{API}/FindUsers"'


def given(line: str, on: str = "Query") -> dict[str, object]:
    return {names(each.path): each.value for each in source(line, on=on).given}


class TestRoots:
    def test_a_query(self):
        made = field(
            f'user(userId: ID!): User @call(method: "{API}/GetUser", with: {{id: "$userId"}})',
            on="Query",
        )
        found = made.extensions["gateway.source"]
        assert isinstance(found, Rpc)
        assert found.method.name == f"{API}/GetUser"
        assert (found.input.full_name, found.output.full_name) == ("test.v1.UserId", "test.v1.User")
        assert found.pick == ()
        assert input_source(made.args["userId"]) == Argument((found.input.fields_by_name["id"],))

    def test_a_mutation_may_have_side_effects(self):
        found = source(f'change(id: ID): User @call(method: "{API}/ChangeUser")', on="Mutation")
        assert found.method.name == f"{API}/ChangeUser"

    def test_a_subscription_is_a_stream(self):
        line = f'watch(id: ID): String @call(method: "{API}/WatchUser", pick: "name")'
        assert names(source(line, on="Subscription").pick) == "name"

    def test_it_is_in_the_schema_beside_the_generated_fields(self):
        graph, _ = joined(
            f'extend type Query {{ me(id: ID): User @call(method: "{API}/GetUser") }}'
        )
        assert {"me", "getUser"} <= set(graph.schema.query_type.fields)

    def test_it_is_no_n_plus_1(self):
        _, made = joined(f'extend type Query {{ me(id: ID): User @call(method: "{API}/GetUser") }}')
        assert made.warnings == ()


class TestPick:
    @pytest.mark.parametrize(
        ("type_", "pick"),
        [
            pytest.param("[User!]", "users", id="a list"),
            pytest.param("[User]", "users", id="a list that promises less"),
            pytest.param("Int", "total", id="a scalar"),
            pytest.param("User", "best", id="a message"),
            pytest.param("String", "best.name", id="through a message"),
        ],
    )
    def test_what_it_leads_to(self, type_, pick):
        line = f'found(text: String!): {type_} @call({FIND}, pick: "{pick}")'
        assert names(source(line, on="Query").pick) == pick


class TestOfAMessage:
    def test_request_fields_from_the_parent(self):
        made = field(
            f'best: User @call({FIND}, with: {{text: "maker.user_id", most: "small"}},'
            ' pick: "best")'
        )
        found = made.extensions["gateway.source"]
        assert isinstance(found, ParentCall)
        assert [(names(request), names(parent)) for request, parent in found.bound] == [
            ("text", "maker.user_id"),
            ("most", "small"),
        ]

    def test_a_wrapper_stands_for_its_value(self):
        line = f'best: User @call({FIND}, with: {{text: "editor_id"}}, pick: "best")'
        ((_, parent),) = source(line).bound
        assert names(parent) == "editor_id.value"

    def test_arguments_beside_it(self):
        made = field(f'best(deep: Boolean): User @call({FIND}, with: {{text: "id"}}, pick: "best")')
        assert names(input_source(made.args["deep"]).path) == "deep"

    def test_it_is_told_as_n_plus_1(self):
        _, made = joined(
            f'extend type Thing {{ best: User @call(method: "{API}/GetUser", with: {{id: "id"}}) }}'
        )
        assert [each.message for each in made.warnings] == [
            f"N + 1: Thing.best calls {API}/GetUser once for each Thing"
        ]


@pytest.mark.parametrize(
    ("path", "literal", "value"),
    [
        pytest.param("color", "COLOR_RED", 1, id="an enum by name"),
        pytest.param("deep", "true", True, id="true or false"),
        pytest.param("weight", "1.5", 1.5, id="a number"),
        pytest.param("weight", "2", 2.0, id="a whole number for a double"),
        pytest.param("least", "18446744073709551615", 2**64 - 1, id="the largest uint64"),
        pytest.param("most", "-9223372036854775808", -(2**63), id="the least int64"),
        pytest.param("cursor", "\"'aGk='\"", b"hi", id="bytes in base64"),
        pytest.param("cursor", "\"''\"", b"", id="no bytes"),
        pytest.param("colors", "[COLOR_RED, COLOR_UNSPECIFIED]", (1, 0), id="a list"),
    ],
)
def test_literals(path, literal, value):
    line = f"found: Found @call({FIND}, with: {{text: \"'a text'\", {path}: {literal}}})"
    assert given(line) == {"text": "a text", path: value}


MISTAKES = {
    "no method": (
        "Query",
        'me: User @call(pick: "x")',
        "@call needs a method",
        'write: me: User @call(pick: "x", method: "package.Service/Method")',
    ),
    "a method that is near one": (
        "Query",
        f'me(id: ID): User @call(method: "{API}/GetUsr")',
        f'there is no RPC "{API}/GetUsr"',
        f'write: me(id: ID): User @call(method: "{API}/GetUser")',
    ),
    "side effects in a query": (
        "Query",
        f'me(id: ID): User @call(method: "{API}/ChangeUser")',
        f"{API}/ChangeUser may have side effects",
        "put the field into Mutation",
    ),
    "side effects below an answer": (
        "Thing",
        f'me: User @call(method: "{API}/ChangeUser", with: {{id: "id"}})',
        f"{API}/ChangeUser may have side effects",
        "put the field into Mutation",
    ),
    "a stream in a query": (
        "Query",
        f'me(id: ID): User @call(method: "{API}/WatchUser")',
        "is server streaming, and a field of Query calls a unary RPC",
        "",
    ),
    "a subscription that is none": (
        "Subscription",
        f'me(id: ID): User @call(method: "{API}/GetUser")',
        "is unary, and a field of Subscription calls a server streaming RPC",
        "",
    ),
    "a pick that is near one": (
        "Query",
        f'found(text: String!): [User!] @call({FIND}, pick: "user")',
        'pick: "user" is not a field of test.v1.Found',
        f'write: found(text: String!): [User!] @call({FIND}, pick: "users")',
    ),
    "another type": (
        "Query",
        f"found(text: String!): Int @call({FIND})",
        "Query.found is Int: test.v1.Found gives Found",
        f'did you mean pick: "total"? write: found(text: String!): Found @call({FIND})',
    ),
    "an unknown type": (
        "Query",
        f"found(text: String!): Fund @call({FIND})",
        "the graph has no type Fund",
        f"write: found(text: String!): Found @call({FIND})",
    ),
    "a type that may not be null": (
        "Query",
        f"found(text: String!): Found! @call({FIND})",
        "a call may fail, so its field is nullable",
        f"write: found(text: String!): Found @call({FIND})",
    ),
    "a list that promises more": (
        "Query",
        f'teams(id: ID): [[String!]!] @call(method: "{API}/GetUser", pick: "teams")',
        "teams gives [String!]",
        f'write: teams(id: ID): [String!] @call(method: "{API}/GetUser", pick: "teams")',
    ),
    "a required request field that nothing sets": (
        "Query",
        f"found: Found @call({FIND})",
        "test.v1.Search requires text, and nothing sets it",
        f"write: found(text: String!): Found @call({FIND})",
    ),
    "an argument that is not there": (
        "Query",
        f'found(text: String!): Found @call({FIND}, with: {{deep: "$depp"}})',
        "with deep: Query.found has no argument depp",
        'did you mean "$text"?',
    ),
    "an argument for two request fields": (
        "Query",
        f'found(a: String!): Found @call({FIND}, with: {{text: "$a", cursor: "$a"}})',
        "with cursor: $a sets another request field already; an argument sets one",
        "",
    ),
    "a path of a parent that is not there": (
        "Query",
        f'found(text: String!): Found @call({FIND}, with: {{cursor: "text"}})',
        'with cursor: "text" is a path of the parent, and there is none here',
        'did you mean "$text"?',
    ),
    "a path of the parent that is near one": (
        "Thing",
        f'found: Found @call({FIND}, with: {{text: "idd"}})',
        (
            '"idd" is not a field of test.v1.Thing; a text that is no path stands in single quotes: '
            "\"'idd'\""
        ),
        'did you mean "id"?',
    ),
    "a value of another kind": (
        "Thing",
        f'found: Found @call({FIND}, with: {{text: "small"}})',
        '"small" of test.v1.Thing is int32, and text is string',
        "",
    ),
    "a list for a single field": (
        "Thing",
        f'found: Found @call({FIND}, with: {{text: "part_ids"}})',
        '"part_ids" of test.v1.Thing is repeated string, and text is string',
        "",
    ),
    "a request field that is near one": (
        "Thing",
        f'found: Found @call({FIND}, with: {{text: "id", colr: COLOR_RED}})',
        'with colr: "colr" is not a field of test.v1.Search',
        "did you mean color",
    ),
    "a request field twice": (
        "Thing",
        f'found: Found @call({FIND}, with: {{text: "id", page: {{size: 1, size: 2}}}})',
        "with page.size: it is set by with page.size already",
        "",
    ),
    "a value of an enum that is near one": (
        "Thing",
        f'found: Found @call({FIND}, with: {{text: "id", color: COLOR_REDD}})',
        "test.v1.Color has no value COLOR_REDD; did you mean COLOR_RED?",
        "",
    ),
    "a number that does not fit": (
        "Thing",
        f'found: Found @call({FIND}, with: {{text: "id", least: -1}})',
        "test.v1.Search.least is uint64, which can't hold -1",
        "",
    ),
    "a literal of another kind": (
        "Thing",
        f'found: Found @call({FIND}, with: {{text: "id", deep: 1}})',
        "test.v1.Search.deep is bool: expected true or false, not 1",
        "",
    ),
    "base64 that is none": (
        "Thing",
        f'found: Found @call({FIND}, with: {{text: "id", cursor: "\'a\'"}})',
        "test.v1.Search.cursor is bytes: expected base64 in single quotes inside",
        "",
    ),
    "null": (
        "Thing",
        f'found: Found @call({FIND}, with: {{text: "id", page: null}})',
        "test.v1.Search.page is test.v1.Page: no literal can be given for that, not null",
        "",
    ),
    "a join on a root": (
        "Query",
        'me: User @join(by: "id")',
        "Query has no keys to join by",
        "@call",
    ),
    "a type that can't be extended": (
        "Color",
        f'me: User @call(method: "{API}/GetUser")',
        "Color is no object type: it can't be extended",
        "",
    ),
    "the entry of a map": (
        "ThingLabelsEntry",
        f'me: User @call(method: "{API}/GetUser", with: {{id: "key"}})',
        "ThingLabelsEntry is the entry of a map",
        "",
    ),
    "a type that is near one": (
        "Qery",
        f'me(id: ID): User @call(method: "{API}/GetUser")',
        "the graph has no type Qery",
        "did you mean Query?",
    ),
}


@pytest.mark.parametrize(("on", "line", "message", "hint"), MISTAKES.values(), ids=MISTAKES)
def test_mistake(on, line, message, hint):
    found = problem(line, on=on)
    assert found.where == FILE
    assert found.line == (1 if on not in ("Query", "Thing", "Subscription") else 2)
    assert message in found.message
    assert hint in found.hint
    assert bool(hint) == bool(found.hint)


@pytest.mark.parametrize(("on", "line", "message", "hint"), MISTAKES.values(), ids=MISTAKES)
def test_what_is_proposed_can_be_pasted(on, line, message, hint):
    found = problem(line, on=on).hint
    if "package.Service" not in found and not found.startswith("did you mean Query"):
        for written in re.findall(r"write: ([^…]*)$", found):
            if not written.startswith("@call"):
                assert problems(f"extend type {on} {{\n{written}\n}}") == []


def test_a_field_that_the_root_has_already():
    (found,) = problems(
        f'extend type Query {{ getUser(id: ID): User @call(method: "{API}/GetUser") }}'
    )
    assert "getUser" in found.message
