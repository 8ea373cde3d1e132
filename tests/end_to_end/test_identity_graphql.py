"""Who may ask what of the graph: over HTTP, event streams, sockets, and in views of REST."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.end_to_end.graph import JOINS, SUBPROTOCOL
from tests.end_to_end.system import gateway, shop_config
from tests.policies.auth.issuer import Issuer

POINTS = "users.private"
USER = '{ getUser(id: "u1") { id loyaltyPoints } }'
TICKS = 'subscription { watchStock(interval: "0.05s") { sequence } }'
SCHEMA = "{ __schema { queryType { name } } }"
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
PATIENCE = 20

OPERATIONS = """
query Person($id: String!) @rest(get: "/v1/people/{id}") {
  user: getUser(id: $id) { id loyaltyPoints }
}
query Roots { __schema { queryType { name } } }
"""


class World:
    """Who is known to the gateway, and its config."""

    def __init__(self, folder):
        self.issuer = Issuer(alg="EdDSA")
        self._folder = folder
        (folder / "jwks.json").write_text(json.dumps(self.issuer.jwks()))
        (folder / "operations").mkdir()
        (folder / "operations" / "people.graphql").write_text(OPERATIONS)

    def token(self, seconds=300.0, **claims):
        claims = {"sub": "ann", "exp": time.time() + seconds, **claims}
        return f"Bearer {self.issuer.token(**claims)}"

    def config(self, shop, **sections):
        jwt = {
            "issuer": self.issuer.url,
            "audiences": ["shop"],
            "jwks": {"file": str(self._folder / "jwks.json")},
            "algorithms": ["EdDSA"],
            "leeway": "0s",
        }
        return shop_config(
            shop,
            rest={},
            graphql={
                "joins": [JOINS],
                "operations": [str(self._folder / "operations")],
                "limits": {"batch": 3},
                "fields": {"shop.users.v1.User.loyalty_points": {"scopes": [POINTS]}},
            },
            auth={"providers": {"customers": {"jwt": jwt}}},
            **sections,
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def closed(shop, world, tmp_path_factory):
    """A gateway that lets nobody in who is not known."""
    with gateway(tmp_path_factory.mktemp("closed"), world.config(shop)) as each:
        yield each.url


@pytest.fixture(scope="module")
def opened(shop, world, tmp_path_factory):
    """A gateway whose methods and pages are for everybody."""
    policies = [{"methods": ["shop.*"], "authenticate": "none"}]
    config = world.config(shop, policies=policies, pages={"authenticate": "none"})
    with gateway(tmp_path_factory.mktemp("opened"), config) as each:
        yield each.url


async def send(url, method="POST", path="/graphql", *, token=None, **options):
    headers = {"authorization": token} if token else {}
    headers |= options.pop("headers", {})
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as client,
        client.request(method, url + path, headers=headers, **options) as response,
    ):
        return response.status, response.headers, await response.text()


async def ask(url, query, token=None, **options):
    status, _, text = await send(url, json={"query": query}, token=token, **options)
    return status, json.loads(text)


def told(answer):
    """The path, code and reason of each error."""
    return [
        (each.get("path"), each["extensions"]["code"], each["extensions"].get("reason"))
        for each in answer.get("errors", ())
    ]


@asynccontextmanager
async def socket(url, **options):
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{url}/graphql", protocols=[SUBPROTOCOL], **options) as one,
    ):
        yield one


async def initialised(one, **payload):
    await one.send_json({"type": "connection_init", "payload": payload})
    return await one.receive(PATIENCE)


async def subscribe(one, query, name="1"):
    await one.send_json({"id": name, "type": "subscribe", "payload": {"query": query}})


# Calls.


async def test_who_is_known_is_answered(closed, world):
    status, answer = await ask(closed, '{ getUser(id: "u1") { id } }', world.token())
    assert (status, answer) == (200, {"data": {"getUser": {"id": "u1"}}})


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        pytest.param(None, "CREDENTIALS_MISSING", id="nobody"),
        pytest.param("Bearer nonsense", "INVALID_CREDENTIALS", id="nonsense"),
        pytest.param("expired", "TOKEN_EXPIRED", id="expired"),
    ],
)
async def test_who_is_not_gets_an_error_at_each_field(closed, world, token, reason):
    token = world.token(-10) if token == "expired" else token
    status, answer = await ask(closed, '{ a: getUser(id: "u1") { id } __typename }', token)
    assert status == 200
    assert answer["data"] == {"a": None, "__typename": "Query"}
    assert told(answer) == [(["a"], "UNAUTHENTICATED", reason)]


async def test_a_join_is_made_for_the_same_caller(closed, world):
    query = '{ getProduct(id: "p1") { stock { available } } }'
    _, answer = await ask(closed, query, world.token())
    assert answer["data"]["getProduct"]["stock"]["available"] is not None


# Fields that need scopes.


async def test_a_field_that_needs_a_scope(closed, opened, world):
    status, answer = await ask(closed, USER, world.token(scope=POINTS))
    points = answer["data"]["getUser"]["loyaltyPoints"]
    assert status == 200
    assert points is not None
    for url, token, code, reason in (
        (closed, world.token(scope="other"), "PERMISSION_DENIED", "INSUFFICIENT_SCOPE"),
        (opened, None, "UNAUTHENTICATED", "CREDENTIALS_MISSING"),
    ):
        status, answer = await ask(url, USER, token)
        assert status == 200
        assert answer["data"] == {"getUser": {"id": "u1", "loyaltyPoints": None}}
        assert told(answer) == [(["getUser", "loyaltyPoints"], code, reason)]


async def test_a_bad_token_refuses_what_needs_a_scope_as_a_whole(opened):
    status, headers, text = await send(opened, json={"query": USER}, token="Bearer nonsense")
    assert status == 401
    assert headers["www-authenticate"].startswith("Bearer ")
    assert told(json.loads(text)) == [(None, "UNAUTHENTICATED", "INVALID_CREDENTIALS")]


async def test_a_list_of_requests_is_shown_in_part_each(closed, world):
    body = [{"query": USER}, {"query": '{ getUser(id: "u1") { id } }'}]
    _, _, text = await send(closed, json=body, token=world.token())
    first, second = json.loads(text)
    assert first["data"]["getUser"] == {"id": "u1", "loyaltyPoints": None}
    assert second == {"data": {"getUser": {"id": "u1"}}}


async def test_a_view_is_shown_in_part(closed, world):
    status, headers, text = await send(
        closed, "GET", "/v1/people/u1", token=world.token(scope=POINTS)
    )
    assert status == 200
    assert json.loads(text)["user"]["loyaltyPoints"] is not None
    status, headers, text = await send(closed, "GET", "/v1/people/u1", token=world.token())
    assert (status, headers["x-partial"]) == (200, "user.loyaltyPoints")
    assert json.loads(text) == {"user": {"id": "u1", "loyaltyPoints": None}}
    assert headers["cache-control"] == "no-store"


async def test_a_view_of_which_nothing_may_be_seen_is_refused(closed):
    status, headers, text = await send(closed, "GET", "/v1/people/u1")
    assert status == 401
    assert headers["www-authenticate"].startswith("Bearer")
    assert json.loads(text)["error"]["status"] == "UNAUTHENTICATED"


# The schema, and pages.


async def test_the_schema_is_for_those_who_are_known(closed, world):
    status, headers, text = await send(closed, json={"query": SCHEMA})
    assert status == 401
    assert headers["www-authenticate"].startswith("Bearer")
    assert told(json.loads(text)) == [(None, "UNAUTHENTICATED", "CREDENTIALS_MISSING")]
    hidden = 'query { ...F } fragment F on Query { t: __type(name: "User") { name } }'
    for status, _, _ in (
        await send(closed, "GET", params={"query": SCHEMA}),
        await send(closed, json={"query": hidden}),
    ):
        assert status == 401
    status, answer = await ask(closed, SCHEMA, world.token())
    assert (status, answer["data"]["__schema"]) == (200, {"queryType": {"name": "Query"}})


async def test_the_schema_is_open_where_pages_are(opened):
    assert (await ask(opened, SCHEMA))[0] == 200


async def test_an_operators_own_document_may_ask_for_the_schema(closed):
    status, _, text = await send(closed, json={"documentId": "Roots"})
    assert status == 200
    assert json.loads(text)["data"] == {"__schema": {"queryType": {"name": "Query"}}}


async def test_errors_suggest_nothing_where_the_schema_is_closed(closed, opened, world):
    mistake = '{ getUser(id: "u1") { loyaltyPoint } }'
    for token in (None, world.token()):
        _, answer = await ask(closed, mistake, token)
        assert "Did you mean" not in answer["errors"][0]["message"]
    _, answer = await ask(opened, mistake)
    assert "Did you mean 'loyaltyPoints'" in answer["errors"][0]["message"]


async def test_the_console_is_for_those_who_are_known(closed, opened, world):
    page = {"accept": BROWSER}
    assert (await send(closed, "GET", headers=page))[0] == 401
    assert (await send(closed, "GET", headers=page, token=world.token()))[0] == 200
    status, headers, _ = await send(opened, "GET", headers=page)
    assert status == 200
    assert headers["x-frame-options"] == "DENY"


# Sockets.


@pytest.mark.parametrize("where", ["handshake", "authorization", "headers"])
async def test_who_calls_over_a_socket(closed, world, where):
    token = world.token(scope=POINTS)
    headers = {"authorization": token} if where == "handshake" else {}
    payload = {
        "handshake": {},
        "authorization": {"authorization": token},
        "headers": {"headers": {"Authorization": token}},
    }[where]
    async with socket(closed, headers=headers) as one:
        assert (await initialised(one, **payload)).json() == {"type": "connection_ack"}
        await subscribe(one, USER)
        answer = (await one.receive_json(timeout=PATIENCE))["payload"]
        assert answer["data"]["getUser"]["loyaltyPoints"] is not None
        assert "errors" not in answer


@pytest.mark.parametrize(
    ("payload", "reason"),
    [({}, "CREDENTIALS_MISSING"), ({"authorization": "Bearer x"}, "INVALID_CREDENTIALS")],
    ids=["nobody", "nonsense"],
)
async def test_who_is_not_known_has_no_socket(closed, payload, reason):
    async with socket(closed) as one:
        message = await initialised(one, **payload)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert (message.data, message.extra) == (4403, f"Forbidden: {reason}")


async def test_the_schema_over_a_socket_of_somebody_unknown(shop, world, tmp_path):
    policies = [{"methods": ["shop.*"], "authenticate": "none"}]
    with gateway(tmp_path, world.config(shop, policies=policies)) as each:
        async with socket(each.url) as one:
            assert (await initialised(one)).json() == {"type": "connection_ack"}
            await subscribe(one, SCHEMA)
            message = await one.receive_json(timeout=PATIENCE)
            assert message["type"] == "error"
            assert message["payload"][0]["extensions"]["reason"] == "CREDENTIALS_MISSING"
            await subscribe(one, USER, "2")
            message = await one.receive_json(timeout=PATIENCE)
            assert message["payload"]["data"] == {"getUser": {"id": "u1", "loyaltyPoints": None}}


async def test_a_subscription_ends_when_its_token_does(closed, world):
    async with socket(closed) as one:
        await initialised(one, authorization=world.token(seconds=2))
        await subscribe(one, TICKS)
        async with asyncio.timeout(PATIENCE):
            while (message := await one.receive_json())["type"] == "next":
                pass
            assert message["type"] == "error"
            (wrong,) = message["payload"]
            assert wrong["extensions"]["code"] == "UNAUTHENTICATED"
            assert wrong["extensions"]["reason"] == "TOKEN_EXPIRED"
            await one.send_json({"type": "ping"})  # no `complete` follows, and the socket is open
            assert await one.receive_json() == {"type": "pong"}
            await subscribe(one, '{ getUser(id: "u1") { id } }')
            answer = (await one.receive_json())["payload"]
    assert told(answer) == [(["getUser"], "UNAUTHENTICATED", "TOKEN_EXPIRED")]


async def test_an_event_stream_ends_when_its_token_does(closed, world):
    status, _, text = await send(
        closed,
        json={"query": TICKS},
        token=world.token(seconds=2),
        headers={"accept": "text/event-stream"},
    )
    assert status == 200
    *_, last, end = [each for each in text.replace("\r\n", "\n").split("\n\n") if each.strip()]
    assert "TOKEN_EXPIRED" in last
    assert end.startswith("event: complete")
