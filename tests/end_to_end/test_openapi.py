"""The document against the gateway that serves it: what it says of requests and answers is so."""

from __future__ import annotations

import json

import aiohttp
import hypothesis.strategies as st
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from openapi_spec_validator import validate
from schemathesis import GenerationMode, openapi
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.end_to_end.system import ROOT, gateway, reason_of, shop_config

EXAMPLES = {GenerationMode.POSITIVE: 2, GenerationMode.NEGATIVE: 1}

# ProtoJSON's readers take more than is described. What a backend refuses is the backend's to say.
NOT_HELD = [negative_data_rejection, positive_data_acceptance]

# What OpenAPI has no words for: members of a oneof in a query, types of an Any, a view's cost.
UNSAID = ("another field given are both of", "@type", "estimated cost")


@pytest.fixture(scope="module")
def described(shop, tmp_path_factory):
    """A gateway with views."""
    folders = {"joins": [str(ROOT / "schema" / "joins.graphql")]}
    graphql = {"operations": [str(ROOT / "schema" / "operations")], **folders}
    info = {"title": "The shop", "version": "7"}
    config = shop_config(shop, graphql=graphql, rest={"info": info})
    with gateway(tmp_path_factory.mktemp("described"), config) as each:
        yield each


@pytest.fixture(scope="module")
def document(described):
    return requests.get(f"{described.url}/openapi.json", timeout=10).json()


def test_it_is_an_openapi_document(document):
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert document["info"] == {"title": "The shop", "version": "7"}


def lines(_context, value):
    return "\n".join(map(json.dumps, value if isinstance(value, list) else [value])).encode()


def can_be_wrong(operation) -> bool:
    """Whether it takes more than a path and bytes, of which nothing is wrong."""
    return bool(operation.query) or any("json" in each.media_type for each in operation.body)


def refused_by_the_gateway(response) -> str | None:
    """Why the gateway itself found fault with a request; None where it did not."""
    if response.status_code not in {400, 404, 405, 413, 415}:
        return None
    error = response.json()["error"]
    if reason_of(error) is None or any(each in error["message"] for each in UNSAID):
        return None
    return error["message"]


@pytest.mark.timeout(180)
def test_schemathesis_finds_no_disagreement(described, document):
    openapi.format("int64", st.integers(-(2**63), 2**63 - 1).map(str))
    openapi.format("uint64", st.integers(0, 2**64 - 1).map(str))
    schemathesis.serializer("application/x-ndjson")(lines)
    schema = openapi.from_dict(document)
    schema.config.generation.allow_x00 = False  # NUL is refused everywhere
    operations = [each.ok() for each in schema.get_all_operations()]
    tried = 0
    with requests.Session() as session:

        def agree(case, mode):
            nonlocal tried
            tried += 1
            # Streams that never end, do.
            held = {"x-request-timeout": "0.3"}
            response = case.call(described.url, session=session, headers=held, timeout=20)
            content = case.operation.definition.raw["responses"]["200"]["content"]
            if "*/*" not in content or response.status_code >= 400:
                case.validate_response(response, excluded_checks=NOT_HELD)
            if mode is GenerationMode.POSITIVE:
                assert refused_by_the_gateway(response) is None, case.as_curl_command()

        for operation in operations:
            for mode, examples in EXAMPLES.items():

                @seed(1)
                @settings(
                    max_examples=examples,
                    database=None,
                    deadline=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                @given(operation.as_strategy(generation_mode=mode), st.just(mode))
                def each(case, mode):
                    agree(case, mode)

                if mode is GenerationMode.POSITIVE or can_be_wrong(operation):
                    each()
    assert len(operations) > 70
    assert tried > 200


async def test_it_is_asked_for_by_its_tag(described):
    async with aiohttp.ClientSession(described.url) as session:
        async with session.get("/openapi.json") as first:
            assert first.content_type == "application/json"
            assert first.headers["cache-control"] == "no-cache"
        tagged = {"if-none-match": first.headers["etag"]}
        async with session.get("/openapi.json", headers=tagged) as again:
            assert (again.status, await again.read()) == (304, b"")
        async with session.head("/openapi.json") as head:
            assert (head.status, await head.read()) == (200, b"")
        async with session.options("/openapi.json") as options:
            assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
        for path in ("/openapi.json", "/docs"):
            async with session.post(path) as posted:
                assert (posted.status, posted.headers["allow"]) == (405, "GET, HEAD")


async def test_the_page_names_the_document(described):
    async with aiohttp.ClientSession(described.url) as session, session.get("/docs") as reply:
        assert reply.content_type == "text/html"
        assert "connect-src 'self'" in reply.headers["content-security-policy"]
        page = await reply.text()
    assert "<title>The shop</title>" in page
    assert '<link rel="service-desc" type="application/json" href="./openapi.json">' in page


async def test_pages_are_closed_where_there_are_providers(shop, tmp_path):
    from gateway.policies.auth.key_form import digest_of, new_key

    key = new_key()
    entry = {"hash": f"sha256:{digest_of(key.text).hex()}", "owner": "acme", "scopes": ["read"]}
    (tmp_path / "keys.yaml").write_text(json.dumps({"keys": {key.id: entry}}))
    provider = {"api_key": {"keys": {"file": "keys.yaml"}}}
    policies = [
        {"methods": ["shop.catalog.v1.*"], "authenticate": "none"},
        {"methods": ["shop.users.v1.*"], "authorize": {"scopes": ["users.read"]}},
    ]
    hosts = {
        "shop.example": {"services": ["shop.*"]},
        "catalog.example": {"services": ["shop.catalog.*"]},
    }
    config = shop_config(
        shop, auth={"providers": {"partners": provider}}, policies=policies, hosts=hosts
    )
    with gateway(tmp_path, config) as each:
        async with aiohttp.ClientSession(each.url) as session:

            async def ask(host, path="/openapi.json", **headers):
                async with session.get(path, headers={"host": host, **headers}) as reply:
                    return reply.status, reply.headers, await reply.read()

            for path in ("/openapi.json", "/docs"):
                assert (await ask("shop.example", path))[0] == 401
                asked = {"if-none-match": "*"}
                assert (await ask("shop.example", path, **asked))[0] == 401, "nor that it is there"
            shown = {"x-api-key": key.text}
            status, headers, body = await ask("shop.example", **shown)
            assert (status, headers["cache-control"]) == (200, "private, no-cache")
            whole = json.loads(body)
            narrow = json.loads((await ask("catalog.example", **shown))[2])
    validate(whole)
    assert whole["components"]["securitySchemes"] == {
        "partners": {"type": "apiKey", "in": "header", "name": "x-api-key"}
    }
    assert whole["paths"]["/v1/products/{id}"]["get"]["security"] == [{}]
    assert whole["paths"]["/v1/users/{id}"]["get"]["security"] == [{"partners": ["users.read"]}]
    assert {"401", "403"} <= set(whole["paths"]["/v1/users/{id}"]["get"]["responses"])
    assert [tag["name"] for tag in narrow["tags"]] == ["shop.catalog.v1.CatalogService"]
