"""Content-Type of requests and Accept of streams (RFC 9110, 8.3 and 12.5.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import RpcError
from gateway.fronts.rest.media import JSON, NDJSON, SSE, BodyForm, body_form, stream_form


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        pytest.param(None, BodyForm.JSON, id="none-is-json"),
        pytest.param("application/json", BodyForm.JSON, id="json"),
        pytest.param("Application/JSON; charset=UTF-8", BodyForm.JSON, id="case-and-charset"),
        pytest.param('application/json;charset="utf-8"', BodyForm.JSON, id="quoted-charset"),
        pytest.param("application/merge-patch+json", BodyForm.JSON, id="structured-suffix"),
        pytest.param("application/x-ndjson", BodyForm.NDJSON, id="x-ndjson"),
        pytest.param("application/ndjson", BodyForm.NDJSON, id="ndjson"),
        pytest.param("application/jsonl", BodyForm.NDJSON, id="jsonl"),
        pytest.param("application/x-www-form-urlencoded", BodyForm.FORM, id="form"),
    ],
)
def test_body_form(content_type, form):
    assert body_form(content_type) is form


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "", "application/json; charset=latin-1", "image/png", "application/x+jsonx"],
)
def test_other_types_are_415(content_type):
    with pytest.raises(RpcError) as caught:
        body_form(content_type)
    assert caught.value.http_status == 415


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        pytest.param([], NDJSON, id="nothing"),
        pytest.param(["*/*"], NDJSON, id="anything"),
        pytest.param(["text/event-stream"], SSE, id="sse"),
        pytest.param(["application/json"], JSON, id="array"),
        pytest.param(["application/x-ndjson"], NDJSON, id="ndjson"),
        pytest.param(["application/ndjson"], NDJSON, id="ndjson-registered"),
        pytest.param(["application/*"], NDJSON, id="application"),
        pytest.param(["text/*"], SSE, id="text"),
        pytest.param(["application/json, text/event-stream;q=0.5"], JSON, id="quality"),
        pytest.param(["application/json;q=0.5, text/event-stream"], SSE, id="quality-other"),
        pytest.param(["*/*;q=0.9, application/json"], JSON, id="specific-beats-any"),
        pytest.param(["*/*, application/json"], JSON, id="same-quality-specific-first"),
        pytest.param(["application/json;q=0, */*"], NDJSON, id="q-0-is-no"),
        pytest.param(["application/x-ndjson;q=0, */*"], SSE, id="q-0-of-the-default-is-no"),
        pytest.param(["*/*, application/x-ndjson;q=0.1"], SSE, id="specific-range-decides"),
        pytest.param(["text/html", "text/event-stream"], SSE, id="two-headers"),
        pytest.param(["text/html"], NDJSON, id="none-of-them"),
        pytest.param(["application/json;q=x"], NDJSON, id="bad-quality"),
        pytest.param(["application/json;q=inf, text/event-stream"], SSE, id="no-quality-beats-1"),
        pytest.param(["application/json;q=nan, text/event-stream;q=0.1"], SSE, id="quality-nan"),
        pytest.param(["application/json;q=-1, text/event-stream;q=.5"], SSE, id="below-0"),
        pytest.param(["application/json; Q= 1.000 , text/event-stream;q=0.9"], JSON, id="spaces"),
        pytest.param(["TEXT/EVENT-STREAM"], SSE, id="case"),
    ],
)
def test_stream_form(accept, form):
    assert stream_form(accept) == form


@given(st.lists(st.text()))
def test_any_accept_chooses_a_form(accept):
    assert stream_form(accept) in {NDJSON, SSE, JSON}


@given(st.none() | st.text())
def test_any_content_type_is_a_form_or_415(content_type):
    try:
        body_form(content_type)
    except RpcError as refusal:
        assert refusal.http_status == 415
