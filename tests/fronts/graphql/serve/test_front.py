"""GraphQL over HTTP, against a real listener: methods, statuses, media types, refusals."""

import asyncio
import json

import pytest
from graphql import GraphQLError

from gateway.call import Code, Metadata, RpcError, Status
from gateway.errors import error
from gateway.fronts.graphql.errors import RequestError
from gateway.fronts.graphql.serve.front import GraphqlFront
from gateway.fronts.graphql.serve.incoming import Shared
from gateway.listener import Limits
from gateway.routing.metadata import HeaderRules
from tests.fronts.graphql.serve.engine import FakeEngine

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
BOTH = pytest.mark.parametrize("accept", [GRAPHQL, JSON], ids=["graphql", "json"])


@BOTH
@pytest.mark.parametrize("method", ["get", "post"])
async def test_a_query_is_answered_in_the_type_that_is_accepted(client, accept, method):
    answer = await getattr(client, method)("{ hello }", accept)
    assert (answer.status, answer.media) == (200, f"{accept}; charset=utf-8")
    assert answer.json == {"data": {"hello": "Hello, you"}}
    assert answer.headers["vary"] == "accept"


async def test_parameters_reach_the_engine_and_the_caller_its_calls(client):
    await client.send(
        body={
            "query": "query A($n: String) { hello(name: $n) } query B { hello }",
            "operationName": "A",
            "variables": {"n": "Ada"},
            "extensions": {"trace": True},
        },
        authorization="Bearer x",
        grpc_timeout="1S",
        x_request_id="mine-1",
    )
    ((request, caller),) = client.engine.requests
    assert (request.operation_name, request.variables) == ("A", {"n": "Ada"})
    assert request.extensions == {"trace": True}
    assert caller.metadata == Metadata([("authorization", "Bearer x")])
    assert (caller.front, caller.request_id) == ("graphql", "mine-1")
    assert caller.deadline is not None


@BOTH
async def test_a_field_that_failed_leaves_the_request_a_success(client, accept):
    answer = await client.post("{ hello broken }", accept)
    assert answer.status == 200
    assert answer.json["data"] == {"hello": "Hello, you", "broken": None}
    assert answer.json["errors"][0]["path"] == ["broken"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("{", "GRAPHQL_PARSE_FAILED", id="parsing"),
        pytest.param("{ nothing }", "GRAPHQL_VALIDATION_FAILED", id="validation"),
        pytest.param("query ($n: String!) { hello(name: $n) }", "BAD_USER_INPUT", id="variables"),
        pytest.param("query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE", id="operation"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL, 400), (JSON, 200)])
async def test_a_document_at_fault(client, text, code, accept, status):
    for ask in (client.get, client.post):
        answer = await ask(text, accept)
        assert (answer.status, answer.codes) == (status, [code])
        assert answer.media == f"{accept}; charset=utf-8"


async def test_all_errors_of_a_request_are_told(client):
    answer = await client.post("{ nothing neither }")
    assert answer.codes == ["GRAPHQL_VALIDATION_FAILED"] * 2


@BOTH
async def test_json_that_is_none_is_400(client, accept):
    answer = await client.send(body=b'{ "not', accept=accept)
    assert (answer.status, answer.codes) == (400, ["INVALID_ARGUMENT"])
    assert answer.json["errors"][0]["extensions"]["reason"] == "INVALID_JSON"


@BOTH
@pytest.mark.parametrize("body", [{}, {"query": 1}, {"query": "{hello}", "variables": []}], ids=str)
async def test_a_request_that_is_not_well_formed_is_400(client, accept, body):
    answer = await client.send(body=body, accept=accept)
    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])
    assert client.engine.requests == []


@BOTH
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_mutation_by_get_is_not_run(client, accept, method):
    answer = await client.send(method, {"query": "mutation { add(n: 1) }"}, accept=accept)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert client.engine.added == []
    if method == "GET":
        assert answer.json["errors"][0]["extensions"]["reason"] == "METHOD_NOT_ALLOWED"


async def test_a_mutation_by_post_is_run(client):
    assert (await client.post("mutation { add(n: 1) }")).json == {"data": {"add": 1}}
    assert client.engine.added == [1]


async def test_a_query_by_head_has_the_head_of_a_get(client):
    got = await client.get("{ hello }")
    head = await client.send("HEAD", {"query": "{ hello }"}, accept=JSON)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "QUERY"])
async def test_other_methods_are_not_answered(client, method):
    answer = await client.send(method, body={"query": "{ hello }"})
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST, OPTIONS")
    assert answer.codes == ["UNIMPLEMENTED"]


async def test_options_says_what_is_answered(client):
    answer = await client.send("OPTIONS")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize("accept", ["image/png", "text/html", "multipart/mixed; deferSpec=0"])
@pytest.mark.parametrize("text", ["{ hello }", "mutation { add(n: 1) }"])
async def test_what_no_accepted_type_can_answer_is_not_run(client, accept, text):
    answer = await client.post(text, accept)
    assert (answer.status, answer.media) == (406, "application/json; charset=utf-8")
    assert answer.json["errors"][0]["extensions"]["reason"] == "NOT_ACCEPTABLE"
    assert client.engine.added == []


async def test_a_form_is_not_answered(client):
    body = b'{"query": "mutation { add(n: 1) }", "x": "="}'
    answer = await client.send(body=body, content_type="text/plain")
    assert (answer.status, client.engine.requests) == (415, [])


@pytest.mark.parametrize(
    ("private", "headers", "expected"),
    [
        (True, {}, "private"),
        (True, {"authorization": "Bearer t"}, None),
        (False, {}, None),
    ],
    ids=["by a key or cookie", "known to caches", "without providers"],
)
async def test_no_shared_cache_keeps_what_is_for_one_caller(start, private, headers, expected):
    client = await start(private=private)
    got = await client.get("{ hello }", **headers)
    assert got.headers.get("cache-control") == expected


async def test_a_get_of_another_site_is_not_answered(client):
    answer = await client.get("{ hello }", sec_fetch_site="cross-site")
    assert (answer.status, answer.codes) == (403, ["PERMISSION_DENIED"])
    assert client.engine.requests == []
    answer = await client.get("{ hello }", sec_fetch_site="cross-site", x_requested_with="a")
    assert answer.status == 200


async def test_a_body_beyond_the_limit(start):
    client = await start(body_size=100)
    answer = await client.post("{ hello }" + " " * 100)
    assert (answer.status, answer.codes) == (413, ["RESOURCE_EXHAUSTED"])


async def test_a_body_that_does_not_come(start):
    client = await start(limits=Limits(body_timeout=0.05))
    host, port = client.listener.urls[0].removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: 10\r\n\r\n{"
    )
    async with asyncio.timeout(20):
        reply = await reader.read()
    writer.close()
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["errors"][0]["extensions"]["reason"] == "BODY_TIMEOUT"


@BOTH
async def test_a_wrong_header_of_the_callers_is_an_error_of_http(client, accept):
    answer = await client.post("{ hello }", accept, grpc_timeout="soon")
    assert (answer.status, answer.codes) == (400, ["INVALID_ARGUMENT"])
    assert client.engine.requests == []


@BOTH
@pytest.mark.parametrize(
    ("failure", "status", "header"),
    [
        pytest.param(RpcError(Status(Code.UNAUTHENTICATED, "Who?")), 401, ("www-authenticate", "Bearer"), id="unauthenticated"),
        pytest.param(error("DRAINING", "Later.", retry_after=0.5), 503, ("retry-after", "1"), id="unavailable"),
        pytest.param(RpcError(Status(Code.RESOURCE_EXHAUSTED, "Slow."), headers={"RateLimit": "r=0"}), 429, ("ratelimit", "r=0"), id="limited"),
    ],
)  # fmt: skip
async def test_a_request_that_the_gateway_refuses_has_the_status_of_its_code(
    client, accept, failure, status, header
):
    client.engine.failure = failure
    answer = await client.post("{ hello }", accept)
    assert (answer.status, answer.codes) == (status, [failure.status.code.name])
    assert answer.headers[header[0]] == header[1]


@BOTH
async def test_a_bug_is_logged_and_not_shown(client, accept, caplog):
    client.engine.failure = LookupError("a secret")
    answer = await client.post("{ hello }", accept)
    assert (answer.status, answer.codes) == (500, ["INTERNAL"])
    assert b"secret" not in answer.body
    assert "a secret" in caplog.text


@pytest.mark.parametrize("accept", [GRAPHQL, "text/event-stream"])
async def test_an_error_that_quotes_half_a_character_is_still_told(client, accept):
    client.engine.failure = RequestError([GraphQLError("\ud800")])
    answer = await client.post("{ hello }", accept)
    assert b"errors" in answer.body


@pytest.mark.parametrize("body", [{"query": "{ hello }"}, {"query": "{"}, {}], ids=str)
async def test_every_reply_names_its_request(client, body):
    answer = await client.send(body=body, accept=GRAPHQL, x_request_id="mine-1")
    assert answer.headers["x-request-id"] == "mine-1"
    answer = await client.send(body=body, accept=GRAPHQL)
    assert len(answer.headers["x-request-id"]) == 32


async def test_a_client_that_leaves_ends_its_run(client):
    sending = asyncio.create_task(client.post("{ never }"))
    async with asyncio.timeout(20):
        await client.engine.begun.wait()
        sending.cancel()
        await asyncio.wait([sending])
        await client.listener.drain(20)
    assert client.engine.cancelled == 1


async def test_a_gateway_that_shuts_down_says_so(client):
    sending = asyncio.create_task(client.post("{ never }", GRAPHQL))
    async with asyncio.timeout(20):
        await client.engine.begun.wait()
        await client.listener.drain(0)
        answer = await sending
    assert (answer.status, answer.codes) == (503, ["UNAVAILABLE"])
    assert answer.json["errors"][0]["extensions"]["reason"] == "DRAINING"
    assert client.engine.cancelled == 1


def shown(exchange):
    exchange.respond(200, [("content-type", "text/html")], b"<p>")


class Pages:
    prefix = "/graphql/-/"
    gate = None
    page = staticmethod(shown)

    def asset(self, exchange):
        if not exchange.request.path.endswith(".js"):
            raise error("ROUTE_NOT_FOUND", "No such file.")
        exchange.respond(200, [("content-type", "text/javascript")], b"0")


BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.mark.parametrize("query", [{}, {"query": "{ hello }"}], ids=["bare", "with-a-query"])
async def test_a_browser_gets_the_page(start, query):
    client = await start(pages=Pages())
    answer = await client.send("GET", query, accept=BROWSER, sec_fetch_site="cross-site")
    assert (answer.status, answer.body) == (200, b"<p>")
    assert client.engine.requests == []


async def test_without_a_page_a_browser_gets_json(client):
    assert (await client.get("{ hello }", BROWSER)).json == {"data": {"hello": "Hello, you"}}


async def test_a_page_is_never_posted_to(start):
    client = await start(pages=Pages())
    assert (await client.post("{ hello }", BROWSER)).json == {"data": {"hello": "Hello, you"}}


async def test_the_files_of_a_page_are_below_it(start):
    client = await start(pages=Pages())
    assert (await client.send("GET", path="/-/a.js")).body == b"0"
    answer = await client.send("GET", path="/-/b")
    assert (answer.status, answer.codes) == (404, ["NOT_FOUND"])
    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    ("path", "alone", "with_pages"),
    [
        ("/graphql", True, True),
        ("/graphql/-/a.js", False, True),
        ("/graphql/", False, False),
        ("/graphql/-", False, False),
        ("/graphqls", False, False),
        ("/", False, False),
    ],
)
async def test_which_paths_are_the_fronts(path, alone, with_pages):
    shared = Shared(HeaderRules(), clock=lambda: 0.0)
    assert GraphqlFront(FakeEngine(), shared).answers(path) is alone
    assert GraphqlFront(FakeEngine(), shared, pages=Pages()).answers(path) is with_pages


UPGRADE = {"connection": "Upgrade", "upgrade": "WebSocket"}


async def test_an_upgrade_goes_to_the_socket(start):
    client = await start(socket=shown)
    assert (await client.send("GET", **UPGRADE)).body == b"<p>"


async def test_an_upgrade_that_the_socket_refuses_is_answered_with_the_error(start):
    def refuse(exchange):
        raise error("CROSS_SITE_REQUEST", "Not here.")

    answer = await (await start(socket=refuse)).send("GET", **UPGRADE)
    assert answer.status == 403
    assert answer.json["errors"][0]["extensions"]["reason"] == "CROSS_SITE_REQUEST"


@pytest.mark.parametrize("upgrade", [None, "h2c"])
async def test_what_is_no_upgrade_to_a_websocket_does_not(start, upgrade):
    client = await start(socket=shown)
    answer = await client.send("GET", {"query": "{ hello }"}, upgrade=upgrade)
    assert answer.json == {"data": {"hello": "Hello, you"}}


async def test_without_a_socket_an_upgrade_is_a_request_like_others(client):
    answer = await client.send("GET", {"query": "{ hello }"}, **UPGRADE)
    assert answer.json == {"data": {"hello": "Hello, you"}}
