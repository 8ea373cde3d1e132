"""Lookups that take a field mask are asked for what is selected, and no more."""

from functools import cache

import pytest
from google.protobuf.message_factory import GetMessageClass

from gateway.fronts.graphql.joins import LookupOptions, edges
from tests.fronts.graphql.execute.upstreams import Backend, Bench
from tests.fronts.graphql.graphs import graph_of, of_text

PROTO = """
message Order { string id = 1; string product_id = 2; }
message Product {
  string id = 1;
  string title = 2;
  Size size = 3;
  repeated Size sizes = 4;
  map<string, Size> by_name = 5;
  google.protobuf.Timestamp time = 6;
  Maker maker = 7;
  oneof origin {
    option (gateway.v1.oneof).union = true;
    Maker factory = 8;
    string workshop = 9;
  }
  google.protobuf.Struct more = 10;
}
message Size { int32 width = 1; Depth depth = 2; }
message Depth { int32 inner = 1; int32 outer = 2; }
message Maker { string id = 1; string name = 2; string HasField = 3; }
message Products { repeated Product products = 1; }
message Ids { repeated string ids = 1; google.protobuf.FieldMask mask = 2; string language = 3; }
message Id { string id = 1; }
service Api {
  rpc GetOrder(Id) returns (Order) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc BatchGetProducts(Ids) returns (Products) { option idempotency_level = NO_SIDE_EFFECTS; }
}
"""
JOINS = """
extend type Order { product(language: String): Product @join(by: "product_id") }
extend type Maker { product: Product @join(by: "id") }
"""


@cache
def registry():
    return of_text(PROTO)


def asked(selection):
    """The masks of the calls that a selection of a product comes to, by level."""
    found = registry()
    methods = [each for service in found.services() for each in found.methods(service)]
    lookup = LookupOptions(
        "test.v1.Api/BatchGetProducts", "test.v1.Product", "ids", "products", "id", 0, "mask"
    )

    def joined(types):
        return edges(types, methods, found, lookups=[lookup], files=[("joins", JOINS)]).fields

    def message(name, **fields):
        return GetMessageClass(found.message(f"test.v1.{name}"))(**fields)

    products = [message("Product", id=each, maker=message("Maker", id="m")) for each in ("p", "m")]
    backend = Backend(
        found,
        {
            "test.v1.Api/GetOrder": lambda _: message("Order", product_id="p"),
            "test.v1.Api/BatchGetProducts": lambda _: message("Products", products=products),
        },
    )
    response = Bench(graph_of(found, edges=joined).schema, backend).run(
        f"{{ getOrder {{ product {{ {selection} }} }} }}"
    )
    assert "errors" not in response
    return [list(each.request.mask.paths) for each in backend.asked[1:]]


@pytest.mark.parametrize(
    ("selection", "mask"),
    [
        ("title", ["id", "title"]),
        ("id", ["id"]),
        ("__typename", ["id"]),
        ("size { width }", ["id", "size.width"]),
        ("size { depth { outer } }", ["id", "size.depth.outer"]),
        ("size { __typename }", ["id", "size"]),
        ("sizes { width }", ["id", "sizes"]),
        ("byName { key }", ["by_name", "id"]),
        ("time more", ["id", "more", "time"]),
        ("origin { ... on Maker { name } }", ["factory.name", "id", "workshop"]),
        ("a: title b: title size { width } size { width }", ["id", "size.width", "title"]),
        ("... { title } ... @skip(if: true) { time }", ["id", "title"]),
    ],
    ids=[
        "a field, and the key",
        "the key alone",
        "nothing",
        "within a message",
        "deeper",
        "a message of which nothing is asked",
        "a list is sent whole",
        "a map is sent whole",
        "types of google.protobuf",
        "all cases of a union",
        "aliases and merged fields",
        "fragments, and what is skipped",
    ],
)
def test_the_mask_is_the_selection(selection, mask):
    assert asked(selection) == [mask]


def test_keys_of_joins_are_in_the_mask():
    assert asked("maker { product { title } }") == [["id", "maker.id"], ["id", "title"]]
