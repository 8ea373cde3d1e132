"""Who may call what, in a real gateway: refusals, reload, and paths that mean to slip through."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import grpc.aio
import pytest
import yaml
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from gateway.policies.auth.key_form import digest_of, new_key
from services_mock.testing import calls
from tests.end_to_end.sockets import socket
from tests.end_to_end.system import error_of, gateway, reason_of, shop_config

PRODUCT, ORDER = "/v1/products/p1", "/v1/orders/o1"
GET_PRODUCT = "shop.catalog.v1.CatalogService/GetProduct"
GET_ORDER = "shop.orders.v1.OrderService/GetOrder"
OPEN = {GET_PRODUCT, "shop.media.v1.MediaService/DownloadMedia"}

CLERK, ADMIN = new_key(), new_key()
AS_CLERK, AS_ADMIN = {"x-api-key": CLERK.text}, {"x-api-key": ADMIN.text}
STORED = {
    CLERK.id: {"owner": "clerk", "scopes": ["orders.read"]},
    ADMIN.id: {"owner": "admin", "scopes": ["orders.read"], "roles": ["admin"]},
}
POLICIES = [
    {"methods": sorted(OPEN), "authenticate": "none"},
    {"methods": ["shop.orders.*"], "authorize": {"scopes": ["orders.read"]}},
    {"methods": ["shop.users.*"], "authorize": {"roles": ["admin"]}},
]


def write_keys(path: Path) -> Path:
    """Writes the file of the two keys."""
    digests = {CLERK.id: digest_of(CLERK.text), ADMIN.id: digest_of(ADMIN.text)}
    keys = {
        name: {"hash": f"sha256:{digests[name].hex()}", **stored} for name, stored in STORED.items()
    }
    path.write_text(yaml.safe_dump({"keys": keys}))
    return path


def closed(shop: list[str], folder: Path, policies: list[dict]) -> dict:
    """A config with API keys; what no policy opens needs one."""
    keys = write_keys(folder / "keys.yaml")
    providers = {"partners": {"api_key": {"keys": {"file": str(keys)}}}}
    config = shop_config(shop, auth={"providers": providers}, policies=policies)
    config["listener"]["limits"] = {"unauthenticated": "100000/s"}
    return config


@pytest.fixture(scope="module")
def served(shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp("policies")
    with gateway(folder, closed(shop, folder, POLICIES)) as each:
        yield each


class TestRest:
    """Refusals, as REST tells them."""

    @pytest.mark.parametrize(
        ("path", "shown", "status", "reason"),
        [
            pytest.param(PRODUCT, {}, 200, None, id="open"),
            pytest.param(PRODUCT, AS_CLERK, 200, None, id="open-to-who-is-known"),
            pytest.param(
                PRODUCT,
                {"x-api-key": "gw_no"},
                401,
                "INVALID_CREDENTIALS",
                id="open-not-to-bad-keys",
            ),
            pytest.param(ORDER, {}, 401, "CREDENTIALS_MISSING", id="nobody"),
            pytest.param(ORDER, {"x-api-key": "no"}, 401, "INVALID_CREDENTIALS", id="a-bad-key"),
            pytest.param(ORDER, AS_CLERK, 200, None, id="with-the-scope"),
            pytest.param("/v1/users/u1", AS_CLERK, 403, "ROLE_MISSING", id="without-the-role"),
            pytest.param("/v1/users/u1", AS_ADMIN, 200, None, id="with-the-role"),
            pytest.param(
                "/v1/reviews", {}, 401, "CREDENTIALS_MISSING", id="closed-where-nothing-is-said"
            ),
            pytest.param("/v1/reviews", AS_CLERK, 200, None, id="any-caller-where-nothing-is-said"),
        ],
    )
    async def test_the_outcome(self, client, path, shown, status, reason):
        async with client.get(path, headers=shown) as response:
            assert response.status == status, await response.text()
            if reason:
                assert reason_of(await error_of(response)) == reason
            challenges = response.headers.getall("www-authenticate", [])
            assert len(challenges) == (status == 401)

    async def test_nobodys_large_body_is_not_looked_at(self, client):
        path, body = "/v1/orders", b"[" * 1024 * 1024
        headers = {"content-type": "application/json"}
        async with client.post(path, data=body, headers=headers) as response:
            assert response.status == 401
            assert reason_of(await error_of(response)) == "CREDENTIALS_MISSING"
        async with client.post(path, data=body, headers=headers | AS_CLERK) as response:
            assert response.status == 400

    async def test_a_stream_for_one_caller_is_kept_out_of_shared_caches(self, client):
        path = "/v1/orders/o1:watch"
        async with client.get(path, headers=AS_CLERK) as response:
            assert response.status == 200
            assert response.headers["cache-control"] == "private"

    async def test_a_stream_is_refused_before_it_begins(self, client):
        async with client.get("/v1/orders/o1:watch") as response:
            assert response.status == 401
            assert reason_of(await error_of(response)) == "CREDENTIALS_MISSING"


# What means to reach an order without a key, and what it is written as.
TRICKS = {
    "an-encoded-slash": "/v1/orders%2fo1",
    "an-encoded-slash-before": "/v1%2Forders/o1",
    "all-slashes-encoded": "/v1%2forders%2fo1",
    "an-encoded-letter": "/v1/%6frders/o1",
    "an-encoded-letter-of-the-id": "/v1/orders/%6f1",
    "encoded-twice": "/v1/%256frders/o1",
    "a-slash-encoded-twice": "/v1/products/x%252f..%252f..%252forders%252fo1",
    "another-case": "/V1/Orders/o1",
    "another-case-of-the-method": "/SHOP.orders.v1.OrderService/GetOrder",
    "a-slash-at-the-end": "/v1/orders/o1/",
    "two-slashes": "/v1//orders/o1",
    "two-slashes-first": "//v1/orders/o1",
    "a-host-in-the-path": "//127.0.0.1/v1/orders/o1",
    "a-dot": "/v1/./orders/o1",
    "dots": "/v1/products/../orders/o1",
    "encoded-dots": "/v1/products/%2e%2e/orders/o1",
    "dots-and-an-encoded-slash": "/v1/products/..%2forders%2fo1",
    "dots-below-an-open-tree": "/v1/media/../orders/o1",
    "encoded-dots-below-an-open-tree": "/v1/media/%2e%2e/orders/o1:download",
    "encoded-slashes-below-an-open-tree": "/v1/media/..%2f..%2fv1%2forders%2fo1:download",
    "a-backslash": "/v1/products/..\\orders\\o1",
    "an-encoded-backslash": "/v1/products/..%5corders%5co1",
    "dots-at-the-end": "/v1/orders/o1..",
    "a-dot-at-the-end": "/v1/orders/o1.",
    "a-dot-at-the-end-of-a-segment": "/v1/orders./o1",
    "a-semicolon": "/v1/products/p1;/../../orders/o1",
    "a-semicolon-after": "/v1/orders;a=b/o1",
    "a-nul": "/v1/orders/o1%00",
    "a-nul-before-the-end": "/v1/orders%00/o1",
    "a-space": "/v1/orders/o1%20",
    "a-line-end": "/v1/products/p1%0d%0aGET%20/v1/orders/o1",
    "another-query": "/v1/products/p1?/../orders/o1",
    "a-query-that-names-the-method": f"/v1/products/p1?method={GET_ORDER}",
    "a-query-against-the-path": "/v1/orders/o1?id=p1",
    "a-question-mark-encoded": "/v1/products/p1%3f/../../orders/o1",
    "the-other-way-of-the-path": "/v1/users/u1/orders/o1",
    "the-whole-address": "http://127.0.0.1/v1/orders/o1",
    "the-method-itself": f"/{GET_ORDER}",
    "the-method-with-an-encoded-slash": f"/{GET_ORDER.replace('/', '%2f')}",
    "the-method-with-a-slash-at-the-end": f"/{GET_ORDER}/",
    "the-method-behind-two-slashes": f"//{GET_ORDER}",
    "the-method-below-an-open-one": f"/{GET_PRODUCT}/../../{GET_ORDER}",
    "the-method-with-a-dot-at-the-end": f"/{GET_ORDER}.",
    "overlong-utf-8": "/v1/products/%c0%ae%c0%ae/orders/o1",
    "utf-8-that-is-none": "/v1/orders%ff/o1",
    "a-verb-at-the-end": "/v1/orders/o1:watch",
    "an-encoded-verb": "/v1/orders/o1%3awatch",
    "a-verb-twice": "/v1/products/p1:quote:watch",
}
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
FORMS = {
    "get": ("GET", ""),
    "post": ("POST", "Content-Length: 2\r\nContent-Type: application/json\r\n"),
    "post-as-get": ("POST", "Content-Length: 0\r\nX-HTTP-Method-Override: GET\r\n"),
    "socket": ("GET", UPGRADE),
}


async def asked(url: str, form: str, target: str) -> int:
    """Sends a request byte by byte, as no client would; returns the status."""
    at = urlsplit(url)
    method, fields = FORMS[form]
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        body = "{}" if form == "post" else ""
        head = f"{method} {target} HTTP/1.1\r\nHost: {at.netloc}\r\n{fields}\r\n{body}"
        writer.write(head.encode("latin-1"))
        line = await asyncio.wait_for(reader.readline(), 20)
        if line.startswith(b"HTTP/1.1 101 "):
            # A masked text of nothing, which begins a call that waits for its first message.
            writer.write(b"\x81\x82\0\0\0\0{}")
            await writer.drain()
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
            await asyncio.wait_for(reader.read(1), 20)
        return int(line.split()[1])
    finally:
        writer.transport.abort()


@pytest.fixture
async def called(shop):
    """Returns how often each method that is closed was called at the backend."""
    async with grpc.aio.insecure_channel(shop[0]) as channel:

        async def called():
            counts = await calls(channel)
            started = {name.removeprefix("/"): each.started for name, each in counts.items()}
            return {
                name: number
                for name, number in started.items()
                if name.startswith("shop.") and name not in OPEN
            }

        yield called


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("trick", TRICKS)
async def test_what_is_called_is_what_was_allowed(served, called, form, trick):
    before = await called()
    status = await asked(served.url, form, TRICKS[trick])
    assert status in {101, 200, 400, 401, 404, 405, 415, 421}
    assert await called() == before


async def test_the_same_count_sees_a_call_that_is_allowed(called, client):
    before = (await called()).get(GET_ORDER, 0)
    async with client.get(ORDER) as response:
        assert response.status == 401
    async with client.get(ORDER, headers=AS_CLERK) as response:
        assert response.status == 200
    assert (await called())[GET_ORDER] == before + 1


@pytest.mark.parametrize("path", [ORDER, f"/{GET_ORDER}"], ids=["route", "method"])
async def test_the_same_count_sees_a_call_of_a_socket(served, called, path):
    before = await called()
    assert await by_socket(served, path) == (None, 4216)
    assert await called() == before
    assert await by_socket(served, path, additional_headers=AS_CLERK) == ("o1", 1000)
    assert (await called())[GET_ORDER] == before.get(GET_ORDER, 0) + 1


async def by_socket(served, path, **options):
    """Asks for an order by a socket of one call; returns the order's id, and the code of its end."""
    async with connect(f"ws{served.url.removeprefix('http')}{path}", **options) as each:
        with suppress(ConnectionClosed):  # a call that is refused takes no message
            if path != ORDER:
                await each.send('{"id": "o1"}')
        answer = json.loads(await each.recv())
        await each.wait_closed()
        return answer.get("id"), each.close_code


class TestReload:
    """A policy that changes holds for the next call, on open sockets too."""

    @pytest.fixture
    def reloaded(self, shop, tmp_path):
        """A gateway of its own, and what changes its policies."""
        config = closed(shop, tmp_path, [])
        with gateway(tmp_path, config) as running:

            def change(policies):
                config["policies"] = policies
                (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(config))
                running.process.send_signal(signal.SIGHUP)

            yield running, change

    async def test_opens_and_closes_a_method(self, reloaded):
        running, change = reloaded
        async with aiohttp.ClientSession(running.url) as session:

            async def status():
                async with session.get(PRODUCT) as response:
                    await response.read()
                    return response.status

            assert await status() == 401
            change([{"methods": [GET_PRODUCT], "authenticate": "none"}])
            await until(status, 200)
            change([{"methods": [GET_PRODUCT], "authenticate": "partners"}])
            await until(status, 401)

    async def test_holds_for_the_next_call_on_an_open_socket(self, reloaded):
        running, change = reloaded
        options = {"additional_headers": AS_CLERK}
        async with socket(running.url, options=options) as client:

            async def outcome():
                id_ = await client.open(GET_PRODUCT, {"id": "p1"}, end=True)
                _, status = await client.whole(id_)
                return reason_of(status)

            assert await outcome() is None
            change([{"methods": [GET_PRODUCT], "authorize": {"roles": ["admin"]}}])
            await until(outcome, "ROLE_MISSING")
            change([])
            await until(outcome, None)

    async def test_a_policy_that_is_wrong_leaves_the_old_one(self, reloaded):
        running, change = reloaded
        async with aiohttp.ClientSession(running.url) as session:

            async def status():
                async with session.get(PRODUCT) as response:
                    await response.read()
                    return response.status

            change([{"methods": [GET_PRODUCT], "authenticate": "nobody"}])
            change([{"methods": ["shop.Nothing/*"], "authenticate": "none"}])
            for _ in range(20):
                assert await status() == 401
            change([{"methods": [GET_PRODUCT], "authenticate": "none"}])
            await until(status, 200)


async def until(ask, expected):
    """Asks until the answer is the expected one: a reload takes its time."""
    async with asyncio.timeout(30):
        while await ask() != expected:
            await asyncio.sleep(0.02)
