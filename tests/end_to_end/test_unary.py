"""REST in, gRPC out, JSON back: unary methods through real sockets and real backends."""

from __future__ import annotations

import asyncio
import io
import json

import pytest

from tests.end_to_end.system import error_of, reason_of

WHO_AM_I = "/shop.users.v1.UserService/WhoAmI"


async def who_am_i(client, **options):
    async with client.post(WHO_AM_I, **options) as response:
        assert response.status == 200, await response.text()
        return await response.json()


def metadata_of(answer):
    return {each["key"]: each.get("text", each.get("binary")) for each in answer["metadata"]}


async def test_get_with_a_path_variable(client):
    async with client.get("/v1/products/p1") as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        product = await response.json()
    assert product["id"] == "p1"
    assert isinstance(product["price"]["units"], str), "64-bit integers are strings"


async def test_an_additional_binding_with_a_variable_of_several_segments(client):
    async with client.get("/v1/shelves/s1/products/p1") as response:
        assert response.status in {200, 404}
        assert reason_of((await response.json()).get("error", {})) is None, "the backend answered"


async def test_query_parameters(client):
    async with client.get("/v1/products", params={"page_size": "2"}) as response:
        assert len((await response.json())["products"]) == 2
    async with client.get("/v1/products?pageSize=3") as response:
        assert len((await response.json())["products"]) == 3


async def test_every_kind_of_query_parameter_reaches_the_backend(client):
    query = (
        "query=a+b&sellerNumber=-9007199254740993&onSale=1&tags=x&tags=y&states=PRODUCT_STATE_DRAFT"
        "&states=2&price.minUnits=5&createdAfter=2026-01-02T03:04:05Z&maxHandlingTime=1.5s"
        "&readMask=title,price.units&attributes=%7B%22a%22%3A%5B1%5D%7D&labels%5Bx%5D=1"
        "&maxVolumePrices[10]=99&inStock=false&region.countryCode=de&brand=&sha256Prefix=-_8"
        "&maxWeightKg=1e3&minRating=4.5"
    )
    async with client.get(f"/v1/products:search?{query}") as response:
        assert response.status == 200, await response.text()
        applied = (await response.json())["applied"]
    assert applied == {
        "query": "a b",
        "sellerNumber": "-9007199254740993",
        "onSale": True,
        "tags": ["x", "y"],
        "states": ["PRODUCT_STATE_DRAFT", "PRODUCT_STATE_ACTIVE"],
        "price": {"minUnits": "5"},
        "createdAfter": "2026-01-02T03:04:05Z",
        "maxHandlingTime": "1.500s",
        "readMask": "title,price.units",
        "attributes": {"a": [1]},
        "labels": {"x": "1"},
        "maxVolumePrices": {"10": "99"},
        "inStock": False,
        "region": {"countryCode": "de"},
        "brand": "",
        "sha256Prefix": "+/8=",
        "maxWeightKg": 1000.0,
        "minRating": 4.5,
    }


async def test_create_update_get_delete(client):
    product = {"id": "t1", "title": "Tea", "price": {"currencyCode": "EUR", "units": "3"}}
    async with client.post("/v1/products", json=product) as response:
        assert response.status in {200, 201}, await response.text()
        created = await response.json()
    path = f"/v1/products/{created['id']}"
    async with client.patch(path, json={"title": "Green tea"}) as response:
        assert response.status == 200, await response.text()
        patched = await response.json()
    assert patched["title"] == "Green tea"
    assert patched["price"]["units"] == "3", "the mask was made of the body's own paths"
    async with client.get(path) as response:
        assert (await response.json())["title"] == "Green tea"
    async with client.delete(path) as response:
        assert response.status == 200
        assert await response.json() == {}
    async with client.get(path) as response:
        assert response.status == 404


async def test_what_was_got_can_be_put_back(client):
    async with client.get("/v1/products/p2") as response:
        product = await response.json()
    async with client.put("/v1/products/p2", json=product) as response:
        assert response.status == 200, await response.text()


async def test_a_body_that_names_another_id_than_the_path_is_refused(client):
    async with client.put("/v1/products/p2", json={"id": "p3", "title": "x"}) as response:
        assert response.status == 400
        assert reason_of(await error_of(response)) == "CONFLICTING_FIELD"


async def test_a_scalar_body_and_list_and_map_bodies(client):
    async with client.post("/v1/products/p3:rename", json="New title") as response:
        assert response.status == 200, await response.text()
        assert (await response.json())["title"] == "New title"
    async with client.put("/v1/products/p3/tags", json=["a", "b"]) as response:
        assert response.status == 200, await response.text()
        assert await response.json() == ["a", "b"], "response_body of a repeated field"
    async with client.put("/v1/products/p3/labels", json={"k": "v"}) as response:
        assert response.status == 200, await response.text()
        assert await response.json() == {"k": "v"}


async def test_response_body_of_a_message(client):
    async with client.get("/v1/products/p1:quote?quantity=2") as response:
        assert response.status == 200, await response.text()
        assert "currencyCode" in await response.json()


async def test_a_form_binds_like_a_query(client):
    async with client.post("/v1/products:search", data={"query": "x", "tags": "a"}) as response:
        assert response.status == 200, await response.text()
        assert (await response.json())["applied"] == {"query": "x", "tags": ["a"]}


async def test_a_method_without_a_rule(client):
    answer = await who_am_i(client, json={})
    assert answer["replica"]


async def test_http_body_out_and_in(client):
    async with client.get("/v1/orders/o1/invoice") as response:
        assert response.status == 200, await response.text()
        assert response.content_type != "application/json"
        assert await response.read()
    headers = {"content-type": "image/png"}
    async with client.put("/v1/media/a/b.png", data=b"\x89PNG", headers=headers) as response:
        assert response.status in {200, 201}, await response.text()
        media = await response.json()
    assert media["contentType"] == "image/png"
    assert media["sizeBytes"] == "4"
    assert media["path"] == "a/b.png"


# Errors.


async def test_a_backends_error_comes_through(client):
    async with client.get("/v1/products/none") as response:
        assert response.status == 404
        error = await error_of(response)
    assert error["status"] == "NOT_FOUND"
    assert "none" in error["message"]
    assert reason_of(error) is None


async def test_a_backends_details_come_through(client):
    async with client.post("/v1/orders", json={"userId": "u1", "items": []}) as response:
        assert response.status == 400, await response.text()
        error = await error_of(response)
    assert any(each["@type"].endswith("google.rpc.BadRequest") for each in error["details"])
    assert reason_of(error) is None


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        pytest.param("GET", "/nowhere", 404, "ROUTE_NOT_FOUND", id="404"),
        pytest.param("GET", "/v1/products/p1/", 404, "ROUTE_NOT_FOUND", id="trailing-slash"),
        pytest.param("DELETE", "/v1/users", 405, "METHOD_NOT_ALLOWED", id="405"),
        pytest.param("GET", "/v1/products/%zz", 400, "INVALID_PATH", id="bad-escape"),
        pytest.param("GET", "/v1/products?nope=1", 400, "UNKNOWN_QUERY_PARAMETER", id="unknown"),
        pytest.param("GET", "/v1/products?page_size=x", 400, "INVALID_QUERY", id="not-a-number"),
    ],
)
async def test_the_gateways_own_errors(client, method, path, status, reason):
    import yarl

    url = yarl.URL(str(client._base_url).rstrip("/") + path, encoded=True)
    async with client.request(method, url) as response:
        assert response.status == status
        error = await error_of(response)
        assert reason_of(error) == reason
        ids = [each.get("requestId") for each in error["details"]]
        assert response.headers["x-request-id"] in ids


async def test_405_says_what_is_allowed(client):
    async with client.delete("/v1/users") as response:
        assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    async with client.options("/v1/users") as response:
        assert response.status == 204
        assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"


async def test_head_answers_where_get_does(client):
    async with client.get("/v1/products/p1") as response:
        length = response.headers["content-length"]
    async with client.head("/v1/products/p1") as response:
        assert response.status == 200
        assert response.headers["content-length"] == length
        assert await response.read() == b""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"{", "INVALID_JSON", id="cut"),
        pytest.param(b"[]", "INVALID_BODY", id="wrong-type"),
        pytest.param(b'{"nope":1}', "INVALID_BODY", id="unknown-field"),
        pytest.param(b'{"title":"a","title":"b"}', "INVALID_BODY", id="repeated-key"),
        pytest.param(b"null", "INVALID_BODY", id="null"),
        pytest.param(b'{"title":"\xff"}', "INVALID_JSON", id="not-utf-8"),
    ],
)
async def test_bodies_that_are_wrong(client, body, reason):
    headers = {"content-type": "application/json"}
    async with client.post("/v1/products", data=body, headers=headers) as response:
        assert response.status == 400
        assert reason_of(await error_of(response)) == reason


async def test_another_content_type_is_415(client):
    headers = {"content-type": "text/xml"}
    async with client.post("/v1/products", data=b"<a/>", headers=headers) as response:
        assert response.status == 415
        assert reason_of(await error_of(response)) == "UNSUPPORTED_CONTENT_TYPE"


async def test_a_body_where_the_rule_has_none(client):
    async with client.get("/v1/products/p1", data=b"{}") as response:
        assert response.status == 400
        assert reason_of(await error_of(response)) == "UNEXPECTED_BODY"


async def test_a_body_over_the_limit_is_413(client):
    body = io.BytesIO(b" " * (4 * 1024 * 1024 + 1))
    headers = {"content-type": "application/json"}
    async with client.post("/v1/products", data=body, headers=headers) as response:
        assert response.status == 413
        assert reason_of(await error_of(response)) == "BODY_TOO_LARGE"


# Headers, ids, deadlines.


async def test_the_request_id_is_taken_or_made_echoed_and_passed_on(client):
    headers = {"x-request-id": "abc-1"}
    async with client.post(WHO_AM_I, json={}, headers=headers) as response:
        assert response.headers["x-request-id"] == "abc-1"
        assert metadata_of(await response.json())["x-request-id"] == "abc-1"
    async with client.post(WHO_AM_I, json={}) as response:
        made = response.headers["x-request-id"]
        assert metadata_of(await response.json())["x-request-id"] == made
    assert len(made) == 32


async def test_only_allowed_headers_reach_the_backend(client):
    headers = {"accept-language": "de", "x-secret": "1", "grpc-tags-bin": "AA==", "te": "trailers"}
    seen = metadata_of(await who_am_i(client, json={}, headers=headers))
    assert seen["accept-language"] == "de"
    assert "x-secret" not in seen
    assert "grpc-tags-bin" not in seen


@pytest.mark.parametrize(
    "headers", [{"x-request-timeout": "0.25"}, {"grpc-timeout": "250m"}], ids=["seconds", "grpc"]
)
async def test_a_client_shortens_the_deadline(client, headers):
    remaining = (await who_am_i(client, json={}, headers=headers))["timeRemaining"]
    assert 0 < float(remaining.removesuffix("s")) <= 0.3


async def test_a_bad_timeout_is_400(client):
    async with client.post(WHO_AM_I, json={}, headers={"grpc-timeout": "soon"}) as response:
        assert response.status == 400
        assert reason_of(await error_of(response)) == "INVALID_TIMEOUT"


async def test_metadata_does_not_leak_back(client):
    async with client.get("/v1/products/p1") as response:
        assert "x-replica" not in response.headers


async def test_many_calls_at_once(client):
    async def get(number):
        async with client.get(f"/v1/products/p{number % 20 + 1}") as response:
            return response.status, json.loads(await response.read())["id"]

    answers = await asyncio.gather(*(get(number) for number in range(200)))
    assert answers == [(200, f"p{number % 20 + 1}") for number in range(200)]
