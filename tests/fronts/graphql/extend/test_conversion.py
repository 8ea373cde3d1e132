"""What is wrong with extensions is told at start-up, all at once, with module, class and field."""

from typing import Any

import pytest
import strawberry
from graphql import print_schema

from gateway.extensions import Extensions, batch
from gateway.fronts.graphql.graph.sources import source_of
from gateway.schema.problem import SchemaError
from tests.fronts.graphql.extend.asking import build

BOOK = "module0:extensions, class Book"
NO_PARENTS = "a batch takes its parents in a parameter (parents: strawberry.Parent[list[Product]])"
NO_RESOLVER = (
    "extra has no resolver, and the message has no such field "
    "(an annotation without strawberry.field is for type checkers only)"
)
NO_OBJECT = "DraftInput can't have more fields: it is no object of a message"


def problems(*extensions):
    with pytest.raises(SchemaError) as caught:
        build(*extensions)
    return [str(each) for each in caught.value.problems]


def unknown_type():
    extensions = Extensions()

    @extensions.generated
    class Bok: ...

    return extensions, [
        "module0:extensions, class Bok: the graph has no type Bok (did you mean Book?)"
    ]


def a_field_twice():
    extensions = Extensions()

    @extensions.generated
    class Book:
        @strawberry.field
        def title(self) -> str:
            return ""

        @strawberry.field
        def author(self) -> str:
            return ""

    return extensions, [
        "module0:extensions, class Book: Book has a field author already",
        "module0:extensions, class Book: Book has a field title already",
    ]


def a_root_field_twice():
    extensions = Extensions()

    @extensions.query
    class Query:
        @strawberry.field
        def get_book(self) -> str:
            return ""

    return extensions, ["module0:extensions, class Query: Query has a field getBook already"]


def a_type_twice():
    extensions = Extensions()

    @strawberry.type
    class Author:
        x: int

    @extensions.query
    class Query:
        @strawberry.field
        def writer(self) -> Author:
            return Author(x=1)

    return extensions, [f"{__name__}, class Author: the graph has a type Author already"]


def types_that_are_none():
    extensions = Extensions()

    @extensions.query
    class Query:
        @strawberry.field
        def one(self) -> Any:
            return None

        @strawberry.field
        def two(self, x: object) -> int:
            return 1

        @strawberry.field
        def fine(self) -> int:
            return 1

    return extensions, [
        "module0:extensions, class Query, one: Unexpected type 'typing.Any'",
        "module0:extensions, class Query, two: Unexpected type '<class 'object'>'",
    ]


def a_batch_of_no_list():
    extensions = Extensions()

    @extensions.generated
    class Book:
        @batch
        def score(self, parents: strawberry.Parent[list["Book"]]) -> int:
            return 1

        @batch
        def other(self) -> list[int]:
            return []

    return extensions, [
        f"{BOOK}, other: {NO_PARENTS}",
        f"{BOOK}, score: a batch returns a list, with the value of each parent (-> list[Int])",
    ]


def a_field_without_a_resolver():
    extensions = Extensions()

    @extensions.generated
    class Book:
        extra: int = strawberry.field()

    return extensions, [
        f"{BOOK}: {NO_RESOLVER}",
    ]


def fields_of_an_input():
    extensions = Extensions()

    @extensions.generated
    class DraftInput:
        @strawberry.field
        def extra(self) -> int:
            return 1

    return extensions, [
        f"module0:extensions, class DraftInput: {NO_OBJECT}",
    ]


CASES = [
    unknown_type,
    a_field_twice,
    a_root_field_twice,
    a_type_twice,
    types_that_are_none,
    a_batch_of_no_list,
    a_field_without_a_resolver,
    fields_of_an_input,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__.replace("_", " "))
def test_what_is_wrong(case):
    extensions, told = case()
    assert problems(extensions) == told


def test_all_of_it_is_told_at_once():
    first, told = unknown_type()
    second, more = fields_of_an_input()
    found = problems(first, second)
    assert found == [*told, *[each.replace("module0", "module1") for each in more]]


def test_two_extensions_declare_one_field():
    def one():
        extensions = Extensions()

        @extensions.query
        class Query:
            @strawberry.field
            def twice(self) -> int:
                return 1

        return extensions

    (told,) = problems(one(), one())
    where = "module0:extensions, class Query"
    assert told == f"module1:extensions, class Query: Query.twice is declared in {where} too"


def test_the_schema_shows_extensions_like_anything_else():
    extensions = Extensions()

    @extensions.generated(name="Book")
    class Volume:
        @batch(description="How good it is.")
        def score(
            self, parents: strawberry.Parent[list["Volume"]], digits: int = 1
        ) -> list[float | None]:
            return []

    @extensions.mutation
    class Changes:
        @strawberry.mutation(deprecation_reason="Old.")
        def rename(self, to: str) -> Volume | None:
            return None

    schema = build(extensions).schema
    printed = print_schema(schema)
    assert '  """How good it is."""\n  score(digits: Int! = 1): Float\n' in printed
    assert '  rename(to: String!): Book @deprecated(reason: "Old.")\n' in printed
    assert source_of(schema.type_map["Book"].fields["score"]) is None


def test_a_graph_can_be_built_again_of_the_same_extensions():
    extensions = Extensions()

    @extensions.generated
    class Book:
        @strawberry.field
        def shout(self) -> str:
            return "!"

    assert print_schema(build(extensions).schema) == print_schema(build(extensions).schema)
