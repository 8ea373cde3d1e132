"""An API of two versions through real sockets: `rest.versions`."""

from __future__ import annotations

import aiohttp
import pytest

from tests.end_to_end.system import error_of, gateway, reason_of, shop_config

PRODUCT = "/products/p1"
V2 = "application/vnd.shop.v2+json"
VERSIONS = {
    "default": "v1",
    "accept": "application/vnd.shop.{version}+json",
    "header": "x-api-version",
    "query": "version",
}
CATALOG = "shop.catalog.v1.CatalogService"
# The second version gives a product in full to `:quote` only, so that the two can be told apart.
RULES = [
    {
        "selector": f"{CATALOG}.GetProduct",
        "get": "/v1/products/{id}",
        "additional_bindings": [{"get": "/v2/products/{id}", "response_body": "title"}],
    },
    {
        "selector": f"{CATALOG}.ExportProducts",
        "get": "/v2/products:export",
    },
]


def config(backends, versions=VERSIONS, **rest):
    given = shop_config(backends, graphql=False, rest={"versions": versions, **rest})
    given["schema"] = {**given["schema"], "http_rules": RULES}
    return given


@pytest.fixture(scope="module")
def served(shop, tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("versions"), config(shop)) as each:
        yield each


async def version(client, path=PRODUCT, **headers):
    """Which version answered, and the reply."""
    async with client.get(path, headers=headers) as response:
        assert response.status == 200, await response.text()
        answer = await response.json(content_type=None)
        return ("v2" if isinstance(answer, str) else "v1"), response


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        pytest.param("/v1/products/p1", {}, "v1", id="by path"),
        pytest.param("/v2/products/p1", {}, "v2", id="by the other path"),
        pytest.param(PRODUCT, {}, "v1", id="the default"),
        pytest.param(PRODUCT, {"x-api-version": "2"}, "v2", id="by header"),
        pytest.param(f"{PRODUCT}?version=v2", {}, "v2", id="by query"),
        pytest.param(PRODUCT, {"accept": V2}, "v2", id="by media type"),
        pytest.param("/v1/products/p1", {"x-api-version": "v2"}, "v1", id="the path counts"),
    ],
)
async def test_a_version_answers(client, path, headers, expected):
    assert (await version(client, path, **headers))[0] == expected


async def test_a_reply_says_what_it_depends_on_and_has_the_type_that_was_asked_for(client):
    _, asked = await version(client, accept=V2)
    assert asked.headers["content-type"] == V2
    assert asked.headers["vary"] == "accept, x-api-version"
    _, default = await version(client)
    assert default.headers["content-type"] == "application/json"
    assert default.headers["vary"] == "accept, x-api-version"
    _, plain = await version(client, "/v2/products/p1", accept=V2)
    assert plain.headers["content-type"] == "application/json"
    assert "vary" not in plain.headers


async def test_errors_are_json_and_vary_too(client):
    async with client.get("/products/nobody-has-it", headers={"accept": V2}) as response:
        assert response.status == 404
        await error_of(response)
        assert response.headers["vary"] == "accept, x-api-version"


@pytest.mark.parametrize(
    ("path", "headers", "status", "reason"),
    [
        (PRODUCT, {"x-api-version": "v3"}, 400, "UNKNOWN_VERSION"),
        (f"{PRODUCT}?version=7", {}, 400, "UNKNOWN_VERSION"),
        (f"{PRODUCT}?version=1", {"x-api-version": "2"}, 400, "UNKNOWN_VERSION"),
        (PRODUCT, {"accept": "application/vnd.shop.v3+json"}, 406, "NOT_ACCEPTABLE"),
        ("/v3/products/p1", {}, 404, "ROUTE_NOT_FOUND"),
    ],
)
async def test_an_unknown_version_is_told_with_those_there_are(
    client, path, headers, status, reason
):
    async with client.get(path, headers=headers) as response:
        error = await error_of(response)
        assert (response.status, reason_of(error)) == (status, reason)
        assert "v1, v2" in error["message"]


async def test_what_another_version_does_not_have_is_not_found(client):
    async with client.get("/users", headers={"x-api-version": "v2"}) as response:
        assert reason_of(await error_of(response)) == "ROUTE_NOT_FOUND"
    async with client.get("/users", headers={"x-api-version": "v1"}) as response:
        assert response.status == 200


async def test_methods_and_options_are_those_of_the_version(client):
    async with client.options(PRODUCT) as response:
        assert response.status == 204
        allowed = response.headers["allow"]
    async with client.delete(PRODUCT, headers={"x-api-version": "v2"}) as response:
        assert response.status == 405
        assert response.headers["allow"] == "GET, HEAD, OPTIONS"
    assert "DELETE" in allowed, "the first version has it"


async def test_a_route_without_a_version_stays_where_it_is(client):
    path = "/shop.users.v1.UserService/WhoAmI"
    async with client.post(path, json={}, headers={"x-api-version": "v9"}) as response:
        assert response.status == 200


async def test_streams_have_versions(client):
    headers = {"x-api-version": "v2", "accept": "application/x-ndjson"}
    async with client.get("/products:export", headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "application/x-ndjson"
        assert response.headers["vary"] == "accept, x-api-version"
        assert await response.content.readline()


async def test_a_body_goes_with_its_version(client):
    product = {"id": "versioned", "title": "T", "price": {"currencyCode": "EUR", "units": "1"}}
    async with client.post("/products", json=product) as response:
        assert response.status == 201, await response.text()
        assert response.headers["location"] == "/v1/products/versioned"
    content = {"content-type": "application/vnd.shop.v1+json"}
    async with client.post("/users:signOut", data=b"{}", headers=content) as response:
        assert response.status != 415


async def test_behind_a_prefix(shop, tmp_path):
    given = config(shop, prefix="/api")
    with gateway(tmp_path, given) as running:
        async with aiohttp.ClientSession(running.url) as client:
            assert (await version(client, "/api/products/p1", accept=V2))[0] == "v2"
            async with client.get(PRODUCT) as response:
                assert response.status == 404


async def test_without_the_section_a_path_needs_its_version(shop, tmp_path):
    given = config(shop)
    del given["rest"]["versions"]
    with gateway(tmp_path, given) as running:
        async with aiohttp.ClientSession(running.url) as client:
            async with client.get(PRODUCT, headers={"x-api-version": "v1"}) as response:
                assert response.status == 404
            _, reply = await version(client, "/v1/products/p1")
            assert "vary" not in reply.headers
