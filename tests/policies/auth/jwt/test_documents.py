"""Where an issuer says its keys are (OpenID Connect Discovery 1.0, RFC 8414)."""

from __future__ import annotations

import pytest

from gateway.policies.auth.fetching import Fetcher, FetchError
from gateway.policies.auth.jwt import documents
from tests.policies.auth.issuer import DISCOVERY, JWKS, Answer, Issuer, as_json

OAUTH = "/.well-known/oauth-authorization-server"


@pytest.fixture
async def issuer():
    async with Issuer() as each:
        yield each


@pytest.fixture
async def fetcher():
    each = Fetcher(total=2)
    yield each
    await each.close()


async def test_at_a_url(issuer, fetcher):
    assert (await documents.at(fetcher, issuer.url + JWKS)()).json == issuer.jwks()


async def test_by_discovery(issuer, fetcher):
    assert (await documents.of_issuer(fetcher, issuer.url)()).json == issuer.jwks()
    assert issuer.asked[OAUTH] == 0


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", "/.well-known/openid-configuration"),
        ("/realms/shop", "/realms/shop/.well-known/openid-configuration"),
        ("/realms/shop/", "/realms/shop/.well-known/openid-configuration"),
    ],
)
async def test_an_issuer_with_a_path(issuer, fetcher, path, place):
    name = issuer.url + path
    issuer.pages[place] = lambda _: as_json(issuer.metadata() | {"issuer": name})
    assert (await documents.of_issuer(fetcher, name)()).json == issuer.jwks()


@pytest.mark.parametrize("path", ["", "/realms/shop"])
async def test_by_the_document_of_oauth_where_there_is_none_of_openid(issuer, fetcher, path):
    name = issuer.url + path
    del issuer.pages[DISCOVERY]
    issuer.pages[OAUTH + path] = lambda _: as_json(issuer.metadata() | {"issuer": name})
    assert (await documents.of_issuer(fetcher, name)()).json == issuer.jwks()


async def test_it_is_asked_each_time(issuer, fetcher):
    fetch = documents.of_issuer(fetcher, issuer.url)
    await fetch()
    issuer.pages["/moved"] = issuer.pages.pop(JWKS)
    metadata = issuer.metadata() | {"jwks_uri": issuer.url + "/moved"}
    issuer.pages[DISCOVERY] = lambda _: as_json(metadata)
    assert (await fetch()).json == issuer.jwks()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        pytest.param(
            {"issuer": "https://other.example"}, "not the one of the config", id="another issuer"
        ),
        pytest.param({"issuer": None}, "not the one of the config", id="no issuer"),
        pytest.param({"jwks_uri": None}, "no URL of keys", id="no keys"),
        pytest.param({"jwks_uri": "file:///etc/passwd"}, "no URL of keys", id="a file"),
        pytest.param({"jwks_uri": "ftp://id.example/"}, "no URL of keys", id="another scheme"),
        pytest.param({"jwks_uri": ["http://id.example/"]}, "no URL of keys", id="a list"),
        pytest.param({"jwks_uri": "/jwks.json"}, "no URL of keys", id="a path"),
    ],
)
async def test_a_bad_document_is_refused(issuer, fetcher, change, text):
    metadata = issuer.metadata() | change
    issuer.pages[DISCOVERY] = lambda _: as_json(metadata)
    with pytest.raises(FetchError, match=text):
        await documents.of_issuer(fetcher, issuer.url)()
    assert issuer.asked[JWKS] == 0
    assert issuer.asked[OAUTH] == 0, "the first that is there counts"


async def test_the_issuers_name_is_the_very_one(issuer, fetcher):
    with pytest.raises(FetchError, match="not the one of the config"):
        await documents.of_issuer(fetcher, issuer.url + "/")()


async def test_what_is_no_object_is_refused(issuer, fetcher):
    issuer.pages[DISCOVERY] = lambda _: Answer(b"[]")
    with pytest.raises(FetchError, match="no discovery document"):
        await documents.of_issuer(fetcher, issuer.url)()


async def test_without_any_document_the_first_one_is_missed(issuer, fetcher):
    del issuer.pages[DISCOVERY]
    with pytest.raises(FetchError, match="openid-configuration: answered 404"):
        await documents.of_issuer(fetcher, issuer.url)()


async def test_a_server_that_fails_is_not_asked_for_the_other_document(issuer, fetcher):
    issuer.pages[DISCOVERY] = lambda _: as_json({})._replace(status=503)
    with pytest.raises(FetchError, match="503"):
        await documents.of_issuer(fetcher, issuer.url)()
    assert issuer.asked[OAUTH] == 0


def test_keys_of_a_secure_issuer_are_fetched_securely():
    document = {"issuer": "https://id.example", "jwks_uri": "http://id.example/jwks.json"}
    with pytest.raises(FetchError, match="https"):
        documents._keys_of(document, "https://id.example", "place")
    document["jwks_uri"] = "https://www.id.example/jwks.json"
    assert documents._keys_of(document, "https://id.example", "place") == document["jwks_uri"]


@pytest.mark.parametrize(
    "issuer",
    [
        "shop",
        "urn:shop",
        "ftp://id.example",
        "https://",
        "https://id.example?tenant=a",
        "https://id.example#a",
        "accounts.example",
    ],
)
def test_an_issuer_that_is_no_url_has_no_document(issuer):
    with pytest.raises(ValueError, match="no URL"):
        documents.of_issuer(Fetcher(), issuer)
