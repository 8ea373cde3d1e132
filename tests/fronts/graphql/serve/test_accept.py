"""Which media type answers (RFC 9110, 12.5.1; GraphQL over HTTP, "Accept")."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.graphql.serve.accept import EVENTS, GRAPHQL, JSON, PARTS, wanted

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        pytest.param([], JSON, id="no-header-is-json"),
        pytest.param([""], JSON, id="an-empty-header-is-json"),
        pytest.param(["*/*"], JSON, id="anything-is-json"),
        pytest.param(["application/*"], JSON, id="any-application-is-json"),
        pytest.param(["application/json"], JSON, id="json"),
        pytest.param(["application/graphql-response+json"], GRAPHQL, id="graphql"),
        pytest.param(["Application/GraphQL-Response+JSON"], GRAPHQL, id="in-any-case"),
        pytest.param(["application/json; charset=utf-8"], JSON, id="with-a-charset"),
        pytest.param([f"{JSON}, {GRAPHQL}"], GRAPHQL, id="of-both-the-newer"),
        pytest.param([f"{GRAPHQL};q=0.5, {JSON}"], JSON, id="the-better-quality"),
        pytest.param([f"{GRAPHQL}, {JSON};q=0.9"], GRAPHQL, id="as-the-spec-advises"),
        pytest.param([JSON, GRAPHQL], GRAPHQL, id="several-fields-are-one-list"),
        pytest.param(["*/*, application/json;q=0"], GRAPHQL, id="zero-excludes"),
        pytest.param([f"{GRAPHQL};q=0, */*"], JSON, id="the-specific-range-decides"),
        pytest.param([f"{GRAPHQL};q=2, {JSON}"], JSON, id="no-quality-is-none"),
        pytest.param([f"{GRAPHQL};q=nan, {JSON}"], JSON, id="nan-is-no-quality"),
        pytest.param(["text/event-stream"], EVENTS, id="events-when-asked"),
        pytest.param(["text/*"], EVENTS, id="events-are-text"),
        pytest.param([f"{EVENTS};q=0.9, {JSON};q=0.1"], EVENTS, id="events-preferred"),
        pytest.param([URQL], GRAPHQL, id="urql"),
        pytest.param(["image/png"], None, id="nothing"),
        pytest.param(["multipart/mixed"], None, id="parts-are-no-whole"),
        pytest.param(["text/html"], None, id="a-page-is-no-response"),
    ],
)
def test_one_response(accept, media):
    assert wanted(accept).whole == media


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        pytest.param("multipart/mixed", PARTS, id="parts"),
        pytest.param(f"{GRAPHQL}, {PARTS}", PARTS, id="parts-where-both"),
        pytest.param(f"{GRAPHQL}, {PARTS};q=0.5", GRAPHQL, id="by-quality"),
        pytest.param(URQL, PARTS, id="urql"),
        pytest.param("*/*", JSON, id="never-by-a-wildcard"),
        pytest.param(f"{PARTS};incrementalSpec=v0.2, {JSON}", PARTS, id="the-format-spoken"),
        pytest.param(f'{PARTS};incrementalDeliverySpec="3283f8a"', PARTS, id="its-other-name"),
        pytest.param(f"{PARTS};deferSpec=20220824, {JSON}", JSON, id="not-another-format"),
        pytest.param(f"{PARTS};subscriptionSpec=1.0, {JSON}", JSON, id="not-for-streams-only"),
        pytest.param(f"{PARTS};boundary=x, {JSON}", PARTS, id="other-parameters-are-nothing"),
        pytest.param(EVENTS, EVENTS, id="events"),
    ],
)
def test_a_response_in_parts(accept, media):
    assert wanted([accept]).incremental == media


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        pytest.param([], EVENTS, id="no-header"),
        pytest.param(["*/*"], EVENTS, id="anything"),
        pytest.param([URQL], EVENTS, id="among-others"),
        pytest.param([f"{GRAPHQL}, {JSON}"], None, id="json-is-no-stream"),
        pytest.param([f"{EVENTS};q=0, */*"], None, id="excluded"),
    ],
)
def test_a_subscription(accept, media):
    assert wanted(accept).stream == media


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        pytest.param(BROWSER, True, id="a-browser"),
        pytest.param("text/html", True, id="html-alone"),
        pytest.param("*/*", False, id="never-by-a-wildcard"),
        pytest.param(f"text/html;q=0.5, {JSON}", False, id="json-preferred"),
        pytest.param(f"text/html, {JSON}", False, id="json-as-much"),
    ],
)
def test_a_page(accept, page):
    assert wanted([accept]).page is page


@pytest.mark.parametrize(
    ("accept", "media"), [(GRAPHQL, GRAPHQL), (JSON, JSON), (EVENTS, JSON), ("image/png", JSON)]
)
def test_a_refusal_is_told_in_json_whatever_is_accepted(accept, media):
    assert wanted([accept]).refusal == media


def test_a_long_header_is_read_and_not_remembered():
    assert wanted([", ".join([*(f"a/b{n}" for n in range(500)), GRAPHQL])]).whole == GRAPHQL


@given(st.lists(st.text(st.characters(codec="latin-1"), max_size=40), max_size=4))
def test_no_header_breaks_it(accept):
    assert wanted(accept).whole in {GRAPHQL, JSON, EVENTS, None}


PIECES = st.sampled_from([GRAPHQL, JSON, EVENTS, PARTS, "*/*", "application/*", "text/*", "a/b"])
RANGES = st.builds("{};q=0.{}".format, PIECES, st.integers(0, 9))


@given(st.lists(RANGES, min_size=1, max_size=5))
def test_what_is_chosen_is_acceptable(ranges):
    found = wanted([", ".join(ranges)])
    for media in {found.whole, found.incremental, found.stream} - {None}:
        names = {each.partition(";")[0] for each in ranges if not each.endswith("=0.0")}
        assert names & {media, f"{media.partition('/')[0]}/*", "*/*"}
