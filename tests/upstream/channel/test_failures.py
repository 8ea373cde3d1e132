"""What goes wrong on the way becomes a status of the gateway's own, with nothing inside to leak."""

import asyncio
import logging
import signal
import socket
import struct

import pytest

from gateway.call import Call, Code, Deadline, RpcError
from gateway.upstream.channel import NotSentError, RefusedError, State, request
from gateway.upstream.channel.native import NativeChannel
from gateway.upstream.endpoints import Endpoint
from gateway.upstream.spec import Keepalive
from tests.upstream.clients import Client, failure, opened, stream_failure, unary, until
from tests.upstream.processes import mortal
from tests.upstream.servers import (
    GRPC,
    LOCALHOST,
    answer,
    backend,
    data,
    echo,
    frame,
    goaway,
    headers,
    message,
    peers,
    reset,
    scripted,
    tcp,
)

TEXTS = {
    "UPSTREAM_UNAVAILABLE": Code.UNAVAILABLE,
    "UPSTREAM_RESET": Code.UNAVAILABLE,
    "UPSTREAM_PROTOCOL_ERROR": Code.INTERNAL,
    "UPSTREAM_MESSAGE_TOO_LARGE": Code.RESOURCE_EXHAUSTED,
    "DEADLINE_EXCEEDED": Code.DEADLINE_EXCEEDED,
}

OUR_WORDS = {
    "The backend cannot be reached.",
    "The backend does not speak gRPC.",
    "A proxy on the way says that the backend is not available.",
    "The backend broke off before the call had ended.",
    "The backend dropped the call: it may be overloaded, or stopping.",
    "What the backend answered is not gRPC.",
    "A message of the backend is larger than allowed.",
    "The backend's metadata is larger than allowed.",
    "The call did not end before its deadline.",
    "The backend answered OK without a message.",
}


def check(error, reason):
    assert error.reason == reason, error.status
    assert error.status.code is TEXTS[reason]
    assert error.status.message in OUR_WORDS


def soon(seconds=0.3):
    return Deadline(asyncio.get_running_loop().time() + seconds)


async def both(channel, **call):
    """Makes the call as a unary one and as a stream; returns what each fails with."""
    first = await failure(channel, Call("test.Echo/Call", b"x", **call))
    call.pop("deadline", None)
    return first, await stream_failure(channel, Client("test.Echo/Call", [b"x"], **call))


def http(status, body=b"<html>oh"):
    def script(stream):
        head = [(":status", str(status)), ("content-type", "text/html")]
        return headers(stream, head) + data(stream, body, end=True)

    return script


def grpc_then(*parts):
    """A script: the head of a reply, then what each part makes of the stream's number."""
    return lambda stream: headers(stream, GRPC) + b"".join(part(stream) for part in parts)


def say(payload, flag=0):
    return lambda stream: data(stream, message(payload, flag=flag))


def trailers(*fields):
    return lambda stream: headers(stream, fields, end=True)


BIG = "x" * 200_000
REFUSED_STREAM = 7
CANCEL = 8

ANSWERS = {
    # HTTP, by a proxy or a web server (grpc/grpc, doc/http-grpc-status-mapping.md).
    "HTTP 502": (http(502), "UPSTREAM_UNAVAILABLE"),
    "HTTP 503": (http(503), "UPSTREAM_UNAVAILABLE"),
    "HTTP 504": (http(504), "UPSTREAM_UNAVAILABLE"),
    "HTTP 429": (http(429), "UPSTREAM_UNAVAILABLE"),
    "a web page": (http(200), "UPSTREAM_PROTOCOL_ERROR"),
    # gRPC's framing.
    "no trailers": (
        lambda stream: headers(stream, GRPC) + data(stream, message(b"hi"), end=True),
        "UPSTREAM_PROTOCOL_ERROR",
    ),
    "no status": (grpc_then(say(b"hi"), trailers(("x", "y"))), "UPSTREAM_PROTOCOL_ERROR"),
    "a status that is no number": (
        grpc_then(trailers(("grpc-status", "abc"))),
        "UPSTREAM_PROTOCOL_ERROR",
    ),
    "compressed without an encoding": (
        grpc_then(say(b"hi", 1), trailers(("grpc-status", "0"))),
        "UPSTREAM_PROTOCOL_ERROR",
    ),
    "compressed with a broken gzip": (
        lambda stream: (
            headers(stream, [*GRPC, ("grpc-encoding", "gzip")])
            + data(stream, message(b"hi", flag=1))
            + headers(stream, [("grpc-status", "0")], end=True)
        ),
        "UPSTREAM_PROTOCOL_ERROR",
    ),
    "compressed with an unknown encoding": (
        lambda stream: headers(stream, [*GRPC, ("grpc-encoding", "lzma")]),
        "UPSTREAM_PROTOCOL_ERROR",
    ),
    "binary metadata that is not base64": (
        grpc_then(trailers(("grpc-status", "5"), ("x-bin", "@@@"))),
        "UPSTREAM_PROTOCOL_ERROR",
    ),
    # A server that let go of the call (grpc/grpc, FilterStackCall::ExternalUnref).
    "CANCELLED by nobody": (
        lambda stream: headers(
            stream, [*GRPC, ("grpc-status", "1"), ("grpc-message", "CANCELLED")], end=True
        ),
        "UPSTREAM_RESET",
    ),
    "CANCELLED by nobody, after a message": (
        grpc_then(say(b"hi"), trailers(("grpc-status", "1"), ("grpc-message", "CANCELLED"))),
        "UPSTREAM_RESET",
    ),
    # Sizes.
    "a large message": (
        grpc_then(say(b"x" * 1001), trailers(("grpc-status", "0"))),
        "UPSTREAM_MESSAGE_TOO_LARGE",
    ),
    "a message that says it will be large": (
        lambda stream: headers(stream, GRPC) + data(stream, struct.pack(">BI", 0, 2**31) + b"x"),
        "UPSTREAM_MESSAGE_TOO_LARGE",
    ),
    "large metadata": (
        lambda stream: (
            frame(1, 0, stream, headers(stream, [*GRPC, ("x", BIG[:16_000])])[9:])
            + b"".join(
                frame(9, 4 * (part == 9), stream, headers(stream, [("x", BIG[:16_000])])[9:])
                for part in range(10)
            )
        ),
        "UPSTREAM_MESSAGE_TOO_LARGE",
    ),
    # The connection and HTTP/2 (RFC 9113, 7).
    "closed": (lambda stream: None, "UPSTREAM_RESET"),
    "a frame of 16 MiB": (lambda stream: b"\xff" * 50, "UPSTREAM_PROTOCOL_ERROR"),
    "broken HPACK": (lambda stream: frame(1, 4, stream, b"\xff" * 8), "UPSTREAM_PROTOCOL_ERROR"),
    **{
        f"reset {code} {when}": (
            script,
            "UPSTREAM_PROTOCOL_ERROR" if code in (1, 3, 4, 5, 6, 9, 13) else "UPSTREAM_RESET",
        )
        for code in range(14)
        for when, script in {
            "at once": lambda stream, code=code: reset(stream, code),
            "after a message": grpc_then(say(b"hi"), lambda stream, code=code: reset(stream, code)),
        }.items()
        if (code, when) != (REFUSED_STREAM, "at once")
    },
}


@pytest.mark.parametrize(("script", "reason"), ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_that_is_none(make, script, reason):
    async with scripted(script) as endpoint, opened(make, endpoint, message_size=1000) as channel:
        for error in await both(channel):
            check(error, reason)
            assert not isinstance(error, NotSentError)


async def test_an_overloaded_server_drops_calls_that_nobody_cancelled(make):
    """Core's random early detection: of more calls than may wait, some are not taken."""
    taken = []

    async def count(request, context):
        taken.append(request)
        return request

    most = {"grpc.server.max_pending_requests": 1, "grpc.server.max_pending_requests_hard_limit": 2}
    async with (
        backend(options=most.items(), Call=count) as endpoint,
        opened(make, endpoint) as channel,
    ):
        await unary(channel, Call("test.Echo/Call", b"first"))
        crowd = [unary(channel, Call("test.Echo/Call", b"x")) for _ in range(300)]
        ends = await asyncio.gather(*crowd, return_exceptions=True)
    dropped = [end for end in ends if isinstance(end, RpcError)]
    assert dropped
    assert len(taken) == 1 + len(ends) - len(dropped)
    for error in dropped:
        check(error, "UPSTREAM_RESET")
        assert "overloaded" in error.status.message
        assert not isinstance(error, NotSentError)


@pytest.mark.parametrize(
    "script",
    [
        lambda stream: headers(stream, [*GRPC, ("grpc-status", "1")], end=True),
        grpc_then(say(b"hi"), trailers(("grpc-status", "1"), ("grpc-message", "CANCELLED"))),
        grpc_then(trailers(("grpc-status", "4"), ("grpc-message", "mine"), ("x-shard", "7"))),
        lambda stream: reset(stream, CANCEL),
        grpc_then(say(b"hi"), lambda stream: reset(stream, CANCEL)),
    ],
    ids=["CANCELLED", "dropped", "DEADLINE_EXCEEDED", "a reset", "a reset in the middle"],
)
async def test_a_backend_that_notices_the_deadline_first_says_it_in_any_way(
    make, script, monkeypatch
):
    """grpc/grpc, doc/PROTOCOL-HTTP2.md, "Client Cancellation"."""
    monkeypatch.setattr(request, "_GRAIN", 60)
    async with scripted(script) as endpoint, opened(make, endpoint) as channel:
        error = await failure(channel, Call("test.Echo/Call", b"x", deadline=soon(30)))
        same = await stream_failure(channel, Client("test.Echo/Call", [b"x"], deadline=soon(30)))
        timeless = await failure(channel, Call("test.Echo/Call", b"x"))
    for each in (error, same):
        check(each, "DEADLINE_EXCEEDED")
        assert not each.metadata
    assert timeless.reason != "DEADLINE_EXCEEDED"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, Code.INTERNAL),
        (401, Code.UNAUTHENTICATED),
        (403, Code.PERMISSION_DENIED),
        (404, Code.UNIMPLEMENTED),
        (418, Code.UNKNOWN),
        (431, Code.INTERNAL),
        (500, Code.UNKNOWN),
    ],
)
async def test_an_http_status_without_one_of_grpc_is_mapped(make, status, code):
    """grpc/grpc, doc/http-grpc-status-mapping.md."""
    async with scripted(http(status)) as endpoint, opened(make, endpoint) as channel:
        for error in await both(channel):
            assert error.reason == "UPSTREAM_HTTP_ERROR"
            assert error.status.code is code
            assert f"HTTP status {status}" in error.status.message
            assert "oh" not in error.status.message


@pytest.mark.parametrize(
    "script",
    [
        lambda stream: goaway(0, 0, b"bye from 10.0.0.1"),
        lambda stream: reset(stream, REFUSED_STREAM),
    ],
    ids=["GOAWAY to every connection", "REFUSED_STREAM"],
)
async def test_a_call_that_no_backend_will_see_is_told_as_such(make, script):
    """RFC 9113, 6.8 and 8.7. grpcio tries it once more, and does not tell how that ended."""
    async with scripted(script) as endpoint, opened(make, endpoint) as channel:
        error, same = (
            await failure(channel, Call("test.Echo/Call", b"x")),
            await stream_failure(channel, Client("test.Echo/Call")),
        )
    told = make is NativeChannel
    for each in (error, same):
        assert each.status.code is Code.UNAVAILABLE
        assert isinstance(each, RefusedError) == told
        assert each.reason == ("UPSTREAM_UNAVAILABLE" if told else "UPSTREAM_RESET")
        assert "10.0.0.1" not in each.status.message


@pytest.mark.parametrize(
    "script",
    [
        lambda stream: headers(stream, [*GRPC, ("grpc-status", "0")], end=True),
        grpc_then(trailers(("grpc-status", "0"))),
        lambda stream: (
            headers(stream, GRPC)
            + data(stream, message(b"hi")[:-1])
            + headers(stream, [("grpc-status", "0")], end=True)
        ),
    ],
    ids=["trailers only", "no message", "half a message"],
)
async def test_a_unary_ok_without_a_message_is_an_error(make, script):
    async with scripted(script) as endpoint, opened(make, endpoint) as channel:
        check(await failure(channel, Call("test.Echo/Call")), "UPSTREAM_PROTOCOL_ERROR")


async def test_a_status_of_grpc_counts_whatever_http_says(make):
    def script(stream):
        head = [(":status", "503"), ("content-type", "application/grpc")]
        return headers(stream, [*head, ("grpc-status", "7"), ("grpc-message", "no")], end=True)

    async with scripted(script) as endpoint, opened(make, endpoint) as channel:
        error = await failure(channel, Call("test.Echo/Call"))
    assert error.reason is None
    assert (error.status.code, error.status.message) == (Code.PERMISSION_DENIED, "no")


async def test_who_refuses_a_call_is_not_asked_again_by_the_channel():
    """It has too much to do: others are asked first (`attempts`)."""
    asked = []

    def script(stream):
        asked.append(stream)
        return reset(stream, REFUSED_STREAM)

    async with scripted(script) as endpoint, opened(NativeChannel, endpoint) as channel:
        await failure(channel, Call("test.Echo/Call", b"x"))
        await stream_failure(channel, Client("test.Echo/Call"))
        assert len(asked) == 2
        ended = await stream_failure(channel, Client("test.Echo/Call", [b"taken"]))
        assert len(asked) == 4, "nobody else has what was taken from the client"
        assert not isinstance(ended, NotSentError)


async def test_a_restart_with_goaway_goes_unnoticed(make):
    """RFC 9113, 6.8: streams above the last identifier were not processed and may be retried."""
    seen = []

    def script(stream):
        seen.append(stream)
        return goaway(0, 0) if len(seen) == 1 else answer(stream, b"hi")

    async with scripted(script) as endpoint, opened(make, endpoint) as channel:
        assert (await unary(channel, Call("test.Echo/Call"))).message == b"hi"
        seen.clear()
        client = Client("test.Echo/Call", [b"x"])
        await channel.stream(client)
    assert client.replies == [b"hi"]
    assert len(seen) == 2


# Endpoints that never become a connection.


async def http1(reader, writer):
    await reader.readline()
    writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
    await reader.read()


async def closes(reader, writer):
    writer.close()


async def garbage(reader, writer):
    writer.write(b"\x00garbage!" * 100)
    await writer.drain()


async def silent(reader, writer):
    await reader.read()


@pytest.mark.parametrize(
    ("connection", "reason"),
    [
        (http1, "UPSTREAM_PROTOCOL_ERROR"),
        (closes, "UPSTREAM_UNAVAILABLE"),
        (garbage, "UPSTREAM_PROTOCOL_ERROR"),
    ],
    ids=["HTTP/1", "closes at once", "garbage"],
)
async def test_a_server_that_does_not_speak_http2_never_saw_the_call(make, connection, reason):
    async with tcp(connection) as endpoint, opened(make, endpoint) as channel:
        for error in await both(channel):
            check(error, reason)
            assert isinstance(error, NotSentError)


def free_port():
    with socket.socket() as probe:
        probe.bind((LOCALHOST, 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("host", [LOCALHOST, "localhost", "no-such-host.invalid"])
async def test_nobody_there(make, host):
    async with opened(make, Endpoint(host, free_port())) as channel:
        client = Client("test.Echo/Call", [b"x"])
        error, same = (
            await failure(channel, Call("test.Echo/Call")),
            await stream_failure(channel, client),
        )
    for each in (error, same):
        check(each, "UPSTREAM_UNAVAILABLE")
        assert isinstance(each, NotSentError)
    assert client.taken == 0
    assert client.started == []


async def test_a_server_that_says_nothing_is_waited_for_until_the_deadline(make):
    async with tcp(silent) as endpoint, opened(make, endpoint) as channel:
        error = await failure(channel, Call("test.Echo/Call", deadline=soon()))
        client = Client("test.Echo/Call", [b"x"], deadline=soon())
        same = await stream_failure(channel, client)
    check(error, "DEADLINE_EXCEEDED")
    check(same, "DEADLINE_EXCEEDED")
    assert client.taken == 0


async def test_a_stream_that_waits_for_a_connection_can_be_cancelled(make):
    async with tcp(silent) as endpoint, opened(make, endpoint) as channel:
        task = asyncio.ensure_future(channel.stream(Client("test.Echo/Call", [b"x"])))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        waiting = asyncio.ensure_future(stream_failure(channel, Client("test.Echo/Call")))
        await asyncio.sleep(0)
        await channel.close(0)
        assert (await waiting).reason == "DRAINING"


async def test_a_call_that_hangs_on_a_live_connection_ends_at_its_deadline(make):
    async with scripted(lambda stream: b"") as endpoint, opened(make, endpoint) as channel:
        check(await failure(channel, Call("test.Echo/Call", deadline=soon())), "DEADLINE_EXCEEDED")
        client = Client("test.Echo/Call", deadline=soon())
        check(await stream_failure(channel, client), "DEADLINE_EXCEEDED")


# Processes that die.


async def test_a_backend_that_dies_breaks_off_its_calls_and_serves_again_when_it_is_back(make):
    async with mortal() as process, opened(make, process.endpoint) as channel:
        client = Client("test.Echo/Talk", [asyncio.Event()])
        calls = [
            asyncio.ensure_future(failure(channel, Call("test.Echo/Hang"))),
            asyncio.ensure_future(stream_failure(channel, client)),
        ]
        await unary(channel, Call("test.Echo/Echo"))
        await client.reply.wait()
        await process.kill()
        for error in await asyncio.gather(*calls):
            check(error, "UPSTREAM_RESET")
            assert not isinstance(error, NotSentError)
        while channel.state is State.READY:
            await asyncio.sleep(0.01)
        error = await failure(channel, Call("test.Echo/Echo"))
        check(error, "UPSTREAM_UNAVAILABLE")
        assert isinstance(error, NotSentError)
        while channel.state is not State.FAILING:
            await asyncio.sleep(0.01)
        assert "refused" in channel.unreached
        await process.start()
        while channel.state is not State.READY:
            await asyncio.sleep(0.01)
        assert channel.unreached == ""
        assert (await unary(channel, Call("test.Echo/Echo", b"back"))).message == b"back"


async def test_a_frozen_backend_is_found_out_by_keepalive(make):
    keepalive = Keepalive(time=0.2, timeout=0.2)
    async with mortal() as process, opened(make, process.endpoint, keepalive=keepalive) as channel:
        client = Client("test.Echo/Talk", [asyncio.Event()])
        call = asyncio.ensure_future(stream_failure(channel, client))
        await client.reply.wait()
        process.process.send_signal(signal.SIGSTOP)
        check(await call, "UPSTREAM_RESET")


# Sizes of what the gateway sends.


async def test_a_request_over_the_limit_is_not_sent(make):
    async with backend(Echo=echo) as endpoint, opened(make, endpoint, message_size=100) as channel:
        assert (await unary(channel, Call("test.Echo/Echo", b"x" * 100))).message == b"x" * 100
        error = await failure(channel, Call("test.Echo/Echo", b"x" * 101))
    assert error.reason == "MESSAGE_TOO_LARGE"
    assert error.status.message == "The request message has 101 bytes, at most 100 are allowed."


# The log.


async def test_operators_are_told_where_and_why_once(make, caplog):
    caplog.set_level(logging.INFO, "gateway.upstream")
    endpoint = Endpoint(LOCALHOST, free_port())
    async with opened(make, endpoint) as channel:
        for _ in range(20):
            await failure(channel, Call("test.Echo/Call"))
    records = [record for record in caplog.records if record.name == "gateway.upstream"]
    assert all(str(endpoint) in record.getMessage() for record in records)
    assert any("refused" in record.getMessage() for record in records)
    assert len(records) == 2


async def test_a_backend_writes_no_lines_of_its_own_into_the_log(make, caplog):
    evil = b"x\nCRITICAL:root:all is lost"
    async with (
        scripted(lambda stream: goaway(0, 0, evil)) as endpoint,
        opened(make, endpoint) as channel,
    ):
        await failure(channel, Call("test.Echo/Call"))
    said = [record.getMessage() for record in caplog.records if record.name == "gateway.upstream"]
    assert said
    assert not any("\n" in line for line in said)


async def test_a_backend_that_passes_on_a_failed_connection_and_closes_has_had_the_call(make):
    """Who takes it for one that was never reached makes the call elsewhere: a write, twice."""
    words = "failed to connect to all addresses; last error: x"

    async def scene(peer):
        stream = await peer.request()
        status = [*GRPC, ("grpc-status", "14"), ("grpc-message", words)]
        peer.say(headers(stream, status, end=True), goaway(stream, 0))

    async with peers(scene) as found, opened(make, found.endpoint) as channel:
        await until(lambda: channel.state is State.READY)
        ended = await failure(channel, Call("s/Write"))
        assert ended.status.code is Code.UNAVAILABLE
        assert not isinstance(ended, NotSentError)
