"""Which replies are packed, and what their heads say (RFC 9110 8.4, 8.8.3.3, 12.5.5; RFC 9111 5.2.2.6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http import Headers, Request
from gateway.listener.packing import SMALLEST, Packing, untagged

JSON = ("content-type", "application/json")
GZIP = ("accept-encoding", "gzip")
VARY = ("vary", "accept-encoding")
PACKING = Packing(["br", "gzip"])


def asked(*headers, method="GET"):
    return Request(method, "/", None, Headers(headers))


def plan(*headers, request=(GZIP,), status=200, size=SMALLEST):
    request = asked(*request)
    sent = request.headers
    untagged(request)
    return PACKING.plan(request, sent, status, headers, size)


def coding(*headers, **how):
    found = plan(*headers, **how)
    return None if found is None else found.coding


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/graphql-response+json; charset=utf-8",
        "application/x-ndjson",
        "application/problem+xml",
        "text/html",
        "text/csv",
        "image/svg+xml",
        "multipart/mixed; boundary=-",
    ],
)
def test_text_is_packed(media):
    assert coding(("content-type", media)) == "gzip"


@pytest.mark.parametrize(
    "media",
    [
        pytest.param("image/png", id="packed-already"),
        pytest.param("application/zip", id="an-archive"),
        pytest.param("application/octet-stream", id="who-knows"),
        pytest.param("text/event-stream", id="events"),
        pytest.param("application/jsonish", id="no-json"),
        pytest.param("", id="no-type"),
    ],
)
def test_other_media_are_left_alone(media):
    assert plan(("content-type", media)) is None


@pytest.mark.parametrize(
    ("headers", "how"),
    [
        pytest.param([JSON], {"size": SMALLEST - 1}, id="small"),
        pytest.param([JSON, ("content-encoding", "gzip")], {}, id="coded-already"),
        pytest.param([JSON, ("Content-Encoding", "x")], {}, id="coded-somehow"),
        pytest.param([JSON, ("cache-control", "public, No-Transform")], {}, id="no-transform"),
        pytest.param([JSON, ("content-range", "bytes 0-1/9")], {}, id="a-range"),
        pytest.param([JSON], {"status": 206}, id="a-part"),
        pytest.param([JSON], {"status": 204}, id="no-content"),
        pytest.param(
            [JSON], {"size": 0, "request": [("accept-encoding", "*;q=0, br")]}, id="empty"
        ),
    ],
)
def test_left_alone(headers, how):
    assert plan(*headers, **how) is None


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param([], id="nothing-said"),
        pytest.param([("accept-encoding", "identity")], id="not-wanted"),
        pytest.param([GZIP, ("cookie", "s=1")], id="would-mix-secrets"),
    ],
)
def test_what_might_have_been_packed_says_on_what_it_depends(request_):
    found = plan(JSON, ("etag", '"7"'), request=request_)
    assert found.coding is None
    assert list(found.headers) == [JSON, ("etag", '"7"'), VARY]


def test_who_wants_nothing_plain_gets_even_little_packed():
    assert coding(JSON, size=1, request=[("accept-encoding", "gzip, identity;q=0")]) == "gzip"
    packed = plan(("content-type", "image/png"), request=[("accept-encoding", "gzip, *;q=0")])
    assert packed.coding == "gzip"
    assert plan(JSON, size=1, request=[("accept-encoding", "gzip, identity;q=0.1")]) is None


@pytest.mark.parametrize(
    ("tag", "packed"),
    [
        pytest.param('"v7"', '"v7;gzip"', id="strong"),
        pytest.param('""', '";gzip"', id="empty"),
        pytest.param('W/"v7"', 'W/"v7"', id="weak"),
        pytest.param("v7", "v7", id="none"),
    ],
)
def test_a_strong_tag_names_the_coding(tag, packed):
    found = plan(JSON, ("ETag", tag))
    assert dict(found.packed)["ETag"] == packed
    assert dict(found.headers)["ETag"] == tag
    assert found.packed[-1] == ("content-encoding", "gzip")


def test_vary_is_said_once():
    found = plan(JSON, ("vary", "Accept-Encoding, origin"))
    assert [each for each in found.packed if each[0] == "vary"] == [
        ("vary", "Accept-Encoding, origin")
    ]


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ('"v7;gzip"', '"v7"'),
        ('"v7;br", W/"x", "v8;zstd"', '"v7", W/"x", "v8"'),
        ('"v7;deflate"', '"v7;deflate"'),
        ('"v7"', '"v7"'),
        ("*", "*"),
    ],
)
@pytest.mark.parametrize("name", ["if-none-match", "if-match"])
def test_tags_come_back_without_the_coding(name, sent, seen):
    request = asked((name, sent), ("x-other", '"v7;gzip"'))
    untagged(request)
    assert list(request.headers) == [(name, seen), ("x-other", '"v7;gzip"')]


@given(st.text("abc/+=;-", max_size=10), st.sampled_from(["br", "gzip"]))
def test_a_tag_that_comes_back_means_what_it_meant(text, accepted):
    tag = f'"{text}"'
    given_out = dict(plan(JSON, ("etag", tag), request=[("accept-encoding", accepted)]).packed)
    request = asked(("if-match", given_out["etag"]))
    untagged(request)
    assert request.headers.get("if-match") == tag


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        pytest.param('"v7;gzip"', '"v7;gzip"', id="packed"),
        pytest.param('"v6", "v7;br"', '"v7;br"', id="in-a-list"),
        pytest.param('"v7"', '"v7"', id="plain"),
        pytest.param("*", '"v7"', id="any"),
        pytest.param('W/"v7"', '"v7"', id="weak"),
    ],
)
def test_not_modified_tells_the_tag_that_the_client_has(sent, told):
    found = plan(("etag", '"v7"'), status=304, size=0, request=[("if-none-match", sent)])
    assert found.coding is None
    assert list(found.headers) == [("etag", told), VARY]


NAMES = st.sampled_from(
    ["content-type", "Cache-Control", "etag", "vary", "content-encoding", "x-a"]
)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30) | st.sampled_from(
    ["application/json", "no-transform", '"7"', "text/plain; charset=utf-8"]
)


@given(
    st.lists(st.tuples(NAMES, VALUES), max_size=6),
    st.sampled_from([200, 206, 304, 404]),
    st.integers(0, 5000),
    VALUES,
)
def test_nothing_of_a_head_is_lost_or_said_twice(headers, status, size, sent):
    found = plan(*headers, status=status, size=size, request=[GZIP, ("if-none-match", sent)])
    if found is None:
        return
    for told in (found.headers, found.packed):
        names = [name for name, _ in told]
        assert names[: len(headers)] == [name for name, _ in headers]
        assert names[len(headers) :] in (
            [],
            ["vary"],
            ["content-encoding"],
            ["vary", "content-encoding"],
        )
        assert sum("accept-encoding" in value.lower() for name, value in told if name == "vary")


def test_streams_are_packed_by_gzip_only():
    both = asked(("accept-encoding", "br, gzip"))
    assert PACKING.plan_stream(both, 200, [JSON]).coding == "gzip"
    assert PACKING.plan_stream(asked(("accept-encoding", "br")), 200, [JSON]).coding is None
    assert Packing(["br"]).plan_stream(both, 200, [JSON]) is None
    assert PACKING.plan_stream(both, 200, [("content-type", "text/event-stream")]) is None
    assert PACKING.plan_stream(both, 204, [JSON]) is None


def test_choices_are_remembered_within_bounds():
    packing = Packing(["gzip"])
    for number in range(1000):
        request = asked(("accept-encoding", f"gzip, x{number}"))
        assert packing.plan(request, request.headers, 200, [JSON], SMALLEST).coding == "gzip"
    long = asked(("accept-encoding", "gzip," + "x" * 1000))
    assert packing.plan(long, long.headers, 200, [JSON], SMALLEST).coding == "gzip"
    assert len(packing._choices) <= 256
    assert all(len(text) <= 256 for text in packing._choices)
