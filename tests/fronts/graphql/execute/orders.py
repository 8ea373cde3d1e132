"""A small API with every shape of join, its edges, and a backend with random things in it."""

import random
from functools import cache

from google.protobuf.message_factory import GetMessageClass

from gateway.call import Code
from gateway.fronts.graphql.joins import LookupOptions, edges
from tests.fronts.graphql.execute.messages import message_of
from tests.fronts.graphql.execute.upstreams import Backend, Bench, failure
from tests.fronts.graphql.graphs import graph_of, of_text

API = "test.v1.Api"
PROTO = """
message Order {
  string id = 1;
  string user_id = 2;
  repeated Item items = 3;
  optional string coupon_id = 4;
  double score = 5;
  map<string, Item> by_shelf = 6;
}
message Item {
  string product_id = 1;
  int32 quantity = 2;
  oneof source {
    option (gateway.v1.oneof).union = true;
    Shelf shelf = 3;
    string supplier_id = 4;
  }
}
message Shelf { string product_id = 1; }
message Product {
  string id = 1;
  string title = 2;
  int64 maker_number = 3;
  repeated string related_ids = 4;
  double score = 5;
  Color color = 6;
  Naming naming = 7;
  double weight = 8;
}
message Naming { string category_id = 1; }
message User { string id = 1; string name = 2; double score = 3; }
message Maker { int64 number = 1; string name = 2; }
message Category { string id = 1; string name = 2; string parent_id = 3; }
message Quote { double price = 1; google.protobuf.StringValue currency = 2; Product product = 3; }
enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; }

message Orders { repeated Order orders = 1; }
message Ids { repeated string ids = 1; string language = 2; int32 limit = 3; }
message Id { string id = 1; }
message Products { repeated Product products = 1; }
message Users { map<string, User> users = 1; }
message Numbers { repeated int64 numbers = 1; }
message Makers { Page page = 1; }
message Page { repeated Maker makers = 1; }
message OrdersOf { repeated string user_ids = 1; int32 limit = 2; }
message QuoteFor { Wanted wanted = 1; string currency = 2; double weight = 3; }
message Wanted { string product_id = 1; int32 quantity = 2; }

service Api {
  rpc ListOrders(Id) returns (Orders) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc GetOrder(Id) returns (Order) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc ChangeOrder(Id) returns (Order);
  rpc BatchGetProducts(Ids) returns (Products) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc MapUsers(Ids) returns (Users) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc BatchGetMakers(Numbers) returns (Makers) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc ListOrdersByUsers(OrdersOf) returns (Orders) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc GetCategory(Id) returns (Category) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc GetQuote(QuoteFor) returns (Quote) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc WatchOrders(Id) returns (stream Order) { option idempotency_level = NO_SIDE_EFFECTS; }
}
"""

JOINS = """
extend type Item {
  product(language: String): Product @join(by: "product_id")
  quote(currency: String = "EUR"): Quote @call(
    method: "test.v1.Api/GetQuote"
    with: {wanted: {product_id: "product_id", quantity: "quantity"}, currency: "$currency"}
  )
  price: Float @call(
    method: "test.v1.Api/GetQuote", with: {wanted: {product_id: "product_id"}}, pick: "price"
  )
}
extend type Shelf { product: Product @join(by: "product_id") }
extend type Order {
  user: User @join(by: "user_id", method: "test.v1.Api/MapUsers")
  coupon: Product @join(by: "coupon_id")
}
extend type Product {
  maker: Maker @join(by: "maker_number")
  related(language: String = "en"): [Product] @join(by: "related_ids")
  category: Category @join(by: "naming.category_id")
  weighed: Quote @call(method: "test.v1.Api/GetQuote", with: {weight: "weight"})
}
extend type Category { parent: Category @join(by: "parent_id") }
extend type User {
  orders(limit: Int = 20): [Order!] @join(
    method: "test.v1.Api/ListOrdersByUsers", keys: {user_ids: "id"}, by: "user_id", many: true
  )
}
"""


def lookups(max_batch=0):
    """What the RPCs can find."""
    return [
        LookupOptions(
            f"{API}/BatchGetProducts", "test.v1.Product", "ids", "products", "id", max_batch
        ),
        LookupOptions(f"{API}/MapUsers", "test.v1.User", "ids", "users", "", max_batch),
        LookupOptions(
            f"{API}/BatchGetMakers", "test.v1.Maker", "numbers", "page.makers", "number", max_batch
        ),
        LookupOptions(
            f"{API}/ListOrdersByUsers", "test.v1.Order", "user_ids", "orders", "user_id", max_batch
        ),
        LookupOptions(f"{API}/GetCategory", "test.v1.Category", "id"),
    ]


@cache
def registry():
    return of_text(PROTO)


@cache
def graph(max_batch=0):
    """The graph of the API with its edges."""
    methods = [m for service in registry().services() for m in registry().methods(service)]

    def make(types):
        found = edges(
            types, methods, registry(), lookups=lookups(max_batch), files=[("joins", JOINS)]
        )
        return found.fields

    return graph_of(registry(), edges=make)


def new(name, /, **fields):
    """Makes a message of the API."""
    cls = GetMessageClass(registry().pool.FindMessageTypeByName(f"test.v1.{name}"))
    return cls(**fields)


def bench(answers, *, max_batch=0, at_once=True, **backend):
    """An engine over the API; of methods by their short names."""
    full = {f"{API}/{name}": answer for name, answer in answers.items()}
    return Bench(graph(max_batch).schema, Backend(registry(), full, at_once=at_once, **backend))


_IDS = ("a", "b", "c", "d")


class World:
    """Random things, found by RPCs that leave out, repeat and reorder what they answer."""

    def __init__(self, seed, wrong, failing=()):
        self.chance = random.Random(seed)
        self.wrong = wrong
        self.failing = failing
        self.products = [self.product(each) for each in self.some(_IDS)]
        self.users = {each: self.made("User", id=each) for each in self.some(_IDS)}
        self.makers = [self.made("Maker", number=each) for each in self.some((1, 2, 2**60))]
        self.categories = {
            each: self.made("Category", id=each, parent_id=self.id()) for each in self.some(_IDS)
        }
        self.orders = [self.order(each) for each in self.some(range(6))]

    def some(self, values):
        found = [each for each in values if self.chance.random() < 0.8]
        found += [each for each in found if self.chance.random() < 0.2]
        self.chance.shuffle(found)
        return found

    def id(self):
        return self.chance.choice((*_IDS, ""))

    def made(self, name, /, **fields):
        descriptor = registry().pool.FindMessageTypeByName(f"test.v1.{name}")
        message = message_of(descriptor, self.chance.random(), self.wrong, depth=0)
        message.MergeFrom(new(name, **fields))
        return message

    def product(self, id_):
        product = self.made("Product", id=id_, maker_number=self.chance.choice((1, 2, 2**60)))
        del product.related_ids[:]
        product.related_ids.extend(self.id() for _ in range(self.chance.randrange(4)))
        if self.chance.random() < 0.7:
            product.naming.category_id = self.id()
        return product

    def item(self):
        item = new("Item", product_id=self.id(), quantity=self.chance.randrange(2))
        match self.chance.randrange(3):
            case 0:
                item.shelf.product_id = self.id()
            case 1:
                item.supplier_id = "s"
        return item

    def order(self, number):
        order = self.made("Order", id=f"o{number}", user_id=self.chance.choice(_IDS))
        order.items.extend(self.item() for _ in range(self.chance.randrange(4)))
        for shelf in self.some(("x", "y")):
            order.by_shelf[shelf].CopyFrom(self.item())
        order.ClearField("coupon_id")
        if self.chance.random() < 0.5:
            order.coupon_id = self.id()
        return order

    def answers(self):
        """The methods by their full names."""
        found = {
            "ListOrders": lambda _: new("Orders", orders=self.orders),
            "GetOrder": self._order,
            "ChangeOrder": self._order,
            "BatchGetProducts": lambda r: new(
                "Products", products=[each for each in self.products if each.id in r.ids]
            ),
            "MapUsers": lambda r: new(
                "Users", users={key: each for key, each in self.users.items() if key in r.ids}
            ),
            "BatchGetMakers": lambda r: new(
                "Makers", page=new("Page", makers=[m for m in self.makers if m.number in r.numbers])
            ),
            "ListOrdersByUsers": self._orders,
            "GetCategory": lambda r: self.categories.get(r.id) or failure(Code.NOT_FOUND),
            "GetQuote": self._quote,
        }
        broken = {name: lambda _: failure() for name in self.failing}
        return {f"{API}/{name}": answer for name, answer in {**found, **broken}.items()}

    def _order(self, _request):
        return self.orders[0] if self.orders else failure(Code.NOT_FOUND)

    def _orders(self, request):
        found = []
        for user in request.user_ids:
            of_user = [each for each in self.orders if each.user_id == user]
            found += of_user[: request.limit or 20] if request.limit >= 0 else []
        return new("Orders", orders=found)

    def _quote(self, request):
        wanted = request.wanted
        if wanted.product_id == "d":
            return failure(Code.INVALID_ARGUMENT)
        quote = new("Quote", price=wanted.quantity * 1.5, product=self.item_product(wanted))
        if request.currency:
            quote.currency.value = request.currency
        return quote

    def item_product(self, wanted):
        return next((each for each in self.products if each.id == wanted.product_id), None)
