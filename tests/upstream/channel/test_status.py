"""What a backend says at the end of a call is passed on word for word."""

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from gateway.call import Call, Code, Metadata, Status
from gateway.errors import pack
from gateway.upstream.channel import NotSentError
from gateway.upstream.channel.native import NativeChannel
from tests.upstream.clients import Client, failure, opened, stream_failure
from tests.upstream.servers import GRPC, backend, headers, scripted

MESSAGE = "no 100% of “Ünïcode”\n\tand / %41 ☃"

INFO = error_details_pb2.ErrorInfo(reason="OUT_OF_STOCK", domain="shop.example")
BAD = error_details_pb2.BadRequest(
    field_violations=[error_details_pb2.BadRequest.FieldViolation(field="a.b", description="no")]
)

# What grpcio says itself of a connection or call that failed: a backend that calls others with it,
# and passes their errors on, says the same.
RELAYED = [
    (Code.UNAVAILABLE, "errors resolving inventory:50051: [field:hostname lookup error]"),
    (Code.NOT_FOUND, "Stream removed (id 7)"),
    (Code.INVALID_ARGUMENT, "Received message larger than max (5 vs. 4)"),
    (Code.INTERNAL, "Internal error from Core"),
    (Code.DEADLINE_EXCEEDED, "the database took too long"),
    (Code.DEADLINE_EXCEEDED, "Deadline Exceeded"),
    (Code.DEADLINE_EXCEEDED, "Stream removed (Deadline Exceeded)"),
    (Code.CANCELLED, "Locally cancelled by application!"),
    (Code.RESOURCE_EXHAUSTED, "SERVER: Received message larger than max (5 vs. 4)"),
    (Code.RESOURCE_EXHAUSTED, "Received message larger than max (5 vs. 4)"),
    (Code.INTERNAL, "Compression of the image failed"),
    (Code.RESOURCE_EXHAUSTED, "quota of project 5 is used up"),
]


def refusing(code, message, trailers=()):
    async def refuse(request, context):
        context.set_trailing_metadata(trailers)
        await context.abort(grpc.StatusCode[code.name], message)

    return refuse


@pytest.mark.parametrize("code", [code for code in Code if code], ids=lambda code: code.name)
@pytest.mark.parametrize("message", [MESSAGE, ""], ids=["message", "no message"])
async def test_every_code_passes_with_its_message_and_details(make, code, message):
    rich = status_pb2.Status(code=code, message=message)
    for detail in (INFO, BAD):
        rich.details.add().Pack(detail)
    trailers = (("grpc-status-details-bin", rich.SerializeToString()), ("x-shard", "7"))
    async with (
        backend(Refuse=refusing(code, message, trailers)) as endpoint,
        opened(make, endpoint) as channel,
    ):
        error = await failure(channel, Call("test.Echo/Refuse"))
        same = await stream_failure(channel, Client("test.Echo/Refuse", [b""]))
    assert error.status == same.status == Status(code, message, (pack(INFO), pack(BAD)))
    assert error.metadata == same.metadata == Metadata([("x-shard", "7")])
    assert error.reason is None
    assert same.reason is None


@pytest.mark.parametrize(("code", "message"), RELAYED, ids=lambda value: str(value)[:24])
async def test_a_backend_may_say_what_a_transport_says(make, code, message):
    async with (
        backend(Refuse=refusing(code, message)) as endpoint,
        opened(make, endpoint) as channel,
    ):
        error = await failure(channel, Call("test.Echo/Refuse"))
        same = await stream_failure(channel, Client("test.Echo/Refuse", [b""]))
    assert error.status == same.status == Status(code, message)
    assert not isinstance(error, NotSentError)
    assert not isinstance(same, NotSentError)


async def test_who_failed_to_connect_can_not_be_told_by_the_words_of_grpcio(make):
    """They hold an address: the backend's word passes where it is known to be that alone."""
    text = "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.1:1: x"
    async with (
        backend(Refuse=refusing(Code.UNAVAILABLE, text)) as endpoint,
        opened(make, endpoint) as channel,
    ):
        error = await failure(channel, Call("test.Echo/Refuse"))
        same = await stream_failure(channel, Client("test.Echo/Refuse", [b""]))
    told = text if make is NativeChannel else "The backend cannot be reached."
    assert {error.status.code, same.status.code} == {Code.UNAVAILABLE}
    assert error.status.message == same.status.message == told
    assert not isinstance(error, NotSentError)
    assert not isinstance(same, NotSentError)


async def test_initial_metadata_and_trailers_of_an_error_are_kept(make):
    async def refuse(request, context):
        await context.send_initial_metadata((("x-first", "1"), ("x-bin", b"\xff")))
        context.set_trailing_metadata((("x-last", "2"),))
        await context.abort(grpc.StatusCode.ABORTED, "again")

    async with backend(Refuse=refuse) as endpoint, opened(make, endpoint) as channel:
        error = await failure(channel, Call("test.Echo/Refuse"))
    assert error.metadata == Metadata([("x-first", "1"), ("x-bin", b"\xff"), ("x-last", "2")])


@pytest.mark.parametrize("number", ["17", "99", "1000000"])
async def test_a_code_that_grpc_does_not_define_is_unknown(make, number):
    def odd(stream):
        return headers(stream, [*GRPC, ("grpc-status", number), ("grpc-message", "odd")], end=True)

    async with scripted(odd) as endpoint, opened(make, endpoint) as channel:
        error = await failure(channel, Call("test.Echo/Odd"))
        same = await stream_failure(channel, Client("test.Echo/Odd"))
    assert error.status == same.status == Status(Code.UNKNOWN, "odd")


async def test_a_message_that_is_not_utf8_is_text_all_the_same(make):
    def odd(stream):
        fields = [*GRPC, ("grpc-status", "5"), ("grpc-message", b"caf%ff \xfe")]
        return headers(stream, fields, end=True)

    async with scripted(odd) as endpoint, opened(make, endpoint) as channel:
        error = await failure(channel, Call("test.Echo/Odd"))
    assert error.status.code is Code.NOT_FOUND
    assert error.status.message.startswith("caf")


async def test_malformed_details_are_ignored(make):
    refuse = refusing(Code.ABORTED, "again", (("grpc-status-details-bin", b"\xff\xff"),))
    async with backend(Refuse=refuse) as endpoint, opened(make, endpoint) as channel:
        error = await failure(channel, Call("test.Echo/Refuse"))
    assert error.status == Status(Code.ABORTED, "again")
    assert error.metadata == Metadata()


async def test_details_of_20_kib_arrive(make):
    rich = status_pb2.Status(code=9)
    rich.details.add().Pack(error_details_pb2.DebugInfo(detail="x" * 20_000))
    trailers = (("grpc-status-details-bin", rich.SerializeToString()),)
    refuse = refusing(Code.FAILED_PRECONDITION, "large", trailers)
    async with backend(Refuse=refuse) as endpoint, opened(make, endpoint) as channel:
        error = await failure(channel, Call("test.Echo/Refuse"))
    assert error.status.message == "large"
    assert len(error.status.details[0].value) > 20_000
