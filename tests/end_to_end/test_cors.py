"""Pages of other origins before a real gateway: every front, preflights, cookies, a real browser."""

from __future__ import annotations

import asyncio
import shutil
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import pytest
import yaml

from tests.end_to_end.system import error_of, gateway, reason_of, shop_config
from tests.policies.auth.issuer import Issuer, served

CHROMIUM = shutil.which("chromium")
ALLOWED = "access-control-allow-origin"
WHO = "/shop.users.v1.UserService/WhoAmI"


class Page(BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>app</title>")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def app():
    """The origin of a page, and the same page's of another origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://localhost:{server.server_port}", f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def issuer():
    with served(Issuer()) as each:
        yield each


@pytest.fixture(scope="module")
def sharing(shop, app, issuer, tmp_path_factory):
    customers = {"jwt": issuer.config(cookie="session")}
    config = shop_config(
        shop,
        auth={"providers": {"customers": customers}},
        policies=[
            {"methods": ["*"], "authenticate": ["customers", "none"]},
            {"methods": ["shop.users.v1.UserService/WhoAmI"], "authenticate": ["customers"]},
        ],
        graphql={},
    )
    config["listener"] |= {
        "cors": {"origins": [app[0]], "credentials": True},
        "limits": {"unauthenticated": "100000/s", "body_size": "1KiB"},
    }
    with gateway(tmp_path_factory.mktemp("sharing"), config) as each:
        yield each


@pytest.fixture
async def client(sharing):
    async with aiohttp.ClientSession(sharing.url, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/products/p1", {"GET", "DELETE"}),
        ("/v1/products", {"GET", "POST"}),
        (WHO, {"POST"}),
        ("/graphql", {"GET", "POST"}),
        ("/no/such/path", {"GET", "POST", "PATCH", "DELETE"}),
    ],
)
async def test_a_preflight_gets_the_methods_of_the_path_and_asks_nobody_who_he_is(
    client, app, path, allowed
):
    headers = {
        "origin": app[0],
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    async with client.options(path, headers=headers) as response:
        assert response.status == 204
        told = response.headers
    assert told[ALLOWED] == app[0]
    assert allowed <= set(told["access-control-allow-methods"].split(", "))
    assert told["access-control-allow-headers"] == "authorization,content-type"
    assert told["access-control-allow-credentials"] == "true"
    assert told["access-control-max-age"] == "600"


async def test_others_get_no_leave(client, app):
    headers = {"origin": app[1], "access-control-request-method": "DELETE"}
    async with client.options("/v1/products/p1", headers=headers) as response:
        assert ALLOWED not in response.headers
        assert response.headers.getall("vary") == ["origin"]


@pytest.mark.parametrize(
    ("asked", "status", "reason"),
    [
        (("GET", "/v1/products/p1"), 200, None),
        (("GET", "/v1/products/none"), 404, None),
        (("GET", "/no/such/path"), 404, "ROUTE_NOT_FOUND"),
        (("PUT", "/v1/products"), 405, "METHOD_NOT_ALLOWED"),
        (("POST", WHO, b"{}"), 401, "CREDENTIALS_MISSING"),
        (("POST", "/v1/products", b" " * 2000), 413, "BODY_TOO_LARGE"),
    ],
)
async def test_pages_read_replies_and_errors(client, app, asked, status, reason):
    method, path, *body = asked
    headers = {"origin": app[0], "content-type": "application/json"}
    sent = body[0] if body else None
    async with client.request(method, path, data=sent, headers=headers) as response:
        assert response.status == status
        assert response.headers[ALLOWED] == app[0]
        assert "x-request-id" in response.headers["access-control-expose-headers"]
        if reason is not None:
            assert reason_of(await error_of(response)) == reason


async def test_a_stream_of_events_and_graphql(client, app):
    headers = {"origin": app[0], "accept": "text/event-stream"}
    watch = "/v1/stock:watch?count=1&interval=0.01s"
    async with client.get(watch, headers=headers) as response:
        assert (response.content_type, response.headers[ALLOWED]) == (headers["accept"], app[0])
    asked = {"query": "{ __typename }"}
    async with client.post("/graphql", json=asked, headers={"origin": app[0]}) as response:
        assert (response.status, response.headers[ALLOWED]) == (200, app[0])


@pytest.mark.parametrize("listed", [True, False])
async def test_a_cookie_counts_for_pages_that_may_act_as_the_user(client, app, issuer, listed):
    headers = {
        "origin": app[0] if listed else app[1],
        "sec-fetch-site": "cross-site",
        "cookie": f"session={issuer.token()}",
        "content-type": "application/json",
    }
    async with client.post(WHO, data=b"{}", headers=headers) as response:
        if listed:
            assert response.status == 200
        else:
            assert reason_of(await error_of(response)) == "CROSS_SITE_REQUEST"


@pytest.mark.parametrize("listed", [True, False])
async def test_a_query_by_get_is_for_pages_that_may_act_as_the_user(client, app, listed):
    headers = {"origin": app[0] if listed else app[1], "sec-fetch-site": "cross-site"}
    path = "/graphql?query={__typename}"
    async with client.get(path, headers=headers) as response:
        assert response.status == (200 if listed else 403)


async def test_a_reload_lets_other_pages_in(shop, tmp_path):
    config = shop_config(shop, graphql=False, websocket=False)
    config["listener"] |= {"compression": []}
    origin = "https://app.example"
    with gateway(tmp_path, config) as served:
        async with aiohttp.ClientSession(served.url, headers={"origin": origin}) as client:
            async with client.get("/v1/products?page_size=50") as response:
                assert ALLOWED not in response.headers
                assert "content-encoding" not in response.headers
            config["listener"] |= {"compression": ["gzip"], "cors": {"origins": [origin]}}
            (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(config))
            served.process.send_signal(signal.SIGHUP)
            async with asyncio.timeout(20):
                allowed = None
                while allowed is None:
                    async with client.get("/v1/products?page_size=50") as response:
                        allowed = response.headers.get(ALLOWED)
            assert allowed == origin
            assert response.headers["content-encoding"] == "gzip"


ASK = """async ({url, method, body, credentials}) => {
    const headers = body ? {"content-type": "application/json", "x-request-id": "asked"} : {}
    try {
        const reply = await fetch(url, {method, body, headers, credentials})
        return [reply.status, reply.headers.get("x-request-id"), await reply.json()]
    } catch (error) {
        return [error.name]
    }
}"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium, which `make test` installs")
async def test_a_real_browser(sharing, app, issuer):
    playwright = pytest.importorskip("playwright.async_api")
    base = sharing.url.replace("127.0.0.1", "localhost")
    asked = []
    async with playwright.async_playwright() as started:
        browser = await started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        context = await browser.new_context()
        cookie = {"name": "session", "value": issuer.token(), "domain": "localhost", "path": "/"}
        await context.add_cookies([cookie])

        async def ask(page, path, method="GET", body=None, credentials="omit"):
            given = {"url": base + path, "method": method, "body": body}
            return await page.evaluate(ASK, given | {"credentials": credentials})

        page = await context.new_page()
        page.on("request", lambda request: asked.append(request.method))
        await page.goto(app[0])
        status, named, reply = await ask(page, "/v1/products?page_size=50")
        assert (status, len(reply["products"]) > 1, bool(named)) == (200, True, True)
        status, _, reply = await ask(page, "/no/such/path")
        assert (status, reply["error"]["status"]) == (404, "NOT_FOUND")
        status, named, _ = await ask(page, WHO, "POST", "{}")
        assert (status, named) == (401, "asked"), "a preflight let the headers through"
        status, named, _ = await ask(page, WHO, "POST", "{}", credentials="include")
        assert (status, named) == (200, "asked"), "the page acts as the user"

        other = await context.new_page()
        await other.goto(app[1])
        assert await ask(other, "/v1/products/p1") == ["TypeError"]
        assert await ask(other, WHO, "POST", "{}", credentials="include") == ["TypeError"]
        await browser.close()
    assert asked.count("POST") == 2
