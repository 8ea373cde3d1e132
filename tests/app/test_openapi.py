"""What the config says of the API, as its document tells it; and where that is."""

import pytest

from gateway.app.openapi import _FactsOf, _schemes
from gateway.app.paths import Claim, claims, pageless
from gateway.config import from_mapping
from gateway.config.effective import Settings

JWT = {"issuer": "https://id.example/", "audiences": ["shop"]}


def config(providers, **sections):
    return from_mapping({"auth": {"providers": providers}, **sections}, origin="test").config


@pytest.mark.parametrize(
    ("provider", "schemes"),
    [
        ({"jwt": JWT}, {"p": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}),
        (
            {"jwt": {**JWT, "cookie": "session"}},
            {
                "p": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "p-cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
            },
        ),
    ],
    ids=["jwt", "jwt in a cookie"],
)
def test_a_provider_is_a_scheme(provider, schemes):
    given = config({"p": provider})
    assert dict(_schemes(given.auth.providers)) == schemes


def test_any_way_of_a_method_will_do():
    given = config({"a": {"jwt": {**JWT, "cookie": "c"}}, "b": {"jwt": JWT}})
    facts = _FactsOf(given, given.rest, dict(_schemes(given.auth.providers)))
    assert facts.of(Settings({})).security == ({"a": ()}, {"a-cookie": ()}, {"b": ()})
    assert facts.of_views().security[-1] == {}
    assert facts.of(Settings({})).guarded


def test_without_providers_nothing_is_asked_for():
    given = config({})
    facts = _FactsOf(given, given.rest, {}).of(Settings({}))
    assert (facts.security, facts.guarded, facts.limited) == ((), False, False)


@pytest.mark.parametrize(
    ("rest", "paths"),
    [
        ({}, ["/openapi.json", "/docs"]),
        ({"docs": False}, ["/openapi.json"]),
        ({"openapi": False}, []),
        ({"openapi": "/api/o.json", "docs": "/api"}, ["/api/o.json", "/api"]),
    ],
    ids=["both", "no page", "neither", "elsewhere"],
)
def test_paths_are_claimed(rest, paths):
    given = config({}, rest=rest)
    keys = ("rest.openapi", "rest.docs")
    found = claims(None, None, (), given.rest)
    assert found == [Claim(path, key) for path, key in zip(paths, keys, strict=False)]


@pytest.mark.parametrize(
    ("rest", "lines"),
    [
        ({"openapi": False}, 0),
        ({"openapi": False, "docs": False}, 0),
        ({"openapi": False, "docs": "/docs"}, 1),
        ({"docs": "/docs"}, 0),
    ],
    ids=str,
)
def test_a_page_without_a_document_is_a_mistake(rest, lines):
    loaded = from_mapping({"rest": rest}, origin="test")
    assert len(list(pageless(loaded.config.rest, loaded.source))) == lines
