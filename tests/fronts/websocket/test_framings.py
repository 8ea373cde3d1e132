"""Both framings: the same frame means the same in either."""

import base64
import json
from dataclasses import replace

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.call import Code
from gateway.fronts.websocket.frames import (
    MOST_CREDIT,
    MOST_ID,
    Auth,
    Cancel,
    Credit,
    End,
    FrameError,
    Hello,
    Message,
    Open,
    Ping,
    Pong,
    Resumed,
    Welcome,
)
from gateway.fronts.websocket.json_frames import JsonFraming
from gateway.fronts.websocket.proto_frames import ProtoFraming
from gateway.v1 import websocket_pb2 as pb

JSON, PROTO = JsonFraming(), ProtoFraming()

# What clients say: the frame, in JSON, and serialized. Bodies are `7` in JSON, b"7" in protobuf.
SAID = {
    "hello": (Hello(), {"t": "hello"}, pb.ClientFrame(hello={})),
    "hello with all": (
        Hello("t", frozenset({"resume", "x"}), "0.ab", {1: 7, 4: 0}, {1: 48, MOST_ID: 16}),
        {
            "t": "hello",
            "token": "t",
            "features": ["resume", "x"],
            "session": "0.ab",
            "seen": {"1": 7, "4": 0},
            "granted": {"1": 48, str(MOST_ID): 16},
        },
        pb.ClientFrame(
            hello={
                "token": "t",
                "features": ["resume", "x"],
                "session": "0.ab",
                "seen": {1: 7, 4: 0},
                "granted": {1: 48, MOST_ID: 16},
            }
        ),
    ),
    "hello with empty texts": (
        Hello(),
        {"t": "hello", "token": "", "session": ""},
        pb.ClientFrame(hello={"token": "", "session": ""}),
    ),
    "open": (
        Open(1, "a.S/M"),
        {"t": "open", "id": 1, "method": "a.S/M"},
        pb.ClientFrame(open={"id": 1, "method": "a.S/M"}),
    ),
    "open with all": (
        Open(9, "a.S/M", (("a", "b"), ("a", "c"), ("d-bin", "AP8=")), 1.5, 16, b"7", end=True),
        {
            "t": "open",
            "id": 9,
            "method": "a.S/M",
            "metadata": [["a", "b"], ["a", "c"], ["d-bin", "AP8="]],
            "timeout_ms": 1500,
            "credit": 16,
            "body": 7,
            "end": True,
        },
        pb.ClientFrame(
            open={
                "id": 9,
                "method": "a.S/M",
                "metadata": [
                    {"key": "a", "text": "b"},
                    {"key": "a", "text": "c"},
                    {"key": "d-bin", "binary": b"\0\xff"},
                ],
                "timeout_ms": 1500,
                "credit": 16,
                "body": b"7",
                "end": True,
            }
        ),
    ),
    "open with zeros": (
        Open(1, "m", timeout=0.0, credit=0),
        {"t": "open", "id": 1, "method": "m", "timeout_ms": 0, "credit": 0, "end": False},
        pb.ClientFrame(open={"id": 1, "method": "m", "timeout_ms": 0, "credit": 0, "end": False}),
    ),
    "message": (
        Message(3, b"7"),
        {"t": "message", "id": 3, "body": 7},
        pb.ClientFrame(message={"id": 3, "body": b"7"}),
    ),
    "message that is the last": (
        Message(3, b"7", end=True, seq=2),
        {"t": "message", "id": 3, "seq": 2, "body": 7, "end": True},
        pb.ClientFrame(message={"id": 3, "seq": 2, "body": b"7", "end": True}),
    ),
    "end alone": (
        Message(3, None, end=True),
        {"t": "message", "id": 3, "end": True},
        pb.ClientFrame(message={"id": 3, "end": True}),
    ),
    "credit": (
        Credit(1, MOST_CREDIT, MOST_ID),
        {"t": "credit", "id": 1, "n": MOST_CREDIT, "seq": MOST_ID},
        pb.ClientFrame(credit={"id": 1, "n": MOST_CREDIT, "seq": MOST_ID}),
    ),
    "credit of none": (
        Credit(1, 0),
        {"t": "credit", "id": 1, "n": 0},
        pb.ClientFrame(credit={"id": 1, "n": 0}),
    ),
    "cancel": (
        Cancel(MOST_ID),
        {"t": "cancel", "id": MOST_ID},
        pb.ClientFrame(cancel={"id": MOST_ID}),
    ),
    "auth": (Auth("x"), {"t": "auth", "token": "x"}, pb.ClientFrame(auth={"token": "x"})),
    "ping": (Ping(), {"t": "ping"}, pb.ClientFrame(ping={})),
    "ping with data": (
        Ping("é" * 125),
        {"t": "ping", "data": "é" * 125},
        pb.ClientFrame(ping={"data": "é" * 125}),
    ),
    "pong": (Pong("x"), {"t": "pong", "data": "x"}, pb.ClientFrame(pong={"data": "x"})),
}


def read(framing, message):
    frame = framing.read(message)
    return replace(frame, metadata=tuple(frame.metadata)) if isinstance(frame, Open) else frame


@pytest.mark.parametrize("name", SAID)
def test_what_a_client_says_in_json(name):
    frame, said, _ = SAID[name]
    assert read(JSON, json.dumps(said)) == frame


@pytest.mark.parametrize("name", SAID)
def test_what_a_client_says_in_protobuf(name):
    frame, _, said = SAID[name]
    assert read(PROTO, said.SerializeToString()) == frame


# What neither takes, in the same words.
REFUSED = {
    "id 0": ("id must be a whole number from 1 to 9007199254740991", "cancel", {"id": 0}),
    "id 2^53": (
        "id must be a whole number from 1 to 9007199254740991",
        "cancel",
        {"id": 2**53},
    ),
    "seq 2^53": (
        "seq must be a whole number from 0 to 9007199254740991",
        "message",
        {"id": 1, "seq": 2**53},
    ),
    "seq of credit 2^53": (
        "seq must be a whole number from 0 to 9007199254740991",
        "credit",
        {"id": 1, "n": 1, "seq": 2**53},
    ),
    "n 2^31": (
        "n must be a whole number from 0 to 2147483647",
        "credit",
        {"id": 1, "n": 2**31},
    ),
    "n 2^63": (
        "n must be a whole number from 0 to 2147483647",
        "credit",
        {"id": 1, "n": 2**63},
    ),
    "credit 2^31": (
        "credit must be a whole number from 0 to 2147483647",
        "open",
        {"id": 1, "method": "m", "credit": 2**31},
    ),
    "timeout_ms 2^53": (
        "timeout_ms must be a whole number from 0 to 9007199254740991",
        "open",
        {"id": 1, "method": "m", "timeout_ms": 2**53},
    ),
    "open without method": ("the frame lacks method", "open", {"id": 1}),
    "open with an empty method": ("the frame lacks method", "open", {"id": 1, "method": ""}),
    "auth without token": ("the frame lacks token", "auth", {}),
    "auth with an empty token": ("the frame lacks token", "auth", {"token": ""}),
    "ping with 126 characters": (
        "data has at most 125 characters",
        "ping",
        {"data": "x" * 126},
    ),
    "pong with 126 characters": (
        "data has at most 125 characters",
        "pong",
        {"data": "x" * 126},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("framing", [JSON, PROTO], ids=["json", "proto"])
def test_what_is_refused_in_both(framing, name):
    words, kind, members = REFUSED[name]
    said = (
        pb.ClientFrame(**{kind: members}).SerializeToString()
        if framing.binary
        else json.dumps({"t": kind, **members})
    )
    with pytest.raises(FrameError) as wrong:
        framing.read(said)
    assert (wrong.value.reason, wrong.value.code) == (words, 4400)


@pytest.mark.parametrize("which", ["seen", "granted"])
@pytest.mark.parametrize(
    ("id_", "number"), [(0, 1), (2**53, 1), (1, 2**53)], ids=["id 0", "id 2^53", "number 2^53"]
)
def test_numbers_of_streams_are_those_of_ids_and_seqs(which, id_, number):
    with pytest.raises(FrameError, match=f"{which} must be an object of whole numbers by id"):
        JSON.read(json.dumps({"t": "hello", which: {str(id_): number}}))
    with pytest.raises(FrameError, match=f"{which} must hold whole numbers by id"):
        PROTO.read(pb.ClientFrame(hello={which: {id_: number}}).SerializeToString())


# What servers say.

ids = st.integers(1, MOST_ID)
seqs = st.integers(0, MOST_ID)
numbers = st.integers(0, MOST_CREDIT)
texts = st.text(st.characters(codec="utf-8"))
values = st.tuples(st.sampled_from(["a", "x-y"]), st.text(st.characters(max_codepoint=0x7E)))
binaries = st.tuples(
    st.just("z-bin"), st.binary(max_size=9).map(lambda data: base64.b64encode(data).decode())
)
pairs = st.lists(values | binaries, max_size=4)
seconds = st.integers(1, 10**6).map(lambda ms: ms / 1000)


def metadata_of(listed):
    return [
        [each.key, each.text if each.WhichOneof("value") == "text" else _base64(each.binary)]
        for each in listed
    ]


def _base64(data):
    return base64.b64encode(data).decode()


def in_words(framing, data):
    """A server's frame as the JSON it is or would be, with absent members left out."""
    if not framing.binary:
        return json.loads(data)
    frame = pb.ServerFrame.FromString(data)
    kind = frame.WhichOneof("frame")
    inner = getattr(frame, kind)
    said = {"t": kind}
    for field, value in inner.ListFields():
        match field.name:
            case "metadata" | "trailers":
                said[field.name] = metadata_of(value)
            case "limits":
                said["limits"] = {
                    each: getattr(value, each)
                    for each in (
                        "streams",
                        "message_size",
                        "credit",
                        "buffer",
                        "session_buffer",
                        "opens",
                    )
                }
            case "resumed":
                said["resumed"] = [{"id": s.id, "seq": s.seq, "granted": s.granted} for s in value]
            case "details":
                said["details"] = [each.type_url for each in value]
            case "lost":
                said["lost"] = list(value)
            case "body":
                said["body"] = json.loads(value)
            case _:
                said[field.name] = value
    # What protobuf leaves out where it is zero.
    if kind == "headers":
        said.setdefault("metadata", [])
    if kind == "credit":
        said.setdefault("n", 0)
    if kind == "status":
        said.setdefault("code", 0)
        said["status"] = Code(said["code"]).name
    if kind == "welcome" and "resume_ms" in said:
        said.setdefault("resumed", [])
        said.setdefault("lost", [])
    if kind == "auth_expiring":
        said.setdefault("token_s", 0)
    return said


def both(write):
    """What both framings say, which must be the same."""
    said, too = (in_words(framing, write(framing)) for framing in (JSON, PROTO))
    assert said == too
    return said


@given(ids, seqs, st.integers(0, 3000))
def test_messages(id_, seq, size):
    body = b"8" * (size or 1)
    said = both(lambda framing: framing.message(id_, body, seq))
    assert said == {"t": "message", "id": id_, **_seq(seq), "body": int(body)}


def _seq(seq):
    return {"seq": seq} if seq else {}


@given(ids, seqs, st.binary(max_size=400))
def test_messages_are_written_by_hand_as_protobuf_writes_them(id_, seq, body):
    expected = pb.ServerFrame(message={"id": id_, "body": body, "seq": seq})
    assert PROTO.message(id_, body, seq) == expected.SerializeToString()


@pytest.mark.parametrize("size", [0, 1, 127, 128, 2**14 - 1, 2**14, 2**21])
@pytest.mark.parametrize("id_", [1, 127, 128, 2**32, MOST_ID])
def test_lengths_and_ids_at_the_edges_of_varints(id_, size):
    expected = pb.ServerFrame(message={"id": id_, "body": bytes(size), "seq": id_})
    assert PROTO.message(id_, bytes(size), id_) == expected.SerializeToString()


@given(ids, pairs, seqs)
def test_headers(id_, metadata, seq):
    said = both(lambda framing: framing.headers(id_, metadata, seq))
    assert said == {
        "t": "headers",
        "id": id_,
        **_seq(seq),
        "metadata": [list(each) for each in metadata],
    }


@given(ids, numbers, seqs)
def test_credit(id_, n, seq):
    said = both(lambda framing: framing.credit(id_, n, seq))
    assert said == {"t": "credit", "id": id_, "n": n, **_seq(seq)}


@settings(deadline=None)
@given(ids, st.sampled_from(Code), texts, pairs, seqs)
def test_status(id_, code, message, trailers, seq):
    urls = [f"type.googleapis.com/x.D{number}" for number in range(code % 3)]
    packed = {
        False: [json.dumps(url).encode() for url in urls],
        True: [AnyMessage(type_url=url).SerializeToString() for url in urls],
    }
    said = both(
        lambda framing: framing.status(
            id_, End(code, message, packed[framing.binary], trailers), seq
        )
    )
    expected = {"t": "status", "id": id_, "code": code, "status": code.name, **_seq(seq)}
    for name, value in {"message": message, "details": urls}.items():
        expected |= {name: value} if value else {}
    if trailers:
        expected["trailers"] = [list(each) for each in trailers]
    assert said == expected


def test_a_lone_surrogate_of_a_backend_does_not_hide_its_status():
    said = both(lambda framing: framing.status(1, End(Code.NOT_FOUND, "a\ud800b"), 0))
    assert said == {
        "t": "status",
        "id": 1,
        "code": 5,
        "status": "NOT_FOUND",
        "message": "a?b",
    }


LIMITS = {
    "streams": 100,
    "message_size": 2**20,
    "credit": 16,
    "buffer": 2**18,
    "session_buffer": 2**22,
    "opens": 0.5,
}


@given(seconds, st.none() | st.integers(0, 2**32 - 1))
def test_welcome(ping, token):
    welcome = Welcome("0.ab", ping, **LIMITS, token=token)
    said = both(lambda framing: framing.welcome(welcome))
    expected = {"t": "welcome", "session": "0.ab", "ping_ms": round(ping * 1000), "limits": LIMITS}
    expected |= {} if token is None else {"token_s": token}
    assert said == expected


@given(st.lists(st.tuples(ids, seqs, seqs), max_size=3), st.lists(ids, max_size=3), ids)
def test_welcome_of_a_session_that_can_be_resumed(resumed, lost, last_id):
    welcome = Welcome(
        "0.ab",
        25.0,
        **LIMITS,
        resume=30.0,
        resumed=[Resumed(*each) for each in resumed],
        lost=lost,
        last_id=last_id,
    )
    assert both(lambda framing: framing.welcome(welcome)) == {
        "t": "welcome",
        "session": "0.ab",
        "ping_ms": 25_000,
        "limits": LIMITS,
        "resume_ms": 30_000,
        "resumed": [{"id": id_, "seq": seq, "granted": n} for id_, seq, n in resumed],
        "lost": lost,
        "last_id": last_id,
    }


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda f: f.auth_expiring(29.9), {"t": "auth_expiring", "token_s": 29}),
        (lambda f: f.auth_expiring(0.0), {"t": "auth_expiring", "token_s": 0}),
        (lambda f: f.auth_ok(60.0), {"t": "auth_ok", "token_s": 60}),
        (lambda f: f.auth_ok(-5.0), {"t": "auth_ok", "token_s": 0}),
        (lambda f: f.auth_ok(2.5e11), {"t": "auth_ok", "token_s": 2**32 - 1}),
        (lambda f: f.auth_ok(None), {"t": "auth_ok"}),
        (lambda f: f.pong("é"), {"t": "pong", "data": "é"}),
        (lambda f: f.pong(""), {"t": "pong"}),
        (
            lambda f: f.goaway("draining", 2.5),
            {"t": "goaway", "reason": "draining", "reconnect_ms": 2500},
        ),
    ],
    ids=[
        "auth_expiring",
        "auth_expiring now",
        "auth_ok",
        "auth_ok in the past",
        "auth_ok until the year 9999",
        "auth_ok for ever",
        "pong",
        "pong with nothing",
        "goaway",
    ],
)
def test_frames_that_are_no_streams(write, said):
    assert both(write) == said


def test_tokens_and_session_ids_are_in_no_repr():
    frames = [
        Hello("hush", session="hush"),
        Auth("hush"),
        Welcome("hush", 1.0, **LIMITS),
        Open(1, "m", (("authorization", "hush"),), body=b"hush"),
    ]
    assert "hush" not in repr(frames)
