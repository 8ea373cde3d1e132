"""Which version of an API a request asks for whose path says none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Code, RpcError
from gateway.fronts.rest.versions import VersionOptions, Versions, versions_of
from gateway.http import Headers, Request
from gateway.routing.template import parse

KNOWN = ("v1", "v2", "v10beta1")
EVERY = VersionOptions("v1", "application/vnd.shop.{version}+json", "x-api-version", "version")
V1, V2 = "application/vnd.shop.v1+json", "application/vnd.shop.v2+json"


def asked(*fields, path="/products", query=None, options=EVERY, prefix=""):
    request = Request("GET", path, query, Headers(fields))
    return Versions(options, KNOWN, prefix).ask(request)


def accepting(value):
    return ("accept", value)


@pytest.mark.parametrize(
    ("fields", "query", "version", "media"),
    [
        pytest.param([], None, "v1", None, id="the default"),
        pytest.param([("x-api-version", "v2")], None, "v2", None, id="by header"),
        pytest.param([("x-api-version", " V2 ")], None, "v2", None, id="whatever its case"),
        pytest.param([("x-api-version", "2")], None, "v2", None, id="without its v"),
        pytest.param([], "version=v2", "v2", None, id="by query"),
        pytest.param([], "%76ersion=%762", "v2", None, id="by query, encoded"),
        pytest.param([accepting(V2)], None, "v2", V2, id="by media type"),
        pytest.param([accepting(V2.upper())], None, "v2", V2, id="which has no case"),
        pytest.param([accepting("*/*")], None, "v1", None, id="any type will do"),
        pytest.param([accepting("application/json")], None, "v1", None, id="another type"),
        pytest.param([accepting(f"{V1};q=0.5, {V2}")], None, "v2", V2, id="the best type"),
        pytest.param([accepting(f"{V2};q=0, {V1}")], None, "v1", V1, id="not one with no quality"),
        pytest.param(
            [accepting(f"application/json, {V2};q=0.1")], None, "v1", None, id="plain JSON is liked"
        ),
        pytest.param(
            [accepting(f"application/json;q=0.9, {V2}")], None, "v2", V2, id="the type is liked"
        ),
        pytest.param(
            [accepting(f"application/json, {V2}")],
            None,
            "v2",
            V2,
            id="both, and the type says more",
        ),
        pytest.param(
            [accepting(f"*/*, application/*, {V2};q=0.1")], None, "v2", V2, id="wildcards say less"
        ),
        pytest.param(
            [accepting(f"application/json, {V1};q=0.1"), ("x-api-version", "v2")],
            None,
            "v2",
            None,
            id="a header chooses, and plain JSON is liked",
        ),
        pytest.param(
            [accepting(f"{V1}, {V2};q=0.9"), ("x-api-version", "v2")],
            None,
            "v2",
            V2,
            id="a header chooses among accepted types",
        ),
        pytest.param(
            [accepting("application/vnd.shop.v9+json, */*;q=0.1")],
            None,
            "v1",
            None,
            id="an unknown type beside one that will do",
        ),
        pytest.param(
            [("x-api-version", "v2"), ("x-api-version", "2")],
            "version=v2",
            "v2",
            None,
            id="said thrice, the same",
        ),
        pytest.param(
            [accepting("application/vndxshop.v2+json")], None, "v1", None, id="a dot is one"
        ),
    ],
)
def test_what_is_asked_for(fields, query, version, media):
    found = asked(*fields, query=query)
    assert (found.version, found.media) == (version, media)
    assert found.request.path == f"/{version}/products"


@pytest.mark.parametrize(
    ("fields", "query"),
    [
        pytest.param([("x-api-version", "v3")], None, id="an unknown one by header"),
        pytest.param([("x-api-version", "")], None, id="an empty one"),
        pytest.param([("x-api-version", "v1/products")], None, id="a path is none"),
        pytest.param([], "version=9", id="an unknown one by query"),
        pytest.param([], "version=", id="an empty one by query"),
        pytest.param([], "version=v1&version=v2", id="two by query"),
        pytest.param([("x-api-version", "v1")], "version=v2", id="two by header and query"),
        pytest.param([("x-api-version", "v1"), accepting(V2)], None, id="one that is not accepted"),
    ],
)
def test_what_is_refused_with_the_list_of_versions(fields, query):
    with pytest.raises(RpcError) as caught:
        asked(*fields, query=query)
    assert (caught.value.reason, caught.value.status.code) == (
        "UNKNOWN_VERSION",
        Code.INVALID_ARGUMENT,
    )
    assert "The API has the versions v1, v2, v10beta1." in caught.value.status.message


def test_unknown_media_types_alone_are_not_acceptable():
    with pytest.raises(RpcError) as caught:
        asked(accepting("application/vnd.shop.v9+json, application/vnd.shop.v8+json"))
    assert caught.value.reason == "NOT_ACCEPTABLE"
    assert "v1, v2, v10beta1" in caught.value.status.message


def test_an_error_repeats_little_of_what_a_client_wrote():
    with pytest.raises(RpcError) as caught:
        asked(("x-api-version", "v" * 10_000 + "\u00e9"))
    assert len(caught.value.status.message) < 150
    assert caught.value.status.message.isascii()


@pytest.mark.parametrize(
    ("query", "rest"),
    [
        ("version=v2", None),
        ("a=1&version=v2&b=%2F", "a=1&b=%2F"),
        ("a=1", "a=1"),
        ("a=1&versions=2", "a=1&versions=2"),
    ],
)
def test_the_parameter_is_taken_out_of_the_query(query, rest):
    assert asked(query=query).request.query == rest


def test_what_is_not_configured_is_not_looked_at():
    found = asked(
        ("x-api-version", "v9"),
        accepting("application/vnd.shop.v9+json"),
        query="version=v9",
        options=VersionOptions("v2"),
    )
    assert (found.version, found.media, found.request.query) == ("v2", None, "version=v9")


def test_a_version_stands_behind_the_prefix():
    assert asked(path="/api/products", prefix="/api").request.path == "/api/v1/products"


@pytest.mark.parametrize(
    ("path", "may", "strange"),
    [
        ("/products", True, False),
        ("/v1/products", False, False),
        ("/v2", False, False),
        ("/v3/products", True, True),
        ("/v2x/products", True, False),
        ("/", True, False),
        ("*", False, False),
    ],
)
def test_which_paths_say_a_version(path, may, strange):
    versions = Versions(EVERY, KNOWN)
    assert (versions.may_add(path), versions.names_unknown(path)) == (may, strange)


@pytest.mark.parametrize("path", ["/products", "/apis/products", "/v1/products"])
def test_a_path_outside_the_prefix_gets_none(path):
    assert not Versions(EVERY, KNOWN, "/api").may_add(path)


@pytest.mark.parametrize(
    ("options", "vary"),
    [
        (EVERY, "accept, x-api-version"),
        (VersionOptions("v1", query="v"), ""),
        (VersionOptions("v1", header="x-v"), "x-v"),
    ],
)
def test_what_replies_vary_by(options, vary):
    assert Versions(options, KNOWN).vary == vary


def test_versions_are_those_that_begin_the_paths_of_routes():
    paths = ["/v2/a", "/v10/a", "/v1/{id}", "/v2beta1/a", "/{id}/v3", "/a/v4", "/vx/a", "/v5:b"]
    assert versions_of(map(parse, paths), 0) == ("v1", "v2", "v2beta1", "v5", "v10")
    assert versions_of(map(parse, ["/api/v1/a", "/v2/api", "/x"]), 1) == ("v1",)


@given(st.text(max_size=40), st.text(max_size=60), st.text(max_size=40))
def test_whatever_is_asked_for_is_one_of_them_or_refused(header, accept, query):
    try:
        found = asked(("x-api-version", header), accepting(accept), query=query)
    except RpcError as refused:
        assert refused.reason in {"UNKNOWN_VERSION", "NOT_ACCEPTABLE"}
    else:
        assert found.version in KNOWN
        assert found.media is None or found.version in found.media
