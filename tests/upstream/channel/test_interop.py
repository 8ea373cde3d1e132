"""gRPC's interop cases, as far as a client has a part in them, on every transport.

grpc/grpc, doc/interop-test-descriptions.md: each test has the name of its case. Left out are the
cases of credentials and of caching proxies.
"""

import asyncio
import gzip
import zlib
from contextlib import asynccontextmanager

import grpc
import pytest

from gateway.call import Call, Code, Deadline, Metadata
from gateway.upstream.channel.grpcio import GrpcioChannel
from tests.upstream.clients import Client, failure, opened, stream_failure, unary
from tests.upstream.interop import INITIAL, SERVER, TRAILING, decoded, encoded, zeros
from tests.upstream.servers import GRPC, backend, data, headers, message, scripted

TEST = "grpc.testing.TestService"
CUSTOM = Metadata([(INITIAL, "test_initial_metadata_value"), (TRAILING, b"\xab\xab\xab")])
LARGE = {"response_size": 314159, "payload": zeros(271828)}
SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"


@asynccontextmanager
async def interop(make):
    async with backend(**SERVER) as endpoint, opened(make, endpoint) as channel:
        yield channel


def simple(**fields):
    return Call(f"{TEST}/UnaryCall", encoded("SimpleRequest", **fields))


def output(*sizes, **fields):
    return encoded(
        "StreamingOutputCallRequest",
        response_parameters=[{"size": size} for size in sizes],
        **fields,
    )


def sizes(client, kind="StreamingOutputCallResponse"):
    return [len(decoded(kind, reply).payload.body) for reply in client.replies]


class PingPong(Client):
    """Sends each request after the reply to the one before."""

    async def receive(self):
        while len(self.replies) < self.taken:
            self.reply.clear()
            await self.reply.wait()
        return await super().receive()


async def test_empty_unary(make):
    async with interop(make) as channel:
        assert (await unary(channel, Call(f"{TEST}/EmptyCall", b""))).message == b""


async def test_large_unary(make):
    async with interop(make) as channel:
        reply = await unary(channel, simple(**LARGE))
    assert decoded("SimpleResponse", reply.message).payload.body == bytes(314159)


async def test_client_compressed_unary(make):
    """Requests are never compressed, which a server may refuse; the call says so to its client."""
    async with interop(make) as channel:
        probe = await failure(channel, simple(expect_compressed={"value": True}, **LARGE))
        reply = await unary(channel, simple(expect_compressed={"value": False}, **LARGE))
    assert probe.status.code is Code.INVALID_ARGUMENT
    assert len(decoded("SimpleResponse", reply.message).payload.body) == 314159


@pytest.mark.parametrize("compressed", [True, False])
async def test_server_compressed_unary(make, compressed):
    async with interop(make) as channel:
        reply = await unary(channel, simple(response_compressed={"value": compressed}, **LARGE))
    assert decoded("SimpleResponse", reply.message).payload.body == bytes(314159)


async def test_client_streaming(make):
    client = Client(
        f"{TEST}/StreamingInputCall",
        [
            encoded("StreamingInputCallRequest", payload=zeros(size))
            for size in (27182, 8, 1828, 45904)
        ],
    )
    async with interop(make) as channel:
        await channel.stream(client)
    (reply,) = client.replies
    assert decoded("StreamingInputCallResponse", reply).aggregated_payload_size == 74922


async def test_client_compressed_streaming(make):
    def client(*requests):
        return Client(
            f"{TEST}/StreamingInputCall",
            [
                encoded(
                    "StreamingInputCallRequest",
                    payload=zeros(size),
                    expect_compressed={"value": compressed},
                )
                for size, compressed in requests
            ],
        )

    async with interop(make) as channel:
        probe = await stream_failure(channel, client((27182, True)))
        plain = client((27182, False), (45904, False))
        await channel.stream(plain)
    assert probe.status.code is Code.INVALID_ARGUMENT
    (reply,) = plain.replies
    assert decoded("StreamingInputCallResponse", reply).aggregated_payload_size == 73086


async def test_server_streaming(make):
    client = Client(f"{TEST}/StreamingOutputCall", [output(31415, 9, 2653, 58979)])
    async with interop(make) as channel:
        await channel.stream(client)
    assert sizes(client) == [31415, 9, 2653, 58979]


async def test_server_compressed_streaming(make):
    request = encoded(
        "StreamingOutputCallRequest",
        response_parameters=[
            {"size": 31415, "compressed": {"value": True}},
            {"size": 92653, "compressed": {"value": False}},
        ],
    )
    client = Client(f"{TEST}/StreamingOutputCall", [request])
    async with interop(make) as channel:
        await channel.stream(client)
    assert sizes(client) == [31415, 92653]


async def test_ping_pong(make):
    pairs = [(31415, 27182), (9, 8), (2653, 1828), (58979, 45904)]
    client = PingPong(
        f"{TEST}/FullDuplexCall",
        [output(reply, payload=zeros(request)) for reply, request in pairs],
    )
    async with interop(make) as channel:
        await channel.stream(client)
    assert sizes(client) == [31415, 9, 2653, 58979]


async def test_empty_stream(make):
    client = Client(f"{TEST}/FullDuplexCall")
    async with interop(make) as channel:
        await channel.stream(client)
    assert client.replies == []
    assert len(client.started) == 1


async def test_custom_metadata(make):
    async with interop(make) as channel:
        call = simple(**LARGE)
        call.metadata = CUSTOM
        reply = await unary(channel, call)
        client = Client(
            f"{TEST}/FullDuplexCall", [output(314159, payload=zeros(271828))], metadata=CUSTOM
        )
        trailers = await channel.stream(client)
    for initial, trailing in ((reply.initial, reply.trailers), (client.started[0], trailers)):
        assert initial.get(INITIAL) == "test_initial_metadata_value"
        assert trailing.get(TRAILING) == b"\xab\xab\xab"


@pytest.mark.parametrize(
    "text",
    ["test status message", SPECIAL],
    ids=["status_code_and_message", "special_status_message"],
)
async def test_a_status_and_its_message(make, text):
    status = {"code": 2, "message": text}
    async with interop(make) as channel:
        first = await failure(channel, simple(response_status=status))
        client = Client(f"{TEST}/FullDuplexCall", [output(response_status=status)])
        second = await stream_failure(channel, client)
    for error in (first, second):
        assert (error.status.code, error.status.message) == (Code.UNKNOWN, text)
        assert error.reason is None


@pytest.mark.parametrize(
    "method",
    [f"{TEST}/UnimplementedCall", "grpc.testing.UnimplementedService/UnimplementedCall"],
    ids=["unimplemented_method", "unimplemented_service"],
)
async def test_what_is_not_implemented(make, method):
    async with interop(make) as channel:
        for error in (
            await failure(channel, Call(method)),
            await stream_failure(channel, Client(method, [b""])),
        ):
            assert error.status.code is Code.UNIMPLEMENTED
            assert error.reason is None


async def test_cancel_after_begin(make):
    client = Client(f"{TEST}/StreamingInputCall", [asyncio.Event()])
    async with interop(make) as channel:
        call = asyncio.ensure_future(channel.stream(client))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert channel.pending == 0
        await unary(channel, Call(f"{TEST}/EmptyCall"))


async def test_cancel_after_first_response(make):
    request = output(31415, payload=zeros(27182))
    client = Client(f"{TEST}/FullDuplexCall", [request, asyncio.Event()])
    async with interop(make) as channel:
        call = asyncio.ensure_future(channel.stream(client))
        await client.reply.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert channel.pending == 0
        await unary(channel, Call(f"{TEST}/EmptyCall"))
    assert sizes(client) == [31415]


async def test_timeout_on_sleeping_server(make):
    async with interop(make) as channel:
        await unary(channel, Call(f"{TEST}/EmptyCall"))
        deadline = Deadline(asyncio.get_running_loop().time() + 0.001)
        client = Client(
            f"{TEST}/FullDuplexCall",
            [output(payload=zeros(27182)), asyncio.Event()],
            deadline=deadline,
        )
        error = await stream_failure(channel, client)
        await unary(channel, Call(f"{TEST}/EmptyCall"))
    assert error.status.code is Code.DEADLINE_EXCEEDED
    assert error.reason == "DEADLINE_EXCEEDED"


# What is compressed, byte by byte.


def answering(encoding, *messages):
    """A script: a head that names an encoding, then messages with their flags."""

    def script(stream):
        return (
            headers(stream, [*GRPC, ("grpc-encoding", encoding)])
            + b"".join(data(stream, message(body, flag=flag)) for flag, body in messages)
            + headers(stream, [("grpc-status", "0")], end=True)
        )

    return script


@pytest.mark.parametrize(
    ("flag", "body"), [(1, gzip.compress(b"hello")), (0, b"hello")], ids=["compressed", "plain"]
)
async def test_a_message_is_compressed_or_not_as_its_flag_says(make, flag, body):
    script = answering("gzip", (flag, body))
    async with scripted(script) as endpoint, opened(make, endpoint) as channel:
        assert (await unary(channel, Call(f"{TEST}/X"))).message == b"hello"
        client = Client(f"{TEST}/X")
        await channel.stream(client)
    assert client.replies == [b"hello"]


async def test_messages_of_a_stream_are_compressed_one_by_one(make):
    script = answering("gzip", (1, gzip.compress(b"a")), (0, b"b"), (1, gzip.compress(b"")))
    client = Client(f"{TEST}/X")
    async with scripted(script) as endpoint, opened(make, endpoint) as channel:
        await channel.stream(client)
    assert client.replies == [b"a", b"b", b""]


async def test_a_small_message_that_inflates_over_the_limit_is_an_error(make):
    script = answering("gzip", (1, gzip.compress(bytes(100_000))))
    async with (
        scripted(script) as endpoint,
        opened(make, endpoint, message_size=10_000) as channel,
    ):
        for error in (
            await failure(channel, Call(f"{TEST}/X")),
            await stream_failure(channel, Client(f"{TEST}/X")),
        ):
            assert error.reason == "UPSTREAM_MESSAGE_TOO_LARGE"


async def test_deflate_is_not_offered_so_a_server_that_likes_it_does_not_use_it(make):
    """PROTOCOL-HTTP2.md: a server must not use what the client did not list."""

    async def deflated(request, context):
        context.set_compression(grpc.Compression.Deflate)
        return bytes(10_000)

    async with backend(Deflated=deflated) as endpoint, opened(make, endpoint) as channel:
        assert (await unary(channel, Call("test.Echo/Deflated"))).message == bytes(10_000)


async def test_deflate_that_was_not_offered_is_not_taken(make):
    """grpcio offers it, and so takes it."""
    script = answering("deflate", (1, zlib.compress(b"hello")))
    async with scripted(script) as endpoint, opened(make, endpoint) as channel:
        if make is GrpcioChannel:
            assert (await unary(channel, Call(f"{TEST}/X"))).message == b"hello"
            return
        for error in (
            await failure(channel, Call(f"{TEST}/X")),
            await stream_failure(channel, Client(f"{TEST}/X")),
        ):
            assert error.reason == "UPSTREAM_PROTOCOL_ERROR"
            assert error.status.code is Code.INTERNAL
