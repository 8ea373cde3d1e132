"""Whatever is written in a file of joins or in a lookup: edges, or problems that say where."""

from __future__ import annotations

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.graphql.joins import LookupOptions, Place, edges
from gateway.schema.problem import SchemaError
from tests.fronts.graphql.graphs import ROOT, graph_of, shop_registry

SDL = (
    (ROOT / "schema" / "joins.graphql").read_text()
    + """
extend type Query {
  invoice(id: ID!, lang: String): DateTime
    @call(method: "shop.orders.v1.OrderService/GetInvoice", with: {order_id: "$id"}, pick: "create_time")
}
extend type Order {
  checked(full: Boolean): Order
    @call(method: "shop.orders.v1.OrderService/GetOrder", with: {id: "id", user_id: "'u1'"})
}
"""
)
WORDS = sorted(
    set(SDL.split()) | {"{", "}", "(", ")", "[", "]", "!", '"', "$", "@", ":", "1", "null"}
)
METHODS = [m for name in shop_registry().services() for m in shop_registry().methods(name)]


@cache
def types():
    return graph_of(shop_registry()).types


def check(lookups, files):
    """Makes edges; of wrong ones each problem says where it is."""
    try:
        edges(types(), METHODS, shop_registry(), lookups=lookups, files=files)
    except SchemaError as error:
        for problem in error.problems:
            assert problem.where
            assert problem.message
            assert "\n" not in str(problem)


@given(st.data())
def test_files_with_words_replaced(data):
    words = SDL.split(" ")
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(words) - 1))
        words[place] = data.draw(st.sampled_from(WORDS) | st.just(""))
    check([], [("joins.graphql", " ".join(words))])


@given(st.integers(0, len(SDL)), st.integers(0, 30), st.text(max_size=5))
def test_files_with_letters_replaced(start, length, text):
    check([], [("joins.graphql", SDL[:start] + text + SDL[start + length :])])


NAMES = st.sampled_from(
    [
        "",
        "id",
        "ids",
        "product_ids",
        "products",
        "user_ids",
        "orders",
        "by_warehouse",
        "items.x",
        ".",
    ]
)


ENTRIES = st.builds(
    LookupOptions,
    method=st.sampled_from([method.name for method in METHODS]),
    type=st.sampled_from(["", "shop.orders.v1.Order", "shop.catalog.v1.Product", "x", "."]),
    keys=NAMES,
    items=NAMES,
    by=NAMES,
    max_batch=st.integers(-1, 2),
    mask=NAMES,
    place=st.just(Place("gateway.yaml", 3)),
)


@given(st.lists(ENTRIES, max_size=3))
def test_lookups_of_any_parts(entries):
    check(entries, [])
