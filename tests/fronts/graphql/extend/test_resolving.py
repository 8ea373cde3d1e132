"""Fields that Python resolves: beside generated ones, of generated types, in batches."""

import asyncio
import enum
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from typing import Annotated

import pytest
import strawberry
from graphql import GraphQLError
from strawberry.permission import BasePermission

from gateway.call import Code
from gateway.extensions import Extensions, Info, Int64, batch
from gateway.fronts.graphql.errors import RequestError
from tests.fronts.graphql.execute.upstreams import failure
from tests.fronts.graphql.extend.asking import API, Asking, made

extensions = Extensions()


@extensions.generated
class Color: ...


@extensions.generated
class Author: ...


@extensions.generated
class Shelf: ...


@extensions.generated
class ShelfInput:
    number: int


@extensions.generated
class Book:
    id: str
    title: str

    @strawberry.field
    def shout(self, mark: str = "!") -> str:
        return self.title.upper() + mark

    @strawberry.field
    async def slowly(self, info: Info) -> str | None:
        await asyncio.sleep(0)
        return f"{self.id} by {info.field_name}"

    @strawberry.field
    def fails(self) -> str:
        raise GraphQLError("No.", extensions={"code": "WRONG"})

    @batch
    @staticmethod
    async def score(parents: strawberry.Parent[list["Book"]], factor: int = 1) -> list[int]:
        SEEN.append([book.id for book in parents])
        return [len(book.id) * factor for book in parents]

    @batch
    @staticmethod
    def odd(parents: strawberry.Parent[list["Book"]]) -> list[int | None]:
        return [None if n % 2 else ValueError("odd") for n, _ in enumerate(parents)]

    @batch
    @staticmethod
    def short(parents: strawberry.Parent[list["Book"]]) -> list[int | None]:
        return []


SEEN = []


class Denied(BasePermission):
    message = "Not for you."

    def has_permission(self, source, info, **kwargs):
        return False


@strawberry.enum
class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Cat(Named):
    lives: int


@strawberry.type
class Dog(Named):
    @strawberry.field
    async def reads(self, info: Info) -> list[Book]:
        return (await info.context.gateway.call(f"{API}/ListBooks", {"limit": 2})).books


extensions.include(Cat, Dog)
Pet = Annotated[Cat | Dog, strawberry.union("Pet")]


@strawberry.input
class Wish:
    word: str
    mood: Mood = Mood.GOOD
    since: datetime | None = None
    inner: "Wish | None" = None
    shelf: ShelfInput | None = None


@strawberry.type
class Pair:
    left: int
    right: str | None = None
    must: str | None = strawberry.field(resolver=lambda: None)


@extensions.query
class Query:
    @strawberry.field
    def hello(self, name: str = "you") -> str:
        return f"Hello {name}"

    @strawberry.field
    async def best(self, info: Info, limit: int = 2) -> list[Book]:
        reply = await info.context.gateway.call(f"{API}/ListBooks", {"limit": limit})
        return list(reply.books)

    @strawberry.field
    def from_dict(self) -> Book | None:
        return {"id": "d", "authorId": "a9", "shelf": {"number": 7}}

    @strawberry.field
    def wrong_message(self) -> Book | None:
        return made("Author")

    @strawberry.field
    async def missing(self, info: Info) -> Book | None:
        return await info.context.gateway.call(f"{API}/GetBook", {"id": "gone"})

    @strawberry.field
    def bug(self) -> str | None:
        raise RuntimeError("secret")

    @strawberry.field(permission_classes=[Denied])
    def private(self) -> str | None:
        return "x"

    @strawberry.field
    def pets(self) -> list[Pet]:
        return [Cat(name="Tom", lives=9), Dog(name="Rex")]

    @strawberry.field
    def names(self) -> list[Named]:
        return [Dog(name="Rex"), Cat(name="Tom", lives=9)]

    @strawberry.field
    def pair(self) -> Pair:
        return Pair(left=1)

    @strawberry.field
    def color(self) -> Color:
        return 1

    @strawberry.field
    def times(self, at: datetime, span: timedelta) -> list[datetime]:
        return [at, at + span]

    @strawberry.field
    def span(self) -> timedelta:
        return timedelta(seconds=1.5)

    @strawberry.field
    def big(self, n: Int64) -> Int64:
        return n + 1

    @strawberry.field
    def raw(self, data: bytes) -> bytes:
        return data + b"!"

    @strawberry.field
    def wish(self, wish: Wish) -> str:
        shelf = wish.shelf and (type(wish.shelf).DESCRIPTOR.full_name, wish.shelf.number)
        inner = wish.inner and wish.inner.word
        return f"{wish.word} {wish.mood} {inner} {wish.since} {shelf}"

    @strawberry.field
    def shelf(self, shelf: ShelfInput) -> Shelf:
        assert type(shelf).DESCRIPTOR.full_name == "test.v1.Shelf"
        return shelf

    @strawberry.field
    def asked(self, info: Info) -> str:
        path, keys = info.path, []
        while path:
            keys.append(path.key)
            path = path.prev
        (field,) = info.selected_fields
        return f"{keys} {field.name} {info.variable_values}"

    @strawberry.field
    def required(self) -> list[int | None]:
        return [1, ValueError("x"), None]

    @strawberry.field
    async def later(self) -> list[str]:
        async def one(n):
            await asyncio.sleep(0)
            return f"n{n}"

        return [one(1), "now", one(2)]


ORDER = []
PULLED = []


@extensions.mutation
class Mutation:
    @strawberry.mutation
    async def note(self, what: str) -> str:
        ORDER.append(f"begin {what}")
        await asyncio.sleep(0)
        ORDER.append(f"end {what}")
        return what


@extensions.subscription
class Subscription:
    @strawberry.subscription
    async def counted(self, to: int) -> AsyncGenerator[int, None]:
        try:
            for n in range(to):
                PULLED.append(n)
                yield n
            if to == 2:
                raise GraphQLError("Enough.")
        finally:
            PULLED.append("closed")

    @strawberry.subscription
    async def watched(self, info: Info) -> AsyncGenerator[Book, None]:
        async for book in info.context.gateway.stream(f"{API}/WatchBooks"):
            yield book


@pytest.fixture(scope="module")
def asking():
    return Asking(extensions)


QUERIES = {
    "a sync resolver with a default": (
        '{ hello a: hello(name: "me") }',
        {"hello": "Hello you", "a": "Hello me"},
    ),
    "generated fields stand beside": (
        '{ hello getBook(id: "b") { title } }',
        {"hello": "Hello you", "getBook": {"title": "Title of b"}},
    ),
    "messages are projected": (
        "{ best { id title } }",
        {"best": [{"id": "b0", "title": "Title 0"}, {"id": "b1", "title": "Title 1"}]},
    ),
    "a dict is a message": (
        "{ fromDict { id shelf { number } author { name } } }",
        {"fromDict": {"id": "d", "shelf": {"number": 7}, "author": {"name": "Author a9"}}},
    ),
    "more fields of a generated type": (
        '{ getBook(id: "b") { shout(mark: "?") slowly } }',
        {"getBook": {"shout": "TITLE OF B?", "slowly": "b by slowly"}},
    ),
    "a union": (
        "{ pets { __typename ... on Cat { lives } ... on Dog { reads { id } } } }",
        {
            "pets": [
                {"__typename": "Cat", "lives": 9},
                {"__typename": "Dog", "reads": [{"id": "b0"}, {"id": "b1"}]},
            ]
        },
    ),
    "an interface": (
        "{ names { name ... on Cat { lives } } }",
        {"names": [{"name": "Rex"}, {"name": "Tom", "lives": 9}]},
    ),
    "plain objects": (
        "{ pair { left right must } }",
        {"pair": {"left": 1, "right": None, "must": None}},
    ),
    "an enum of a proto": ("{ color }", {"color": "COLOR_RED"}),
    "times are Python's": (
        '{ times(at: "2024-01-31T12:00:00+01:00", span: "1.5s") span }',
        {"times": ["2024-01-31T11:00:00Z", "2024-01-31T11:00:01.500Z"], "span": "1.500s"},
    ),
    "64 bits are strings": ('{ big(n: "9007199254740992") }', {"big": "9007199254740993"}),
    "bytes are base64": ('{ raw(data: "YQ==") }', {"raw": "YSE="}),
    "inputs are converted by Strawberry": (
        '{ wish(wish: {word: "w", mood: BAD, inner: {word: "i"}, since: "2024-01-01T00:00:00Z", shelf: {number: 3}}) }',
        {"wish": "w Mood.BAD i 2024-01-01 00:00:00+00:00 ('test.v1.Shelf', 3)"},
    ),
    "an input that is a message": (
        "{ shelf(shelf: {number: 4}) { number } }",
        {"shelf": {"number": 4}},
    ),
    "what Info tells": (
        "query($v: Int) { x: asked @skip(if: false) y: hello best(limit: $v) { id } }",
        None,
    ),
    "items may be awaited": ("{ later }", {"later": ["n1", "now", "n2"]}),
    "a fragment that is deferred is part of the answer": (
        "{ pair { ... @defer { left } } }",
        {"pair": {"left": 1}},
    ),
}


@pytest.mark.parametrize("name", QUERIES)
async def test_a_query(asking, name):
    text, expected = QUERIES[name]
    data = await asking.data(text, {"v": 1} if "$v" in text else None)
    if expected is None:
        assert data["x"] == "['x'] asked {'v': 1}"
    else:
        assert data == expected


async def test_messages_that_python_returned_share_the_batches_of_joins(asking):
    asking.backend.asked.clear()
    data = await asking.data(
        "{ best(limit: 4) { author { name } } pets { ... on Dog { reads { author { name } } } } }"
    )
    assert [book["author"]["name"] for book in data["best"]] == ["Author a0", "Author a1"] * 2
    batches = [
        list(each.request.ids) for each in asking.backend.asked if each.name.endswith("Authors")
    ]
    assert sorted(map(sorted, batches)) in ([["a0", "a1"]], [["a0", "a1"], ["a0", "a1"]])


async def test_a_batch_has_all_parents_of_the_level(asking):
    SEEN.clear()
    data = await asking.data("{ listBooks(limit: 3) { books { score(factor: 10) } } }")
    assert data == {"listBooks": {"books": [{"score": 20}] * 3}}
    assert SEEN == [["b0", "b1", "b2"]]


FAILURES = {
    "an error of graphql": (
        '{ getBook(id: "b") { fails } }',
        {"getBook": None},
        [("getBook/fails", "WRONG", "No.")],
    ),
    "a call that failed": (
        "{ missing { id } hello }",
        {"missing": None, "hello": "Hello you"},
        [("missing", "NOT_FOUND", "It is away.")],
    ),
    "a bug is masked": (
        "{ bug }",
        {"bug": None},
        [("bug", "INTERNAL", "The field could not be resolved.")],
    ),
    "a permission": ("{ private }", {"private": None}, [("private", "INTERNAL", "Not for you.")]),
    "another message": (
        "{ wrongMessage { id } }",
        {"wrongMessage": None},
        [("wrongMessage", "INTERNAL", "The field could not be resolved.")],
    ),
    "an item that failed": (
        "{ required }",
        {"required": [1, None, None]},
        [("required/1", "INTERNAL", "The field could not be resolved.")],
    ),
    "one parent of a batch": (
        "{ best { odd } }",
        {"best": [{"odd": None}, {"odd": None}]},
        [("best/0/odd", "INTERNAL", "The field could not be resolved.")],
    ),
    "a batch of another length": (
        "{ best { short } }",
        {"best": [{"short": None}, {"short": None}]},
        [(f"best/{n}/short", "INTERNAL", "The field could not be resolved.") for n in range(2)],
    ),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure(name):
    asking = Asking(
        extensions,
        answers={
            f"{API}/GetBook": lambda r: (
                failure(Code.NOT_FOUND) if r.id == "gone" else made("Book", id=r.id)
            )
        },
    )
    text, data, told = FAILURES[name]
    assert await asking.errors(text) == (data, told)


async def test_a_bug_is_logged_once_for_a_batch(asking, caplog):
    await asking.errors("{ best { short } }")
    (record,) = caplog.records
    assert record.message == "Book.short failed in Python"


async def test_mutations_run_in_order(asking):
    ORDER.clear()
    await asking.data(
        'mutation { a: note(what: "a") addBook(draft: {title: "t"}) { id } b: note(what: "b") }'
    )
    assert ORDER == ["begin a", "end a", "begin b", "end b"]


async def test_calls_carry_the_caller(asking):
    asking.backend.asked.clear()
    await asking.data("{ best { id } }")
    (asked,) = asking.backend.asked
    assert asked.call == asking.caller.call(asked.call.method, asked.call.request)


async def subscribed(asking, query):
    events = []

    async def emit(data):
        events.append(data.decode())

    await asking.engine.subscribe(asking.prepare(query), emit)
    return events


async def test_a_subscription_takes_the_next_event_when_the_client_has_the_last(asking):
    PULLED.clear()
    held = asyncio.Event()

    async def emit(_data):
        await held.wait()

    task = asyncio.ensure_future(
        asking.engine.subscribe(asking.prepare("subscription { counted(to: 3) }"), emit)
    )
    for _ in range(10):
        await asyncio.sleep(0)
    assert PULLED == [0]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert PULLED == [0, "closed"]


async def test_a_subscription_of_python(asking):
    assert await subscribed(asking, "subscription { counted(to: 1) }") == ['{"data":{"counted":0}}']


async def test_a_subscription_that_fails(asking):
    with pytest.raises(RequestError, match="Enough"):
        await subscribed(asking, "subscription { counted(to: 2) }")


async def test_a_subscription_over_a_server_stream():
    async def watch(call):
        for n in range(2):
            await call.send(made("Book", id=f"w{n}", author_id="a1").SerializeToString())

    asking = Asking(extensions, streams={f"{API}/WatchBooks": watch})
    events = await subscribed(asking, "subscription { watched { id author { name } } }")
    assert events == [
        f'{{"data":{{"watched":{{"id":"w{n}","author":{{"name":"Author a1"}}}}}}}}'
        for n in range(2)
    ]


async def test_a_stream_that_fails_ends_the_subscription():
    async def watch(call):
        await call.send(made("Book", id="w").SerializeToString())
        raise failure(Code.UNAVAILABLE)

    asking = Asking(extensions, streams={f"{API}/WatchBooks": watch})
    with pytest.raises(RequestError, match="It is away"):
        await subscribed(asking, "subscription { watched { id } }")
