"""Frames of protobuf: what is none, and that Python's side of the proto is the compiler's."""

import ast
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import DecodeError
from grpc_tools import protoc
from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.websocket.frames import FrameError, Message, Open, Ping
from gateway.fronts.websocket.proto_frames import ProtoFraming
from gateway.v1 import websocket_pb2 as pb

NAME = "gateway/v1/websocket.proto"
ROOT = Path(__file__).parents[3]
FRAMING = ProtoFraming()


def compile_proto(*outputs):
    includes = [f"-I{ROOT / 'protos'}", f"-I{Path(protoc.__file__).parent / '_proto'}"]
    assert not protoc.main(["protoc", *includes, *outputs, NAME])


def test_the_python_side_is_what_the_compiler_makes_of_the_proto(tmp_path):
    out = tmp_path / "websocket.pb"
    compile_proto(f"--descriptor_set_out={out}")
    (file,) = FileDescriptorSet.FromString(out.read_bytes()).file
    made = type(file).FromString(pb.DESCRIPTOR.serialized_pb)
    for each in (file, made):
        for message in each.message_type:
            for inner in (message, *message.nested_type):
                for field in inner.field:
                    field.ClearField("json_name")
    assert made == file


def test_the_types_are_what_the_compiler_makes_of_the_proto(tmp_path):
    compile_proto(f"--pyi_out={tmp_path}")
    made = (tmp_path / "gateway/v1/websocket_pb2.pyi").read_text()
    kept = Path(pb.__file__).with_suffix(".pyi").read_text()
    assert ast.dump(ast.parse(kept)) == ast.dump(ast.parse(made))


@pytest.mark.parametrize(
    ("message", "words"),
    {
        "text": ("{}", "frames of grpcws.v1.proto are binary, not text"),
        "nothing": (b"", "the frame is of no known kind"),
        "a kind that is not known": (b"\xfa\x01\x00", "the frame is of no known kind"),
        "no protobuf": (b"\xff" * 20, "the frame is no gateway.v1.ClientFrame"),
        "cut short": (
            pb.ClientFrame(auth={"token": "abc"}).SerializeToString()[:-1],
            "the frame is no gateway.v1.ClientFrame",
        ),
        "text that is not UTF-8": (
            b"\x3a\x03\x0a\x01\xff",
            "the frame is no gateway.v1.ClientFrame",
        ),
        "text of a -bin key": (
            pb.ClientFrame(
                open={"id": 1, "method": "m", "metadata": [{"key": "A-Bin", "text": "x"}]}
            ).SerializeToString(),
            "the value of a -bin key in metadata must be binary, any other text",
        ),
        "a -bin key alone": (
            pb.ClientFrame(
                open={"id": 1, "method": "m", "metadata": [{"key": "a-bin"}]}
            ).SerializeToString(),
            "the value of a -bin key in metadata must be binary, any other text",
        ),
        "bytes of another key": (
            pb.ClientFrame(
                open={"id": 1, "method": "m", "metadata": [{"key": "a", "binary": b"x"}]}
            ).SerializeToString(),
            "the value of a -bin key in metadata must be binary, any other text",
        ),
    }.values(),
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_what_is_refused(message, words):
    with pytest.raises(FrameError) as wrong:
        FRAMING.read(message)
    assert (wrong.value.reason, wrong.value.code) == (words, 4400)


def test_fields_that_are_unknown_are_ignored():
    assert FRAMING.read(b"\x3a\x03\x9a\x06\x00") == Ping()
    assert FRAMING.read(b"\xfa\x01\x00" + pb.ClientFrame(ping={}).SerializeToString()) == Ping()


def test_of_several_kinds_the_last_counts():
    both = pb.ClientFrame(cancel={"id": 1}).SerializeToString()
    assert FRAMING.read(both + pb.ClientFrame(ping={}).SerializeToString()) == Ping()


def test_an_empty_message_is_no_absent_one():
    said = pb.ClientFrame(open={"id": 1, "method": "m", "body": b""})
    assert FRAMING.read(said.SerializeToString()) == Open(1, "m", body=b"")


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(data):
    try:
        frame = FRAMING.read(data)
    except FrameError as wrong:
        assert wrong.code == 4400
    else:
        assert frame is not None


@given(
    st.integers(1, 300),
    st.binary(max_size=300) | st.integers(0, 40_000).map(bytes),
    st.booleans(),
    st.integers(0, 3),
)
def test_the_usual_frame_is_read_as_all_others_are(id_, body, end, seq):
    frame = pb.ClientFrame(message=pb.Message(id=id_, body=body, end=end, seq=seq))
    assert FRAMING.read(frame.SerializeToString()) == Message(id_, body, end, seq)


@given(st.integers(0, 2**14 - 1), st.integers(0, 200), st.binary(max_size=40))
def test_what_only_looks_like_the_usual_frame_is_none(first, second, rest):
    """Lengths that are wrong, ids of 0, members cut short: as the compiled messages have it."""
    data = bytes([0x1A, first & 0x7F | 0x80, first >> 7, 0x08, 1, 0x12, second & 0x7F]) + rest
    try:
        there = pb.ClientFrame.FromString(data)
        expected = there.message if there.message.id else None
    except DecodeError:
        expected = None
    if expected is None:
        with pytest.raises(FrameError):
            FRAMING.read(data)
    else:
        body = expected.body if expected.HasField("body") else None
        assert FRAMING.read(data) == Message(expected.id, body, expected.end, expected.seq)
