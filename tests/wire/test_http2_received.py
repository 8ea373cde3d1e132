"""What a server may send and may not: bytes in, what streams and owner are told, bytes out.

Each id begins with the section of RFC 9113. A case stands after one request on stream 1, "whole" or
"open" (its sender has more to say), or after none.
"""

from dataclasses import dataclass, field

import pytest

from gateway.wire import frames
from gateway.wire.frames import END_HEADERS, PADDED, PRIORITIZED, ErrorCode
from tests.wire.link import (
    ACK,
    HERE,
    OK,
    PEER,
    Link,
    Sent,
    content,
    fields,
    goaway,
    headers,
    rst,
)

TRAILERS = fields(grpc_status="0")
HEAD = ("head", 200, False)
ENDED = ("trailers", (("grpc-status", b"0"),))
PROTOCOL = ErrorCode.PROTOCOL_ERROR
SIZE = ErrorCode.FRAME_SIZE_ERROR
EVERY_FLAG = 0xFF


@dataclass
class Case:
    """Bytes, and what comes of them.

    Attributes:
        received: What the server sends.
        told: What the stream hears.
        owner: What the owner hears.
        sent: What this side answers.
        request: "whole", "open" or "none".
        streams: Whether the stream is there afterwards.
    """

    rule: str
    received: bytes
    told: list = field(default_factory=list)
    owner: list = field(default_factory=list)
    sent: list = field(default_factory=list)
    request: str = "whole"
    open: bool | None = None


def broken(rule, received, code=PROTOCOL, request="whole", told=()):
    """A case that ends the connection."""
    return Case(rule, received, list(told), sent=[goaway(code)], request=request, open=True)


def malformed(rule, received, code=PROTOCOL, told=(), request="whole"):
    """A case that ends the stream."""
    told = [*told, ("reset", code, HERE)]
    return Case(rule, received, told, sent=[rst(code)], request=request)


def frame(kind, payload=b"", stream=1, flags=0):
    return frames.frame(kind, flags, stream, payload)


CASES = [
    # Whole answers.
    Case("8.1 head, content, trailers", headers() + content(b"abc") + headers(TRAILERS, end=True), [HEAD, ("data", b"abc"), ENDED]),
    Case("8.1 head and trailers in one", headers(fields(status="200", grpc_status="0"), end=True), [("head", 200, True)]),
    Case("8.1 END_STREAM on DATA", headers() + content(b"abc", end=True), [HEAD, ("data", b"abc"), ("end",)]),
    Case("8.1 END_STREAM on empty DATA", headers() + content(b"abc") + content(b"", end=True), [HEAD, ("data", b"abc"), ("end",)]),
    Case("8.1 a head, and nothing yet", headers(), [HEAD], open=True),
    Case("8.1 trailers without content", headers() + headers(TRAILERS, end=True), [HEAD, ENDED]),
    Case("8.1 interim heads are passed over", headers(fields(status="100")) + headers(fields(status="103", link="x")) + headers(), [HEAD], open=True),
    Case("8.1 a status without a name", headers(fields(status="599"), end=True), [("head", 599, True)]),
    Case("8.1 a whole answer to part of a request", headers() + headers(TRAILERS, end=True), [HEAD, ENDED], sent=[rst(ErrorCode.NO_ERROR)], request="open"),
    Case("8.1 a whole answer to part of a request, by DATA", headers() + content(b"a", end=True), [HEAD, ("data", b"a"), ("end",)], sent=[rst(ErrorCode.NO_ERROR)], request="open"),
    Case("8.1 a whole answer to part of a request, then RST_STREAM", headers(end=True) + frames.rst_stream(1, 0), [("head", 200, True)], sent=[rst(ErrorCode.NO_ERROR)], request="open"),
    Case("8.2.1 white space around a value, which gRPC strips", headers(fields(status=" 200\t"), end=True), [("head", 200, True)]),
    # Malformed answers (section 8.1.1).
    malformed("8.1 an interim head with END_STREAM", headers(fields(status="100"), end=True)),
    malformed("8.1 DATA before a head", content(b"abc")),
    malformed("8.1 DATA after an interim head", headers(fields(status="103")) + content(b"abc")),
    malformed("8.1 a second head", headers() + headers(), told=[HEAD]),
    malformed("8.1 a second head with END_STREAM", headers() + headers(end=True), told=[HEAD]),
    malformed("8.1 trailers without END_STREAM", headers() + headers(TRAILERS), told=[HEAD]),
    malformed("8.1 trailers with a pseudo-header", headers() + headers(TRAILERS + OK, end=True), told=[HEAD]),
    malformed("8.2.1 a capital in a name", headers(OK + b"\x00\x01A\x01b")),
    malformed("8.2.1 a space in a name", headers(OK + b"\x00\x02a \x01b")),
    malformed("8.2.1 an empty name", headers(OK + b"\x00\x00\x01b")),
    malformed("8.2.1 a colon in a name", headers(OK + b"\x00\x03a:b\x01b")),
    malformed("8.2.1 a name that is not ASCII", headers(OK + b"\x00\x02\xc3\xa4\x01b")),
    malformed("8.2.1 a line break in :status", headers(b"\x08\x04200\n")),
    *(
        malformed(f"8.2.2 {name}", headers(OK + b"\x00" + bytes([len(name)]) + name.encode() + b"\x01x"))
        for name in ("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade")
    ),
    malformed("8.3 an unknown pseudo-header", headers(OK + b"\x00\x04:new\x01b")),
    malformed("8.3 a pseudo-header of requests", headers(OK + b"\x84")),
    malformed("8.3 a pseudo-header behind a field", headers(fields(server="x") + OK)),
    malformed("8.3 a pseudo-header twice", headers(OK + OK)),
    malformed("8.3 a pseudo-header again behind a field", headers(OK + fields(server="x") + OK)),
    malformed("8.3 two pseudo-headers that differ", headers(OK + fields(status="404"))),
    malformed("8.3.2 no :status", headers(fields(server="x"))),
    malformed("8.3.2 no field at all", headers(b"")),
    *(
        malformed(f"8.3.2 :status is {value!r}", headers(fields(status=value)))
        for value in ("", "20", "2000", "099", "2x0", "+20")
    ),
    # content-length (section 8.1.1).
    Case("8.1.1 content-length is the length", headers(fields(status="200", content_length="3")) + content(b"ab") + content(b"c", end=True), [HEAD, ("data", b"abc"), ("end",)]),
    Case("8.1.1 content-length does not count padding", headers(fields(status="200", content_length="3")) + content(b"abc", end=True, padding=9), [HEAD, ("data", b"abc"), ("end",)]),
    Case("8.1.1 content-length 0 with END_STREAM", headers(fields(status="200", content_length="0"), end=True), [("head", 200, True)]),
    Case("8.1.1 content-length of a 304", headers(fields(status="304", content_length="5"), end=True), [("head", 304, True)]),
    Case("8.1.1 content-length twice, the same", headers(fields(status="200", content_length="1") + fields(content_length="1")) + content(b"a", end=True), [HEAD, ("data", b"a"), ("end",)]),
    malformed("8.1.1 content-length twice, and not the same", headers(fields(status="200", content_length="1") + fields(content_length="2"))),
    malformed("8.1.1 content-length, and no content", headers(fields(status="200", content_length="5"), end=True)),
    malformed("8.1.1 more than content-length", headers(fields(status="200", content_length="2")) + content(b"abc"), told=[HEAD]),
    malformed("8.1.1 less than content-length", headers(fields(status="200", content_length="4")) + content(b"abc", end=True), told=[HEAD]),
    malformed("8.1.1 less than content-length, then trailers", headers(fields(status="200", content_length="4")) + content(b"abc") + headers(TRAILERS, end=True), told=[HEAD, ("data", b"abc")]),
    *(
        malformed(f"8.1.1 content-length is {value!r}", headers(fields(status="200", content_length=value)))
        for value in ("", "-1", "+1", "1,1", "0x1", "9" * 19)
    ),
    # DATA (section 6.1).
    Case("6.1 padding", headers() + content(b"abc", padding=5) + content(b"", padding=0), [HEAD, ("data", b"abc")], open=True),
    Case("6.1 nothing but padding, with END_STREAM", headers() + content(b"", padding=255, end=True), [HEAD, ("end",)]),
    Case("4.1 flags without a meaning on DATA", headers() + frame(frames.DATA, b"abc", flags=EVERY_FLAG & ~PADDED), [HEAD, ("data", b"abc"), ("end",)]),
    Case("4.1 the reserved bit of a stream's number", headers(stream=1 << 31 | 1, end=True), [("head", 200, True)]),
    broken("6.1 padding of the payload's size", headers() + frame(frames.DATA, b"\x03ab", flags=PADDED), told=[HEAD]),
    broken("6.1 PADDED without its length", headers() + frame(frames.DATA, flags=PADDED), told=[HEAD]),
    broken("6.1 DATA on stream 0", content(b"a", stream=0)),
    # HEADERS (section 6.2).
    Case("6.2 padding", headers(b"\x03" + OK + bytes(3), flags=END_HEADERS | PADDED), [HEAD], open=True),
    Case("6.2 priority", headers(b"\x80\0\0\x03\x10" + OK, flags=END_HEADERS | PRIORITIZED), [HEAD], open=True),
    Case("6.2 padding and priority", headers(b"\x02\0\0\0\0\0" + OK + bytes(2), flags=END_HEADERS | PRIORITIZED | PADDED), [HEAD], open=True),
    Case("4.1 flags without a meaning on HEADERS", headers(flags=END_HEADERS | 0x52), [HEAD], open=True),
    broken("6.2 padding of the payload's size", headers(b"\x02" + OK, flags=END_HEADERS | PADDED)),
    broken("6.2 PADDED without its length", headers(b"", flags=END_HEADERS | PADDED)),
    broken("6.2 a priority cut short", headers(b"\0\0\0\0", flags=END_HEADERS | PRIORITIZED), SIZE),
    broken("6.2 padding that leaves no priority", headers(bytes([4]) + bytes(8), flags=END_HEADERS | PRIORITIZED | PADDED), SIZE),
    broken("6.2 HEADERS on stream 0", headers(stream=0)),
    # Field blocks in parts (sections 4.3, 6.10).
    Case("6.10 a block in parts", headers(b"\x88", flags=0, end=True) + frame(frames.CONTINUATION, fields(server="x")[:3]) + frame(frames.CONTINUATION, fields(server="x")[3:], flags=END_HEADERS), [("head", 200, True)]),
    Case("6.10 a block in empty parts", headers(b"", flags=0) + frame(frames.CONTINUATION, OK) + frame(frames.CONTINUATION, flags=END_HEADERS), [HEAD], open=True),
    Case("6.10 padding of HEADERS before CONTINUATION", headers(b"\x01\0", flags=PADDED) + frame(frames.CONTINUATION, OK, flags=END_HEADERS), [HEAD], open=True),
    Case("6.10 flags without a meaning on CONTINUATION", headers(b"", flags=0) + frame(frames.CONTINUATION, OK, flags=EVERY_FLAG), [HEAD], open=True),
    Case("6.10 trailers in parts", headers() + headers(TRAILERS[:4], flags=0, end=True) + frame(frames.CONTINUATION, TRAILERS[4:], flags=END_HEADERS), [HEAD, ENDED]),
    broken("6.10 CONTINUATION of nothing", frame(frames.CONTINUATION, OK, flags=END_HEADERS)),
    broken("6.10 CONTINUATION of a whole block", headers() + frame(frames.CONTINUATION, flags=END_HEADERS), told=[HEAD]),
    broken("6.10 CONTINUATION of another stream", headers(flags=0) + frame(frames.CONTINUATION, stream=3, flags=END_HEADERS)),
    broken("6.10 CONTINUATION on stream 0", headers(flags=0) + frame(frames.CONTINUATION, stream=0, flags=END_HEADERS)),
    *(
        broken(f"4.3 type {kind:#x} within a field block", headers(flags=0) + frame(kind, payload, stream))
        for kind, payload, stream in (
            (frames.DATA, b"a", 1),
            (frames.HEADERS, OK, 1),
            (frames.PRIORITY, bytes(5), 1),
            (frames.RST_STREAM, bytes(4), 1),
            (frames.SETTINGS, b"", 0),
            (frames.PING, bytes(8), 0),
            (frames.GOAWAY, bytes(8), 0),
            (frames.WINDOW_UPDATE, b"\0\0\0\1", 1),
            (0x42, b"", 1),
        )
    ),
    # PRIORITY (section 6.3).
    *(
        Case(f"6.3 PRIORITY on stream {number}", frame(frames.PRIORITY, bytes(5), number), open=True)
        for number in (1, 2, 3, 2**31 - 1)
    ),
    broken("6.3 PRIORITY on stream 0", frame(frames.PRIORITY, bytes(5), 0)),
    malformed("6.3 PRIORITY of 4 bytes", frame(frames.PRIORITY, bytes(4)), SIZE),
    malformed("6.3 PRIORITY of 6 bytes", frame(frames.PRIORITY, bytes(6)), SIZE),
    # RST_STREAM (section 6.4).
    Case("6.4 RST_STREAM", frames.rst_stream(1, ErrorCode.CANCEL), [("reset", ErrorCode.CANCEL, PEER)]),
    Case("6.4 RST_STREAM of part of a request", frames.rst_stream(1, ErrorCode.CANCEL), [("reset", ErrorCode.CANCEL, PEER)], request="open"),
    Case("6.4 RST_STREAM within an answer", headers() + frames.rst_stream(1, 2), [HEAD, ("reset", ErrorCode.INTERNAL_ERROR, PEER)]),
    Case("6.4 flags without a meaning on RST_STREAM", frame(frames.RST_STREAM, b"\0\0\0\x08", flags=EVERY_FLAG), [("reset", ErrorCode.CANCEL, PEER)]),
    broken("6.4 RST_STREAM on stream 0", frames.rst_stream(0, 8)),
    broken("6.4 RST_STREAM on an idle stream", frames.rst_stream(3, 8)),
    broken("6.4 RST_STREAM of 3 bytes", frame(frames.RST_STREAM, bytes(3)), SIZE),
    broken("6.4 RST_STREAM of 5 bytes", frame(frames.RST_STREAM, bytes(5)), SIZE),
    # PUSH_PROMISE (section 6.6), which this side forbids.
    broken("6.6 PUSH_PROMISE", frame(frames.PUSH_PROMISE, b"\0\0\0\x02" + OK, flags=END_HEADERS)),
    broken("6.6 PUSH_PROMISE on stream 0", frame(frames.PUSH_PROMISE, b"\0\0\0\x02", 0, END_HEADERS)),
    # PING (section 6.7).
    Case("6.7 PING", frames.ping(b"12345678"), sent=[Sent(frames.PING, frames.ACK, 0, b"12345678")], open=True),
    Case("6.7 the answer to a PING", frames.ping(b"12345678", ack=True), owner=[("pong", b"12345678")], open=True),
    Case("4.1 flags without a meaning on PING", frame(frames.PING, bytes(8), 0, EVERY_FLAG & ~frames.ACK), sent=[Sent(frames.PING, frames.ACK, 0, bytes(8))], open=True),
    broken("6.7 PING on a stream", frame(frames.PING, bytes(8))),
    broken("6.7 PING of 7 bytes", frame(frames.PING, bytes(7), 0), SIZE),
    broken("6.7 PING of 9 bytes", frame(frames.PING, bytes(9), 0), SIZE),
    # GOAWAY (section 6.8).
    Case("6.8 GOAWAY above the stream", frames.goaway(1, 0, b"bye"), owner=[("going_away", ErrorCode.NO_ERROR, b"bye")], open=True),
    Case("6.8 GOAWAY below the stream", frames.goaway(0, 0), [("reset", ErrorCode.REFUSED_STREAM, PEER)], [("going_away", ErrorCode.NO_ERROR, b"")]),
    Case("6.8 the reserved bit of the last stream", frame(frames.GOAWAY, b"\x80\0\0\1\0\0\0\0", 0), owner=[("going_away", ErrorCode.NO_ERROR, b"")], open=True),
    Case("6.8 an answer after GOAWAY", frames.goaway(1, 0) + headers(end=True), [("head", 200, True)], [("going_away", ErrorCode.NO_ERROR, b"")]),
    broken("6.8 GOAWAY on a stream", frame(frames.GOAWAY, bytes(8))),
    broken("6.8 GOAWAY of 7 bytes", frame(frames.GOAWAY, bytes(7), 0), SIZE),
    # WINDOW_UPDATE (section 6.9).
    Case("6.9 WINDOW_UPDATE of the connection", frames.window_update(0, 1), open=True),
    Case("6.9 WINDOW_UPDATE of a stream", frames.window_update(1, 1), open=True, request="open"),
    Case("6.9 WINDOW_UPDATE of a stream that has sent all", frames.window_update(1, 2**31 - 1), open=True),
    Case("6.9 the reserved bit of the increment", frames.window_update(0, 1 << 31 | 1), open=True),
    broken("6.9 an increment of 0 for the connection", frames.window_update(0, 0)),
    broken("6.9 an increment of 0, less the reserved bit", frames.window_update(0, 1 << 31)),
    malformed("6.9 an increment of 0 for a stream", frames.window_update(1, 0)),
    broken("6.9 WINDOW_UPDATE on an idle stream", frames.window_update(3, 1)),
    broken("6.9 WINDOW_UPDATE of 3 bytes", frame(frames.WINDOW_UPDATE, bytes(3)), SIZE),
    broken("6.9 WINDOW_UPDATE of 5 bytes", frame(frames.WINDOW_UPDATE, bytes(5)), SIZE),
    broken("6.9.1 the connection's window over 2^31-1", frames.window_update(0, 2**31 - 65_535), ErrorCode.FLOW_CONTROL_ERROR),
    Case("6.9.1 the connection's window at 2^31-1", frames.window_update(0, 2**31 - 65_536), open=True),
    malformed("6.9.1 a stream's window over 2^31-1", frames.window_update(1, 2**31 - 65_535), ErrorCode.FLOW_CONTROL_ERROR, request="open"),
    Case("6.9.1 a stream's window at 2^31-1", frames.window_update(1, 2**31 - 65_536), request="open", open=True),
    # Streams in other states (section 5.1).
    *(
        broken(f"5.1 {name} on stream {number}", received, request=request)
        for number, request in ((1, "none"), (3, "whole"), (2, "whole"), (2**31 - 1, "whole"))
        for name, received in (
            ("DATA", content(b"a", number)),
            ("HEADERS", headers(stream=number)),
            ("RST_STREAM", frames.rst_stream(number, 8)),
            ("WINDOW_UPDATE", frames.window_update(number, 1)),
        )
    ),
    *(
        Case(f"5.1 {name} on a stream that is over", headers(end=True) + received, [("head", 200, True)])
        for name, received in (
            ("DATA", content(b"a")),
            ("DATA with END_STREAM", content(b"a", end=True)),
            ("HEADERS", headers()),
            ("malformed HEADERS", headers(b"\x00\x01A\x01b")),
            ("RST_STREAM", frames.rst_stream(1, 8)),
            ("WINDOW_UPDATE", frames.window_update(1, 1)),
            ("WINDOW_UPDATE by 0", frames.window_update(1, 0)),
            ("PRIORITY", frame(frames.PRIORITY, bytes(5))),
            ("an unknown type", frame(0x42)),
        )
    ),
    Case("5.1 all that is on its way after RST_STREAM", frames.rst_stream(1, 8) + headers() + content(b"a") + headers(TRAILERS, end=True), [("reset", ErrorCode.CANCEL, PEER)]),
    # What is unknown (sections 4.1, 5.5).
    Case("4.1 an unknown type on a stream", frame(0x42, b"anything", flags=EVERY_FLAG), open=True),
    Case("4.1 an unknown type on the connection", frame(0xFF, bytes(16_384), 0), open=True),
    Case("5.5 an unknown type on an idle stream", frame(0x0A, b"", 9), open=True),
    # Sizes (section 4.2).
    Case("4.2 a frame of 16384 bytes", headers() + content(bytes(16_384)), [HEAD, ("data", bytes(16_384))], open=True),
    broken("4.2 a frame of 16385 bytes", headers() + content(bytes(16_385)), SIZE, told=[HEAD]),
    broken("4.2 the header of a frame of 16385 bytes", frames.header(16_385, 0x42, 0, 1), SIZE),
    broken("4.2 the header of a frame of 2^24-1 bytes", frames.header(2**24 - 1, 0x42, 0, 1), SIZE),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_received(case):
    link = Link()
    stream = link.request(end=case.request == "whole") if case.request != "none" else None
    link.sent()
    failed = link.receive(case.received)
    sent = link.sent()

    assert sent == case.sent
    assert link.owner.events == case.owner
    if stream is not None:
        assert stream.events == case.told
    ends = [one for one in sent if one.kind == frames.GOAWAY]
    assert (failed is not None) == bool(ends)
    if failed is None:
        assert link.connection.streams == ({1: stream} if case.open else {})
    else:
        assert ends == [goaway(failed)]
        assert link.connection.gone


def test_a_head_of_every_type_that_is_cut_short_says_nothing():
    """Section 4.1: a frame counts when it is whole."""
    for kind in range(12):
        link = Link()
        stream = link.request()
        link.sent()
        received = frame(kind, bytes(8), stream=1)
        assert link.receive(received[:-1]) is None
        assert (stream.events, link.owner.events, link.sent()) == ([], [], [])


def test_goaway_ends_the_streams_above_the_last_and_no_others():
    """Section 6.8: those above were not processed, the others go on; no new ones begin."""
    link = Link()
    first, second, third = (link.request() for _ in range(3))
    link.sent()
    assert link.connection.room > 0
    assert link.receive(frames.goaway(3, ErrorCode.NO_ERROR)) is None

    assert (first.events, second.events) == ([], [])
    assert third.events == [("reset", ErrorCode.REFUSED_STREAM, PEER)]
    assert third.unprocessed
    assert link.connection.gone
    assert link.connection.room == 0
    assert link.receive(headers(end=True) + headers(stream=3, end=True)) is None
    assert first.events == second.events == [("head", 200, True)]


def test_a_second_goaway_ends_more():
    """Section 6.8: first a warning with 2^31-1, then the last stream that counts."""
    link = Link()
    first, second = link.request(), link.request()
    assert link.receive(frames.goaway(2**31 - 1, ErrorCode.NO_ERROR)) is None
    assert (first.events, second.events) == ([], [])
    assert link.receive(frames.goaway(1, ErrorCode.ENHANCE_YOUR_CALM, b"slower")) is None
    assert first.events == []
    assert second.events == [("reset", ErrorCode.REFUSED_STREAM, PEER)]
    assert link.owner.events[-1] == ("going_away", ErrorCode.ENHANCE_YOUR_CALM, b"slower")


def test_frames_for_a_stream_that_goaway_ended_are_passed_over():
    link = Link()
    stream = link.request()
    link.sent()
    link.receive(frames.goaway(0, 0))
    assert link.receive(headers() + content(b"a") + frames.rst_stream(1, 8)) is None
    assert stream.events == [("reset", ErrorCode.REFUSED_STREAM, PEER)]
    assert link.sent() == []


def test_a_stream_may_end_others_while_it_is_told_of_goaway():
    """What a stream does when it is told reaches those that were to be told next."""
    link = Link()
    first, second = link.request(), link.request()
    first.reset = lambda reset: link.connection.cancel(second)
    assert link.receive(frames.goaway(0, 0)) is None
    assert second.events == []
    assert link.connection.streams == {}


def test_streams_are_told_apart():
    link = Link()
    first, second = link.request(), link.request()
    link.receive(
        headers(stream=3),
        headers(stream=1),
        content(b"b", 3),
        content(b"a", 1),
        headers(TRAILERS, 3, end=True),
        content(b"a", 1, end=True),
    )
    assert first.events == [HEAD, ("data", b"aa"), ("end",)]
    assert second.events == [HEAD, ("data", b"b"), ENDED]
    assert link.connection.streams == {}


def test_a_stream_ended_by_its_owner_hears_nothing_more():
    """Also where the rest is in the same bytes, and when it ends itself on what it hears."""
    link = Link()
    stream = link.request()
    link.sent()

    def head(fields, *, end):
        stream.events.append("head")
        link.connection.cancel(stream)

    stream.head = head
    assert link.receive(headers() + content(b"a") + headers(TRAILERS, end=True)) is None
    assert stream.events == ["head"]
    assert link.sent() == [rst(ErrorCode.CANCEL)]


def test_content_that_ends_a_stream_by_its_owner_is_not_followed_by_an_end():
    link = Link()
    stream = link.request()
    link.sent()

    def data(payload):
        stream.events.append(payload)
        link.connection.cancel(stream)

    stream.data = data
    assert link.receive(headers() + content(b"a", end=True)) is None
    assert stream.events == [HEAD, b"a"]
    assert link.sent() == [rst(ErrorCode.CANCEL)]


def test_a_ping_of_ours():
    link = Link()
    link.connection.ping(b"12345678")
    assert link.sent() == [Sent(frames.PING, 0, 0, b"12345678")]
    assert link.receive(frames.ping(b"12345678", ack=True)) is None
    assert link.owner.events == [("pong", b"12345678")]


def test_an_acknowledgement_is_no_setting():
    link = Link()
    assert not link.connection.acknowledged
    assert link.receive(frames.SETTINGS_ACK) is None
    assert link.connection.acknowledged
    assert (link.owner.events, link.sent()) == ([], [])
    assert ACK.payload == b""
