"""Who may call over sockets, through real ones: all ways to show it, and what becomes of it."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import time
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
import yaml
from websockets.asyncio.client import connect as dial
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.client import RpcError, connect
from gateway.policies.auth.key_form import digest_of, new_key
from tests.cli.processes import LISTENING
from tests.cli.processes import gateway as serving
from tests.end_to_end.sockets import STOCK, WATCH, WHO, bare, config, socket
from tests.end_to_end.system import ROOT, gateway, reason_of
from tests.fronts.graphql.serve.node import needs_node
from tests.fronts.websocket.node import run
from tests.policies.auth.issuer import Issuer

TICKS = {"interval": "0.05s"}
PRODUCT = "/v1/products/p1"


class Identity:
    """The providers of a config, and those who are known to them.

    Attributes:
        key: An API key, of `robot`.
    """

    def __init__(self, folder):
        self.issuer = Issuer(alg="EdDSA")
        self.key = new_key()
        self._jwks = folder / "jwks.json"
        self._keys = folder / "keys.yaml"
        self.publish()
        self.keep(self.key)

    def publish(self):
        self._jwks.write_text(json.dumps(self.issuer.jwks()))

    def keep(self, *keys):
        """Has the file of keys hold these."""
        stored = {
            each.id: {"hash": "sha256:" + digest_of(each.text).hex(), "owner": "robot"}
            for each in keys
        }
        self._keys.write_text(yaml.safe_dump({"keys": stored}))

    def token(self, sub="ann", seconds=300.0, **claims):
        return self.issuer.token(sub=sub, exp=time.time() + seconds, **claims)

    def config(self, shop, **sections):
        settings = config(shop, resume="30s")
        jwt = {
            "issuer": self.issuer.url,
            "audiences": ["shop"],
            "jwks": {"file": str(self._jwks)},
            "algorithms": ["EdDSA"],
            "leeway": "0s",
            "cookie": "session",
        }
        settings["auth"] = {
            "providers": {
                "customers": {"jwt": jwt},
                "machines": {"api_key": {"keys": {"file": str(self._keys)}}},
            },
            "forward": {"subject": "x-subject"},
        }
        settings["policies"] = [{"methods": [STOCK], "authorize": {"scopes": ["stock.read"]}}]
        return settings | sections


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    return Identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture(scope="module")
def served(shop, identity, tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("closed"), identity.config(shop)) as each:
        yield each


@pytest.fixture
def url(served):
    return served.url


def offer(token):
    """A token as a browser's `WebSocket` can offer it."""
    return "bearer." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


def known_as(reply):
    """Whom the backend was told of."""
    (subject,) = [each["text"] for each in reply["metadata"] if each["key"] == "x-subject"]
    return subject


async def asks_who(client, **members):
    """Asks a backend who calls; returns that, or the reason why it is not told."""
    replies, status = await client.whole(await client.open(WHO, {}, end=True, **members))
    return known_as(*replies) if replies else reason_of(status)


# Where it is shown.

PLACES = {
    "header": lambda it: ({"additional_headers": {"authorization": f"Bearer {it.token()}"}}, {}),
    "subprotocol": lambda it: ({"subprotocols": ["grpcws.v1.json", offer(it.token())]}, {}),
    "pair": lambda it: ({"subprotocols": ["grpcws.v1.json", "Bearer", it.token()]}, {}),
    "hello": lambda it: ({}, {"token": it.token()}),
    "cookie": lambda it: ({"additional_headers": {"cookie": f"a=b; session={it.token()}"}}, {}),
    "key": lambda it: ({"additional_headers": {"x-api-key": it.key.text}}, {}),
}


@pytest.mark.parametrize("place", PLACES)
async def test_a_caller_is_known_by(url, identity, place):
    options, hello = PLACES[place](identity)
    async with socket(url, options=options, **hello) as client:
        assert await asks_who(client) == ("robot" if place == "key" else "ann")
        assert client.websocket.subprotocol == "grpcws.v1.json"


@pytest.mark.parametrize("place", [each for each in PLACES if each != "hello"])
@pytest.mark.parametrize("target", [f"/{WHO}", PRODUCT], ids=["method", "route"])
async def test_a_caller_of_a_plain_call_is_known_by(url, identity, place, target):
    options, _ = PLACES[place](identity)
    offered = ["grpcws.plain.json", *options.pop("subprotocols", ["grpcws.v1.json"])[1:]]
    async with plain(url, target, subprotocols=offered, **options) as each:
        if target == PRODUCT:
            assert json.loads(await each.recv())["id"] == "p1"
        else:
            await each.send("{}")
            subject = known_as(json.loads(await each.recv()))
            assert subject == ("robot" if place == "key" else "ann")
        assert await end(each) == (1000, None)
        assert each.subprotocol == "grpcws.plain.json"


@asynccontextmanager
async def plain(url, target, **options):
    async with dial(url.replace("http", "ws", 1) + target, proxy=None, **options) as each:
        yield each


async def end(each):
    """Close code, and reason of the last frame."""
    last = None
    try:
        while True:
            last = json.loads(await each.recv())
    except ConnectionClosed as closed:
        return closed.rcvd.code, reason_of(last["error"]) if last else None


@pytest.mark.parametrize("path", ["/ws", PRODUCT, "/graphql"])
async def test_pages_of_other_sites_open_nothing_with_the_users_cookie(url, identity, path):
    headers = {"cookie": f"session={identity.token()}", "origin": "https://evil.example"}
    with pytest.raises(InvalidStatus) as caught:
        async with plain(url, path, additional_headers=headers):
            pass
    assert caught.value.response.status_code == 403


async def test_the_gateways_own_page_does(url, identity):
    headers = {"cookie": f"session={identity.token()}", "origin": url}
    async with socket(url, options={"additional_headers": headers}) as client:
        assert await asks_who(client) == "ann"


# Who is not known.


@pytest.mark.parametrize("kind", ["nothing", "garbage", "expired", "another issuer", "a bad key"])
async def test_who_is_not_known_is_closed_with_4401(url, identity, kind):
    shown = {
        "garbage": {"token": "garbage"},
        "expired": {"token": identity.token(seconds=-1)},
        "another issuer": {"token": Issuer(alg="EdDSA").token(iss="https://other.example")},
    }.get(kind, {})
    options = {"additional_headers": {"x-api-key": new_key().text}} if kind == "a bad key" else {}
    async with bare(url, **options) as client:
        await client.say("hello", **shown)
        frames, code, reason = await client.all()
    assert (frames, code) == ([], 4401)
    assert reason


async def test_who_guesses_is_told_to_come_later_and_nothing_of_it_is_logged(shop, tmp_path):
    mine = Identity(tmp_path)
    settings = mine.config(shop)
    settings["listener"]["limits"] = {"unauthenticated": "3/h"}
    log = tmp_path / "log"
    good, guesses = mine.token(), [mine.token(seconds=-9, n=number) for number in range(4)]
    with log.open("w") as errors, gateway(tmp_path, settings, errors=errors) as served:
        codes = []
        async with socket(served.url, token=good) as client:  # known from here on
            for guess in guesses:
                async with bare(served.url, subprotocols=["grpcws.v1.json", offer(guess)]) as each:
                    await each.say("hello")
                    codes.append(await each.closed())
            assert await asks_who(client) == "ann"
            async with socket(served.url, token=good) as other:
                assert await asks_who(other) == "ann"
    assert codes == [4401, 4401, 4401, 4004]
    told = log.read_text()
    assert "refused a page or socket of websocket" in told
    for each in (good, *guesses):
        assert each not in told
        assert offer(each) not in told
        assert each.rpartition(".")[2] not in told


@pytest.mark.parametrize("offered", [[], ["bearer.Z2FyYmFnZQ"]], ids=["nothing", "garbage"])
async def test_and_his_plain_call_ends_with_4216(url, offered):
    async with plain(url, PRODUCT, subprotocols=["grpcws.plain.json", *offered]) as each:
        code, reason = await end(each)
    assert code == 4216
    assert reason == ("INVALID_CREDENTIALS" if offered else "CREDENTIALS_MISSING")


async def test_who_lacks_a_scope_is_refused_that_call_alone(url, identity):
    async with socket(url, token=identity.token()) as client:
        status = await client.end(await client.open(STOCK, {"productId": "p1"}, end=True))
        assert (status["code"], reason_of(status)) == (7, "INSUFFICIENT_SCOPE")
        ((name, value),) = status["trailers"]
        assert name == "www-authenticate"
        assert 'scope="stock.read"' in value
        assert await asks_who(client) == "ann"
    async with socket(url, token=identity.token(scope="stock.read")) as client:
        status = await client.end(await client.open(STOCK, {"productId": "p1"}, end=True))
        assert status["code"] == 0


async def test_metadata_of_an_open_makes_nobody_else_of_a_caller(url, identity):
    async with socket(url, token=identity.token()) as client:
        forged = [["authorization", f"Bearer {identity.token('bob')}"]]
        assert await asks_who(client, metadata=forged) == "ann"
        for name in "x-subject", "X-Subject", "x_subject", "grpc-metadata-x-subject":
            assert await asks_who(client, metadata=[[name, "bob"]]) == "INVALID_METADATA"


# Until when.


@pytest.mark.parametrize("framing", ["json", "proto"])
async def test_a_token_that_expires_ends_the_streams_and_the_socket(url, identity, framing):
    async with socket(url, framing, token=identity.token(seconds=3)) as client:
        assert 1 <= client.welcome["token_s"] <= 3
        ticks = await client.open(WATCH, TICKS, end=True)
        frames, code, _ = await client.all()
    assert code == 4003
    others = [each for each in frames if each["t"] not in {"headers", "message"}]
    assert [each["t"] for each in others] == ["auth_expiring", "status"]
    assert others[1]["id"] == ticks
    assert (others[1]["code"], reason_of(others[1])) == (16, "TOKEN_EXPIRED")
    assert sum(each["t"] == "message" for each in frames) > 20


async def test_with_a_new_token_streams_go_on(url, identity):
    async with socket(url, token=identity.token(seconds=2)) as client:
        ticks = await client.open(WATCH, TICKS, end=True)
        assert (await client.of(None))["t"] == "auth_expiring"
        await client.say("auth", token=identity.token(seconds=300))
        taken = await client.of(None)
        assert taken["t"] == "auth_ok"
        assert taken["token_s"] > 200
        end = time.monotonic() + 3
        while time.monotonic() < end:
            await client.message(ticks)
        assert await asks_who(client) == "ann"


@pytest.mark.parametrize(
    ("token", "code"),
    [(lambda it: it.token("bob"), 4403), (lambda _: "garbage", 4401)],
    ids=["another subject", "garbage"],
)
async def test_auth_with_what_is_not_the_clients(url, identity, token, code):
    async with socket(url, token=identity.token()) as client:
        await client.open(WATCH, TICKS, end=True)
        await client.say("auth", token=token(identity))
        assert await client.closed() == code


async def test_a_plain_stream_ends_with_its_token(url, identity):
    options = {"subprotocols": ["grpcws.plain.json", offer(identity.token(seconds=2))]}
    async with plain(url, f"/{WATCH}", **options) as each:
        await each.send(json.dumps(TICKS))
        assert await end(each) == (4216, "TOKEN_EXPIRED")


async def test_a_session_is_its_subjects(url, identity):
    hello = {"features": ["resume"], "token": identity.token()}
    async with socket(url, **hello) as client:
        session = client.welcome["session"]
        ticks = await client.open(WATCH, TICKS, end=True)
        await client.message(ticks)
        client.websocket.transport.abort()
    back = {"session": session, "seen": {str(ticks): 0}, "granted": {str(ticks): 64}}
    for shown, code in ({"token": identity.token("bob")}, 4403), ({}, 4401):
        async with bare(url) as thief:
            await thief.say("hello", **back, **shown, features=["resume"])
            assert await thief.closed() == code
    async with socket(url, **back, features=["resume"], token=identity.token()) as client:
        assert [each["id"] for each in client.welcome["resumed"]] == [ticks]


async def test_whichever_worker_has_the_session(shop, tmp_path):
    """Half of the sockets arrive at the worker that does not, by the kernel's choice."""
    mine = Identity(tmp_path)
    key = {"additional_headers": {"x-api-key": mine.key.text}}
    with gateway(tmp_path, mine.config(shop, workers=2)) as served:
        for shown, hello, thief in (
            ({}, {"token": mine.token()}, {"token": mine.token("bob")}),
            (key, {}, {"token": mine.token()}),
        ):
            hello["features"] = thief["features"] = ["resume"]
            async with socket(served.url, options=shown, **hello) as client:
                hello["session"] = thief["session"] = client.welcome["session"]
                subject = await asks_who(client)
                await client.say("credit", id=1, n=0, seq=9)
                client.websocket.transport.abort()
            for number in range(10):
                async with bare(served.url) as other:
                    await other.say("hello", **thief)
                    assert await other.closed() == 4403
                async with socket(served.url, options=shown, **hello) as client:
                    assert client.welcome["session"] == hello["session"]
                    client.last_id = number + 1
                    assert await asks_who(client) == subject
                    await client.say("credit", id=number + 2, n=0, seq=9)
                    await client.say("ping", data="heard")
                    assert (await client.of(None))["t"] == "pong"
                    client.websocket.transport.abort()


async def test_a_revoked_key_opens_no_more_streams(shop, tmp_path):
    mine = Identity(tmp_path)
    with gateway(tmp_path, mine.config(shop)) as served:
        options = {"additional_headers": {"x-api-key": mine.key.text}}
        async with socket(served.url, options=options) as client:
            assert await asks_who(client) == "robot"
            mine.keep()
            assert await until_not(client, "robot") == "INVALID_CREDENTIALS"


async def test_a_token_of_a_withdrawn_key_opens_no_more_streams(shop, tmp_path):
    mine = Identity(tmp_path)
    with gateway(tmp_path, mine.config(shop)) as served:
        async with socket(served.url, token=mine.token()) as client:
            assert await asks_who(client) == "ann"
            mine.issuer.rotate(keep=False)
            mine.publish()
            assert await until_not(client, "ann") == "INVALID_CREDENTIALS"
            await client.say("auth", token=mine.token())
            assert (await client.of(None))["t"] == "auth_ok"
            assert await asks_who(client) == "ann"


async def until_not(client, subject):
    """Asks who calls until that is another answer: files are looked at every few seconds."""
    async with asyncio.timeout(10):
        while (answer := await asks_who(client)) == subject:
            await asyncio.sleep(0.1)
    return answer


# Reload.


async def test_a_changed_policy_holds_for_the_next_open_of_open_sockets(shop, tmp_path):
    mine = Identity(tmp_path)
    settings = mine.config(shop)
    path = tmp_path / "gateway.yaml"
    path.write_text(yaml.safe_dump(settings))
    with serving("serve", "--config", path, cwd=ROOT) as running:
        url = running.read_until(LISTENING)
        async with socket(url, token=mine.token()) as client:
            ticks = await client.open(WATCH, TICKS, end=True)
            assert await asks_who(client) == "ann"
            settings["policies"].append({"methods": [WHO], "authorize": {"roles": ["admin"]}})
            path.write_text(yaml.safe_dump(settings))
            running.signal(signal.SIGHUP)
            await asyncio.to_thread(running.read_error, "reloaded")
            assert await asks_who(client) == "ROLE_MISSING"
            await client.say("auth", token=mine.token(roles=["admin"]))
            assert (await client.of(None))["t"] == "auth_ok"
            assert await asks_who(client) == "ann"
            await client.message(ticks)
        running.signal(signal.SIGTERM)
        assert await asyncio.to_thread(running.wait) == 0


async def test_providers_that_come_with_a_reload_look_at_the_next_open(shop, tmp_path):
    mine = Identity(tmp_path)
    secured = mine.config(shop)
    path = tmp_path / "gateway.yaml"
    path.write_text(yaml.safe_dump(config(shop)))
    with serving("serve", "--config", path, cwd=ROOT) as running:
        url = running.read_until(LISTENING)
        async with socket(url) as nobody, socket(url, token=mine.token()) as ann:
            path.write_text(yaml.safe_dump(secured))
            running.signal(signal.SIGHUP)
            await asyncio.to_thread(running.read_error, "reloaded")
            assert await asks_who(nobody) == "CREDENTIALS_MISSING"
            assert await asks_who(ann) == "ann"
        async with bare(url) as nobody:
            await nobody.say("hello")
            assert await nobody.closed() == 4401
        running.signal(signal.SIGTERM)
        assert await asyncio.to_thread(running.wait) == 0


# What needs nobody.


async def test_where_a_method_is_open_sockets_are_too(shop, tmp_path):
    mine = Identity(tmp_path)
    settings = mine.config(shop)
    settings["policies"] = [{"methods": [STOCK], "authenticate": "none"}]
    with gateway(tmp_path, settings) as served:
        async with socket(served.url) as client:
            status = await client.end(await client.open(STOCK, {"productId": "p1"}, end=True))
            assert status["code"] == 0
            assert await asks_who(client) == "CREDENTIALS_MISSING"
            await client.say("auth", token=mine.token())
            assert await client.closed() == 4403
        async with bare(served.url) as client:
            await client.say("hello", token="garbage")
            assert await client.closed() == 4401


@pytest.mark.parametrize(
    ("path", "status"),
    [("/ws/client.js", 200), ("/ws/client.d.ts", 200), ("/demo", 401), ("/demo/demo.js", 401)],
)
async def test_files(shop, identity, tmp_path_factory, path, status):
    settings = identity.config(shop)
    settings["websocket"]["demo"] = True
    with gateway(tmp_path_factory.mktemp("demo"), settings) as served:
        async with aiohttp.ClientSession(served.url) as client:
            async with client.get(path) as reply:
                assert reply.status == status
                assert ("www-authenticate" in reply.headers) is (status == 401)
            headers = {"authorization": f"Bearer {identity.token()}"}
            async with client.get(path, headers=headers) as reply:
                assert reply.status == 200


# The clients that come with the gateway.


def lasting(identity, *seconds):
    """A function that gives tokens that last so long, one after the other."""
    waiting = list(seconds)
    return lambda: identity.token(seconds=waiting.pop(0))


async def test_the_python_client_renews_its_token(url, identity):
    token = lasting(identity, 2, 2, 300)
    async with connect(url.replace("http", "ws", 1) + "/ws", token=token) as client:
        async with client.stream(WATCH, {"interval": "0.1s", "count": 50}, end=True) as ticks:
            assert [int(each["sequence"]) async for each in ticks] == list(range(1, 51))
        assert known_as(await client.call(WHO, {})) == "ann"


async def test_it_asks_once_more_for_one_that_is_refused(url, identity):
    tokens = [identity.token(), "garbage", identity.token()]
    async with connect(url.replace("http", "ws", 1) + "/ws", token=lambda: tokens.pop(0)) as client:
        assert known_as(await client.call(WHO, {})) == "ann"
        for link in client._connection._links:
            link._socket.transport.abort()
        answer = None
        while answer is None:
            with suppress(RpcError):  # until it has heard that its connection is gone
                answer = await client.call(WHO, {}, timeout=20)
        assert known_as(answer) == "ann"
        assert tokens == []


@needs_node
async def test_the_javascript_client_renews_its_token(url, identity):
    tokens = [identity.token(seconds=each) for each in (3, 5, 300)]
    heard = (await run("tokens.mjs", f"{url}/ws", json.dumps(tokens), "renews"))["renews"]
    assert heard == {"ticks": list(range(1, 71)), "asked": 3, "states": ["open"]}


@needs_node
async def test_it_comes_back_with_another_when_one_has_expired(url, identity):
    tokens = [identity.token(seconds=2), None, identity.token()]
    heard = (await run("tokens.mjs", f"{url}/ws", json.dumps(tokens), "expires"))["expires"]
    assert heard == {"status": "UNAUTHENTICATED", "code": 4003, "subject": "ann"}
