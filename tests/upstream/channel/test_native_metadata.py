"""Metadata as it came over the wire: nothing is decoded before somebody asks."""

import base64
import copy

import pytest
from google.rpc import status_pb2

from gateway.call import NO_METADATA, Code, Detail, Metadata
from gateway.upstream.channel.native_metadata import WireMetadata, metadata, refusal_of
from gateway.wire.grpc import Ending, Head
from gateway.wire.hpack import Field


class Line(Field):
    """A field that counts how often its value is read."""

    def __init__(self, name, raw):
        super().__init__(name, raw)
        self.reads = 0

    @property
    def value(self):
        self.reads += 1
        return super().value


@pytest.fixture
def lines():
    return (
        Line("a", b"1"),
        Line("b-bin", b"q6s"),
        Line("a", b"2"),
        Line("c", b"caf\xe9"),
    )


def reads(lines):
    return [line.reads for line in lines]


def test_no_fields_are_no_metadata():
    assert metadata(()) is NO_METADATA


def test_making_it_and_asking_for_keys_reads_no_value(lines):
    found = metadata(lines)
    assert "a" in found
    assert "b-bin" in found
    assert "d" not in found
    assert 5 not in found
    assert reads(lines) == [0, 0, 0, 0]


def test_get_reads_one_value(lines):
    found = metadata(lines)
    assert found.get("a") == "1"
    assert found.get("b-bin") == b"\xab\xab"
    assert found.get("d") is None
    assert reads(lines) == [1, 1, 0, 0]


def test_without_reads_none_and_leaves_the_rest(lines):
    found = metadata(lines)
    rest = found.without("a", "d")
    assert reads(lines) == [0, 0, 0, 0]
    assert rest == Metadata([("b-bin", b"\xab\xab"), ("c", "caf\xe9")])
    assert found.without("a", "b-bin", "c") is NO_METADATA


def test_it_is_like_any_other_metadata(lines):
    plain = Metadata([("a", "1"), ("b-bin", b"\xab\xab"), ("a", "2"), ("c", "caf\xe9")])
    found = metadata(lines)
    assert found == plain
    assert plain == found
    assert hash(found) == hash(plain)
    assert list(found) == list(plain)
    assert len(found) == 4
    more = [("e", "5")]
    assert found + more == plain + more
    assert plain + found == plain + plain
    assert repr(found) == repr(plain)
    assert found.text("a") == "1"
    assert found.text("b-bin") is None


def test_values_are_read_once(lines):
    found = metadata(lines)
    list(found)
    list(found)
    assert reads(lines) == [1, 1, 1, 1]


def test_it_can_be_copied(lines):
    assert copy.copy(metadata(lines)) == metadata(lines)


def test_it_has_no_other_attributes(lines):
    with pytest.raises(AttributeError):
        metadata(lines).values  # noqa: B018  asking is the test


def test_binary_values_may_stand_in_a_list():
    """grpc/grpc, doc/PROTOCOL-HTTP2.md: implementations must split on commas."""
    found = metadata((Field("x-bin", b"q6s,AA==, /w"),))
    assert list(found) == [("x-bin", b"\xab\xab"), ("x-bin", b"\x00"), ("x-bin", b"\xff")]
    assert found.get("x-bin") == b"\xab\xab"


def test_a_value_that_http_does_not_allow_is_left_out():
    found = metadata((Field("a", b"x\ny"), Field("a", b"2"), Field("b", b"3")))
    assert isinstance(found, WireMetadata)
    assert list(found) == [("a", "2"), ("b", "3")]
    assert found.get("a") == "2"


# The error of a status.


def test_a_refusal_has_the_metadata_of_both_ends():
    head = Head(b"identity", (Field("a", b"1"),))
    failure = refusal_of(head, Ending(7, "no", (Field("b", b"2"),)))
    assert (failure.status.code, failure.status.message) == (Code.PERMISSION_DENIED, "no")
    assert failure.metadata == Metadata([("a", "1"), ("b", "2")])
    assert failure.reason is None


def test_a_refusal_without_a_head_has_that_of_the_end():
    failure = refusal_of(None, Ending(7, "no", ()))
    assert failure.metadata == NO_METADATA


def test_a_refusal_has_its_details_and_not_as_metadata():
    packed = status_pb2.Status(code=5, message="not here")
    packed.details.add(type_url="t/x.Y", value=b"\x08\x01")
    field = Field("grpc-status-details-bin", base64.b64encode(packed.SerializeToString()))
    failure = refusal_of(None, Ending(5, "not here", (field, Field("b", b"2"))))
    assert failure.status.details == (Detail("t/x.Y", b"\x08\x01"),)
    assert failure.metadata == Metadata([("b", "2")])


def test_a_number_that_grpc_does_not_define_is_unknown():
    assert refusal_of(None, Ending(99, "", ())).status.code is Code.UNKNOWN
