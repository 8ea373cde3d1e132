"""Keys of joins, read of their parents."""

from functools import cache

import pytest
from google.protobuf.message_factory import GetMessageClass

from gateway.fronts.graphql.plan.finding import key_reader
from tests.fronts.graphql.graphs import of_texts

PROTO = """
syntax = "proto2";
package test.v2;
message Parent {
  optional string id = 1;
  repeated string ids = 2;
  optional bytes raw = 3;
  optional int32 number = 4 [default = 7];
  optional Inner inner = 5;
}
message Inner { optional string HasField = 1; }
"""


@cache
def parent():
    return GetMessageClass(of_texts({"test/v2/parent.proto": PROTO}).message("test.v2.Parent"))


def read(path, message):
    """The key at a path of names."""
    descriptor, fields = message.DESCRIPTOR, []
    for name in path.split("."):
        fields.append(descriptor.fields_by_name[name])
        descriptor = fields[-1].message_type
    return key_reader(tuple(fields))(message)


@pytest.mark.parametrize(
    ("path", "fields", "key"),
    [
        ("id", {}, None),
        ("id", {"id": "a"}, "a"),
        ("id", {"id": ""}, ""),
        ("number", {}, None),
        ("number", {"number": 0}, 0),
        ("raw", {"raw": b"\xff"}, b"\xff"),
        ("ids", {"ids": ["a", "b", "a"]}, ["a", "b", "a"]),
        ("inner.HasField", {}, None),
        ("inner.HasField", {"inner": {}}, None),
        ("inner.HasField", {"inner": {"HasField": "x"}}, "x"),
    ],
    ids=[
        "unset",
        "set",
        "set to the default, where that can be told",
        "a default of its own is no key",
        "zero, where that can be told",
        "bytes",
        "a list in its order",
        "of a message that is not set",
        "unset in a message",
        "a field with a message's method's name",
    ],
)
def test_the_key_of_a_parent(path, fields, key):
    assert read(path, parent()(**fields)) == key


def test_a_string_that_is_no_text_is_no_key():
    """Proto2 takes any bytes for a string, and gives them back as bytes."""
    message = parent().FromString(b"\x0a\x02\xff\xfe\x12\x01\xff\x12\x01a")
    assert message.id == b"\xff\xfe"
    assert read("id", message) is None
    assert read("ids", message) == ["a"]
