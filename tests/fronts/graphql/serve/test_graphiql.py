"""The console's page and files over HTTP: where they are, how they are kept, what they may do."""

import re
import zlib
from urllib.parse import urljoin

import pytest

from gateway.fronts.files import File
from gateway.fronts.graphql.serve.graphiql import Graphiql, shipped

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
async def client(start):
    """A front with its console."""
    return await start(pages=Graphiql("/graphql", shipped()))


@pytest.fixture
def fetch(client):
    """Asks for what is there, and leaves it packed."""

    async def one(path="", method="GET", **headers):
        named = {"Accept": BROWSER, "Accept-Encoding": "gzip", **headers}
        async with client.http.request(
            method, client.url + path, headers=named, auto_decompress=False
        ) as reply:
            return reply, await reply.read()

    return one


def files(page):
    """What the page refers to, by kind."""
    found = re.findall(rb'(?:href|src)="(\./[^"]+)"', page)
    return {name.decode().rpartition(".")[2]: name.decode() for name in found}


def policy(reply):
    parts = [part.split() for part in reply.headers["content-security-policy"].split(";")]
    return {name: values for name, *values in parts}


async def test_a_browser_gets_the_page(fetch):
    reply, page = await fetch()
    assert (reply.status, reply.content_type, reply.charset) == (200, "text/html", "utf-8")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "x-request-id" in reply.headers
    assert set(files(page)) == {"js", "css"}


async def test_others_get_an_answer(client):
    assert (await client.get("{ hello }", accept="*/*")).json["data"] == {"hello": "Hello, you"}


async def test_the_page_runs_nothing_but_its_own_script(fetch):
    reply, page = await fetch()
    allowed = policy(reply)
    assert allowed["default-src"] == ["'none'"]
    assert allowed["script-src"] == allowed["connect-src"] == ["'self'"]
    assert allowed["frame-ancestors"] == allowed["base-uri"] == ["'none'"]
    assert re.findall(rb"<script(?![^>]*src=)", page) == []
    assert re.findall(rb"\son\w+=", page) == []


@pytest.mark.parametrize("kind", ["js", "css"])
async def test_a_file_is_kept_for_good(client, fetch, kind):
    _, page = await fetch()
    path = files(page)[kind].removeprefix("./graphql")
    reply, body = await fetch(path)
    assert reply.status == 200
    assert reply.content_type == {"js": "text/javascript", "css": "text/css"}[kind]
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["content-encoding"] == "gzip"
    assert reply.headers["vary"] == "accept-encoding"
    assert zlib.decompress(body, wbits=31).startswith(b"/* GraphiQL")


async def test_the_licences_of_a_file_are_beside_it(fetch):
    _, page = await fetch()
    _, script = await fetch(files(page)["js"].removeprefix("./graphql"))
    named = re.match(rb"/\* [^*]*?(LICENSES-\w+\.txt)", zlib.decompress(script, wbits=31))
    reply, licences = await fetch(f"/-/{named[1].decode()}")
    assert reply.content_type == "text/plain"
    text = licences.decode()
    for package in ("graphiql", "react-dom", "codemirror", "graphql"):
        assert re.search(rf"(?m)^{package} \d[\d.]* \(MIT\)$", text)


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.000, br"])
async def test_a_client_without_gzip_gets_a_file_plain(fetch, accepted):
    _, page = await fetch()
    path = files(page)["css"].removeprefix("./graphql")
    reply, plain = await fetch(path, **{"Accept-Encoding": accepted})
    packed, body = await fetch(path)
    assert "content-encoding" not in reply.headers
    assert plain == zlib.decompress(body, wbits=31)
    assert reply.headers["etag"] != packed.headers["etag"]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
@pytest.mark.parametrize("path", ["", "css"])
async def test_what_the_browser_has_is_not_sent_again(fetch, form, path):
    _, page = await fetch()
    path = path and files(page)[path].removeprefix("./graphql")
    first, _ = await fetch(path)
    again, body = await fetch(path, **{"If-None-Match": form.format(first.headers["etag"])})
    assert (again.status, body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    changed, _ = await fetch(path, **{"If-None-Match": '"other"'})
    assert changed.status == 200


@pytest.mark.parametrize("name", ["", "none.js", "../pages", "%2e%2e/engine.py", "graphiql.js"])
async def test_no_other_file_can_be_had(client, name):
    url = client.url.rpartition("/graphql")[0]
    async with client.http.get(f"{url}/graphql/-/{name}") as reply:
        assert reply.status in {404, 400}
        assert "package" not in await reply.text()


async def test_a_file_is_only_read(fetch):
    _, page = await fetch()
    reply, _ = await fetch(files(page)["css"].removeprefix("./graphql"), "DELETE")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("path", "page", "asset"),
    [
        ("/graphql", "/graphql", "/graphql/-/a.js"),
        ("/", "/", "/-/a.js"),
        ("/api/graph", "/api/graph", "/api/graph/-/a.js"),
        ("/api/graph/", "/api/graph/", "/api/graph/-/a.js"),
        ("/graphql", "/behind/a/proxy/graphql", "/behind/a/proxy/graphql/-/a.js"),
        ("/a:b", "/a:b", "/a:b/-/a.js"),
    ],
)
def test_the_page_finds_its_files_where_they_are(path, page, asset):
    empty = File.of(b"", "text/javascript")
    graphiql = Graphiql(path, {"a.js": empty, "a.css": empty})
    found = re.search(rb'src="([^"]+)"', graphiql._page)[1].decode().replace("%3A", ":")
    assert urljoin(page, found) == asset
    assert page != path or asset == f"{graphiql.prefix}a.js"
