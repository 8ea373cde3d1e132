"""A graph of a small API with extensions, an engine over it, and a backend that answers at once."""

import asyncio
import json
from functools import cache

from google.protobuf.message_factory import GetMessageClass

from gateway.fronts.graphql.document import Documents
from gateway.fronts.graphql.engine import Engine
from gateway.fronts.graphql.extend.client import Gateway, Services
from gateway.fronts.graphql.extend.context import Context
from gateway.fronts.graphql.extend.conversion import additions
from gateway.fronts.graphql.extend.modules import Loaded
from gateway.fronts.graphql.joins import LookupOptions, edges
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from tests.fronts.graphql.execute.upstreams import CALLER, WIDE, Backend
from tests.fronts.graphql.graphs import graph_of, of_text

API = "test.v1.Api"
PROTO = """
message Book {
  string id = 1;
  string title = 2;
  string author_id = 3;
  Color color = 4;
  google.protobuf.Timestamp time = 5;
  Shelf shelf = 6;
}
message Shelf { int32 number = 1; map<string, string> labels = 2; }
message Author { string id = 1; string name = 2; }
enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; }
message BookId { string id = 1; }
message Books { repeated Book books = 1; }
message Query { string text = 1; int32 limit = 2; }
message Ids { repeated string ids = 1; }
message Authors { repeated Author authors = 1; }
message Draft { string title = 1; Shelf shelf = 2; repeated string tags = 3; }
message DraftRequest { Draft draft = 1; }
message Nothing {}
service Api {
  rpc GetBook(BookId) returns (Book) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc ListBooks(Query) returns (Books) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc BatchGetAuthors(Ids) returns (Authors) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc AddBook(DraftRequest) returns (Book);
  rpc WatchBooks(Query) returns (stream Book);
}
"""
JOINS = 'extend type Book { author: Author @join(by: "author_id") }'


@cache
def registry():
    return of_text(PROTO)


def made(name, /, **fields):
    """A message of the graph's own types."""
    return GetMessageClass(registry().message(f"test.v1.{name}"))(**fields)


def build(*extensions):
    """The graph with its joins and extensions. Raises SchemaError."""
    loaded = [Loaded(f"module{index}:extensions", each) for index, each in enumerate(extensions)]
    methods = registry().methods(API)

    def joined(types):
        lookup = LookupOptions(f"{API}/BatchGetAuthors", "test.v1.Author", "ids", "authors", "id")
        files = [("joins.graphql", JOINS)]
        return edges(types, methods, registry(), lookups=[lookup], files=files).fields

    return graph_of(registry(), edges=joined, extensions=lambda types: additions(types, loaded))


def _books(request):
    count = request.limit or 3
    books = [
        made("Book", id=f"b{n}", title=f"Title {n}", author_id=f"a{n % 2}") for n in range(count)
    ]
    return made("Books", books=books)


ANSWERS = {
    f"{API}/GetBook": lambda r: made("Book", id=r.id, title=f"Title of {r.id}", author_id="a1"),
    f"{API}/ListBooks": _books,
    f"{API}/BatchGetAuthors": lambda r: made(
        "Authors", authors=[made("Author", id=i, name=f"Author {i}") for i in r.ids]
    ),
    f"{API}/AddBook": lambda r: made("Book", id="new", title=r.draft.title),
}


class Asking:
    """An engine over a graph with extensions."""

    def __init__(self, *extensions, answers=None, streams=None, caller=CALLER):
        self.graph = build(*extensions)
        self.backend = Backend(registry(), {**ANSWERS, **(answers or {})}, streams=streams or {})
        methods = self.backend.methods()
        services = Services(methods, registry())
        documents = Documents(self.graph.schema, WIDE)
        self.engine = Engine(
            self.graph.schema,
            methods,
            documents,
            context=lambda caller, heard: Context(Gateway(services, caller, heard)),
        )
        self.caller = caller

    def prepare(self, query, variables=None):
        return self.engine.prepare(GraphqlRequest(query, None, variables), self.caller)

    async def response(self, query, variables=None):
        future = asyncio.get_running_loop().create_future()
        self.engine.run(self.prepare(query, variables), future.set_result)
        return json.loads(await future)

    async def data(self, query, variables=None):
        response = await self.response(query, variables)
        assert "errors" not in response, response["errors"]
        return response["data"]

    async def errors(self, query, variables=None):
        """Data, and of each error the path, the code and the message."""
        response = await self.response(query, variables)
        told = [
            ("/".join(map(str, e["path"])), e["extensions"]["code"], e["message"])
            for e in response.get("errors", ())
        ]
        return response["data"], told
