"""Who sends a request over HTTP: what must be known first, and the form of a refusal."""

import asyncio

import pytest

from gateway.fronts.graphql.serve.graphiql import Graphiql, shipped
from tests.fronts.graphql.serve.conftest import PATIENCE
from tests.fronts.graphql.serve.gates import TokenGate

BEARER = {"authorization": "Bearer ada"}
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
HELD = pytest.mark.parametrize("held", [False, True], ids=["at-once", "after-a-while"])


def gate_of(client, *, held=False, **options):
    gate = client.engine.asks = TokenGate(held=held, **options)
    if held:
        gate.release.set()
    return gate


async def test_calls_show_who_asks(client):
    await client.post("{ hello }", cookie="session=1", **BEARER)
    _, caller = client.engine.requests[-1]
    assert caller.head.headers.get("authorization") == "Bearer ada"
    assert caller.head.headers.get("cookie") == "session=1"
    assert caller.metadata.names() == ["authorization"]


@HELD
@pytest.mark.parametrize("method", ["get", "post"])
async def test_what_must_know_who_asks_is_run_for_them(client, method, held):
    gate = gate_of(client, held=held)
    answer = await getattr(client, method)("{ me }", **BEARER)
    assert answer.json == {"data": {"me": "ada"}}
    assert [(call.front, call.peer) for call in gate.calls] == [("graphql", "127.0.0.1")]


@HELD
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_who_is_not_let_in_gets_401_in_the_form_of_graphql(client, held, accept):
    gate_of(client, held=held)
    answer = await client.post("{ me }", accept=accept)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.media.startswith("application/json")
    (wrong,) = answer.json["errors"]
    assert wrong["extensions"]["code"] == "UNAUTHENTICATED"
    assert wrong["extensions"]["reason"] == "CREDENTIALS_MISSING"


@HELD
async def test_streams_and_parts_wait_too(client, held):
    gate_of(client, held=held)
    query = "subscription { count(to: 1) }"
    answer = await client.post(query, accept="text/event-stream", **BEARER)
    assert b'{"data": {"count": 1}}' in answer.body
    answer = await client.post("{ ... @later { hello } }", accept="multipart/mixed", **BEARER)
    assert b'"hasNext":true' in answer.body


async def test_a_mutation_by_get_is_refused_all_the_same(client):
    gate_of(client, optional=True)
    assert (await client.get("mutation { add(n: 1) }")).status == 405
    assert client.engine.added == []


async def test_a_client_that_goes_is_not_waited_for(client):
    gate = client.engine.asks = TokenGate(held=True)
    request = asyncio.create_task(client.post("mutation { add(n: 1) }", **BEARER))
    async with asyncio.timeout(PATIENCE):
        await gate.waiting.wait()
        request.cancel()
        while not gate.cancelled:
            await asyncio.sleep(0)
    assert client.engine.added == []


async def test_a_bug_of_the_gate_is_not_shown(client):
    gate_of(client, failure=RuntimeError("a secret"))
    answer = await client.post("{ me }")
    assert (answer.status, answer.codes) == (500, ["INTERNAL"])
    assert b"secret" not in answer.body


# Lists.


@HELD
async def test_each_request_of_a_list_is_judged_in_its_place(start, held):
    client = await start(batch=4)
    gate_of(client, held=held)
    body = [{"query": "{ me }"}, {"query": "{ nonsense }"}, {"query": "{ me }"}]
    first, second, third = (await client.send(body=body, **BEARER)).json
    assert first == third == {"data": {"me": "ada"}}
    assert second["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    answer = await client.send(body=body)
    assert answer.status == 200
    codes = [each["errors"][0]["extensions"]["code"] for each in answer.json]
    assert codes == ["UNAUTHENTICATED", "GRAPHQL_VALIDATION_FAILED", "UNAUTHENTICATED"]


# The page.


@pytest.fixture
async def closed(start):
    """A front whose page is for callers who are known."""
    return await start(pages=Graphiql("/graphql", shipped(), TokenGate()))


async def test_the_page_is_for_those_who_are_let_in(closed):
    answer = await closed.send("GET", accept=BROWSER)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.codes == ["UNAUTHENTICATED"]
    answer = await closed.send("GET", accept=BROWSER, **BEARER)
    assert (answer.status, answer.media) == (200, "text/html; charset=utf-8")


async def test_a_page_that_the_browser_has_is_not_confirmed_to_others(closed):
    answer = await closed.send("GET", accept=BROWSER, **BEARER)
    tag = answer.headers["etag"]
    assert (await closed.send("GET", accept=BROWSER, if_none_match=tag)).status == 401


async def test_its_files_are_those_of_the_package_and_open(closed):
    page = await closed.send("GET", accept=BROWSER, **BEARER)
    script = next(part for part in page.body.split(b'"') if part.endswith(b".js")).decode()
    path = script.removeprefix("./graphql")
    assert (await closed.send("GET", path=path, accept="*/*")).status == 200


async def test_queries_have_nothing_to_do_with_the_pages_gate(closed):
    assert (await closed.post("{ hello }")).json == {"data": {"hello": "Hello, you"}}
