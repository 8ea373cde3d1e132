"""How large operations are when their fragments are written out."""

from __future__ import annotations

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, get_introspection_query, parse
from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.graphql.document.measures import Measure, measures, root_fields


def definitions(text):
    document = parse(text)
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    return operations, fragments


def measured(text):
    return list(measures(*definitions(text)))


@pytest.mark.parametrize(
    ("text", "depth", "fields", "aliases"),
    [
        pytest.param("{a}", 1, 1, 0, id="one-field"),
        pytest.param("{a{b{c}} d}", 3, 4, 0, id="levels"),
        pytest.param("{x:a y:a{z:b}}", 2, 3, 3, id="aliases"),
        pytest.param("{...{...on Q{a}}}", 1, 1, 0, id="inline-fragments-are-no-level"),
        pytest.param(
            "{a{...F}} fragment F on Q{x:b{c}}", 3, 3, 1, id="a-fragment-counts-where-it-is"
        ),
        pytest.param("{...F a{...F}} fragment F on Q{x:b}", 2, 3, 2, id="and-as-often-as-it-is"),
        pytest.param("{...F} fragment F on Q{a{...G}} fragment G on Q{b}", 2, 2, 0, id="nested"),
        pytest.param("{...F} fragment G on Q{b} fragment F on Q{a{...G}}", 2, 2, 0, id="any-order"),
        pytest.param("{a ...Missing}", 1, 1, 0, id="an-unknown-fragment-is-nothing"),
        pytest.param("{...F} fragment F on Q{a{...F}}", 1, 1, 0, id="a-cycle-adds-nothing"),
        pytest.param(
            "{...F} fragment F on Q{a{...G}} fragment G on Q{b{...F}}", 2, 2, 0, id="a-longer-cycle"
        ),
    ],
)
def test_measures(text, depth, fields, aliases):
    assert measured(text) == [Measure(depth, 0, fields, aliases)]


def test_each_operation_is_measured():
    found = measured("query A{a} query B{a{...F}} fragment F on Q{b}")
    assert [measure.depth for measure in found] == [1, 2]


def test_introspection_has_a_depth_of_its_own():
    (measure,) = measured("{a __schema{types{...T}}} fragment T on __Type{ofType{ofType{name}}}")
    assert (measure.depth, measure.introspection_depth) == (1, 4)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        pytest.param("{a b{c}}", 0, id="none"),
        pytest.param("{a __schema{types{name kind}} __typename}", 3, id="below-the-root"),
        pytest.param("{__schema{...S ...S}} fragment S on __Schema{types{name}}", 4, id="spread"),
        pytest.param("{...F a{b}} fragment F on Q{a __type{name}}", 1, id="in-a-fragment"),
    ],
)
def test_fields_of_introspection_are_counted(text, fields):
    assert measured(text)[0].introspection_fields == fields


def test_the_query_of_graphiql_is_15_levels_of_introspection():
    (measure,) = measured(get_introspection_query())
    assert (measure.depth, measure.aliases) == (1, 0)
    assert 10 < measure.introspection_depth <= 15


def test_a_fragment_bomb_is_counted_without_being_written_out():
    bomb = "{...F0}" + "".join(
        f"fragment F{i} on Q{{a{{...F{i + 1}}} b{{...F{i + 1}}}}}" for i in range(1000)
    )
    (measure,) = measured(bomb + "fragment F1000 on Q{c}")
    assert measure.depth == 1001
    assert measure.fields == 2 * (2**1000 - 1) + 2**1000


def test_root_fields_see_through_fragments_once():
    operations, fragments = definitions("{a ...F ...{b ...F}} fragment F on Q{c ...F}")
    names = sorted(field.name.value for field in root_fields(operations[0], fragments))
    assert names == ["a", "b", "c"]


selections = st.recursive(
    st.sampled_from(["a", "x:b", "...F", "...G"]),
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda s: f"c{{{' '.join(s)}}}"),
    max_leaves=8,
)


@given(selections, selections, selections)
def test_the_measure_is_that_of_the_document_written_out(root, f, g):
    f = f.replace("...F", "a")
    g = g.replace("...F", "a").replace("...G", "b")
    text = f"{{{root}}} fragment F on Q{{{f}}} fragment G on Q{{{g}}}"
    written = root.replace("...F", f"...{{{f}}}").replace("...G", f"...{{{g}}}")
    assert measured(text) == measured(f"{{{written}}}")
