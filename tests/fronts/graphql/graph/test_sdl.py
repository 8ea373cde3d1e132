"""The graph as text: whole, sorted, and the same however it came about."""

from pathlib import Path

from graphql import build_schema, print_schema

from gateway.fronts.graphql.graph.sdl import sdl
from tests.fronts.graphql import graphs

EXPECTED = Path(__file__).parent / "torture.graphql"


def test_the_torture_protos_give_the_graph_that_was_reviewed():
    assert sdl(graphs.torture()) == EXPECTED.read_text()


def test_it_reads_back_as_it_was_written():
    text = sdl(graphs.shop())
    assert print_schema(build_schema(text)) + "\n" == text


def test_types_and_fields_are_in_the_order_of_names():
    lines = sdl(graphs.shop()).splitlines()
    inputs = [line.split()[1] for line in lines if line.startswith("input ")]
    assert inputs == sorted(inputs)
    assert lines.index("type Address {") < lines.index("type Category {")
