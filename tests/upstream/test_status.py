"""The status that a backend sent, from what came over the wire."""

import pytest
from google.rpc import status_pb2

from gateway.call import Code, Detail, Metadata, Status
from gateway.upstream.status import DETAILS, code_of, sent_status


def rich(code=5, message="rich", *details):
    status = status_pb2.Status(code=code, message=message)
    for url, value in details:
        status.details.add(type_url=url, value=value)
    return status.SerializeToString()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (0, Code.OK),
        (16, Code.UNAUTHENTICATED),
        (17, Code.UNKNOWN),
        (99, Code.UNKNOWN),
        (-1, Code.UNKNOWN),
    ],
)
def test_codes_that_grpc_does_not_define_are_unknown(number, code):
    assert code_of(number) is code


def test_without_details_everything_passes_as_it_is():
    trailers = Metadata([("a", "1")])
    assert sent_status(Code.NOT_FOUND, "gone", trailers) == (
        Status(Code.NOT_FOUND, "gone"),
        trailers,
    )


def test_details_are_taken_in_order_and_their_trailer_removed():
    packed = rich(5, "rich", ("u/a", b"\x01"), ("u/b", b""))
    status, trailers = sent_status(
        Code.NOT_FOUND, "gone", Metadata([("a", "1"), (DETAILS, packed), ("b", "2")])
    )
    assert status == Status(Code.NOT_FOUND, "gone", (Detail("u/a", b"\x01"), Detail("u/b", b"")))
    assert trailers == Metadata([("a", "1"), ("b", "2")])


@pytest.mark.parametrize(
    "packed",
    [b"\xff\xff", b"\x08", rich(3, "rich", ("u/a", b"")), "text"],
    ids=["garbage", "cut off", "of another code", "not binary"],
)
def test_details_that_cannot_be_right_are_ignored(packed):
    status, trailers = sent_status(Code.NOT_FOUND, "gone", Metadata([(DETAILS, packed)]))
    assert status == Status(Code.NOT_FOUND, "gone")
    assert trailers == Metadata()


def test_the_message_of_the_details_stands_in_for_an_empty_one():
    status, _ = sent_status(Code.NOT_FOUND, "", Metadata([(DETAILS, rich(5, "rich"))]))
    assert status.message == "rich"
