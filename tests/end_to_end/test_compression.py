"""Packed replies of a real gateway to real clients: all fronts, kept replies, streams, secrets."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import zlib

import aiohttp
import brotli
import pytest
import zstandard

from tests.end_to_end.system import error_of, gateway, reason_of, shop_config

LIST = "/v1/products?page_size=50"
WATCH = "/v1/stock:watch"
QUERY = {"query": "{ __schema { types { name fields { name description } } } }"}


@pytest.fixture(scope="module")
def served(shop, tmp_path_factory):
    config = shop_config(
        shop,
        graphql={},
        rest={"etag": True},
        websocket={"demo": True},
        policies=[
            {
                "methods": ["shop.catalog.v1.CatalogService/SearchProducts"],
                "cache": {"ttl": "60s", "vary": []},
            }
        ],
    )
    config["listener"]["compression"] = ["br", "zstd", "gzip"]
    with gateway(tmp_path_factory.mktemp("packing"), config) as each:
        yield each


@pytest.fixture
async def client(served):
    async with aiohttp.ClientSession(served.url, auto_decompress=False) as session:
        yield session


UNPACK = {
    "gzip": lambda data: zlib.decompress(data, wbits=31),
    "br": brotli.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompress(data),
    None: bytes,
}


async def fetch(client, path=LIST, *, method="GET", body=None, **headers):
    """The reply and its body, unpacked."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("accept-encoding", "identity")
    async with client.request(method, path, headers=named, json=body) as response:
        raw = await response.read()
        return response, UNPACK[response.headers.get("content-encoding")](raw) if raw else raw


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, zstd;q=0.9", "gzip"),
        ("zstd", "zstd"),
        ("gzip;q=0", None),
        ("identity", None),
    ],
)
async def test_rest(client, accepted, coding):
    _, plain = await fetch(client)
    response, body = await fetch(client, accept_encoding=accepted)
    assert response.headers.get("content-encoding") == coding
    assert response.headers.getall("vary") == ["accept-encoding"]
    assert body == plain
    assert json.loads(body)["products"]


async def test_graphql(client):
    _, plain = await fetch(client, "/graphql", method="POST", body=QUERY)
    response, body = await fetch(
        client, "/graphql", method="POST", body=QUERY, accept_encoding="br"
    )
    assert response.headers["content-encoding"] == "br"
    assert sorted(response.headers.getall("vary")) == ["accept", "accept-encoding"]
    assert body == plain


async def test_parts_of_a_graphql_response(client):
    asked = {"query": "{ __typename ... @defer { later: __typename } }"}
    headers = {"accept": "multipart/mixed", "accept_encoding": "br, gzip"}
    response, body = await fetch(client, "/graphql", method="POST", body=asked, **headers)
    assert response.content_type == "multipart/mixed"
    assert response.headers["content-encoding"] == "gzip"
    assert body.endswith(b"\r\n-----\r\n")


async def test_little_is_sent_as_it_is(client):
    response, body = await fetch(client, "/v1/products/p1", accept_encoding="gzip")
    assert response.headers.get("content-encoding") is None
    assert response.headers.get("vary") is None
    assert json.loads(body)["id"] == "p1"


async def test_a_kept_reply(client):
    path = "/v1/products:search?query=a&page_size=50"
    _, plain = await fetch(client, path)
    for accepted in ("gzip", "br", "gzip"):
        response, body = await fetch(client, path, accept_encoding=accepted)
        assert response.headers["content-encoding"] == accepted
        assert "age" in response.headers
        assert response.headers["etag"].endswith(f';{accepted}"')
        assert body == plain


async def test_a_tag_holds_for_its_coding_and_comes_back(client):
    plain, _ = await fetch(client)
    packed, _ = await fetch(client, accept_encoding="gzip")
    tag = packed.headers["etag"]
    assert tag == plain.headers["etag"][:-1] + ';gzip"'
    for sent in (tag, f'"other", {tag}', "*", f"W/{tag}"):
        again, body = await fetch(client, accept_encoding="gzip", if_none_match=sent)
        assert (again.status, body) == (304, b"")
        assert again.headers["vary"] == "accept-encoding"
        expected = plain.headers["etag"] if sent == "*" else tag
        assert again.headers["etag"] == expected


async def test_head_tells_what_get_would(client):
    got, _ = await fetch(client, accept_encoding="br")
    head, body = await fetch(client, method="HEAD", accept_encoding="br")
    assert body == b""
    for name in ("content-encoding", "vary", "etag", "content-type"):
        assert head.headers[name] == got.headers[name]


async def test_what_would_mix_secrets_is_not_packed(client):
    other_site = {"cookie": "session=1", "sec_fetch_site": "cross-site"}
    response, _ = await fetch(client, accept_encoding="br", **other_site)
    assert response.headers.get("content-encoding") is None
    own_page = {"cookie": "session=1", "sec_fetch_site": "same-origin"}
    response, _ = await fetch(client, accept_encoding="br", **own_page)
    assert response.headers["content-encoding"] == "br"


@pytest.mark.parametrize("accept", ["application/x-ndjson", "application/json"])
async def test_messages_of_a_stream_arrive_one_by_one(client, accept):
    path = f"{WATCH}?count=1000000&interval=0.01s"
    headers = {"accept": accept, "accept-encoding": "br, gzip"}
    async with asyncio.timeout(20), client.get(path, headers=headers) as response:
        assert response.headers["content-encoding"] == "gzip"
        unpacker, got = zlib.decompressobj(wbits=31), b""
        async for data in response.content.iter_any():
            got += unpacker.decompress(data)
            if got.count(b"sequence") >= 3:
                break


async def test_a_client_that_unpacks_by_itself(served):
    async with aiohttp.ClientSession(served.url) as session:
        async with session.get(f"{WATCH}?count=3&interval=0.01s") as response:
            assert response.headers["content-encoding"] == "gzip"
            lines = [json.loads(line) async for line in response.content]
        assert [each["sequence"] for each in lines] == ["1", "2", "3"]
        async with session.get(LIST) as response:
            assert response.headers["content-encoding"] == "br"
            assert (await response.json())["products"]


async def test_events_are_not_packed(client):
    headers = {"accept": "text/event-stream", "accept-encoding": "gzip"}
    async with client.get(f"{WATCH}?count=2&interval=0.01s", headers=headers) as response:
        assert "content-encoding" not in response.headers
        assert b"data: " in await response.read()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_curl(served):
    _, plain = await _run("curl", "-sS", served.url + LIST)
    head, packed = await _run("curl", "-sS", "--compressed", "-D", "/dev/stderr", served.url + LIST)
    assert b"content-encoding: " in head.lower()
    assert packed == plain


async def _run(*command):
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err
    return err, out


async def test_a_packed_request_is_refused_and_told_what_would_do(client):
    packed = zlib.compress(b"{}")
    async with client.post(
        "/v1/products",
        data=packed,
        headers={"content-encoding": "gzip", "content-type": "application/json"},
    ) as response:
        assert response.status == 415
        assert response.headers["accept-encoding"] == "identity"
        assert reason_of(await error_of(response)) == "UNSUPPORTED_CONTENT_ENCODING"


async def test_a_backends_data_is_what_it_is_said_to_be(client):
    async with client.get("/v1/orders/o1/invoice") as response:
        assert response.status == 200
        assert response.headers["x-content-type-options"] == "nosniff"


HELD = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize("path", ["/graphql", "/docs", "/demo"])
async def test_every_page_is_held_to_what_it_is_for(client, path):
    asked = {"accept": "text/html", "accept_encoding": "gzip"}
    response, body = await fetch(client, path, **asked)
    assert (response.status, response.content_type) == (200, "text/html")
    assert body.startswith(b"<!doctype html>")
    assert {name: response.headers[name] for name in HELD} == HELD
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    again, _ = await fetch(client, path, **asked, if_none_match=response.headers["etag"])
    assert again.status == 304
    assert {name: again.headers[name] for name in HELD} == HELD


@pytest.mark.parametrize("path", ["/openapi.json", "/ws/client.js"])
@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, zstd, br", "br"),
        ("*", "br"),
        ("gzip;q=0.5, br", "br"),
        ("gzip, zstd;q=0.9", "gzip"),
        ("zstd", "zstd"),
        ("br;q=0", None),
    ],
)
async def test_a_document_and_a_script_are_packed_as_any_reply(client, path, accepted, coding):
    plain, whole = await fetch(client, path)
    response, body = await fetch(client, path, accept_encoding=accepted)
    tag = plain.headers["etag"]
    assert response.headers.get("content-encoding") == coding
    assert response.headers["vary"] == "accept-encoding"
    assert response.headers["etag"] == (f'{tag[:-1]};{coding}"' if coding else tag)
    assert body == whole
    head, _ = await fetch(client, path, method="HEAD", accept_encoding=accepted)
    assert head.headers["etag"] == response.headers["etag"]
    assert head.headers.get("content-encoding") == coding


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("coding", ["", ";gzip", ";br", ";zstd"])
async def test_the_openapi_document_is_known_by_any_of_its_tags(client, method, coding):
    plain, body = await fetch(client, "/openapi.json")
    assert json.loads(body)["openapi"].startswith("3.1")
    tag = f'{plain.headers["etag"][:-1]}{coding}"'
    asks = {"accept_encoding": "gzip, br", "if_none_match": tag}
    again, body = await fetch(client, "/openapi.json", method=method, **asks)
    assert (again.status, body) == (304, b"")
    assert again.headers["etag"] == tag


async def test_files_that_the_package_has_packed_are_gzip(client):
    _, page = await fetch(client, "/docs", accept="text/html")
    path = re.search(rb'src="\./([^"]+)"', page)[1].decode()
    response, _ = await fetch(client, f"/{path}", accept_encoding="br, gzip;q=0.5")
    assert response.headers["content-encoding"] == "gzip"
    tag = response.headers["etag"]
    assert tag.endswith(';gzip"')
    asks = {"accept_encoding": "gzip", "if_none_match": tag}
    again, _ = await fetch(client, f"/{path}", **asks)
    assert (again.status, again.headers["etag"]) == (304, tag)


async def test_nothing_is_packed_where_the_list_is_empty(shop, tmp_path):
    config = shop_config(shop)
    config["listener"]["compression"] = []
    with gateway(tmp_path, config) as served:
        async with aiohttp.ClientSession(served.url, auto_decompress=False) as session:
            response, body = await fetch(session, "/openapi.json", accept_encoding="gzip, br")
            assert "content-encoding" not in response.headers
            assert json.loads(body)["openapi"].startswith("3.1")
            tag = response.headers["etag"]
            again, _ = await fetch(session, "/openapi.json", if_none_match=tag)
            assert (again.status, again.headers["etag"]) == (304, tag)
