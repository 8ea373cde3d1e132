"""A small catalog with fields that need scopes, in every place where a field can be."""

from functools import cache

from google.protobuf.message_factory import GetMessageClass

from gateway.call import Principal
from gateway.fronts.graphql.document import Documents
from gateway.fronts.graphql.engine import Admission, Engine
from gateway.fronts.graphql.graph.build import Graph
from gateway.fronts.graphql.graph.options import FieldOptions, GraphOptions
from gateway.fronts.graphql.joins import edges
from tests.fronts.graphql.execute.upstreams import WIDE, Backend, Bench
from tests.fronts.graphql.graphs import graph_of, of_text

API = "test.v1.Catalog"

PROTO = """
message Money { string amount = 1; }
message Parcel { string carrier = 1; }
message Pickup { string shop = 1; }
message Product {
  string id = 1;
  string title = 2;
  Money cost = 3 [(gateway.v1.field).scopes = "cost"];
  string supplier_id = 4 [(gateway.v1.field).scopes = "supply"];
  repeated string notes = 5 [(gateway.v1.field) = {scopes: ["notes", "cost"]}];
  oneof delivery {
    option (gateway.v1.oneof).union = true;
    Parcel parcel = 6;
    Pickup pickup = 7 [(gateway.v1.field).scopes = "supply"];
    string code = 8 [(gateway.v1.field).scopes = "supply"];
  }
  google.protobuf.Any extra = 9;
  map<string, Money> prices = 10 [(gateway.v1.field).scopes = "cost"];
  string maker_id = 11;
  repeated google.protobuf.Any extras = 12;
  string plain = 13;
}
message Box {
  Product product = 1;
  map<string, Product> by_name = 2;
  google.protobuf.Any inner = 3;
  repeated Product all = 4;
  string label = 5;
}
message Supplier { string id = 1; string name = 2; }
message Maker { string code = 1 [(gateway.v1.field).scopes = "supply"]; string name = 2; }

message Id { string id = 1; }
message Ids { repeated string ids = 1; google.protobuf.FieldMask read_mask = 2; }
message Products { repeated Product products = 1; }
message Suppliers { repeated Supplier suppliers = 1; }
message Makers { repeated Maker makers = 1; }
message Search {
  string text = 1;
  string supplier_id = 2 [(gateway.v1.field).scopes = "supply"];
  Range range = 3;
  repeated Range ranges = 4;
}
message Range { int32 least = 1; int32 cost = 2 [(gateway.v1.field).scopes = "cost"]; }

service Catalog {
  rpc GetProduct(Id) returns (Product) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc ListProducts(Search) returns (Products) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc BatchGetProducts(Ids) returns (Products) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (gateway.v1.method).lookups = {
      type: "test.v1.Product" keys: "ids" items: "products" by: "id" mask: "read_mask"
    };
  }
  rpc BatchGetSuppliers(Ids) returns (Suppliers) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (gateway.v1.method).lookups = {
      type: "test.v1.Supplier" keys: "ids" items: "suppliers" by: "id"
    };
  }
  rpc BatchGetMakers(Ids) returns (Makers) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (gateway.v1.method).lookups = {
      type: "test.v1.Maker" keys: "ids" items: "makers" by: "code"
    };
  }
  rpc PutProduct(Product) returns (Product);
  rpc WatchProducts(Id) returns (stream Product);
}
"""

JOINS = """
extend type Product {
  supplier: Supplier @join(by: "supplier_id")
  maker: Maker @join(by: "maker_id")
  again: Product @join(by: "id")
  ofSupplier: Product @call(method: "test.v1.Catalog/GetProduct", with: {id: "supplier_id"})
  costAgain: Money @call(method: "test.v1.Catalog/GetProduct", with: {id: "id"}, pick: "cost")
}
extend type Query {
  costOf(id: String!): Money
    @call(method: "test.v1.Catalog/GetProduct", with: {id: "$id"}, pick: "cost")
}
extend type Mutation {
  putAndTell(id: String!): Money
    @call(method: "test.v1.Catalog/PutProduct", with: {id: "$id"}, pick: "cost")
}
extend type Subscription {
  watchCost(id: String!): Money
    @call(method: "test.v1.Catalog/WatchProducts", with: {id: "$id"}, pick: "cost")
}
"""


@cache
def registry():
    return of_text(PROTO)


@cache
def graph() -> Graph:
    options = GraphOptions(fields={"test.v1.Product.plain": FieldOptions(scopes=("extra",))})

    def joined(types):
        methods = [m for name in registry().services() for m in registry().methods(name)]
        return edges(types, methods, registry(), files=[("joins.graphql", JOINS)]).fields

    return graph_of(registry(), options, edges=joined)


def new(name, /, **fields):
    return GetMessageClass(registry().message(f"test.v1.{name}"))(**fields)


def packed(message):
    """Returns an Any with a message in it."""
    any_ = GetMessageClass(registry().message("google.protobuf.Any"))
    name = f"type.googleapis.com/{message.DESCRIPTOR.full_name}"
    return any_(type_url=name, value=message.SerializeToString())


def product(id_="p", **more):
    given = {
        "cost": new("Money", amount="9.99"),
        "supplier_id": "s-secret",
        "notes": ["n-secret"],
        "prices": {"eur": new("Money", amount="1-secret")},
        "maker_id": "m1",
        "plain": "plain-secret",
    }
    return new("Product", id=id_, title=f"T{id_}", **{**given, **more})


ANSWERS = {
    "GetProduct": lambda r: product(r.id or "p"),
    "ListProducts": lambda _: new("Products", products=[product(f"p{n}") for n in range(3)]),
    "BatchGetProducts": lambda r: new("Products", products=[product(i) for i in r.ids]),
    "BatchGetSuppliers": lambda r: new(
        "Suppliers", suppliers=[new("Supplier", id=i, name=f"N{i}") for i in r.ids]
    ),
    "BatchGetMakers": lambda r: new(
        "Makers", makers=[new("Maker", code=i, name=f"N{i}") for i in r.ids]
    ),
    "PutProduct": lambda r: r,
}


class Whoever:
    """The gate that says who asks: whoever the test says."""

    def __init__(self):
        self.principal = None
        self.asked = 0

    def admit(self, call):
        self.asked += 1
        call.principal = self.principal


class CatalogBench(Bench):
    """An engine over the catalog, for callers with some scopes.

    Attributes:
        gate: Who says who asks.
        scopes: The caller's; None is a caller whom nobody knows.
    """

    scopes = None

    def __post_init__(self):
        self.gate = Whoever()
        self.documents = Documents(self.schema, WIDE)
        self.engine = self.engine_of(soon=self.turns.soon)

    def engine_of(self, **more):
        return Engine(
            self.schema,
            self.backend.methods(),
            self.documents,
            scopes=graph().types.scopes,
            admission=Admission(None, self.gate),
            **more,
        )

    def prepare(self, query, variables=None, name=None):
        prepared = super().prepare(query, variables, name)
        if prepared.gate is None:
            return prepared
        principal = None
        if self.scopes is not None:
            principal = Principal("ada", "customers", frozenset(self.scopes))
        return self.engine.known(prepared, principal)


def bench(scopes=None, answers=None, streams=None):
    """Returns a bench for a caller with these scopes; None is a caller whom nobody knows."""
    merged = {f"{API}/{name}": each for name, each in {**ANSWERS, **(answers or {})}.items()}
    named = {f"{API}/{name}": each for name, each in (streams or {}).items()}
    found = CatalogBench(graph().schema, Backend(registry(), merged, streams=named))
    found.scopes = scopes
    return found
