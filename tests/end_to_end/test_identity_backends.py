"""What backends are told of callers: what was really received, through every front."""

from __future__ import annotations

import json
import socket as sockets
from urllib.parse import urlencode

import aiohttp
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.cli.processes import invoke
from tests.end_to_end.graph import JOINS, SUBPROTOCOL, received, subscribe
from tests.end_to_end.sockets import WHO, socket
from tests.end_to_end.system import error_of, gateway, reason_of, shop_config

WHO_AM_I = f"/{WHO}"
WATCH_ORDER = "shop.inventory.v1.InventoryService/WatchStock"
QUERY = "{ whoAmI { metadata { key text } } }"

# Every way to spell what backends are told, each with the prefix and without.
_NAMES = [
    "x-subject", "X-Subject", "X-SUBJECT", "x_subject", "x.subject", "x-claim-tenant",
    "X_Claim_Tenant", "x-claim-role", "x-gateway-token", "x_gateway_token",
]  # fmt: skip
FORGED = [name for each in _NAMES for name in (each, f"Pass-{each}")]


def free_port():
    with sockets.socket() as each:
        each.bind(("127.0.0.1", 0))
        return each.getsockname()[1]


class Identities:
    """A gateway with API keys, whose admin listener has a known port."""

    def __init__(self, folder, addresses, **sections):
        self.folder = folder
        self.key = self._made("--owner", "Ada 100%", "--scope", "read", "--claim", "tenant=acme")
        self.other = self._made("--owner", "bob", "--claim", "tenant=other")
        if not (folder / "signing.pem").exists():
            assert invoke("keys", "signing", "--out", "signing.pem", cwd=folder).code == 0
        port = free_port()
        self.admin = f"http://127.0.0.1:{port}"
        # A config that allows one of these by its own name is refused.
        told = {"x-subject", "x-claim-tenant"}
        allow = ["accept-language", *sorted({each.lower() for each in _NAMES} - told)]
        self.config = shop_config(
            addresses,
            admin={"address": f"127.0.0.1:{port}"},
            upstreams={"shop": {"services": ["shop.*"], "endpoints": addresses}},
            headers={"request": {"allow": allow, "prefix": "pass-"}},
            graphql={"joins": [JOINS], "operations": []},
            websocket={},
            auth={
                "providers": {
                    "partners": {"api_key": {"keys": {"file": str(folder / "keys.yaml")}}}
                },
                "forward": {
                    "subject": "x-subject",
                    "claims": ["tenant", "missing"],
                    "token": {"key": {"file": str(folder / "signing.pem")}},
                },
            },
            policies=[
                {"methods": ["shop.users.*"], "authenticate": ["partners", "none"]},
                {
                    "methods": ["shop.catalog.v1.CatalogService/GetProduct"],
                    "authorize": {"when": "claims.tenant == 'acme' && request.id == 'p1'"},
                },
                {
                    "methods": [WATCH_ORDER],
                    "authorize": {"when": "request.product_ids.all(id, id.startsWith('p'))"},
                },
            ],
            **sections,
        )

    def _made(self, *arguments):
        done = invoke("keys", "new", *arguments, cwd=self.folder)
        assert done.code == 0, done.err
        return {"x-api-key": done.out.strip()}


@pytest.fixture(scope="module")
def identities(shop, tmp_path_factory):
    return Identities(tmp_path_factory.mktemp("identities"), shop)


@pytest.fixture(scope="module")
def url(identities):
    with gateway(identities.folder, identities.config) as serving:
        yield serving.url


@pytest.fixture
async def session(url):
    async with aiohttp.ClientSession(url) as each:
        yield each


def metadata_of(answer):
    return {each["key"]: each.get("text") for each in answer["metadata"]}


async def by_rest(session, headers, *, query=""):
    async with session.post(f"{WHO_AM_I}{query}", json={}, headers=headers) as response:
        assert response.status == 200, await response.text()
        return metadata_of(await response.json())


async def by_graphql(session, headers):
    async with session.post("/graphql", json={"query": QUERY}, headers=headers) as response:
        return metadata_of((await response.json())["data"]["whoAmI"])


async def by_graphql_socket(session, headers, payload=None):
    async with session.ws_connect("/graphql", protocols=[SUBPROTOCOL], headers=headers) as each:
        await each.send_json({"type": "connection_init", "payload": payload or {}})
        assert (await received(each))["type"] == "connection_ack"
        await subscribe(each, QUERY)
        return metadata_of((await received(each))["payload"]["data"]["whoAmI"])


async def by_websocket(session, headers):
    options = {"additional_headers": headers}
    async with socket(str(session._base_url).rstrip("/"), options=options) as each:
        id_ = await each.open(WHO, {}, end=True)
        return metadata_of(await each.message(id_))


FRONTS = {
    "REST": by_rest,
    "GraphQL": by_graphql,
    "GraphQL's socket": by_graphql_socket,
    "WebSocket": by_websocket,
}
every_front = pytest.mark.parametrize("ask", FRONTS.values(), ids=FRONTS.keys())


def told(metadata):
    """What of a call's metadata is about the caller, in whatever spelling."""
    return {
        key: value
        for key, value in metadata.items()
        if key.replace("_", "-").replace(".", "-").startswith(("x-subject", "x-claim", "x-gateway"))
    }


async def checked(identities, token):
    """The claims of a token, as a backend checks it."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{identities.admin}/jwks.json") as response,
    ):
        assert response.status == 200
        assert response.content_type == "application/jwk-set+json"
        keys = KeySet.import_key_set(json.loads(await response.read()))
    return jwt.decode(token, keys, algorithms=["ES256"]).claims


@every_front
async def test_a_caller_is_told(ask, session, identities):
    found = told(await ask(session, identities.key))
    claims = await checked(identities, found.pop("x-gateway-token"))
    assert found == {"x-subject": "Ada 100%25", "x-claim-tenant": "acme"}
    assert (claims["sub"], claims["aud"], claims["provider"]) == ("Ada 100%", "shop", "partners")
    assert claims["claims"] == {"tenant": "acme"}
    assert claims["scope"] == "read"


@every_front
async def test_nobody_is_not(ask, session):
    assert told(await ask(session, {})) == {}


@every_front
async def test_what_clients_say_of_themselves_never_passes(ask, session, identities):
    forged = dict.fromkeys(FORGED, "root")
    assert told(await ask(session, forged)) == {}
    found = told(await ask(session, {**forged, **identities.key}))
    assert found.pop("x-gateway-token").count(".") == 2
    assert found == {"x-subject": "Ada 100%25", "x-claim-tenant": "acme"}


@pytest.mark.parametrize("name", FORGED)
async def test_nor_with_the_opening_of_a_stream(name, session):
    async with socket(str(session._base_url).rstrip("/")) as each:
        id_ = await each.open(WHO, {}, end=True, metadata=[[name, "root"]])
        assert (await each.end(id_))["status"] == "INVALID_ARGUMENT"


async def test_nor_with_the_opening_of_a_graphql_socket(session):
    forged = dict.fromkeys(FORGED, "root")
    payload = {**forged, "headers": forged, "metadata": forged}
    assert told(await by_graphql_socket(session, {}, payload)) == {}


async def test_nor_in_a_query_or_a_body(session):
    async with session.post(f"{WHO_AM_I}?x-subject=root", json={}) as response:
        assert response.status == 400
    async with session.post(WHO_AM_I, json={"metadata": {"x-subject": "root"}}) as response:
        assert response.status == 400
    query = "?" + urlencode({"query": QUERY, "x-subject": "root", "extensions": '{"x-subject":1}'})
    async with session.get(f"/graphql{query}") as response:
        assert told(metadata_of((await response.json())["data"]["whoAmI"])) == {}


# Conditions, where the whole chain stands.


async def status_of(session, path, headers):
    async with session.get(path, headers=headers) as response:
        if response.status == 200:
            return 200, None
        return response.status, reason_of(await error_of(response))


async def test_a_condition_on_claims_and_the_request(session, identities):
    assert await status_of(session, "/v1/products/p1", identities.key) == (200, None)
    refused = (403, "CONDITION_FAILED")
    assert await status_of(session, "/v1/products/p2", identities.key) == refused
    assert await status_of(session, "/v1/products/p1", identities.other) == refused
    assert await status_of(session, "/v1/products/p1", {}) == (401, "CREDENTIALS_MISSING")


async def test_a_condition_on_the_request_of_a_stream(session, identities):
    options = {"additional_headers": identities.key}
    async with socket(str(session._base_url).rstrip("/"), options=options) as each:
        good = await each.open(WATCH_ORDER, {"productIds": ["p1"], "count": 1}, end=True)
        assert await each.message(good)
        bad = await each.open(WATCH_ORDER, {"productIds": ["p1", "x"]}, end=True)
        assert (await each.end(bad))["status"] == "PERMISSION_DENIED"


# Keys.


async def test_with_workers_the_supervisor_has_the_keys(shop, tmp_path):
    given = Identities(tmp_path, shop, workers=2)
    with gateway(tmp_path, given.config) as serving:
        async with aiohttp.ClientSession(serving.url) as session:
            found = told(await by_rest(session, given.key))
        claims = await checked(given, found["x-gateway-token"])
    assert claims["sub"] == "Ada 100%"


async def test_without_tokens_there_are_no_keys(served, shop, tmp_path):
    port = free_port()
    config = shop_config(shop, admin={"address": f"127.0.0.1:{port}"})
    with gateway(tmp_path, config):
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/jwks.json") as response,
        ):
            assert response.status == 404


async def test_what_clients_send_and_what_backends_are_told_is_counted_together(shop, tmp_path):
    listener = {"address": "127.0.0.1:0", "limits": {"metadata_size": "2KiB"}}
    identities = Identities(tmp_path, shop, listener=listener)
    # A client's own part just fits; what the backend is told of the caller is more than the rest.
    long = {"accept-language": "x" * (2048 - 32 - len("accept-language"))}
    with gateway(tmp_path, identities.config) as serving:
        async with aiohttp.ClientSession(serving.url) as session:
            async with session.post(WHO_AM_I, json={}, headers=long) as response:
                assert response.status == 200, await response.text()
            known = long | identities.key
            async with session.post(WHO_AM_I, json={}, headers=known) as response:
                failure = await error_of(response)
    assert (response.status, reason_of(failure)) == (431, "HEADERS_TOO_LARGE")
    assert failure["message"].endswith("what it is told of the caller, are larger than 2048 bytes.")
