"""An Any that can't be rendered degrades to its type URL and base64, at any depth, and no more."""

import json
from base64 import b64encode

import pytest
from google.protobuf import any_pb2, duration_pb2, timestamp_pb2
from google.rpc import error_details_pb2

from gateway.schema.codec import Codec, CodecError, JsonOptions

A = "type.googleapis.com/"
UNKNOWN = any_pb2.Any(type_url=f"{A}nope.v1.Nope", value=b"\x00\xffabc")
DEGRADED = {"@type": f"{A}nope.v1.Nope", "value": b64encode(b"\x00\xffabc").decode()}


@pytest.fixture
def build(reference):
    """Makes the serialized Everything of what is set on its google message."""

    def build(fill) -> bytes:
        message = reference.type("codec.v1.Everything")()
        fill(message)
        return message.SerializeToString()

    return build


def test_alone(codec):
    assert (
        json.loads(codec.message("google.protobuf.Any").transcode(UNKNOWN.SerializeToString()))
        == DEGRADED
    )


def in_field(message):
    message.any.MergeFromString(UNKNOWN.SerializeToString())


def in_list(message):
    message.anys.add(type_url=f"{A}codec.v1.Plain", value=b"\x0a\x01x")
    message.anys.add().MergeFromString(UNKNOWN.SerializeToString())


def in_map(message):
    message.anys_by_text["k"].MergeFromString(UNKNOWN.SerializeToString())


def in_child(message):
    message.child.text = "c"
    message.child.any.MergeFromString(UNKNOWN.SerializeToString())


def in_children(message):
    message.children.add(text="1")
    message.children.add().any.MergeFromString(UNKNOWN.SerializeToString())


def in_map_of_children(message):
    message.children_by_text["k"].any.MergeFromString(UNKNOWN.SerializeToString())


def in_oneof(message):
    message.chosen_child.any.MergeFromString(UNKNOWN.SerializeToString())


def in_any(message):
    message.any.Pack(UNKNOWN)


def in_packed_message(message):
    inner = type(message)()
    inner.any.MergeFromString(UNKNOWN.SerializeToString())
    message.any.Pack(inner)


@pytest.mark.parametrize(
    ("fill", "written"),
    [
        (in_field, {"any": DEGRADED}),
        (in_list, {"anys": [{"@type": f"{A}codec.v1.Plain", "id": "x"}, DEGRADED]}),
        (in_map, {"anysByText": {"k": DEGRADED}}),
        (in_child, {"child": {"text": "c", "any": DEGRADED}}),
        (in_children, {"children": [{"text": "1"}, {"any": DEGRADED}]}),
        (in_map_of_children, {"childrenByText": {"k": {"any": DEGRADED}}}),
        (in_oneof, {"chosenChild": {"any": DEGRADED}}),
        (in_any, {"any": {"@type": f"{A}google.protobuf.Any", "value": DEGRADED}}),
        (in_packed_message, {"any": {"@type": f"{A}codec.v1.Everything", "any": DEGRADED}}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_inside(everything, build, fill, written):
    def with_more(message):
        message.text = "kept"
        message.by_int64[5] = "five"
        message.a_float = 0.1
        message.value.null_value = 0
        fill(message)

    kept = {"text": "kept", "byInt64": {"5": "five"}, "aFloat": 0.1, "value": None}
    wire = build(with_more)
    assert json.loads(everything.transcode(wire)) == kept | written
    assert json.loads(everything.to_json(everything.from_wire(wire))) == kept | written


def test_under_options(registry, build):
    messages = Codec(
        registry, JsonOptions(emit_defaults=True, enums_as_numbers=True, proto_names=True)
    ).message("codec.v1.Everything")

    def fill(message):
        message.anys_by_text["k"].MergeFromString(UNKNOWN.SerializeToString())
        message.child.color = 1

    written = json.loads(messages.transcode(build(fill)))
    assert written["anys_by_text"] == {"k": DEGRADED}
    assert written["child"]["color"] == 1
    assert written["text"] == ""
    assert written["anys"] == []


@pytest.mark.parametrize(
    ("url", "value"),
    [
        pytest.param(f"{A}codec.v1.Plain", b"\xff\xff", id="bytes that are no message"),
        pytest.param(f"{A}codec.v1.Plain", b"\x0a\x01\xff", id="a string that is not UTF-8"),
        pytest.param(
            f"{A}google.protobuf.Timestamp",
            timestamp_pb2.Timestamp(seconds=10**15).SerializeToString(),
            id="a timestamp without JSON",
        ),
        pytest.param(
            f"{A}google.protobuf.Duration",
            duration_pb2.Duration(seconds=1, nanos=-1).SerializeToString(),
            id="a duration of two signs",
        ),
        pytest.param("nonsense", b"x", id="no URL"),
        pytest.param(f"{A}", b"x", id="a URL without a type"),
        pytest.param("", b"x", id="no URL at all"),
        pytest.param("\u00e9/\u00e9", b"", id="a URL beyond ASCII"),
    ],
)
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in a field"])
def test_whatever_is_wrong_with_it(codec, build, url, value, alone):
    everything = codec.message("codec.v1.Everything")
    broken = any_pb2.Any(type_url=url, value=value)
    if alone:
        written = json.loads(
            codec.message("google.protobuf.Any").transcode(broken.SerializeToString())
        )
    else:
        written = json.loads(
            everything.transcode(
                build(lambda message: message.any.MergeFromString(broken.SerializeToString()))
            )
        )["any"]
    assert written in ({"@type": url, "value": b64encode(value).decode()}, {})
    assert written or not url  # only without a type is it written as the empty Any


def test_an_unset_value_is_null(everything, build):
    """A `Value` of no kind is an error of the sender; json_format writes null."""
    wire = build(lambda message: message.values.add())
    assert json.loads(everything.transcode(wire)) == {"values": [None]}


def test_standard_error_details_are_known(codec):
    info = error_details_pb2.ErrorInfo(reason="R", domain="d", metadata={"a": "b"})
    packed = any_pb2.Any()
    packed.Pack(info)
    assert json.loads(
        codec.message("google.protobuf.Any").transcode(packed.SerializeToString())
    ) == {
        "@type": f"{A}google.rpc.ErrorInfo",
        "reason": "R",
        "domain": "d",
        "metadata": {"a": "b"},
    }


@pytest.mark.parametrize(
    "fill",
    [
        lambda message: message.time.MergeFromString(
            timestamp_pb2.Timestamp(seconds=10**15).SerializeToString()
        ),
        lambda message: message.duration.MergeFromString(
            duration_pb2.Duration(seconds=1, nanos=-1).SerializeToString()
        ),
        lambda message: setattr(message.value, "number_value", float("nan")),
    ],
    ids=["timestamp", "duration", "NaN in a Value"],
)
def test_values_without_json_are_an_error_outside_of_an_any(everything, build, fill):
    with pytest.raises(CodecError, match="has no JSON"):
        everything.transcode(build(fill))


@pytest.mark.parametrize(
    "wire",
    [b"\xff", b"\x0a", b"\x72\x05abc", b"\x72\x01\xff", b"\x00", b"\x07", b"\x0b"],
    ids=["varint", "cut fixed", "cut string", "UTF-8", "field 0", "wire type 7", "open group"],
)
def test_bytes_that_are_no_message_are_an_error(everything, wire):
    with pytest.raises(CodecError) as refused:
        everything.transcode(wire)
    assert str(refused.value) == "The bytes are not a message of the expected type."
