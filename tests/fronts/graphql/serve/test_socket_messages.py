"""The messages of graphql-transport-ws: which are, and what is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.graphql.serve import socket_messages as messages
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from gateway.fronts.graphql.serve.socket_messages import (
    ID_SIZE,
    BadMessage,
    Complete,
    Init,
    Ping,
    Pong,
    Subscribe,
)

MESSAGES = {
    "init": ({"type": "connection_init"}, Init()),
    "init-with-parameters": ({"type": "connection_init", "payload": {"a": 1}}, Init()),
    "init-with-null": ({"type": "connection_init", "payload": None}, Init()),
    "ping": ({"type": "ping"}, Ping()),
    "ping-with-payload": ({"type": "ping", "payload": {"a": [1]}}, Ping({"a": [1]})),
    "pong": ({"type": "pong"}, Pong()),
    "pong-with-payload": ({"type": "pong", "payload": {}}, Pong()),
    "complete": ({"type": "complete", "id": "1"}, Complete("1")),
    "subscribe": (
        {"type": "subscribe", "id": "1", "payload": {"query": "{a}"}},
        Subscribe("1", GraphqlRequest("{a}")),
    ),
    "subscribe-with-all": (
        {
            "type": "subscribe",
            "id": "é",
            "payload": {
                "query": "{a}",
                "operationName": "b",
                "variables": {"c": 1},
                "extensions": {"d": 2},
            },
        },
        Subscribe("é", GraphqlRequest("{a}", "b", {"c": 1}, {"d": 2})),
    ),
    "subscribe-with-nulls": (
        {
            "type": "subscribe",
            "id": "1",
            "payload": {
                "query": "{a}",
                "operationName": None,
                "variables": None,
                "extensions": None,
            },
        },
        Subscribe("1", GraphqlRequest("{a}")),
    ),
    "unknown-names-are-left-alone": ({"type": "pong", "id": 7, "more": True}, Pong()),
}


@pytest.mark.parametrize(("sent", "read"), MESSAGES.values(), ids=MESSAGES)
def test_a_message(sent, read):
    assert messages.read(json.dumps(sent)) == read


def subscribe(**payload):
    return json.dumps({"type": "subscribe", "id": "1", "payload": payload})


NONE = {
    "binary": b'{"type":"ping"}',
    "empty": "",
    "no-json": "{",
    "no-object": "[]",
    "a-string": '"ping"',
    "no-type": "{}",
    "type-is-no-string": '{"type":["ping"]}',
    "unknown-type": '{"type":"start"}',
    "of-a-server-ack": '{"type":"connection_ack"}',
    "of-a-server-next": '{"type":"next","id":"1","payload":{}}',
    "of-a-server-error": '{"type":"error","id":"1","payload":[]}',
    "key-twice": '{"type":"ping","type":"pong"}',
    "deep": '{"type":"ping","payload":' + '{"a":' * 100_000 + "1" + "}" * 100_001,
    "nan": '{"type":"ping","payload":{"a":NaN}}',
    "lone-surrogate": '{"type":"complete","id":"\\ud800"}',
    "init-payload-is-a-list": '{"type":"connection_init","payload":[]}',
    "ping-payload-is-a-string": '{"type":"ping","payload":"a"}',
    "pong-payload-is-a-number": '{"type":"pong","payload":0}',
    "subscribe-without-id": '{"type":"subscribe","payload":{"query":"{a}"}}',
    "subscribe-with-empty-id": '{"type":"subscribe","id":"","payload":{"query":"{a}"}}',
    "subscribe-with-number-as-id": '{"type":"subscribe","id":1,"payload":{"query":"{a}"}}',
    "subscribe-with-long-id": json.dumps(
        {"type": "subscribe", "id": "a" * (ID_SIZE + 1), "payload": {"query": "{a}"}}
    ),
    "subscribe-without-payload": '{"type":"subscribe","id":"1"}',
    "subscribe-with-list": '{"type":"subscribe","id":"1","payload":[]}',
    "subscribe-without-query": subscribe(),
    "subscribe-with-number-as-query": subscribe(query=1),
    "subscribe-with-list-of-variables": subscribe(query="{a}", variables=[]),
    "subscribe-with-number-as-name": subscribe(query="{a}", operationName=1),
    "subscribe-with-string-of-extensions": subscribe(query="{a}", extensions=""),
    "complete-without-id": '{"type":"complete"}',
    "complete-with-empty-id": '{"type":"complete","id":""}',
}


@pytest.mark.parametrize("sent", NONE.values(), ids=NONE)
def test_no_message(sent):
    with pytest.raises(BadMessage) as wrong:
        messages.read(sent)
    assert str(wrong.value)


def test_a_known_document_needs_no_query():
    known = {"persistedQuery": {"version": 1, "sha256Hash": "0"}}
    read = messages.read(subscribe(extensions=known))
    assert read == Subscribe("1", GraphqlRequest(extensions=known))


ANSWERS = {
    "ack": (messages.ACK, {"type": "connection_ack"}),
    "pong": (messages.pong(None), {"type": "pong"}),
    "pong-with-payload": (messages.pong({"a": "é"}), {"type": "pong", "payload": {"a": "é"}}),
    "pong-with-empty-payload": (messages.pong({}), {"type": "pong", "payload": {}}),
    "next": (
        messages.next_result('"1"', b'{"data":null}'),
        {"id": '"1"', "type": "next", "payload": {"data": None}},
    ),
    "error": (
        messages.error("é", b'[{"message":"no"}]'),
        {"id": "é", "type": "error", "payload": [{"message": "no"}]},
    ),
    "complete": (messages.complete("1"), {"id": "1", "type": "complete"}),
}


@pytest.mark.parametrize(("made", "read"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer(made, read):
    assert json.loads(made) == read


@given(st.text() | st.binary())
def test_anything_is_read_or_refused(sent):
    try:
        messages.read(sent)
    except BadMessage as wrong:
        assert str(wrong)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param({"authorization": "Bearer t"}, "Bearer t", id="lower-case"),
        pytest.param({"Authorization": "Bearer t"}, "Bearer t", id="as-in-http"),
        pytest.param({"AUTHORIZATION": "Bearer t"}, "Bearer t", id="any-case"),
        pytest.param({"headers": {"Authorization": "Bearer t"}}, "Bearer t", id="below-headers"),
        pytest.param(
            {"authorization": "Bearer t", "headers": {"Authorization": "Bearer t"}},
            "Bearer t",
            id="the-same-twice",
        ),
        pytest.param(
            {"authorization": None, "headers": {"Authorization": "Basic b"}}, "Basic b", id="null"
        ),
        pytest.param({"authorization": ""}, None, id="empty"),
        pytest.param({"headers": "x"}, None, id="headers-that-are-none"),
        pytest.param({"headers": None}, None, id="no-headers"),
        pytest.param({"authToken": "t", "token": "t", "x-api-key": "k"}, None, id="other-names"),
        pytest.param({"connectionParams": {"authorization": "Bearer t"}}, None, id="deeper"),
        pytest.param(None, None, id="no-payload"),
    ],
)
def test_what_a_browser_sends_in_place_of_a_header(payload, expected):
    given = json.dumps({"type": "connection_init", "payload": payload})
    assert messages.read(given) == Init(expected)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"authorization": 7}, id="a-number"),
        pytest.param({"authorization": ["Bearer t"]}, id="a-list"),
        pytest.param({"authorization": {"a": "secret"}}, id="an-object"),
        pytest.param({"authorization": "Bearer secret\r\nx: y"}, id="a-line-break"),
        pytest.param({"authorization": "Bearer secret\u0000"}, id="a-control-character"),
        pytest.param({"authorization": "Bearer sécret"}, id="beyond-ascii"),
        pytest.param({"authorization": "secret" * 4_000}, id="too-long"),
        pytest.param(
            {"authorization": "Bearer secret", "Authorization": "Bearer b"}, id="two-of-them"
        ),
        pytest.param(
            {"authorization": "Bearer secret", "headers": {"authorization": "Bearer b"}},
            id="another-below-headers",
        ),
    ],
)
def test_what_is_no_value_of_a_header_is_refused_and_not_repeated(payload):
    with pytest.raises(BadMessage) as refused:
        messages.read(json.dumps({"type": "connection_init", "payload": payload}))
    assert "secret" not in str(refused.value)


def test_what_was_given_is_not_shown():
    assert "secret" not in repr(Init("Bearer secret"))
