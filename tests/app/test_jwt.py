"""From a section `jwt` to its provider."""

from __future__ import annotations

import json

import pytest

from gateway.app.coverage import unencrypted
from gateway.app.jwt import jwt
from gateway.app.providers import Making
from gateway.app.settings import SettingError
from gateway.call import Call, RpcError
from gateway.config import from_mapping
from gateway.config.models.auth import Jwks, Jwt, Provider
from gateway.policies.auth.provider import BadCredentials
from tests.policies.auth.callers import call, head
from tests.policies.auth.issuer import Issuer


def made(**section):
    given = Provider(jwt=Jwt(**{"audiences": ["shop"]} | section))
    return jwt(Making("customers", given, lambda _: None, 1 << 20))


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def stored(tmp_path, issuer):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(issuer.jwks()))
    return Jwks(file=str(path))


def identified(provider, token):
    return provider.identify(call(("authorization", f"Bearer {token}")))


async def test_keys_in_a_file(issuer, stored):
    provider = made(issuer=issuer.url, jwks=stored)
    principal = identified(provider, issuer.token())
    assert (principal.subject, principal.provider) == ("ada", "customers")
    assert (provider.name, provider.scheme) == ("customers", "Bearer")


async def test_every_key_of_the_section_counts(issuer, stored):
    provider = made(
        issuer=issuer.url,
        jwks=stored,
        audiences=["other"],
        leeway="1000s",
        scopes_claim="scp",
        roles_claim="realm_access.roles",
        plan_claim="tier",
        cookie="session",
    )
    claims = {"aud": "other", "scp": ["a"], "realm_access": {"roles": ["b"]}, "tier": "pro"}
    token = issuer.token(**claims, exp=issuer.claims()["iat"] - 900)
    request = head(("cookie", f"session={token}"))
    principal = provider.identify(Call("a.B/C", head=request))
    assert (principal.scopes, principal.roles, principal.plan) == ({"a"}, {"b"}, "pro")


async def test_algorithms_are_those_of_the_section(issuer, stored):
    issuer.keys = [type(issuer.key)("RS256-1", "RS384", issuer.key.private)]
    stored.file.write_text(json.dumps(issuer.jwks()))
    provider = made(issuer=issuer.url, jwks=stored, algorithms=["RS384"])
    assert identified(provider, issuer.token())
    with pytest.raises(SettingError, match="no key that can be used"):
        made(issuer=issuer.url, jwks=stored, algorithms=["RS256"])


async def test_other_keys_have_bad_tokens_judged_anew(issuer, stored):
    provider = made(issuer=issuer.url, jwks=stored)
    token = issuer.token(key=issuer.rotate())
    with pytest.raises(BadCredentials):
        identified(provider, token)
    provider._source.keys.replace(issuer.jwks())
    assert identified(provider, token)


async def test_a_bad_file_is_an_error_at_its_key(issuer, stored):
    stored.file.write_text("{}")
    with pytest.raises(SettingError, match=r"jwks\.json: no keys") as wrong:
        made(issuer=issuer.url, jwks=stored)
    assert wrong.value.path == "auth.providers.customers.jwt.jwks.file"


async def test_an_issuer_that_can_not_be_asked_must_come_with_keys(issuer, stored):
    with pytest.raises(SettingError, match="jwks must say where its keys are") as wrong:
        made(issuer="the-issuer")
    assert wrong.value.path == "auth.providers.customers.jwt.issuer"
    assert made(issuer="the-issuer", jwks=stored)
    assert made(issuer="the-issuer", jwks=Jwks(uri="http://id.example/jwks.json"))


@pytest.mark.parametrize("jwks", [None, Jwks(uri="http://127.0.0.1:1/jwks.json")])
async def test_making_one_asks_nobody(issuer, jwks):
    """`gateway check` makes providers, too."""
    provider = made(issuer="http://127.0.0.1:1", jwks=jwks)
    with pytest.raises(RpcError, match="UNAVAILABLE"):
        task = identified(provider, Issuer("http://127.0.0.1:1").token())
        await task
    await provider.close()


async def test_it_is_opened_and_closed_over_http(issuer):
    async with issuer:
        provider = made(issuer=issuer.url)
        await provider.open()
        assert identified(provider, issuer.token())
        await provider.close()
        assert identified(provider, issuer.token()), "calls of before may still ask"


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({"issuer": "http://id.example"}, "jwt.issuer"),
        ({"issuer": "https://id.example"}, None),
        ({"issuer": "http://127.0.0.1:8080"}, None),
        ({"issuer": "http://localhost"}, None),
        ({"issuer": "http://id.example", "jwks": {"file": __file__}}, None),
        ({"issuer": "a", "jwks": {"uri": "http://id.example/jwks.json"}}, "jwt.jwks.uri"),
        ({"issuer": "a", "jwks": {"uri": "https://id.example/jwks.json"}}, None),
        ({"issuer": "a", "jwks": {"uri": "http://[::1]/jwks.json"}}, None),
    ],
)
def test_keys_that_anybody_on_the_way_can_replace_are_warned_of(section, key):
    data = {
        "upstreams": {"shop": {"services": ["shop.*"], "endpoints": ["127.0.0.1:1"]}},
        "auth": {"providers": {"customers": {"jwt": {"audiences": ["shop"]} | section}}},
    }
    loaded = from_mapping(data, origin="test")
    lines = list(unencrypted(loaded.config, loaded.source))
    assert len(lines) == (key is not None)
    if key is not None:
        assert f"auth.providers.customers.{key}: the keys that sign tokens are fetched" in lines[0]
