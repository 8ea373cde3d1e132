"""Several requests in one body."""

import asyncio

import pytest

ONE = {"query": "{ hello }"}
HELLO = {"data": {"hello": "Hello, you"}}


def codes(item):
    return [each["extensions"]["code"] for each in item["errors"]]


async def test_responses_come_in_the_order_of_requests(start):
    client = await start(batch=3)
    named = {"query": "query ($n: String) { hello(name: $n) }", "variables": {"n": "Ada"}}
    answer = await client.send(body=[ONE, named, {"query": "mutation { add(n: 2) }"}])
    assert (answer.status, answer.media) == (200, "application/json; charset=utf-8")
    assert answer.json == [HELLO, {"data": {"hello": "Hello, Ada"}}, {"data": {"add": 2}}]


async def test_one_alone_is_a_list_too(start):
    assert (await (await start(batch=2)).send(body=[ONE])).json == [HELLO]


async def test_one_that_is_refused_has_its_errors_in_its_place(start):
    client = await start(batch=9)
    subscription = {"query": "subscription { count(to: 1) }"}
    answer = await client.send(
        body=[{"query": "{"}, ONE, {}, 7, subscription], accept="application/graphql-response+json"
    )
    parsing, hello, missing, number, stream = answer.json
    assert (answer.status, answer.media) == (200, "application/json; charset=utf-8")
    assert hello == HELLO
    assert codes(parsing) == ["GRAPHQL_PARSE_FAILED"]
    assert codes(missing) == codes(number) == ["BAD_REQUEST"]
    assert codes(stream) == ["OPERATION_RESOLUTION_FAILURE"]


async def test_a_bug_of_one_is_masked_in_its_place(start, caplog):
    client = await start(batch=2)
    client.engine.failure = LookupError("a secret")
    answer = await client.send(body=[ONE, ONE])
    assert [codes(each) for each in answer.json] == [["INTERNAL"]] * 2
    assert b"secret" not in answer.body
    assert "a secret" in caplog.text


@pytest.mark.parametrize(
    ("batch", "size", "code"),
    [
        pytest.param(1, 1, "BAD_REQUEST", id="not-allowed"),
        pytest.param(2, 0, "BAD_REQUEST", id="empty"),
    ],
)
async def test_lists_that_are_none(start, batch, size, code):
    client = await start(batch=batch)
    answer = await client.send(body=[ONE] * size)
    assert (answer.status, answer.codes) == (400, [code])


async def test_a_list_beyond_the_limit_runs_nothing(start):
    client = await start(batch=2)
    answer = await client.send(body=[ONE] * 3, accept="application/graphql-response+json")
    (told,) = answer.json["errors"]
    assert answer.status == 400
    assert told["extensions"] == {
        "code": "LIMIT_EXCEEDED",
        "limit": "batch",
        "value": 3,
        "maximum": 2,
    }
    assert client.engine.requests == []


async def test_all_share_one_caller(start):
    client = await start(batch=2)
    await client.send(body=[ONE, ONE], grpc_timeout="1S")
    (_, first), (_, second) = client.engine.requests
    assert first is second


async def test_a_client_that_leaves_ends_all_runs(start):
    client = await start(batch=2)
    sending = asyncio.create_task(client.send(body=[{"query": "{ never }"}] * 2))
    async with asyncio.timeout(20):
        await client.engine.begun.wait()
        sending.cancel()
        await asyncio.wait([sending])
        await client.listener.drain(20)
    assert client.engine.cancelled == 2
