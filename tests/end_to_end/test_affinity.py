"""Clients that stay: three replicas behind two gateways, and which of them takes whose calls."""

from __future__ import annotations

import asyncio
import re
import signal
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie

import aiohttp
import grpc.aio
import pytest
import yaml

from services_mock.fleet import fleet
from services_mock.testing import calls, start
from tests.end_to_end.graph import JOINS, SUBPROTOCOL, data_of, socket_of, subscribe
from tests.end_to_end.sockets import WHO
from tests.end_to_end.sockets import socket as opened
from tests.end_to_end.system import ROOT, gateway, shop_config

COOKIE = "gw-stay"
LINE = re.compile(
    r"gw-stay=[A-Za-z0-9_-]{22}; Max-Age=600; Path=/; HttpOnly; SameSite=Lax", re.ASCII
)
QUERY = '{ a: getProduct(id: "p1") { id } b: getProduct(id: "p2") { id } }'


class Replicas:
    """The replicas, and which of them took calls since they were asked last."""

    def __init__(self, channels) -> None:
        self._channels = channels
        self._before = [0] * len(channels)

    async def took(self) -> list[int]:
        """How many calls each has taken since."""
        now = [
            sum(each.started for each in (await calls(channel)).values())
            for channel in self._channels
        ]
        took = [after - before for after, before in zip(now, self._before, strict=True)]
        self._before = now
        return took

    async def one(self, count: int) -> int:
        """The one of them that took so many calls since, and the others none."""
        took = await self.took()
        assert sorted(took) == [0] * (len(took) - 1) + [count], took
        return took.index(count)


@pytest.fixture(scope="module")
def addresses():
    with start(3) as backend:
        yield backend.addresses


@pytest.fixture
async def replicas(addresses):
    channels = [grpc.aio.insecure_channel(each) for each in addresses]
    found = Replicas(channels)
    await found.took()
    yield found
    for channel in channels:
        await channel.close()


def config(addresses, listener=None, policies=(), **upstream):
    shop = {"services": ["shop.*"], "endpoints": addresses, **upstream}
    return shop_config(
        addresses,
        upstreams={"shop": shop},
        listener={"address": "127.0.0.1:0", "trusted_proxies": ["127.0.0.0/8"], **(listener or {})},
        policies=list(policies),
        graphql={"joins": [JOINS], "operations": [str(ROOT / "schema" / "operations")]},
        rest={"etag": False},
    )


def by_cookie(addresses, **more):
    return config(addresses, affinity={"cookie": COOKIE, "ttl": "10m"}, **more)


@pytest.fixture(scope="module")
def two(addresses, tmp_path_factory):
    """Two gateways that list the replicas in another order."""
    first, second = by_cookie(addresses), by_cookie(addresses[::-1])
    with (
        gateway(tmp_path_factory.mktemp("one"), first) as one,
        gateway(tmp_path_factory.mktemp("other"), second) as other,
    ):
        yield one.url, other.url


@asynccontextmanager
async def browser(url, **headers):
    """A client that keeps cookies."""
    jar = aiohttp.CookieJar(unsafe=True)  # it takes addresses for hosts, too
    async with aiohttp.ClientSession(url, cookie_jar=jar, headers=headers) as session:
        yield session


async def asked(client, **options):
    """Asks by REST; returns the Set-Cookie fields of the answer."""
    async with client.get("/v1/products/p1", **options) as response:
        assert response.status == 200
        return response.headers.getall("set-cookie", [])


def shown(client):
    """What a client keeps."""
    return {each.key: each.value for each in client.cookie_jar}


async def test_a_client_is_given_an_id_once_and_stays(two, replicas):
    async with browser(two[0]) as client:
        (line,) = await asked(client)
        assert LINE.fullmatch(line)
        for _ in range(20):
            assert await asked(client) == []
    await replicas.one(21)


async def test_clients_are_spread(two, replicas):
    for _ in range(30):
        async with browser(two[0]) as client:
            await asked(client)
            await asked(client)
    took = await replicas.took()
    assert min(took) > 0
    assert all(each % 2 == 0 for each in took)


async def test_another_gateway_has_a_client_at_the_same_replica(two, replicas):
    for _ in range(5):
        async with browser(two[0]) as client, browser(two[1]) as other:
            await asked(client)
            first = await replicas.one(1)
            assert await asked(other, cookies=shown(client)) == []
            assert await replicas.one(1) == first


async def test_who_shows_no_id_that_could_be_ours_is_given_one(two):
    async with aiohttp.ClientSession(two[0]) as client:
        for value in ("", "10.0.0.1:50051", "x" * 23, "../../etc"):
            (line,) = await asked(client, headers={"cookie": f"{COOKIE}={value}"})
            assert LINE.fullmatch(line)


async def test_by_https_the_cookie_is_for_https_alone(two):
    async with browser(two[0], **{"x-forwarded-proto": "https"}) as client:
        (line,) = await asked(client)
    assert line.endswith("; SameSite=Lax; Secure")


async def test_a_reply_that_gives_a_cookie_is_its_clients_alone(two):
    async with browser(two[0]) as client, client.get("/v1/products/p1") as response:
        assert response.headers["cache-control"] == "private"
    async with browser(two[0]) as client:
        await asked(client)
        async with client.get("/v1/products/p1") as response:
            assert "cache-control" not in response.headers


async def test_an_error_of_the_backend_gives_it_too(two):
    async with browser(two[0]) as client, client.get("/v1/products/no-such") as response:
        assert response.status == 404
        assert LINE.fullmatch(response.headers["set-cookie"])


@pytest.mark.parametrize("path", ["/v1/nothing", "/openapi.json", "/v1/products/p1?x=1"])
async def test_what_calls_no_backend_gives_none(two, path):
    async with browser(two[0]) as client, client.get(path) as response:
        assert response.status in {200, 400, 404}
        assert "set-cookie" not in response.headers


async def test_streams_stay_too(two, replicas):
    async with browser(two[0]) as client:
        for number in range(5):
            async with client.get("/v1/products:export") as response:
                assert response.status == 200
                assert ("set-cookie" in response.headers) is (number == 0)
                await response.read()
        await asked(client)
    await replicas.one(6)


class TestGraphql:
    async def test_all_calls_of_a_request_go_one_way_and_the_next_too(self, two, replicas):
        async with browser(two[0]) as client:
            async with client.post("/graphql", json={"query": QUERY}) as response:
                answer = await response.json(content_type=None)
                assert LINE.fullmatch(response.headers["set-cookie"])
                assert response.headers["cache-control"] == "private"
            assert set(answer) <= {"data", "extensions"}
            assert "set-cookie" not in str(answer).lower()
            assert COOKIE not in str(answer)
            first = await replicas.one(2)
            assert await data_of(client, QUERY)
            await asked(client)
            assert await replicas.one(3) == first

    @pytest.mark.parametrize("accept", ["text/event-stream", "multipart/mixed"])
    async def test_a_head_that_leaves_before_the_calls_gives_it(self, two, replicas, accept):
        async with browser(two[0]) as client:
            headers = {"accept": accept}
            body = {"query": QUERY}
            async with client.post("/graphql", json=body, headers=headers) as response:
                assert LINE.fullmatch(response.headers["set-cookie"])
                await response.read()
            first = await replicas.one(2)
            await asked(client)
            assert await replicas.one(1) == first

    async def test_a_view_gives_it_as_rest_does(self, two, replicas):
        async with browser(two[0]) as client:
            async with client.get("/v1/home/u1") as response:
                assert response.status == 200
                assert LINE.fullmatch(response.headers["set-cookie"])
                assert "private" in response.headers["cache-control"]
            took = await replicas.took()
            assert len(took) - took.count(0) == 1
            await asked(client)
            assert took[await replicas.one(1)]

    async def test_a_socket_is_given_it_when_it_is_opened(self, two, replicas):
        async with browser(two[0]) as client, socket_of(client) as socket:
            for name in "ab":
                await subscribe(socket, QUERY, name)
                await socket.receive_json()
                await socket.receive_json()
            first = await replicas.one(4)
            assert COOKIE in shown(client)
            await asked(client)
            assert await replicas.one(1) == first
            async with client.ws_connect("/graphql", protocols=[SUBPROTOCOL]) as again:
                assert "set-cookie" not in again._response.headers


class TestWebsocket:
    async def test_calls_of_a_socket_go_one_way(self, two, replicas):
        async with opened(two[0]) as socket:
            kept = SimpleCookie(socket.websocket.response.headers["set-cookie"])
            for _ in range(6):
                id_ = await socket.open(WHO, {}, end=True)
                assert (await socket.end(id_))["code"] == 0
        first = await replicas.one(6)
        async with browser(two[1]) as client:
            assert await asked(client, cookies={COOKIE: kept[COOKIE].value}) == []
        assert await replicas.one(1) == first

    async def test_a_client_that_shows_an_id_is_given_none(self, two, replicas):
        async with browser(two[0]) as client:
            await asked(client)
            first = await replicas.one(1)
            headers = {"cookie": f"{COOKIE}={shown(client)[COOKIE]}"}
            async with opened(two[0], options={"additional_headers": headers}) as socket:
                assert "set-cookie" not in socket.websocket.response.headers
                assert (await socket.end(await socket.open(WHO, {}, end=True)))["code"] == 0
            assert await replicas.one(1) == first

    async def test_of_the_plain_form_too(self, two, replicas):
        async with browser(two[0]) as client:
            for _ in range(4):
                async with client.ws_connect("/v1/products/p1") as socket:
                    assert (await socket.receive_json())["id"] == "p1"
            assert COOKIE in shown(client)
            await asked(client)
        await replicas.one(5)


async def test_what_the_cache_answers_gives_no_cookie(addresses, replicas, tmp_path):
    policy = {"methods": ["shop.catalog.v1.CatalogService/GetProduct"], "cache": {"ttl": "1m"}}
    with gateway(tmp_path, by_cookie(addresses, policies=[policy])) as running:
        async with browser(running.url) as client:
            for _ in range(3):
                async with client.get("/v1/products/p1") as response:
                    assert "max-age=60" in response.headers["cache-control"]
                    assert "set-cookie" not in response.headers
            await replicas.one(1)
            async with client.get("/v1/products/p1/stock") as response:
                assert LINE.fullmatch(response.headers["set-cookie"])


@pytest.mark.parametrize(
    "upstream",
    [
        pytest.param(
            {"affinity": {"on": "header:x-user"}, "balancing": {"policy": "round_robin"}},
            id="affinity",
        ),
        pytest.param(
            {"balancing": {"policy": "ring_hash", "hash_on": "header:x-user"}}, id="ring-hash"
        ),
        pytest.param(
            {"balancing": {"policy": "maglev", "hash_on": "header:x-user"}}, id="maglev"
        ),
    ],
)  # fmt: skip
async def test_callers_are_told_apart_by_a_header(addresses, replicas, tmp_path, upstream):
    with gateway(tmp_path, config(addresses, **upstream)) as running:
        found = set()
        async with browser(running.url) as client:
            for user in range(40):  # one in three million runs has none for some replica
                for _ in range(3):
                    assert await asked(client, headers={"x-user": f"user {user}"}) == []
                found.add(await replicas.one(3))
            assert found == {0, 1, 2}
            for _ in range(60):
                await asked(client)
        assert min(await replicas.took()) > 0


async def test_calls_go_by_a_field_of_the_request(addresses, replicas, tmp_path):
    with gateway(tmp_path, config(addresses, affinity={"on": "field:product_id"})) as running:
        async with browser(running.url) as client:
            for product in ("p1", "p2", "p3", "p4"):
                for _ in range(4):
                    async with client.get(f"/v1/products/{product}/stock") as response:
                        assert response.status == 200
                await replicas.one(4)


async def test_a_reload_begins_it_and_changes_nothing_of_who_goes_where(
    addresses, replicas, tmp_path
):
    with gateway(tmp_path, config(addresses)) as running:
        async with browser(running.url) as client:
            assert await asked(client) == []
            reload(running, tmp_path, by_cookie(addresses))
            async with asyncio.timeout(30):
                while not await asked(client):
                    await asyncio.sleep(0.05)
            await replicas.took()
            await asked(client)
            first = await replicas.one(1)
            # Of what another name says nobody has an id; of the first one the same holds as before.
            other = {"cookie": "other", "ttl": "10m"}
            reload(running, tmp_path, config(addresses, affinity=other))
            async with asyncio.timeout(30):
                while not await asked(client):
                    await asyncio.sleep(0.05)
            reload(running, tmp_path, by_cookie(addresses[::-1]))
            async with asyncio.timeout(30), browser(running.url) as another:
                while COOKIE not in shown(another):
                    another.cookie_jar.clear()
                    await asked(another)
                    await asyncio.sleep(0.05)
            await replicas.took()
            for _ in range(5):
                assert await asked(client) == []
            assert await replicas.one(5) == first


def reload(running, folder, changed):
    """Has a gateway take over another config."""
    (folder / "gateway.yaml").write_text(yaml.safe_dump(changed))
    running.process.send_signal(signal.SIGHUP)


async def test_only_the_clients_of_a_replica_that_leaves_move(tmp_path):
    with fleet(3) as three:
        channels = [grpc.aio.insecure_channel(each.address) for each in three[:2]]
        staying = Replicas(channels)
        with gateway(tmp_path, by_cookie([each.address for each in three])) as running:
            clients, before = [], []
            # Ids are random: there are some of each replica among a few, sooner or later.
            while {0, 1, None} != set(before) or len(before) < 12:
                assert len(before) < 200
                async with browser(running.url) as client:
                    await asked(client)
                    clients.append(shown(client))
                before.append(await place_of(clients[-1], running.url, staying))
            three[2].kill()
            after = [await place_of(each, running.url, staying) for each in clients]
        for channel in channels:
            await channel.close()
    assert None not in after
    stayed = [(old, new) for old, new in zip(before, after, strict=True) if old is not None]
    assert all(old == new for old, new in stayed)


async def place_of(cookies, url, replicas):
    """The replica that takes a client's calls; None for one that is not counted."""
    await replicas.took()
    async with aiohttp.ClientSession(url) as client:
        await asked(client, cookies=cookies)
    took = await replicas.took()
    return took.index(1) if any(took) else None
