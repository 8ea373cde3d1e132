"""Both framings: what is written, what is read, what is refused (docs/websocket.md, "Framing")."""

import json

import pytest
from google.protobuf import any_pb2, struct_pb2, wrappers_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from gateway.client.frames import (
    Auth,
    AuthExpiring,
    AuthOk,
    Cancel,
    Credit,
    End,
    Goaway,
    Headers,
    Hello,
    Limits,
    Open,
    Ping,
    Pong,
    ProtocolError,
    Reply,
    Request,
    Resumed,
    Welcome,
)
from gateway.client.json_framing import JsonFraming
from gateway.client.proto_framing import ProtoFraming
from gateway.v1 import websocket_pb2

JSON, PROTO = JsonFraming(), ProtoFraming()
TYPES = websocket_pb2.DESCRIPTOR.message_types_by_name
ClientFrame, ServerFrame = (GetMessageClass(TYPES[name]) for name in ("ClientFrame", "ServerFrame"))

SENT = {
    "hello": (Hello(), {"t": "hello"}, {"hello": {}}),
    "hello-token": (
        Hello("t0k", resume=True),
        {"t": "hello", "token": "t0k", "features": ["resume"]},
        {"hello": {"token": "t0k", "features": ["resume"]}},
    ),
    "hello-back": (
        Hello(None, resume=True, session="s", seen={1: 7, 4: 0}, granted={1: 24, 4: 16}),
        {
            "t": "hello",
            "features": ["resume"],
            "session": "s",
            "seen": {"1": 7, "4": 0},
            "granted": {"1": 24, "4": 16},
        },
        {
            "hello": {
                "features": ["resume"],
                "session": "s",
                "seen": {"1": "7", "4": "0"},
                "granted": {"1": "24", "4": "16"},
            }
        },
    ),
    "open": (
        Open(1, "a.B/C", (("k", "v"), ("k-bin", b"\x00\xff")), 1500, 16, b'{"x":1}', end=True),
        {
            "t": "open",
            "id": 1,
            "method": "a.B/C",
            "metadata": [["k", "v"], ["k-bin", "AP8="]],
            "timeout_ms": 1500,
            "credit": 16,
            "end": True,
            "body": {"x": 1},
        },
        {
            "open": {
                "id": "1",
                "method": "a.B/C",
                "metadata": [{"key": "k", "text": "v"}, {"key": "k-bin", "binary": "AP8="}],
                "timeoutMs": "1500",
                "credit": 16,
                "body": "eyJ4IjoxfQ==",
                "end": True,
            }
        },
    ),
    "open-without-body": (
        Open(1, "a.B/C", (), None, 16, None, end=False),
        {"t": "open", "id": 1, "method": "a.B/C", "credit": 16, "end": False},
        {"open": {"id": "1", "method": "a.B/C", "credit": 16}},
    ),
    "message": (
        Request(1, b"7", end=False, seq=3),
        {"t": "message", "id": 1, "seq": 3, "body": 7},
        {"message": {"id": "1", "body": "Nw==", "seq": "3"}},
    ),
    "half-close": (
        Request(1, None, end=True),
        {"t": "message", "id": 1, "end": True},
        {"message": {"id": "1", "end": True}},
    ),
    "credit": (
        Credit(1, 8, 5),
        {"t": "credit", "id": 1, "n": 8, "seq": 5},
        {"credit": {"id": "1", "n": "8", "seq": "5"}},
    ),
    "cancel": (Cancel(1), {"t": "cancel", "id": 1}, {"cancel": {"id": "1"}}),
    "auth": (Auth("t"), {"t": "auth", "token": "t"}, {"auth": {"token": "t"}}),
    "ping": (Ping("x"), {"t": "ping", "data": "x"}, {"ping": {"data": "x"}}),
    "ping-empty": (Ping(), {"t": "ping", "data": ""}, {"ping": {}}),
    "pong": (Pong("x"), {"t": "pong", "data": "x"}, {"pong": {"data": "x"}}),
}


@pytest.mark.parametrize("name", SENT)
def test_frames_are_written_in_json(name):
    frame, written, _ = SENT[name]
    assert json.loads(JSON.encode(frame)) == written


@pytest.mark.parametrize("name", SENT)
def test_frames_are_written_in_protobuf(name):
    frame, _, written = SENT[name]
    assert MessageToDict(ClientFrame.FromString(PROTO.encode(frame))) == written


LIMITS = Limits(100, 1024, 16, 4096, 2.5, 65_536)
LIMITS_JSON = {
    "streams": 100,
    "message_size": 1024,
    "credit": 16,
    "buffer": 4096,
    "opens": 2.5,
    "session_buffer": 65_536,
}
RECEIVED = {
    "welcome": (
        Welcome("s", 25_000, LIMITS),
        {"t": "welcome", "session": "s", "ping_ms": 25000, "limits": LIMITS_JSON, "token_s": 60},
        {"welcome": {"session": "s", "ping_ms": 25000, "limits": LIMITS_JSON, "token_s": 60}},
    ),
    "welcome-back": (
        Welcome("s", 25_000, LIMITS, 30_000, (Resumed(1, 3, 20),), 4),
        {
            "t": "welcome",
            "session": "s",
            "ping_ms": 25000,
            "limits": LIMITS_JSON,
            "resume_ms": 30000,
            "resumed": [{"id": 1, "seq": 3, "granted": 20}],
            "lost": [4],
            "last_id": 4,
        },
        {
            "welcome": {
                "session": "s",
                "ping_ms": 25000,
                "limits": LIMITS_JSON,
                "resume_ms": 30000,
                "resumed": [{"id": 1, "seq": 3, "granted": 20}],
                "lost": [4],
                "last_id": 4,
            }
        },
    ),
    "headers": (
        Headers(1, (("k", "v"), ("k-bin", b"\x00\xff")), 1),
        {"t": "headers", "id": 1, "metadata": [["k", "v"], ["k-bin", "AP8"]], "seq": 1},
        {
            "headers": {
                "id": 1,
                "metadata": [{"key": "k", "text": "v"}, {"key": "k-bin", "binary": b"\x00\xff"}],
                "seq": 1,
            }
        },
    ),
    "credit": (
        Credit(1, 8, 2),
        {"t": "credit", "id": 1, "n": 8, "seq": 2},
        {"credit": {"id": 1, "n": 8, "seq": 2}},
    ),
    "status": (
        End(1, 5, "NOT_FOUND", "no", (), (("k", "v"),), 9),
        {
            "t": "status",
            "id": 1,
            "code": 5,
            "status": "NOT_FOUND",
            "message": "no",
            "trailers": [["k", "v"]],
            "seq": 9,
        },
        {
            "status": {
                "id": 1,
                "code": 5,
                "message": "no",
                "trailers": [{"key": "k", "text": "v"}],
                "seq": 9,
            }
        },
    ),
    "status-ok": (
        End(1, 0, "OK"),
        {"t": "status", "id": 1, "code": 0, "status": "OK"},
        {"status": {"id": 1}},
    ),
    "auth_expiring": (
        AuthExpiring(),
        {"t": "auth_expiring", "token_s": 30},
        {"auth_expiring": {"token_s": 30}},
    ),
    "auth_ok": (AuthOk(), {"t": "auth_ok"}, {"auth_ok": {}}),
    "ping": (Ping("x"), {"t": "ping", "data": "x"}, {"ping": {"data": "x"}}),
    "pong": (Pong(), {"t": "pong"}, {"pong": {}}),
    "goaway": (
        Goaway(120),
        {"t": "goaway", "reason": "draining", "reconnect_ms": 120},
        {"goaway": {"reason": "draining", "reconnect_ms": 120}},
    ),
}


@pytest.mark.parametrize("name", RECEIVED)
def test_frames_are_read_from_json(name):
    frame, written, _ = RECEIVED[name]
    assert JSON.decode(json.dumps(written | {"new": 1})) == frame


@pytest.mark.parametrize("name", RECEIVED)
def test_frames_are_read_from_protobuf(name):
    frame, _, written = RECEIVED[name]
    assert PROTO.decode(ServerFrame(**written).SerializeToString()) == frame


@pytest.mark.parametrize("name", ["hello-token", "hello-back", "open", "auth"])
def test_secrets_are_not_shown(name):
    shown = repr(SENT[name][0])
    assert "t0k" not in shown
    assert "'s'" not in shown
    assert "'v'" not in shown
    assert "'t'" not in shown


def test_a_message_is_what_its_framing_makes_of_it():
    assert JSON.decode('{"t":"message","id":1,"body":{"a":[1]},"seq":2}') == Reply(1, {"a": [1]}, 2)
    assert JSON.decode('{"t":"message","id":1,"body":null}') == Reply(1, None)
    data = ServerFrame(message={"id": 1, "body": b"\x08\x01", "seq": 2}).SerializeToString()
    assert PROTO.decode(data) == Reply(1, b"\x08\x01", 2)


def test_details_are_values_in_json_and_any_in_protobuf():
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "R"}
    read = JSON.decode(
        json.dumps({"t": "status", "id": 1, "code": 5, "status": "NOT_FOUND", "details": [detail]})
    )
    assert read.details == (detail,)
    packed = any_pb2.Any(type_url="t/x", value=b"1")
    data = ServerFrame(status={"id": 1, "code": 5, "details": [packed]}).SerializeToString()
    assert PROTO.decode(data).details == (packed,)


@pytest.mark.parametrize(("code", "name"), [(16, "UNAUTHENTICATED"), (77, "UNKNOWN")])
def test_protobuf_has_the_names_of_codes_from_the_table(code, name):
    data = ServerFrame(status={"id": 1, "code": code}).SerializeToString()
    read = PROTO.decode(data)
    assert (read.code, read.status) == (code, name)


def test_frames_of_unknown_kinds_are_told():
    assert JSON.decode('{"t":"news","id":1}') is None
    assert PROTO.decode(b"") is None


def test_an_older_gateway_does_not_say_what_all_streams_may_be_sent():
    limits = {name: n for name, n in LIMITS_JSON.items() if name != "session_buffer"}
    welcome = {"session": "s", "ping_ms": 1, "limits": limits}
    in_json = JSON.decode(json.dumps({"t": "welcome", **welcome}))
    in_proto = PROTO.decode(ServerFrame(welcome=welcome).SerializeToString())
    assert in_json.limits.session_buffer is in_proto.limits.session_buffer is None


@pytest.mark.parametrize(
    "data",
    [
        "{",
        "[" * 100_000,
        "[]",
        "{}",
        '{"t":1}',
        b'{"t":"pong"}',
        '{"t":"credit","id":"1","n":1}',
        '{"t":"credit","id":true,"n":1}',
        '{"t":"credit","id":1,"n":-1}',
        '{"t":"credit","id":1,"n":1.5}',
        '{"t":"message","id":1}',
        '{"t":"welcome","session":"s","ping_ms":1}',
        json.dumps(
            {"t": "welcome", "session": "s", "ping_ms": 1, "limits": LIMITS_JSON | {"opens": "1"}}
        ),
        '{"t":"headers","id":1,"metadata":[["a"]]}',
        '{"t":"headers","id":1,"metadata":[["a-bin","?"]]}',
        '{"t":"headers","id":1,"metadata":[["a-bin","ü"]]}',
        '{"t":"status","id":1,"code":0}',
    ],
    ids=lambda data: str(data)[:40],
)
def test_what_is_no_frame_is_refused_in_json(data):
    with pytest.raises(ProtocolError):
        JSON.decode(data)


@pytest.mark.parametrize("data", ["text", b"\xff\xff", b"\x0a\x05a"], ids=repr)
def test_what_is_no_frame_is_refused_in_protobuf(data):
    with pytest.raises(ProtocolError):
        PROTO.decode(data)


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_json_that_is_no_frame_raises_nothing_else(data):
    with pytest.raises(ProtocolError):
        JSON.decode(data)


@given(st.binary())
def test_bytes_that_are_no_frame_raise_nothing_else(data):
    try:
        PROTO.decode(data)
    except ProtocolError as wrong:
        assert str(wrong)


values = st.recursive(
    st.booleans() | st.integers() | st.text(alphabet=st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


@given(values)
def test_any_json_value_can_be_a_body(value):
    written = JSON.encode(Request(1, JSON.body(value), end=False))
    assert json.loads(written) == {"t": "message", "id": 1, "body": value}


@pytest.mark.parametrize(
    ("message", "error"),
    [(None, TypeError), (float("nan"), ValueError), (object(), TypeError), ("\ud800", ValueError)],
)
def test_what_json_can_not_say_is_refused(message, error):
    with pytest.raises(error):
        JSON.body(message)


def test_protobuf_takes_messages_and_bytes():
    message = wrappers_pb2.Int32Value(value=1)
    assert PROTO.body(message) == message.SerializeToString()
    assert PROTO.body(b"\x08\x01") == b"\x08\x01"
    with pytest.raises(TypeError, match="a protobuf message or bytes, not dict"):
        PROTO.body({})


def test_replies_are_read_as_what_the_user_says():
    read = PROTO.reader(wrappers_pb2.Int32Value)
    assert read(b"\x08\x01") == wrappers_pb2.Int32Value(value=1)
    assert PROTO.reader(None)(b"\x08\x01") == b"\x08\x01"
    with pytest.raises(ValueError, match=r"no google\.protobuf\.Struct"):
        PROTO.reader(struct_pb2.Struct)(b"\xff")
    with pytest.raises(TypeError, match="class of protobuf messages"):
        PROTO.reader(dict)
    with pytest.raises(TypeError, match=r"is of grpcws\.v1\.proto"):
        JSON.reader(wrappers_pb2.Int32Value)
