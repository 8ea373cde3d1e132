"""Descriptions: the comments of protos, wherever they stand."""

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from gateway.schema.registry import Registry
from tests.fronts.graphql import graphs

TEXT = """
service S { rpc Get(Outer) returns (Outer); }

// An outer one.
//
//   indented
message Outer {
  // A field.
  Inner inner = 1;
  // Nested.
  message Inner {
    // A nested field.
    string text = 1;
  }
  // An enum.
  enum State {
    // None.
    STATE_NONE = 0;
    STATE_ON = 1;
  }
  State state = 2;
  string mute = 3;
}
"""


def test_every_declaration_has_its_comment():
    types = graphs.graph_of(graphs.of_text(TEXT)).schema.type_map
    assert types["Outer"].description == "An outer one.\n\n  indented"
    assert types["Outer"].fields["inner"].description == "A field."
    assert types["OuterInner"].description == types["OuterInnerInput"].description == "Nested."
    assert types["OuterInnerInput"].fields["text"].description == "A nested field."
    assert types["OuterState"].description == "An enum."
    assert types["OuterState"].values["STATE_NONE"].description == "None."


def test_what_has_none_has_no_description():
    types = graphs.graph_of(graphs.of_text(TEXT)).schema.type_map
    assert types["Outer"].fields["mute"].description is None
    assert types["OuterState"].values["STATE_ON"].description is None


def test_of_a_file_whose_source_info_is_damaged_there_are_none():
    proto = FileDescriptorProto.FromString(graphs.of_text(TEXT).file_bytes["test.proto"])
    proto.ClearField("source_code_info")
    damaged = proto.SerializeToString() + b"\x4a\x02\x0a\x09"  # a location that is cut off
    types = graphs.graph_of(Registry.build([damaged])).schema.type_map
    assert types["Outer"].description is None


def test_without_source_info_there_are_none():
    proto = FileDescriptorProto.FromString(graphs.of_text(TEXT).file_bytes["test.proto"])
    proto.ClearField("source_code_info")
    types = graphs.graph_of(Registry.build([proto])).schema.type_map
    assert types["Outer"].description is None
