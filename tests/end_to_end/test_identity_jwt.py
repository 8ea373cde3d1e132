"""Signed tokens through a real gateway: what it takes and refuses in each front, and its issuers."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import ExitStack

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from tests.end_to_end.sockets import bare
from tests.end_to_end.system import error_of, gateway, reason_of, shop_config
from tests.policies.auth.attacks import ATTACKS, EXPIRED, hostile
from tests.policies.auth.issuer import JWKS, Issuer, SigningKey, served

PRODUCT = "/v1/products/p1"
QUERY = '{ getProduct(id: "p1") { id } }'
PATIENCE = 30
TOO_LARGE = {"1 MB"}  # for any header: it comes as far as no provider


def config(shop, *providers, **sections):
    """A config of these sections `jwt`; calls of its clients are never too many."""
    named = {f"provider-{number}": {"jwt": each} for number, each in enumerate(providers)}
    made = shop_config(shop, auth={"providers": named}, graphql={}, websocket={}, **sections)
    made["listener"]["limits"] = {"unauthenticated": "100000/s"}
    return made


@pytest.fixture(scope="module")
def issuer():
    with served(Issuer()) as each:
        yield hostile(each)


@pytest.fixture(scope="module")
def closed(shop, issuer, tmp_path_factory):
    settings = config(shop, issuer.config(cookie="session"))
    with gateway(tmp_path_factory.mktemp("closed"), settings) as each:
        yield each


@pytest.fixture
async def client(closed):
    async with aiohttp.ClientSession(closed.url, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


def bearer(token):
    return {"authorization": f"Bearer {token}"}


async def by_rest(client, token):
    """The status, the reason and the challenge."""
    async with client.get(PRODUCT, headers=bearer(token)) as response:
        reason = None if response.ok else reason_of(await error_of(response))
        return response.status, reason, response.headers.get("www-authenticate")


async def by_graphql(client, token):
    """The codes and the reasons of the errors."""
    async with client.post("/graphql", json={"query": QUERY}, headers=bearer(token)) as response:
        answer = json.loads(await response.read())
    shown = [each["extensions"] for each in answer.get("errors", ())]
    return [each["code"] for each in shown], [each.get("reason") for each in shown]


async def by_websocket(url, token):
    """The close code; None where the gateway says `welcome`."""
    async with bare(url) as socket:
        try:
            await socket.say("hello", token=token)
            assert (await socket.of(None))["t"] == "welcome"
        except ConnectionClosed as end:
            return end.rcvd.code
    return None


# The table of attacks.


@pytest.mark.parametrize("name", [name for name in ATTACKS if name not in TOO_LARGE])
async def test_a_bad_token_is_refused_in_every_front(issuer, closed, client, name):
    token = ATTACKS[name](issuer)
    reason = "TOKEN_EXPIRED" if name in EXPIRED else "INVALID_CREDENTIALS"
    rest, graphql, code = await asyncio.gather(
        by_rest(client, token), by_graphql(client, token), by_websocket(closed.url, token)
    )
    status, found, challenge = rest
    assert (status, found) == (401, reason)
    assert challenge.startswith(
        'Bearer realm="gateway", error="invalid_token", error_description="'
    )
    assert graphql == (["UNAUTHENTICATED"], [reason])
    assert code == 4401


async def test_a_token_of_a_megabyte_is_refused_in_every_front(issuer, closed, client):
    token = ATTACKS["1 MB"](issuer)
    async with client.get(PRODUCT, headers=bearer(token)) as response:
        assert response.status == 431
    async with client.post("/graphql", json={"query": QUERY}, headers=bearer(token)) as response:
        assert response.status == 431
    assert await by_websocket(closed.url, token) == 4413


async def test_a_good_token_is_taken_in_every_front(issuer, closed, client):
    """Else the table would prove nothing."""
    for key in issuer.keys:
        token = issuer.token(key=key)
        assert (await by_rest(client, token))[0] == 200
        assert await by_graphql(client, token) == ([], [])
        assert await by_websocket(closed.url, token) is None


async def test_two_authorizations_are_refused(issuer, client):
    headers = [("authorization", f"Bearer {issuer.token()}"), ("authorization", "Bearer x")]
    async with client.get(PRODUCT, headers=headers) as response:
        assert response.status == 401


async def test_no_token_is_asked_for_one(client):
    async with client.get(PRODUCT) as response:
        assert response.status == 401
        assert reason_of(await error_of(response)) == "CREDENTIALS_MISSING"
        assert response.headers["www-authenticate"] == 'Bearer realm="gateway"'


# Cookies.


async def test_a_cookie_shows_who_calls(issuer, client):
    cookie = {"cookie": f"session={issuer.token()}"}
    async with client.get(PRODUCT, headers=cookie) as response:
        assert response.status == 200


async def test_a_cookie_shows_nobody_to_another_site(issuer, client):
    cookie = {"cookie": f"session={issuer.token()}", "sec-fetch-site": "cross-site"}
    async with client.post("/v1/products", json={}, headers=cookie) as response:
        assert response.status == 403
        assert reason_of(await error_of(response)) == "CROSS_SITE_REQUEST"
    async with client.get(PRODUCT, headers=cookie) as response:
        assert response.status == 200, "a link from elsewhere changes nothing"


# Issuers.


async def until(client, token, status):
    """Calls until the answer has a status."""
    end = time.monotonic() + PATIENCE
    while (found := await by_rest(client, token))[0] != status:
        assert time.monotonic() < end, found
        await asyncio.sleep(0.05)


async def test_keys_are_rotated_under_load_without_a_failed_call(shop, tmp_path):
    with served(Issuer()) as issuer, gateway(tmp_path, config(shop, issuer.config())) as each:
        async with aiohttp.ClientSession(each.url) as session:
            old = issuer.key
            statuses, rotated = [], 0

            async def calls(number):
                nonlocal rotated
                for turn in range(60):
                    if number == 0 and turn == 20:
                        issuer.rotate()
                        rotated = len(statuses)
                    key = old if turn % 3 == 0 else issuer.key
                    token = issuer.token(key=key, jti=f"{number}-{turn}")
                    statuses.append((await by_rest(session, token))[0])

            await asyncio.gather(*map(calls, range(16)))
            assert statuses == [200] * 960
            assert 0 < rotated < 960
            assert issuer.asked[JWKS] == 2, "one at the start, one for the new key"


def of_no_key(issuer, number):
    """A token that any key may have signed, and none has."""
    return SigningKey.make("thief").jws({"alg": "RS256"}, issuer.claims(jti=str(number)))


def of_that_name(issuer, number):
    """A token that the key which it names has not signed."""
    key = SigningKey(issuer.key.kid, issuer.key.alg, SigningKey.make("thief").private)
    return issuer.token(key=key, jti=str(number))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda i, n: i.token(header={"kid": f"unknown-{n}"}), id="that are named"),
        pytest.param(of_no_key, id="that are not named"),
        pytest.param(of_that_name, id="that have the name of another"),
    ],
)
async def test_a_flood_of_unknown_keys_makes_one_fetch(shop, tmp_path, make):
    with served(Issuer()) as issuer, gateway(tmp_path, config(shop, issuer.config())) as each:
        async with aiohttp.ClientSession(each.url) as session:
            began = time.monotonic()
            tokens = [make(issuer, number) for number in range(300)]
            found = await asyncio.gather(*(by_rest(session, token) for token in tokens))
            assert {status for status, _, _ in found} == {401}
            assert (await by_rest(session, issuer.token()))[0] == 200
            cool_downs = (time.monotonic() - began) // 10
            assert issuer.asked[JWKS] <= 2 + cool_downs


async def test_a_key_that_takes_the_name_of_another_is_fetched_at_once(shop, tmp_path):
    with served(Issuer()) as issuer, gateway(tmp_path, config(shop, issuer.config())) as each:
        async with aiohttp.ClientSession(each.url) as session:
            assert (await by_rest(session, issuer.token()))[0] == 200
            kid, private = issuer.key.kid, SigningKey.make("fresh").private
            issuer.keys = [SigningKey(kid, issuer.key.alg, private)]
            assert (await by_rest(session, issuer.token()))[0] == 200
            assert issuer.asked[JWKS] == 2


async def test_an_issuer_that_is_down_at_the_start_is_waited_for(shop, tmp_path):
    async with Issuer() as issuer:
        port = issuer.port
        await issuer.stop()
        with gateway(tmp_path, config(shop, issuer.config(discover=True))) as each:
            async with aiohttp.ClientSession(each.url) as session:
                status, reason, _ = await by_rest(session, issuer.token())
                assert (status, reason) == (503, "AUTHENTICATION_UNAVAILABLE")
                assert await by_graphql(session, issuer.token()) == (
                    ["UNAVAILABLE"],
                    ["AUTHENTICATION_UNAVAILABLE"],
                )
                assert await by_websocket(each.url, issuer.token()) == 4004
                assert (await by_rest(session, issuer.token() + "="))[0] == 401
                await issuer.start(port)
                await until(session, issuer.token(), 200)


async def test_an_issuer_that_goes_down_is_not_missed(shop, tmp_path):
    with ExitStack() as running:
        with served(Issuer()) as issuer:
            settings = config(shop, issuer.config(discover=True))
            each = running.enter_context(gateway(tmp_path, settings))
        async with aiohttp.ClientSession(each.url) as session:
            assert (await by_rest(session, issuer.token()))[0] == 200
            fresh = issuer.token(key=issuer.rotate())
            assert (await by_rest(session, fresh))[0] == 401
            old = issuer.token(key=issuer.keys[0], jti="another")
            assert (await by_rest(session, old))[0] == 200


async def test_each_issuers_tokens_are_its_own(shop, tmp_path):
    with served(Issuer()) as one, served(Issuer(alg="ES256")) as other, ExitStack() as running:
        settings = config(shop, one.config(), other.config(discover=True))
        each = running.enter_context(gateway(tmp_path, settings))
        async with aiohttp.ClientSession(each.url) as session:
            for issuer, stranger in ((one, other), (other, one)):
                assert (await by_rest(session, issuer.token()))[0] == 200
                forged = issuer.token(key=stranger.key)
                assert (await by_rest(session, forged))[0] == 401
                posing = issuer.token(key=stranger.key, header={"kid": issuer.key.kid})
                assert (await by_rest(session, posing))[0] == 401


async def test_no_token_is_in_the_log(shop, issuer, tmp_path):
    log = tmp_path / "log"
    tokens = [make(issuer) for name, make in ATTACKS.items() if name not in TOO_LARGE]
    tokens.append(issuer.token())
    with (
        log.open("w") as errors,
        gateway(tmp_path, config(shop, issuer.config()), errors=errors) as each,
    ):
        async with aiohttp.ClientSession(each.url) as session:
            for token in tokens:
                await by_rest(session, token)
    text = log.read_text()
    assert "refused shop.catalog" in text
    parts = {part[:16] for token in tokens for part in token.split(".") if len(part) > 15}
    assert not [part for part in parts if part in text]
