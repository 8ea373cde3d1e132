"""The example's joins: `schema/joins.graphql` over the shop's protos."""

from __future__ import annotations

from functools import cache

import pytest
from graphql import validate_schema

from gateway.fronts.graphql.graph.build import Graph
from gateway.fronts.graphql.graph.sources import Join, source_of
from gateway.fronts.graphql.joins import Edges, edges
from tests.fronts.graphql.graphs import ROOT, graph_of, shop_registry
from tests.fronts.graphql.joins.joining import names

FILE = ROOT / "schema" / "joins.graphql"


@cache
def shop() -> tuple[Graph, Edges]:
    registry = shop_registry()
    methods = [method for service in registry.services() for method in registry.methods(service)]
    made: list[Edges] = []

    def make(types):
        files = [("schema/joins.graphql", FILE.read_text())]
        made.append(edges(types, methods, registry, files=files))
        return made[0].fields

    return graph_of(registry, edges=make), made[0]


JOINS = {
    "Order.user": ("user_id", "BatchGetUsers", "ids", "id", "User"),
    "OrderItem.product": ("product_id", "BatchGetProducts", "ids", "id", "Product"),
    "Product.stock": ("id", "BatchGetStock", "product_ids", "product_id", "Stock"),
    "Product.reviews": ("id", "ListReviewsByProducts", "product_ids", "product_id", "[Review!]"),
    "Product.reviewSummary": (
        "id",
        "BatchGetReviewSummaries",
        "product_ids",
        "product_id",
        "ReviewSummary",
    ),
    "Product.related": ("related_ids", "BatchGetProducts", "ids", "id", "[Product]"),
    "Review.author": ("user_id", "BatchGetUsers", "ids", "id", "User"),
    "Review.product": ("product_id", "BatchGetProducts", "ids", "id", "Product"),
    "Comment.author": ("user_id", "BatchGetUsers", "ids", "id", "User"),
    "User.orders": ("id", "ListOrdersByUsers", "user_ids", "user_id", "[Order!]"),
}


def test_these_are_all():
    _, made = shop()
    assert {f"{type_}.{name}" for type_, fields in made.fields.items() for name in fields} == {
        *JOINS
    }


@pytest.mark.parametrize("edge", JOINS)
def test_join(edge):
    graph, _ = shop()
    type_, _, name = edge.partition(".")
    made = graph.schema.type_map[type_].fields[name]
    found = source_of(made)
    assert isinstance(found, Join)
    lookup = found.lookup
    assert JOINS[edge] == (
        names(found.key),
        lookup.method.name.partition("/")[2],
        lookup.keys.name,
        names(lookup.by),
        str(made.type),
    )
    assert lookup.batches
    assert lookup.max_batch == 100  # what the backends take
    assert lookup.source.partition(":")[0].endswith(".proto")
    assert made.description


def test_no_join_calls_once_for_each_parent():
    assert shop()[1].warnings == ()


def test_the_graph_is_valid_and_no_join_is_in_vain():
    graph, _ = shop()
    assert validate_schema(graph.schema) == []
    assert not [each for each in graph.warnings if "join" in each]
