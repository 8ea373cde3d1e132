"""The example's issuer: whom it knows, its tokens and keys, and its end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager

import aiohttp
import pytest
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet

from services_mock import identity
from services_mock.issuer import Settings, serving
from services_mock.seed import seeded

NOW = 1_800_000_000
PERSONS = pytest.mark.parametrize("name", identity.PEOPLE)


def issuer(**others):
    given = {"audience": "shop", "lasts": 900, "keys": identity.Keys()} | others
    return identity.Issuer("http://127.0.0.1:1", now=lambda: NOW + 0.9, **given)


def claims_of(token, keys):
    return jwt.decode(token, KeySet.import_key_set(keys.published()), ["ES256"]).claims


@PERSONS
def test_a_person_is_who_the_shop_knows(name):
    person = identity.PEOPLE[name]
    user = seeded().users[person.subject]
    assert user.display_name == person.name
    assert user.email.partition("@")[0] == name
    known = user.DESCRIPTOR.fields_by_name["roles"].enum_type.values_by_number
    assert [known[number].name for number in user.roles] == [
        f"ROLE_{role.upper()}" for role in person.roles
    ]


@PERSONS
def test_a_token_says_who_and_until_when(name):
    given, person = issuer(), identity.PEOPLE[name]
    claims = claims_of(given.issue(name).token, given.keys)
    assert (claims["iss"], claims["aud"]) == ("http://127.0.0.1:1", "shop")
    assert (claims["iat"], claims["exp"]) == (NOW, NOW + 900)
    assert (claims["sub"], claims["name"]) == (person.subject, person.name)
    assert claims["roles"] == list(person.roles)
    assert claims["scope"] == " ".join(person.scopes)


def test_no_two_tokens_are_the_same():
    given = issuer()
    first, second = (claims_of(given.issue("ada").token, given.keys) for _ in range(2))
    assert first["jti"] != second["jti"]


@pytest.mark.parametrize(
    ("asked", "lasts"),
    [
        pytest.param(10, 10, id="shorter"),
        pytest.param(9000, 900, id="never longer than the issuer's"),
        pytest.param(None, 900, id="nothing said"),
    ],
)
def test_how_long_a_token_lasts(asked, lasts):
    given = issuer()
    issued = given.issue("ada", lasts=asked)
    assert issued.lasts == lasts
    assert claims_of(issued.token, given.keys)["exp"] == NOW + lasts


def test_fewer_scopes_can_be_had_and_no_others():
    given = issuer()
    issued = given.issue("ada", scopes=("orders.read",))
    assert claims_of(issued.token, given.keys)["scope"] == "orders.read"
    with pytest.raises(identity.ScopeError):
        given.issue("ada", scopes=("catalog.write",))


def test_nobody_else_has_a_token():
    with pytest.raises(identity.UnknownPersonError):
        issuer().issue("mallory")


def test_a_withdrawn_key_is_the_one_before_the_last():
    given = issuer()
    token = given.issue("ada").token
    given.keys.rotate()
    assert claims_of(token, given.keys)["sub"] == "u1"
    given.keys.rotate()
    with pytest.raises(InvalidKeyIdError):
        claims_of(token, given.keys)


def test_only_public_keys_are_published():
    assert all("d" not in key for key in identity.Keys().published()["keys"])


@asynccontextmanager
async def asked(**settings):
    async with serving(Settings(**settings)) as url, aiohttp.ClientSession(url) as session:
        yield session


async def test_discovery_leads_to_the_keys_that_verify_a_token():
    async with asked(audience="books", lasts=60) as session:
        found = await (await session.get("/.well-known/openid-configuration")).json()
        keys = await (await session.get(found["jwks_uri"])).json()
        reply = await session.post(found["token_endpoint"], data={"user": "ada"})
        answer = await reply.json()
        claims = jwt.decode(answer["access_token"], KeySet.import_key_set(keys)).claims
    assert reply.headers["cache-control"] == "no-store"
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 60)
    assert (claims["iss"], claims["aud"]) == (found["issuer"], "books")
    assert claims["exp"] - claims["iat"] == 60


async def test_a_token_as_text_is_nothing_but_the_token():
    async with asked() as session:
        reply = await session.post("/token.txt", data={"user": "farid", "lasts": "5s"})
        text = await reply.text()
        keys = await (await session.get("/jwks.json")).json()
    claims = jwt.decode(text.strip(), KeySet.import_key_set(keys)).claims
    assert (claims["sub"], claims["exp"] - claims["iat"]) == ("u6", 5)


async def test_rotation_changes_the_key_that_signs():
    async with asked() as session:
        before = await (await session.get("/jwks.json")).json()
        made = (await (await session.post("/rotate")).json())["kid"]
        after = await (await session.get("/jwks.json")).json()
    assert [key["kid"] for key in after["keys"]] == [before["keys"][0]["kid"], made]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        pytest.param({"user": "mallory"}, "invalid_grant", id="nobody by this name"),
        pytest.param({}, "invalid_grant", id="no name"),
        pytest.param({"user": "ada", "scope": "all"}, "invalid_scope", id="not their scope"),
        pytest.param({"user": "ada", "lasts": "soon"}, "invalid_request", id="no duration"),
    ],
)
async def test_a_refusal_is_that_of_oauth(form, error):
    async with asked() as session:
        reply = await session.post("/token", data=form)
        assert (reply.status, (await reply.json())["error"]) == (400, error)


def run(*flags, **others):
    command = [sys.executable, "-m", "services_mock.issuer", *flags]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **others
    )


@pytest.mark.parametrize("number", [None, signal.SIGTERM, signal.SIGINT], ids=str)
def test_it_ends_with_its_input_and_by_signals(number):
    with run("--port", "0", "--end-with-stdin") as process:
        assert process.stdout.readline().startswith("serving on http://127.0.0.1:")
        assert process.stdout.readline() == "ready\n"
        if number is None:
            process.stdin.close()
        else:
            process.send_signal(number)
        assert process.wait(20) == 0


@pytest.mark.parametrize("another", [False, True], ids=["refused", "another"])
def test_a_port_that_is_taken(another):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        flags = ["--or-another"] if another else []
        with run("--port", str(port), *flags, stderr=subprocess.PIPE) as process:
            if another:
                assert process.stdout.readline().startswith("serving on http://127.0.0.1:")
                process.terminate()
            else:
                _, error = process.communicate(timeout=20)
                assert process.returncode == 1
                assert error == f"services_mock.issuer: cannot listen on 127.0.0.1:{port}\n"
