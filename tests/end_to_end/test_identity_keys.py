"""API keys and passwords, through real sockets: who is let in, and how soon a file counts."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from contextlib import asynccontextmanager

import aiohttp
import pytest
from multidict import CIMultiDict

from gateway.cli.failure import Exit
from gateway.policies.auth.key_form import digest_of, new_key
from gateway.policies.auth.stored_file import TAKES_EFFECT
from tests.cli.processes import invoke, run
from tests.end_to_end.graph import JOINS
from tests.end_to_end.sockets import STOCK, WHO, bare, socket
from tests.end_to_end.system import error_of, gateway, reason_of, shop_config

ORDERS = "shop.orders.v1.OrderService/ListOrders"
PASSWORD = "open sesame 1001"
SPARE = 10  # seconds: the machine of the tests may be busy


class Served:
    """A gateway with keys and users.

    Attributes:
        key: One of `acme`, with a scope.
        folder: Where its files are.
        url: Where it is.
        errors: The file of its standard error.
    """

    def __init__(self, folder, shop):
        self.folder = folder
        self.url = ""
        self.key = self.made("--owner", "acme", "--scope", "orders.read", "--claim", "tenant=t1")
        for name in ("ada", "bob", "cleo"):
            self.added(name)
        self.errors = folder / "errors"
        files = {name: str(folder / f"{name}.yaml") for name in ("keys", "users")}
        self.config = shop_config(
            shop,
            graphql={"joins": [JOINS], "operations": []},
            auth={
                "providers": {
                    "partners": {"api_key": {"keys": {"file": files["keys"]}}},
                    "ops": {"basic": {"users": {"file": files["users"]}}},
                },
                "forward": {"subject": "x-subject", "claims": ["tenant", "key_id"]},
            },
            policies=[{"methods": [ORDERS], "authorize": {"scopes": ["orders.read"]}}],
        )

    def made(self, *options):
        """A new key."""
        done = invoke("keys", "new", *options, cwd=self.folder)
        assert done.code == 0, done.err
        return done.out.strip()

    def added(self, name, *options):
        """A new user, with the password of all."""
        command = ("users", "add", name, "--password-stdin", *options)
        assert run(*command, cwd=self.folder, stdin=PASSWORD).code == 0


@pytest.fixture(scope="module")
def served(shop, tmp_path_factory):
    made = Served(tmp_path_factory.mktemp("keys"), shop)
    with made.errors.open("w") as errors, gateway(made.folder, made.config, errors=errors) as each:
        made.url = each.url
        yield made


@pytest.fixture
async def client(served):
    async with aiohttp.ClientSession(served.url) as session:
        yield session


def by_key(key):
    return {"x-api-key": key}


def by_password(name, password=PASSWORD):
    return {"authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


async def who(client, headers):
    """What the backend is told of a caller; a status where there is no such caller."""
    async with client.post(f"/{WHO}", json={}, headers=headers) as response:
        if response.status != 200:
            return response.status
        metadata = (await response.json())["metadata"]
        return {each["key"]: each.get("text") for each in metadata}


@pytest.mark.parametrize(
    "said",
    [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}],
    ids=["as browsers say", "as older browsers say"],
)
async def test_another_sites_page_can_not_use_a_password_that_a_browser_keeps(client, said):
    assert (await who(client, by_password("ada")))["x-subject"] == "ada"
    async with refused(client, by_password("ada") | said) as (response, error):
        assert (response.status, reason_of(error)) == (403, "CROSS_SITE_REQUEST")
    assert (await who(client, by_password("ada") | {"sec-fetch-site": "same-origin"}))["x-subject"]


@asynccontextmanager
async def refused(client, headers):
    async with client.post(f"/{WHO}", json={}, headers=headers) as response:
        yield response, await error_of(response)


async def becomes(client, headers, expected):
    """Waits until a caller has a status or a subject; a change of a file takes its time."""
    async with asyncio.timeout(TAKES_EFFECT + SPARE):
        while True:
            found = await who(client, headers)
            if (found if isinstance(found, int) else found["x-subject"]) == expected:
                return
            await asyncio.sleep(0.05)


async def logged(served, text):
    """Waits until something is in the log; a change of a file takes its time."""
    async with asyncio.timeout(TAKES_EFFECT + SPARE):
        while text not in served.errors.read_text():
            await asyncio.sleep(0.05)


# REST


async def test_a_key_is_its_owners_call(client, served):
    told = await who(client, by_key(served.key))
    assert told["x-subject"] == "acme"
    assert told["x-claim-tenant"] == "t1"
    assert told["x-claim-key_id"] == served.key.split("_")[1]
    assert "x-api-key" not in told


async def test_a_password_is_its_users_call(client):
    for _ in range(2):  # looked at, then remembered
        told = await who(client, by_password("ada"))
        assert told["x-subject"] == "ada"
        assert "authorization" not in told


async def test_without_either_the_reply_says_what_would_do(client):
    async with refused(client, {}) as (response, error):
        assert response.status == 401
        assert reason_of(error) == "CREDENTIALS_MISSING"
        assert (
            response.headers["www-authenticate"] == 'Basic realm="gateway", ApiKey realm="gateway"'
        )


def doubled(key):
    return CIMultiDict([("x-api-key", key), ("x-api-key", key)])


@pytest.mark.parametrize(
    "headers",
    [
        lambda key: by_key(key[:-1]),
        lambda key: by_key(key.swapcase()),
        lambda _: by_key(new_key().text),
        lambda _: by_key(""),
        doubled,
        lambda key: {"authorization": f"ApiKey {key}"} | by_key("x"),
        lambda _: by_password("ada", "wrong"),
        lambda _: by_password("nobody", PASSWORD),
        lambda _: {"authorization": "Basic"},
        lambda _: {"authorization": "Basic ???"},
        lambda key: {"authorization": f"Bearer {key}"} | by_key("x"),
    ],
    ids=[
        "a part of a key", "another case", "an unknown key", "an empty key", "a key twice",
        "a key elsewhere", "a wrong password", "an unknown user", "nothing behind Basic",
        "no base64", "a key as a token",
    ],
)  # fmt: skip
async def test_what_is_bad_is_401(client, served, headers):
    async with refused(client, headers(served.key)) as (response, error):
        assert response.status == 401
        assert reason_of(error) == "INVALID_CREDENTIALS"
        assert served.key not in json.dumps(error)


async def test_a_wrong_password_and_an_unknown_user_have_the_same_reply(client):
    replies = []
    for name in ("bob", "nobody-either"):
        async with refused(client, by_password(name, "wrong")) as (response, error):
            (reason, _) = error.pop("details")  # the other is the id of the request
            replies.append((response.status, response.headers["www-authenticate"], error, reason))
    assert replies[0] == replies[1]


async def test_scopes_are_those_of_the_key(client, served):
    async with client.get("/v1/orders", headers=by_key(served.key)) as response:
        assert response.status == 200
    other = served.made("--owner", "other")
    await becomes(client, by_key(other), "other")
    async with client.get("/v1/orders", headers=by_key(other)) as response:
        assert response.status == 403
        assert reason_of(await error_of(response)) == "INSUFFICIENT_SCOPE"


# Files that change while the gateway runs


async def test_a_key_is_good_soon_after_it_is_made_and_bad_soon_after_it_is_revoked(client, served):
    key = served.made("--owner", "short")
    await becomes(client, by_key(key), "short")
    assert invoke("keys", "revoke", key.split("_")[1], cwd=served.folder).code == 0
    await becomes(client, by_key(key), 401)
    assert (await who(client, by_key(served.key)))["x-subject"] == "acme"


async def test_a_key_ends_by_itself(client, served):
    key = served.made("--owner", "mayfly", "--expires", f"{TAKES_EFFECT + SPARE:.0f}s")
    await becomes(client, by_key(key), "mayfly")
    async with asyncio.timeout(TAKES_EFFECT + 2 * SPARE):
        while await who(client, by_key(key)) != 401:
            await asyncio.sleep(0.1)
    async with refused(client, by_key(key)) as (_, error):
        assert reason_of(error) == "TOKEN_EXPIRED"


async def test_a_user_is_good_soon_after_being_added_and_gone_soon_after(client, served):
    served.added("guest")
    await logged(served, "users.yaml has changed")  # tries until then would lock the guest out
    assert (await who(client, by_password("guest")))["x-subject"] == "guest"
    assert invoke("users", "remove", "guest", cwd=served.folder).code == 0
    await becomes(client, by_password("guest"), 401)


async def test_a_bad_version_is_logged_with_its_line_and_the_one_before_stays(client, served):
    file = served.folder / "keys.yaml"
    good = file.read_text()
    extra = new_key()
    file.write_text(f"{good}  oops: {{ower: x}}\n")
    line = good.count("\n") + 1
    await logged(served, f"keys.yaml:{line}:10: keys.oops.ower: unknown key")
    assert (await who(client, by_key(served.key)))["x-subject"] == "acme"
    entry = f"{{owner: late, hash: 'sha256:{digest_of(extra.text).hex()}'}}"
    file.write_text(f"{good}  oops: {entry}\n")
    await becomes(client, by_key(extra.text), "late")


async def test_a_bad_file_at_the_start_is_told_by_check(served, tmp_path):
    (tmp_path / "keys.yaml").write_text("keys:\n  a: {owner: x}\n")
    config = served.config | {
        "auth": {"providers": {"p": {"api_key": {"keys": {"file": "keys.yaml"}}}}}
    }
    (tmp_path / "gateway.yaml").write_text(json.dumps(config))
    done = run("check", cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    assert "auth.providers.p.api_key.keys.file: keys.yaml:2:3: keys.a.hash: a required" in done.err


# Guessing


@pytest.mark.parametrize("name", ["bob", "nobody-at-all"], ids=["who exists", "who does not"])
async def test_who_guesses_is_locked_out_for_a_while(client, name):
    for number in range(12):  # another test may have failed once with this name
        async with refused(client, by_password(name, f"guess{number}")) as (response, error):
            if response.status == 429:
                break
            assert response.status == 401
    assert response.status == 429
    assert reason_of(error) == "LOCKED_OUT"
    assert 1 <= int(response.headers["retry-after"]) <= 60
    assert await who(client, by_password(name, PASSWORD)) == 429  # the right one too
    assert (await who(client, by_password("ada")))["x-subject"] == "ada"


async def test_who_was_right_before_is_served_while_others_guess(client):
    assert (await who(client, by_password("cleo")))["x-subject"] == "cleo"
    for number in range(11):
        status = await who(client, by_password("cleo", f"guess{number}"))
    assert status == 429
    assert (await who(client, by_password("cleo")))["x-subject"] == "cleo"


def test_nothing_that_was_shown_is_in_the_log(served):
    text = served.errors.read_text()
    assert "bad credentials" in text
    for secret in (served.key, PASSWORD, "guess1", by_password("ada")["authorization"]):
        assert secret not in text
    assert digest_of(served.key).hex() not in text


# GraphQL


async def graphql(client, headers, query="{ whoAmI { metadata { key text } } }"):
    async with client.post("/graphql", json={"query": query}, headers=headers) as response:
        return response.status, await response.json()


@pytest.mark.parametrize("way", ["key", "password"])
async def test_graphql_calls_are_the_callers(client, served, way):
    headers, subject = (by_key(served.key), "acme") if way == "key" else (by_password("ada"), "ada")
    status, answer = await graphql(client, headers)
    assert status == 200
    told = {each["key"]: each["text"] for each in answer["data"]["whoAmI"]["metadata"]}
    assert told["x-subject"] == subject


@pytest.mark.parametrize("headers", [{}, by_key("bad")], ids=["nobody", "a bad key"])
async def test_graphql_says_who_is_not_let_in(client, headers):
    _, answer = await graphql(client, headers)
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


# WebSocket


async def test_a_socket_is_opened_with_a_key_and_its_calls_are_its_owners(served):
    options = {"additional_headers": by_key(served.key)}
    async with socket(served.url, options=options) as each:
        (answer,), status = await each.whole(await each.open(WHO, {}, end=True))
        assert status["code"] == 0
        assert {"key": "x-subject", "text": "acme"} in answer["metadata"]


async def test_a_socket_is_opened_with_a_password(served):
    options = {"additional_headers": by_password("ada")}
    async with socket(served.url, options=options) as each:
        _, status = await each.whole(await each.open(STOCK, {"productId": "p1"}, end=True))
        assert status["code"] == 0


async def test_a_socket_with_a_bad_key_is_closed(served):
    async with bare(served.url, "json", additional_headers=by_key("bad")) as each:
        await each.say("hello")
        assert await each.closed() == 4401


async def test_a_key_that_is_revoked_ends_the_calls_of_an_open_socket(client, served):
    key = served.made("--owner", "leaver")
    await becomes(client, by_key(key), "leaver")
    async with socket(served.url, options={"additional_headers": by_key(key)}) as each:
        _, status = await each.whole(await each.open(WHO, {}, end=True))
        assert status["code"] == 0
        invoke("keys", "revoke", key.split("_")[1], cwd=served.folder)
        await becomes(client, by_key(key), 401)
        _, status = await each.whole(await each.open(WHO, {}, end=True))
        assert status["status"] == "UNAUTHENTICATED"
