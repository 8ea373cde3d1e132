"""What crosses between Python and the graph: stubs of one's own, parts, cancellation, defaults."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
import strawberry
from google.protobuf.message_factory import GetMessageClass
from graphql import get_introspection_query

from gateway.extensions import Extensions, Info, batch
from tests.fronts.graphql.execute.upstreams import ticks
from tests.fronts.graphql.extend.asking import API, PROTO, Asking
from tests.fronts.graphql.graphs import of_text

STUBS = of_text(PROTO)  # a pool of its own, as that of generated stubs is
extensions = Extensions()
ENDED = []


def stub(kind, **fields):
    return GetMessageClass(STUBS.message(f"test.v1.{kind}"))(**fields)


@extensions.generated
class Book:
    @batch
    @staticmethod
    async def score(parents: strawberry.Parent[list["Book"]]) -> list[int]:
        return [len(book.id) for book in parents]


@extensions.query
class Query:
    @strawberry.field
    def stubbed(self) -> Book:
        return stub("Book", id="s", title="Mine")

    @strawberry.field
    async def asked(self, info: Info) -> str:
        call = info.context.gateway.call
        by_stub = await call(f"{API}/GetBook", stub("BookId", id="x"))
        by_dict = await call(f"{API}/AddBook", {"draft": {"title": "T", "shelf": {"number": 2}}})
        return f"{by_stub.title}, {by_dict.title}"

    @strawberry.field
    async def forever(self) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ENDED.append(1)

    @strawberry.field
    def since(
        self,
        at: datetime = datetime(2024, 1, 1, tzinfo=UTC),
        span: timedelta = timedelta(hours=1),
    ) -> datetime:
        return at + span

    @strawberry.field
    async def nowhere(self, info: Info) -> str | None:
        return await info.context.gateway.call(f"{API}/GetBok")

    @strawberry.field
    async def not_unary(self, info: Info) -> str | None:
        return await info.context.gateway.call(f"{API}/WatchBooks")


@pytest.fixture(scope="module")
def asking():
    return Asking(extensions)


async def test_messages_of_other_pools_cross_as_bytes(asking):
    assert await asking.data("{ stubbed { title score } asked }") == {
        "stubbed": {"title": "Mine", "score": 1},
        "asked": "Title of x, T",
    }


async def test_a_deferred_batch_comes_in_a_part(asking):
    parts = []

    async def emit(data, _more):
        parts.append(json.loads(data))

    text = "{ listBooks(limit: 2) { books { id ... @defer { score } } } }"
    prepared = asking.prepare(text)
    assert prepared.incremental
    await asking.engine.run_incremental(prepared, emit)
    first, second = parts
    assert first["data"] == {"listBooks": {"books": [{"id": "b0"}, {"id": "b1"}]}}
    assert [each["data"] for each in second["incremental"]] == [{"score": 2}, {"score": 2}]


async def test_resolvers_end_with_the_request(asking):
    ENDED.clear()
    responses = []
    cancel = asking.engine.run(asking.prepare("{ forever }"), responses.append)
    await ticks()
    cancel()
    await ticks()
    assert (ENDED, responses) == ([1], [])


@pytest.mark.parametrize("field", ["nowhere", "notUnary"])
async def test_a_call_of_what_is_no_unary_method_is_a_bug(asking, field, caplog):
    data, (error,) = await asking.errors(f"{{ {field} }}")
    assert data == {field: None}
    assert error[1] == "INTERNAL"
    assert f"{API}/" in caplog.text


async def test_a_default_is_pythons_and_is_shown(asking):
    assert await asking.data("{ since }") == {"since": "2024-01-01T01:00:00Z"}
    data = await asking.data(get_introspection_query())
    (query,) = [each for each in data["__schema"]["types"] if each["name"] == "Query"]
    (since,) = [each for each in query["fields"] if each["name"] == "since"]
    assert [each["defaultValue"] for each in since["args"]] == ['"2024-01-01T00:00:00Z"', '"3600s"']
