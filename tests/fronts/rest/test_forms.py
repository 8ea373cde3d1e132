"""The forms of a server stream: NDJSON, server-sent events, one array."""

from __future__ import annotations

import json

import pytest

from gateway.call import Code, RpcError, Status
from gateway.fronts.rest.forms import FORMS, ArrayForm, NdjsonForm, SseForm
from gateway.fronts.rest.httpbody import RawForm


def whole(form, *messages):
    return b"".join([*(form.message(m) for m in messages), form.end()])


def failure(code):
    return RpcError(Status(code, "no"))


def test_ndjson_is_a_line_a_message():
    assert whole(NdjsonForm(bytes), b'{"a":1}', b'{"a":2}') == b'{"a":1}\n{"a":2}\n'
    assert whole(NdjsonForm(bytes)) == b""


def test_ndjson_ends_with_the_error():
    assert NdjsonForm(bytes).error(b'{"error":{}}', failure(Code.ABORTED)) == b'{"error":{}}\n'


def test_sse_has_an_id_per_event_and_says_when_it_ends():
    text = whole(SseForm(bytes), b'{"a":1}', b'{"a":2}').decode()
    assert text.split("\n\n") == [
        'id: 1\ndata: {"a":1}',
        'id: 2\ndata: {"a":2}',
        "event: end\nid: end\ndata: {}",
        "",
    ]


@pytest.mark.parametrize(
    ("code", "again"),
    [
        (Code.UNAVAILABLE, True),
        (Code.DEADLINE_EXCEEDED, True),
        (Code.INVALID_ARGUMENT, False),
        (Code.PERMISSION_DENIED, False),
        (Code.INTERNAL, False),
    ],
)
def test_sse_error_lets_a_browser_come_back_only_where_it_may_help(code, again):
    text = SseForm(bytes).error(b'{"error":{}}', failure(code)).decode()
    assert "event: error" in text
    assert 'data: {"error":{}}' in text
    assert ("id: end" in text) is not again


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_array_is_json(count):
    messages = [json.dumps({"a": n}).encode() for n in range(count)]
    assert json.loads(whole(ArrayForm(bytes), *messages)) == [{"a": n} for n in range(count)]


def test_an_array_and_raw_data_have_no_place_for_an_error():
    assert ArrayForm(bytes).error(b"{}", failure(Code.ABORTED)) is None
    assert RawForm(bytes).error(b"{}", failure(Code.ABORTED)) is None


def test_a_message_that_does_not_render_leaves_no_trace():
    def render(wire):
        if wire == b"bad":
            raise failure(Code.INTERNAL)
        return wire

    for make in FORMS.values():
        form = make(render)
        with pytest.raises(RpcError):
            form.message(b"bad")
        assert form.message(b"1") == make(render).message(b"1")


def test_raw_data_takes_its_type_from_the_first_message():
    from google.api import httpbody_pb2

    def body(content_type, data):
        return httpbody_pb2.HttpBody(content_type=content_type, data=data).SerializeToString()

    form = RawForm(bytes)
    assert form.typed_by_message
    assert form.message(body("image/png", b"abc")) == b"abc"
    assert form.message(body("text/plain", b"d")) == b"d"
    assert form.content_type == "image/png"


@pytest.mark.parametrize("content_type", ["", "nonsense", "a/b\r\nx: y"])
def test_raw_data_of_no_type_is_octets(content_type):
    from google.api import httpbody_pb2

    form = RawForm(bytes)
    form.message(httpbody_pb2.HttpBody(content_type=content_type).SerializeToString())
    assert form.content_type == "application/octet-stream"
