"""What is noted of pages: the route and the front of each, what names it, and who asked."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
import yaml

from gateway.app import App
from gateway.config import from_mapping
from gateway.policies.auth.key_form import digest_of, new_key
from gateway.telemetry.records import Records

ROOT = Path(__file__).parents[2]
KEY = new_key()
PAGE = {"accept": "text/html"}
ADA = {"x-api-key": KEY.text}


@pytest.fixture
async def ask(tmp_path, monkeypatch):
    """Asks a gateway without backends; returns the reply and what was noted."""
    found = []
    began = Records.began

    def begins(self, record):
        found.append(record)
        began(self, record)

    monkeypatch.setattr(Records, "began", begins)
    keys = {KEY.id: {"owner": "ada", "hash": f"sha256:{digest_of(KEY.text).hex()}"}}
    (tmp_path / "keys.yaml").write_text(yaml.safe_dump({"keys": keys}))
    data = {
        "listener": {"address": "127.0.0.1:0"},
        "schema": {"protos": [str(ROOT / "protos")]},
        "upstreams": {"shop": {"services": ["shop.*"], "endpoints": ["127.0.0.1:1"]}},
        "graphql": {"joins": [], "operations": []},
        "websocket": {"demo": True},
        "telemetry": {"recorder": {"sample": 1}},
        "auth": {"providers": {"staff": {"api_key": {"keys": {"file": "keys.yaml"}}}}},
    }
    app = App(lambda: from_mapping(data, origin="test", directory=tmp_path))
    await app.start(lambda _: None)
    async with aiohttp.ClientSession(app.urls[0]) as http:

        async def one(path, method="GET", **headers):
            found.clear()
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            async with http.request(method, path, headers=named) as reply:
                await reply.read()
            (record,) = found
            return reply, record

        yield one
    await app.stop()


PATHS = [
    ("/openapi.json", "rest", "/openapi.json"),
    ("/docs", "rest", "/docs"),
    ("/docs/-/no-such-file.js", "rest", "/docs/-/{file}"),
    ("/graphql", "graphql", "/graphql"),
    ("/graphql/-/no-such-file.js", "graphql", "/graphql/-/{file}"),
    ("/ws/client.js", "websocket", "/ws/client.js"),
    ("/ws/client.d.ts", "websocket", "/ws/client.d.ts"),
    ("/demo", "websocket", "/demo"),
    ("/demo/demo.js", "websocket", "/demo/demo.js"),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("path", "front", "route"), PATHS, ids=[each[0] for each in PATHS])
async def test_a_page_and_its_files_have_a_front_and_a_route(ask, path, front, route, method):
    reply, record = await ask(path, method, **PAGE, **ADA)
    assert reply.status == (404 if "no-such" in path else 200)
    assert (record.front, record.route) == (front, route)
    assert record.request_id == reply.headers["x-request-id"]


GUARDED = {"/openapi.json": "rest", "/docs": "rest", "/graphql": "graphql", "/demo": "websocket"}


@pytest.mark.parametrize("path", GUARDED)
async def test_who_sees_a_page_is_noted(ask, path):
    _, record = await ask(path, **PAGE, **ADA)
    assert (record.principal.subject, record.principal.provider) == ("ada", "staff")


@pytest.mark.parametrize("path", GUARDED)
async def test_a_page_that_is_refused_has_its_route_and_nobody(ask, path):
    reply, record = await ask(path, **PAGE)
    assert (reply.status, record.principal) == (401, None)
    assert (record.front, record.route) == (GUARDED[path], path)


@pytest.mark.parametrize("path", ["/ws/client.js", "/docs/-/no-such-file.js"])
async def test_nobody_is_asked_who_has_a_file(ask, path):
    _, record = await ask(path, **ADA)
    assert record.principal is None
