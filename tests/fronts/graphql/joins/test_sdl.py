"""Files of joins: what can stand in them, and where mistakes are told."""

from __future__ import annotations

import pytest

from gateway.fronts.graphql.joins.places import Findings
from gateway.fronts.graphql.joins.sdl import Edge, read

FILE = "schema/joins.graphql"


def edges_of(*texts: str) -> tuple[list[Edge], list[str]]:
    """Returns the edges of files `0`, `1` …, and what is wrong with them."""
    findings = Findings()
    found = read([(str(number), text) for number, text in enumerate(texts)], findings)
    return found, [str(each) for each in findings.problems]


def test_fields_with_a_directive_are_edges_in_the_order_of_the_files():
    found, wrong = edges_of(
        'extend type A { b: B @join(by: "b_id") c: C @call(method: "x") }',
        'extend type A { d: D @join(by: "d_id") }',
    )
    assert wrong == []
    assert [each.label for each in found] == ["A.b", "A.c", "A.d"]
    assert [each.directive.name.value for each in found] == ["join", "call", "join"]


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "\ufeff"])
def test_a_file_may_be_empty(text):
    assert edges_of(text) == ([], [])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("extend type A {\n  b B\n}", "0:2:5", id="in a field"),
        pytest.param('extend type A { b: B @join(by: "x)\n}', "0:1:", id="in a text"),
        pytest.param("extend type A { }", "0:1:17", id="no fields"),
    ],
)
def test_a_syntax_error_is_told_where_it_is_and_other_files_are_read(text, place):
    found, (wrong,) = edges_of(text, 'extend type A { b: B @join(by: "b_id") }')
    assert wrong.startswith(place)
    assert "Syntax Error" in wrong
    assert [each.label for each in found] == ["A.b"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("type A { b: B }", id="a type"),
        pytest.param("input A { b: B }", id="an input type"),
        pytest.param("scalar A", id="a scalar"),
        pytest.param("extend interface A { b: B }", id="an interface's extension"),
        pytest.param("{ a }", id="a query"),
        pytest.param("directive @a on FIELD", id="a directive"),
        pytest.param("extend schema { query: A }", id="the schema's extension"),
    ],
)
def test_nothing_else_can_stand_in_a_file(text):
    found, wrong = edges_of(text)
    assert found == []
    assert wrong == [
        "0:1:1: only `extend type` stands in a file of joins; types come from the protos"
    ]


@pytest.mark.parametrize(
    "text", ["extend type A @key { b: B %s }", "extend type A implements I { b: B %s }"]
)
def test_only_fields_can_be_added_to_a_type(text):
    found, wrong = edges_of(text % '@join(by: "b_id")')
    assert [each.label for each in found] == ["A.b"]
    assert len(wrong) == 1
    assert wrong[0].endswith("extending A: only fields can be added to it")


def test_a_field_of_two_files_is_told_in_the_second():
    line = 'extend type A { b: B @join(by: "b_id") }'
    _, wrong = edges_of(line, f"\n{line}")
    assert wrong == ["1:2:17: A.b is defined already, at 0:1"]


def test_a_line_is_written_anew_with_corrections():
    (edge,), _ = edges_of(
        'extend type A { "About." b(c: Int = 1, d: [E!]): B @join(by: "x", many: true) }'
    )
    assert edge.line() == 'b(c: Int = 1, d: [E!]): B @join(by: "x", many: true)'
    assert (
        edge.line(type_="[B]", changed={"by": '"y"', "many": ""}, arguments={"c": "", "f": "f: F"})
        == 'b(d: [E!], f: F): [B] @join(by: "y")'
    )
