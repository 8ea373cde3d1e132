"""`@defer`: what is put off comes in parts that make up the whole answer."""

import asyncio
import json
import random
import re
from functools import cache

import pytest
from graphql import parse as parse_document
from graphql import specified_rules, validate
from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.graphql.engine import Engine
from tests.fronts.graphql.execute import orders
from tests.fronts.graphql.execute.documents import documents
from tests.fronts.graphql.execute.orders import new
from tests.fronts.graphql.execute.test_differential import SEEDS, SLOW
from tests.fronts.graphql.execute.test_joins import batch, order, product
from tests.fronts.graphql.execute.test_joins_differential import FAILING
from tests.fronts.graphql.execute.upstreams import codes, failure, ticks


class Client:
    """Puts parts together as the incremental delivery format says."""

    def __init__(self):
        self.parts = []
        self.data = None
        self.errors = []
        self.pending = {}
        self.labels = []
        self.ended = False

    async def emit(self, part, more):
        assert not self.ended
        self.parts.append(json.loads(part))
        part = json.loads(part)
        assert part["hasNext"] is more
        self.ended = not more
        if len(self.parts) == 1:
            self.data = part["data"]
        else:
            assert part.get("incremental") or part["completed"]
        self.errors += part.get("errors", [])
        for each in part.get("incremental", []):
            target = self.at(self.pending[each["id"]])
            assert not target.keys() & each["data"].keys(), "nothing comes twice"
            target.update(each["data"])
            self.errors += each.get("errors", [])
        for each in part.get("pending", []):
            assert each["id"] not in self.pending
            self.pending[each["id"]] = each["path"]
            self.labels.append(each.get("label"))
            assert isinstance(self.at(each["path"]), dict), (
                "a part is pending where there is an object"
            )
        for each in part.get("completed", []):
            del self.pending[each["id"]]
            self.errors += each.get("errors", [])

    def at(self, path):
        found = self.data
        for step in path:
            found = found[step]
        return found


def engine_of(bench):
    """The engine of a bench, on the running loop."""
    return Engine(bench.schema, bench.backend.methods(), bench.engine.documents)


async def parts_of(bench, query, variables=None):
    client = Client()
    bench.engine = engine_of(bench)
    await bench.engine.run_incremental(bench.prepare(query, variables), client.emit)
    assert client.ended
    assert not client.pending
    return client


ANSWERS = {"GetOrder": lambda _: order("a", "b"), "BatchGetProducts": batch}


async def test_a_join_that_is_put_off_comes_after_the_rest():
    found = orders.bench(ANSWERS)
    client = await parts_of(
        found,
        '{ getOrder { id items { quantity ... @defer(label: "p") { product { title } } } } }',
    )
    assert client.parts == [
        {
            "data": {"getOrder": {"id": "", "items": [{"quantity": 0}, {"quantity": 0}]}},
            "pending": [
                {"id": "0", "path": ["getOrder", "items", 0], "label": "p"},
                {"id": "1", "path": ["getOrder", "items", 1], "label": "p"},
            ],
            "hasNext": True,
        },
        {
            "incremental": [
                {"id": "0", "data": {"product": {"title": "Ta"}}},
                {"id": "1", "data": {"product": {"title": "Tb"}}},
            ],
            "completed": [{"id": "0"}, {"id": "1"}],
            "hasNext": False,
        },
    ]
    assert found.backend.names == ["GetOrder", "BatchGetProducts"]


@pytest.mark.parametrize(
    "query",
    [
        "{ getOrder { ... @defer { id items { quantity } } } }",
        "{ getOrder { ... @defer(if: false) { items { product { title } } } } }",
        "{ ... @defer { getOrder { items { product { title } } } } }",
        "{ getOrder { items { product { title } ... @defer { product { title } } } } }",
    ],
    ids=[
        "nothing in it needs another call",
        "it says that it is not",
        "root fields",
        "fields that are asked for outside of it too",
    ],
)
def test_what_is_not_put_off(query):
    assert not orders.bench(ANSWERS).prepare(query).incremental


def test_a_condition_decides_for_each_request():
    found = orders.bench(ANSWERS)
    query = "query($d: Boolean!) { getOrder { ... @defer(if: $d) { items { product { id } } } } }"
    assert [found.prepare(query, {"d": each}).incremental for each in (True, False, True)] == [
        True,
        False,
        True,
    ]


def test_whole_where_the_client_takes_no_parts():
    response = orders.bench(ANSWERS).run(
        "{ getOrder { items { ... @defer { product { title } } } } }"
    )
    assert response["data"]["getOrder"]["items"][1]["product"] == {"title": "Tb"}


async def test_what_is_put_off_within_what_is_put_off():
    found = orders.bench({**ANSWERS, "BatchGetMakers": lambda r: new("Makers", page=new("Page"))})
    client = await parts_of(
        found,
        "{ getOrder { items { ... @defer { product { title ... @defer { maker { name } } } } } } }",
    )
    assert [len(part.get("pending", [])) for part in client.parts] == [2, 2, 0]
    assert client.data["getOrder"]["items"][0] == {"product": {"title": "Ta", "maker": None}}
    # Of both products at once: 0 is no key.
    assert found.backend.names == ["GetOrder", "BatchGetProducts"]


async def test_fragments_do_not_wait_for_each_other():
    found = orders.bench({**ANSWERS, "MapUsers": lambda _: new("Users")}, at_once=False)
    client = Client()
    found.engine = engine_of(found)
    query = (
        '{ getOrder { id ... @defer(label: "i") { items { product { title } } } '
        '... @defer(label: "u") { user { name } } } }'
    )
    found.backend.answers = {
        **found.backend.answers,
        f"{orders.API}/GetOrder": lambda _: order("a", user_id="u1"),
    }
    task = asyncio.ensure_future(found.engine.run_incremental(found.prepare(query), client.emit))
    await ticks()
    found.backend.answer(found.backend.held[0])
    await ticks()
    assert [each.name.partition("/")[2] for each in found.backend.held] == [
        "BatchGetProducts",
        "MapUsers",
    ]
    found.backend.answer(found.backend.held[1])
    await ticks()
    assert client.data["getOrder"] == {"id": "", "user": None}
    assert not client.ended
    found.backend.answer(found.backend.held[0])
    await task
    assert client.data["getOrder"]["items"] == [{"product": {"title": "Ta"}}]


async def test_a_failed_call_is_an_error_of_its_part():
    answers = {**ANSWERS, "BatchGetProducts": lambda _: failure()}
    client = await parts_of(
        orders.bench(answers), "{ getOrder { items { ... @defer { product { title } } } } }"
    )
    assert client.data["getOrder"]["items"] == [{"product": None}, {"product": None}]
    assert codes({"errors": client.errors}) == [
        ("getOrder/items/0/product", "UNAVAILABLE"),
        ("getOrder/items/1/product", "UNAVAILABLE"),
    ]
    assert "errors" not in client.parts[0]


async def test_a_part_that_can_not_be_null_fails_alone():
    answers = {**ANSWERS, "GetOrder": lambda _: order("a", score=float("nan"))}
    client = await parts_of(
        orders.bench(answers),
        "{ getOrder { id ... @defer { score items { product { title } } } } }",
    )
    assert client.parts[1] == {
        "completed": [
            {
                "id": "0",
                "errors": [
                    {
                        "message": "A Float can't be NaN.",
                        "locations": [{"line": 1, "column": 30}],
                        "path": ["getOrder", "score"],
                        "extensions": {"code": "INTERNAL", "reason": "INVALID_UPSTREAM_MESSAGE"},
                    }
                ],
            }
        ],
        "hasNext": False,
    }


async def test_nothing_is_pending_below_what_is_null():
    answers = {
        **ANSWERS,
        "BatchGetProducts": lambda _: new("Products", products=[product("a", score=float("nan"))]),
    }
    found = orders.bench(answers)
    client = await parts_of(
        found,
        "{ getOrder { items { product { score ... @defer { maker { name } } } } } }",
    )
    assert client.data["getOrder"]["items"] == [{"product": None}, {"product": None}]
    assert client.labels == []
    assert found.backend.names == ["GetOrder", "BatchGetProducts"]


async def test_a_client_that_leaves_ends_all_calls():
    found = orders.bench(ANSWERS, at_once=False)
    found.engine = engine_of(found)
    query = "{ getOrder { items { ... @defer { product { title } } } } }"
    task = asyncio.ensure_future(found.engine.run_incremental(found.prepare(query), Client().emit))
    await ticks()
    found.backend.answer(found.backend.held[0])
    await ticks()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [each.cancelled for each in found.backend.asked] == [False, True]


@cache
def rules():
    return [rule for rule in specified_rules if "Overlapping" not in rule.__name__]


def with_defers(text, seed):
    """A document some of whose fragments are put off."""
    chance = random.Random(seed)
    count = iter(range(10**6))

    def put_off(match):
        if chance.random() < 0.5:
            return match[0]
        return f'{match[1]} @defer(label: "d{next(count)}") {match[2]}'

    return re.sub(r"(\.\.\. (?:on \w+ )?)(\{)", put_off, text)


def test_any_document_in_parts_is_the_whole_answer():
    graph = orders.graph(2)
    seen = []

    @SLOW
    @given(documents(graph.schema), SEEDS, FAILING, st.integers(0, 2**32))
    def run(document, seed, failing, chance):
        text, variables = document
        text = with_defers(text, chance)
        if validate(graph.schema, parse_document(text), rules()):
            return
        answers = {
            name.partition("/")[2]: answer
            for name, answer in orders.World(seed, 0.0, failing).answers().items()
        }
        whole = orders.bench(answers, max_batch=2).run(text, variables)
        client = asyncio.run(parts_of(orders.bench(answers, max_batch=2), text, variables))
        assert client.data == whole["data"]
        assert sorted(codes({"errors": client.errors})) == sorted(codes(whole))
        seen.append(len(client.parts))

    run()
    assert max(seen) > 1
