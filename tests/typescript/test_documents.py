"""Trusted documents: the types of their variables, and of just what they select."""

import pytest

from gateway.typescript.documents import documents
from tests.typescript.graph import graph


def flat(text):
    """A module without comments, white space made one blank."""
    lines = (line.strip() for line in documents(graph(text)).splitlines())
    return " ".join(line for line in lines if not line.startswith(("/*", "*")))


@pytest.mark.parametrize(
    ("selection", "answer"),
    [
        pytest.param("count", "{ count: string; }", id="a-scalar"),
        pytest.param("json", "{ json: JsonValue | null; }", id="any-json"),
        pytest.param("n: count", "{ n: string; }", id="an-alias"),
        pytest.param(
            'thing(id: "1") { name tags }',
            "{ thing: { name: string | null; tags: string[]; } | null; }",
            id="what-may-be-null",
        ),
        pytest.param(
            "many { size }", "{ many: ({ size: number; } | null)[]; }", id="a-list-with-nulls"
        ),
        pytest.param(
            "count @include(if: true) many { size @skip(if: false) }",
            "{ count?: string; many: ({ size?: number; } | null)[]; }",
            id="what-may-be-missing",
        ),
        pytest.param(
            "many { ...F id } many { size }",
            "{ many: ({ kind: Kind; id: string; size: number; } | null)[]; }",
            id="what-is-selected-twice-is-one",
        ),
        pytest.param(
            "any { __typename ... on Thing { size } ... on Other { other } }",
            '{ any: { __typename: "Other"; other: boolean; } | { __typename: "Thing"; size: number; }; }',
            id="a-union",
        ),
        pytest.param(
            "node { id ... on Thing { parent { id } } }",
            "{ node: { id: string; } | { id: string; parent: { id: string; } | null; } | null; }",
            id="an-interface",
        ),
        pytest.param(
            "node { ... on Node @include(if: true) { id } }",
            "{ node: { id?: string; } | null; }",
            id="a-fragment-that-may-be-left-out",
        ),
    ],
)
def test_an_answer(selection, answer):
    fragment = "fragment F on Thing { kind }" if "...F" in selection else ""
    assert f"export type AnAnswer = {answer};" in flat(f"query An {{ {selection} }} {fragment}")


def test_variables_that_have_a_default_or_may_be_null_can_be_left_out():
    text = flat(
        "query A($id: ID!, $f: Filter, $n: Boolean! = true) { thing(id: $id, filter: $f) { id @skip(if: $n) } }"
    )
    assert "AVariables { id: string; f?: Filter | null; n?: boolean; }" in text
    assert "a(variables: AVariables, options?: DocumentOptions): Promise<AAnswer>" in text


def test_inputs_are_declared_as_far_as_they_are_needed():
    text = flat("query A($f: Filter) { thing(id: 1, filter: $f) { id } }")
    assert (
        "interface Filter { kinds?: Kind[] | null; not?: Filter | null; least?: number; }" in text
    )
    assert "ThingInput" not in text


def test_of_a_one_of_exactly_one_is_given():
    text = flat("query A($c: Choice) { thing(id: 1, choice: $c) { id } }")
    assert "type Choice = | { one: string } | { two: Filter };" in text


def test_names_of_fields_and_operations_are_told_apart_from_the_languages():
    text = flat("mutation constructor($t: ThingInput!) { change(thing: $t) { id } }")
    assert "constructor_(variables: ConstructorVariables," in text


def test_a_subscription_is_followed_and_needs_nothing_where_it_has_no_variables():
    text = flat("subscription Changes { changes { id } }")
    assert (
        "changes(variables: {} = {}, options?: DocumentOptions): AsyncGenerator<ChangesAnswer, void, undefined>"
        in text
    )


def test_an_operation_that_would_be_named_like_a_type_gives_way():
    text = flat("query Thing { count }")
    assert "export type ThingAnswer =" in text
