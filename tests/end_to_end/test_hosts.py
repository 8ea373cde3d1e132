"""Host names and addresses through real sockets: what each is served, and who is refused."""

from __future__ import annotations

import asyncio
import signal
import ssl
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import pytest
import trustme
import yaml
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.cli.processes import LISTENING
from tests.cli.processes import gateway as serving
from tests.end_to_end.graph import SUBPROTOCOL, socket_of, subscribe
from tests.end_to_end.sockets import STOCK, WHO, socket
from tests.end_to_end.system import error_of, gateway, reason_of, shop_config

PRODUCT = "/v1/products/p1"
USERS = "/v1/users"
HOSTS = {
    "catalog.example": {"services": ["shop.catalog.*"]},
    "users.example": {"services": ["shop.users.*"], "graphql": False},
    "*.stock.example": {"services": ["shop.inventory.*"], "rest": False},
    "all.example": {},
}


def config(backends, **sections):
    given = {"graphql": {"joins": [], "operations": []}, "hosts": HOSTS, **sections}
    return shop_config(backends) | given


@pytest.fixture(scope="module")
def served(shop, tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("hosts"), config(shop)) as each:
        yield each


async def reload(running, folder, changed):
    """Has a gateway take over another config."""
    (folder / "gateway.yaml").write_text(yaml.safe_dump(changed))
    running.signal(signal.SIGHUP)
    await asyncio.to_thread(running.read_error, "reloaded: ")


def at(host):
    return {"headers": {"host": host}}


async def status(client, path, host):
    async with client.get(path, **at(host)) as response:
        return response.status


async def refused(response):
    """The status of an error in REST's form, and its reason."""
    return response.status, reason_of(await error_of(response))


def dialed(url, host):
    """How `websockets` connects to a gateway under another name."""
    place = urlsplit(url)
    return f"ws://{host}", {"host": place.hostname, "port": place.port, "proxy": None}


@asynccontextmanager
async def socket_at(url, host):
    address, options = dialed(url, host)
    async with socket(address, options=options) as each:
        yield each


class TestRest:
    """Each host has the routes of its own services."""

    @pytest.mark.parametrize(
        ("host", "path", "expected"),
        [
            ("catalog.example", PRODUCT, 200),
            ("catalog.example", USERS, 404),
            ("users.example", USERS, 200),
            ("users.example", PRODUCT, 404),
            ("all.example", PRODUCT, 200),
            ("all.example", USERS, 200),
            pytest.param("CATALOG.example:8080", PRODUCT, 200, id="neither case nor port count"),
            pytest.param("a.b.stock.example", PRODUCT, 404, id="no REST at a wildcard's hosts"),
        ],
    )
    async def test_routes(self, client, host, path, expected):
        assert await status(client, path, host) == expected

    @pytest.mark.parametrize(
        "host", ["other.example", "stock.example", "127.0.0.1", "catalog.example.evil", "example"]
    )
    async def test_an_unknown_host_is_misdirected(self, client, host):
        async with client.get(PRODUCT, **at(host)) as response:
            assert await refused(response) == (421, "UNKNOWN_HOST")
            assert "x-request-id" in response.headers

    async def test_a_body_for_an_unknown_host_is_not_taken_for_a_request(self, client):
        body = b"GET /v1/products/p1 HTTP/1.1\r\nHost: all.example\r\n\r\n"
        async with client.post(PRODUCT, data=body, **at("other.example")) as response:
            assert response.status == 421
        assert await status(client, PRODUCT, "all.example") == 200

    async def test_the_authority_of_a_target_counts_more_than_host(self, served):
        place = urlsplit(served.url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(
            b"GET http://catalog.example/v1/products/p1 HTTP/1.1\r\n"
            b"Host: users.example\r\nConnection: close\r\n\r\n"
        )
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await writer.wait_closed()

    async def test_without_a_host_http_1_0_is_refused(self, served):
        place = urlsplit(served.url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(b"GET /v1/products/p1 HTTP/1.0\r\n\r\n")
        assert (await reader.read()).split(b"\r\n")[0].split()[1] == b"421"
        writer.close()
        await writer.wait_closed()


async def asked(client, query, host):
    async with client.post("/graphql", json={"query": query}, **at(host)) as response:
        return response.status, await response.json(content_type=None)


class TestGraphql:
    """Each host has a graph of its own services, or none."""

    async def test_it_has_the_fields_and_types_of_its_services(self, client):
        query = '{ getProduct(id: "p1") { id } }'
        for host in ("catalog.example", "all.example"):
            assert (await asked(client, query, host))[1]["data"] == {"getProduct": {"id": "p1"}}
        told, answer = await asked(client, query, "a.stock.example")
        assert told in (200, 400)
        assert "Cannot query field" in answer["errors"][0]["message"]
        _, types = await asked(client, "{ __schema { types { name } } }", "catalog.example")
        names = {each["name"] for each in types["data"]["__schema"]["types"]}
        assert "Product" in names
        assert "User" not in names

    async def test_where_it_is_off_its_path_is_none(self, client):
        async with client.post("/graphql", json={}, **at("users.example")) as response:
            assert await refused(response) == (404, "ROUTE_NOT_FOUND")

    async def test_an_unknown_host_is_told_in_its_form(self, client):
        told, answer = await asked(client, "{ __typename }", "other.example")
        assert told == 421
        assert answer["errors"][0]["extensions"]["reason"] == "UNKNOWN_HOST"

    async def test_so_is_an_upgrade(self, client):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await client.ws_connect("/graphql", protocols=[SUBPROTOCOL], **at("other.example"))
        assert caught.value.status == 421


class TestWebSocket:
    """A socket calls what its host serves, as long as it does."""

    async def test_it_calls_the_services_of_its_host(self, served):
        async with socket_at(served.url, "x.stock.example") as each:
            stock = await each.open(STOCK, {"productId": "p1"}, end=True)
            assert (await each.end(stock))["status"] == "OK"
            who = await each.open(WHO, {}, end=True)
            assert (await each.end(who))["status"] == "UNIMPLEMENTED"

    @pytest.mark.parametrize("path", ["/ws", f"/{STOCK}", "/nowhere"])
    async def test_an_upgrade_for_an_unknown_host_is_misdirected(self, served, path):
        address, options = dialed(served.url, "other.example")
        with pytest.raises(InvalidStatus) as caught:
            await connect(address + path, **options)
        assert caught.value.response.status_code == 421

    async def test_the_plain_form_has_the_methods_of_its_host(self, served):
        address, options = dialed(served.url, "users.example")
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"{address}/{STOCK}", **options)
        assert caught.value.response.status_code == 404

    async def test_after_a_reload_it_calls_what_its_host_serves_then(self, shop, tmp_path):
        (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(config(shop)))
        with serving("serve", cwd=tmp_path) as running:
            url = running.read_until(LISTENING)
            async with (
                socket_at(url, "all.example") as each,
                aiohttp.ClientSession(url) as client,
                socket_of(client, **at("all.example")) as graph,
            ):
                await each.end(first := await each.open(WHO, {}, end=True))
                assert first
                hosts = {**HOSTS, "all.example": {"services": ["shop.catalog.*"]}}
                await reload(running, tmp_path, config(shop, hosts=hosts))
                assert await status(client, USERS, "all.example") == 404
                who = await each.open(WHO, {}, end=True)
                assert (await each.end(who))["status"] == "UNIMPLEMENTED"
                await subscribe(graph, "{ whoAmI { subject } }")
                assert (await graph.receive_json())["type"] == "error"


@pytest.fixture(scope="module")
def secure(shop, tmp_path_factory):
    """A gateway with TLS, and who trusts it."""
    folder, authority = tmp_path_factory.mktemp("tls"), trustme.CA()
    issued = authority.issue_cert(
        "catalog.example", "users.example", "*.stock.example", "x.example"
    )
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    listener = {
        "address": "127.0.0.1:0",
        "tls": {"certificate": str(folder / "server.pem"), "key": str(folder / "server.pem")},
    }
    with gateway(folder, config(shop, listener=listener)) as each:
        yield each, trusting


class TestTls:
    """A connection that was made for one of the hosts is not one for another."""

    @pytest.mark.parametrize(
        ("asked_for", "host", "expected"),
        [
            pytest.param("catalog.example", "catalog.example", 200, id="both say the same"),
            pytest.param("catalog.example", "users.example", 421, id="TLS asks for another host"),
            pytest.param("users.example", "catalog.example", 421, id="and the reverse"),
            pytest.param("a.stock.example", "catalog.example", 421, id="one of a wildcard"),
            pytest.param("a.stock.example", "b.stock.example", 404, id="both of one wildcard"),
            pytest.param("x.example", "catalog.example", 200, id="TLS asks for none of the hosts"),
            pytest.param("catalog.example", "x.example", 421, id="the host is none"),
        ],
    )
    async def test_the_name_that_tls_is_asked_for(self, secure, asked_for, host, expected):
        running, trusting = secure
        async with (
            aiohttp.ClientSession(running.url) as client,
            client.get(PRODUCT, ssl=trusting, server_hostname=asked_for, **at(host)) as response,
        ):
            assert response.status == expected

    async def test_an_upgrade_is_misdirected_too(self, secure):
        running, trusting = secure
        place = urlsplit(running.url)
        with pytest.raises(InvalidStatus) as caught:
            await connect(
                "wss://users.example/ws",
                host=place.hostname,
                port=place.port,
                ssl=trusting,
                server_hostname="catalog.example",
                proxy=None,
            )
        assert caught.value.response.status_code == 421


class TestAddresses:
    """Who is denied is refused by every front, whatever it asks for."""

    @pytest.fixture(scope="class")
    @classmethod
    def served(cls, shop, tmp_path_factory):
        listener = {"address": "127.0.0.1:0", "trusted_proxies": ["127.0.0.0/8"]}
        addresses = {"allow": ["203.0.113.0/24", "2001:db8::/32"], "deny": ["203.0.113.66/32"]}
        given = config(shop, listener=listener, addresses=addresses)
        with gateway(tmp_path_factory.mktemp("addresses"), given) as each:
            yield each

    @pytest.mark.parametrize(
        ("address", "expected"),
        [
            pytest.param("203.0.113.7", 200, id="allowed"),
            pytest.param("2001:db8::7", 200, id="allowed, of IPv6"),
            pytest.param("203.0.113.66", 403, id="denied, though its network is allowed"),
            pytest.param("198.51.100.1", 403, id="not allowed"),
            pytest.param("203.0.113.7, 198.51.100.1", 403, id="what the client itself wrote"),
        ],
    )
    async def test_a_proxys_clients(self, client, address, expected):
        headers = {"host": "all.example", "x-forwarded-for": address}
        async with client.get(PRODUCT, headers=headers) as response:
            assert response.status == expected
            if expected == 403:
                assert await refused(response) == (403, "ADDRESS_DENIED")

    async def test_who_connects_without_a_proxy(self, client):
        async with client.get(PRODUCT, **at("all.example")) as response:
            assert await refused(response) == (403, "ADDRESS_DENIED")

    async def test_nothing_is_told_of_hosts_and_paths(self, client):
        for host, path in (("other.example", PRODUCT), ("all.example", "/nowhere")):
            async with client.get(path, **at(host)) as response:
                assert await refused(response) == (403, "ADDRESS_DENIED")

    async def test_in_the_form_of_graphql(self, client):
        told, answer = await asked(client, "{ __typename }", "all.example")
        assert told == 403
        assert answer["errors"][0]["extensions"]["reason"] == "ADDRESS_DENIED"

    async def test_an_upgrade(self, served):
        address, options = dialed(served.url, "all.example")
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"{address}/ws", **options)
        assert caught.value.response.status_code == 403

    async def test_a_reload_changes_them(self, shop, tmp_path):
        denying = config(shop, addresses={"deny": ["127.0.0.0/8"]})
        (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(denying))
        with serving("serve", cwd=tmp_path) as running:
            async with aiohttp.ClientSession(running.read_until(LISTENING)) as client:
                assert await status(client, PRODUCT, "all.example") == 403
                await reload(running, tmp_path, config(shop))
                assert await status(client, PRODUCT, "all.example") == 200
