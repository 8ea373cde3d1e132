"""Edges of a small API, in which every shape of lookup and of mistake has its RPC."""

from __future__ import annotations

from functools import cache

from gateway.fronts.graphql.graph.build import Graph
from gateway.fronts.graphql.graph.sources import source_of
from gateway.fronts.graphql.joins import Edges, LookupOptions, Place, edges
from gateway.schema.problem import Problem, SchemaError
from gateway.schema.registry import Registry
from tests.fronts.graphql.graphs import graph_of, of_text

FILE = "joins.graphql"
API = "test.v1.Api"

PROTO = """
message Thing {
  string id = 1;
  string owner_id = 2;
  repeated string part_ids = 3;
  int32 small = 4;
  int64 big = 5;
  uint64 huge = 6;
  Maker maker = 7;
  google.protobuf.StringValue editor_id = 8;
  bool flag = 9;
  map<string, string> labels = 10;
  Color color = 11;
  repeated Maker makers = 12;
  google.protobuf.Timestamp time = 13;
}
message Maker { string user_id = 1; }
message User { string id = 1; string name = 2; int64 number = 3; repeated string teams = 4; }
message Part { string id = 1; string code = 2; }
message Stock { string part_id = 1; int64 pieces = 2; }
message Lonely { string id = 1; }
enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; }

message Keys { repeated string ids = 1; int32 limit = 2; Color color = 3; Page page = 4; }
message Page { int32 size = 1; string token = 2; repeated string sort = 3; }
message Users { repeated User users = 1; string next = 2; }
message UserMap { map<string, User> users = 1; }
message UserId { string id = 1; }
message Numbers { repeated int32 numbers = 1; }
message BigNumbers { repeated int64 numbers = 1; }
message TwoKeys { repeated string ids = 1; repeated string names = 2; }
message TwoLists { repeated User users = 1; repeated User guests = 2; }
message Parts { repeated Part parts = 1; }
message PartIds { repeated string ids = 1; google.protobuf.FieldMask read_mask = 2; }
message Stocks { repeated Stock stocks = 1; }
message OwnerIds { repeated string owner_ids = 1; int32 limit = 2; }
message Things { repeated Thing things = 1; }
message Search {
  string text = 1 [(google.api.field_behavior) = REQUIRED];
  Page page = 2;
  Color color = 3;
  bool deep = 4;
  double weight = 5;
  uint64 least = 6;
  bytes cursor = 7;
  int64 most = 8;
  repeated Color colors = 9;
}
message Found { repeated User users = 1; int32 total = 2; User best = 3; }
message Tenant {
  repeated string ids = 1;
  string tenant = 2 [(google.api.field_behavior) = REQUIRED];
}
message LonelyIds { repeated string ids = 1; }
message Lonelies { repeated Lonely lonelies = 1; }

service Api {
  rpc GetThing(UserId) returns (Thing) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc BatchGetUsers(Keys) returns (Users) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc MapUsers(Keys) returns (UserMap) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc GetUser(UserId) returns (User) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc UsersOfNumbers(Numbers) returns (Users) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc UsersOfBigNumbers(BigNumbers) returns (Users) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc UsersOfTwoKeys(TwoKeys) returns (Users) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc TwoListsOfUsers(Keys) returns (TwoLists) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc UsersOfTenant(Tenant) returns (Users) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc BatchGetParts(PartIds) returns (Parts) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (gateway.v1.method).lookups = {
      type: "test.v1.Part" keys: "ids" items: "parts" by: "id" max_batch: 50
    };
  }
  rpc BatchGetStock(Keys) returns (Stocks) { option (google.api.http) = {get: "/stock"}; }
  rpc ListThingsByOwners(OwnerIds) returns (Things) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  rpc FindUsers(Search) returns (Found) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc BatchGetLonely(LonelyIds) returns (Lonelies) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc ChangeUser(UserId) returns (User);
  rpc ChangeUsers(Keys) returns (Users);
  rpc WatchUser(UserId) returns (stream User) { option idempotency_level = NO_SIDE_EFFECTS; }
}
"""

USERS = LookupOptions(
    f"{API}/BatchGetUsers",
    "test.v1.User",
    "ids",
    "users",
    "id",
    max_batch=100,
    place=Place("gateway.yaml", 7),
)


@cache
def registry() -> Registry:
    """Returns the descriptors of the API."""
    return of_text(PROTO)


def joined(sdl: str, *lookups: LookupOptions, of: Registry | None = None) -> tuple[Graph, Edges]:
    """Builds the API's graph with the edges of one file.

    Raises:
        SchemaError: As `edges` does.
    """
    api = of or registry()
    methods = [method for service in api.services() for method in api.methods(service)]
    made: list[Edges] = []

    def make(types):
        made.append(edges(types, methods, api, lookups=lookups, files=[(FILE, sdl)]))
        return made[0].fields

    return graph_of(api, edges=make), made[0]


def field(line: str, *lookups: LookupOptions, on: str = "Thing"):
    """Returns the field that a line of SDL adds to a type."""
    _, made = joined(f"extend type {on} {{ {line} }}", *lookups)
    (found,) = made.fields[on].values()
    return found


def source(line: str, *lookups: LookupOptions, on: str = "Thing"):
    """Returns the source of the field that a line of SDL adds to a type."""
    return source_of(field(line, *lookups, on=on))


def problems(sdl: str, *lookups: LookupOptions, of: Registry | None = None) -> list[Problem]:
    """Returns all that is wrong with a file."""
    try:
        joined(sdl, *lookups, of=of)
    except SchemaError as error:
        return list(error.problems)
    return []


def problem(line: str, *lookups: LookupOptions, on: str = "Thing") -> Problem:
    """Returns the one thing that is wrong with a line of SDL on line 2 of a file."""
    (found,) = problems(f"extend type {on} {{\n{line}\n}}", *lookups)
    return found


def names(path) -> str:
    """Returns a path of fields as it is written."""
    return ".".join(each.name for each in path)
