"""A peer that means harm: floods, sizes without end, memory (RFC 9113 section 10.5)."""

import pytest

from gateway.wire import frames
from gateway.wire.frames import END_HEADERS, ErrorCode
from gateway.wire.hpack import Decoder
from gateway.wire.settings import Limits
from tests.wire.link import OK, PEER, Link, content, fields, headers, rst

CALM = ErrorCode.ENHANCE_YOUR_CALM
SECONDS, MOST = 10.0, 100
LIMITS = Limits(nuisances=MOST, nuisance_seconds=SECONDS)


def frame(kind, payload=b"", stream=1, flags=0):
    return frames.frame(kind, flags, stream, payload)


# What brings nothing; stream 1 is over, stream 3 has a head and stream 5 has none.
NUISANCES = {
    "SETTINGS": frames.settings({}),
    "PING": frames.ping(bytes(8)),
    "answers to PING": frames.ping(bytes(8), ack=True),
    "GOAWAY": frames.goaway(2**31 - 1, 0),
    "empty DATA": content(b"", 3),
    "padded empty DATA": content(b"", 3, padding=0),
    "empty DATA on a closed stream": content(b"", 1),
    "padded empty DATA on a closed stream": content(b"", 1, padding=0),
    "HEADERS on a closed stream": headers(),
    "RST_STREAM on a closed stream": frames.rst_stream(1, 8),
    "PRIORITY": frame(frames.PRIORITY, bytes(5), 3),
    "PRIORITY on an idle stream": frame(frames.PRIORITY, bytes(5), 99),
    "PRIORITY of 4 bytes on a closed stream": frame(frames.PRIORITY, bytes(4)),
    "interim heads": headers(fields(status="103"), 5),
    "frames of unknown types": frame(0x42),
}


@pytest.fixture
def link():
    link = Link(limits=LIMITS)
    for _ in range(3):
        link.request()
    link.sent()
    link.clock.now = 1000.0
    # One too many, so that the count begins now; a RST_STREAM is free for each of the requests.
    link.receive(headers(end=True), headers(stream=3), frames.rst_stream(1, 0))
    link.receive(frame(0x42) * (MOST + 2))
    link.sent()
    link.receive(frames.ping(bytes(8)))  # the first after an answer brings something
    return link


@pytest.mark.parametrize("nuisance", NUISANCES.values(), ids=NUISANCES)
def test_many_in_a_short_time(link, nuisance):
    link.clock.now += SECONDS / 2
    assert link.receive(nuisance * MOST) is None
    assert link.receive(nuisance) is CALM


@pytest.mark.parametrize("nuisance", NUISANCES.values(), ids=NUISANCES)
def test_as_many_in_a_longer_time(link, nuisance):
    for _ in range(5):
        assert link.receive(nuisance * MOST) is None
        link.clock.now += SECONDS
        assert link.receive(nuisance) is None


def test_they_count_together(link):
    each = b"".join(NUISANCES.values())
    times, rest = divmod(MOST, len(NUISANCES))
    assert link.receive(each * times, NUISANCES["PING"] * rest) is None
    assert link.receive(NUISANCES["SETTINGS"]) is CALM


def test_a_ping_a_second_for_days(link):
    """A keepalive is no flood, however many there were."""
    for _ in range(3 * 24 * 60):
        for _ in range(6):
            link.clock.now += 10.0
            assert link.receive(frames.ping(bytes(8))) is None
        link.sent()


def test_a_ping_for_each_answer(link):
    """So servers measure the link: the next ping follows the answer to the last, all the time."""
    for _ in range(10 * MOST):
        link.sent()
        assert link.receive(frames.ping(bytes(8))) is None


def test_what_crosses_with_cancellations(link):
    """A head, trailers and a RST_STREAM of each may be on their way: that was our doing."""
    streams = [link.request() for _ in range(5 * MOST)]
    link.sent()
    for stream in streams:
        link.connection.cancel(stream)
    link.sent()
    for stream in streams:
        crossing = headers(stream=stream.id) + headers(OK, stream.id, end=True)
        assert link.receive(crossing, frames.rst_stream(stream.id, 8)) is None
    assert link.receive(frame(0x42) * 2 * MOST) is None  # the requests had a RST_STREAM free too
    assert link.receive(frame(0x42)) is CALM


def test_what_did_not_cross_with_cancellations_is_forgotten(link):
    """Else a connection with many cancelled calls could be flooded with thrice as many frames."""
    for _ in range(1000):
        streams = [link.request() for _ in range(10)]
        link.sent()
        for stream in streams:
            link.connection.cancel(stream)
        link.clock.now += SECONDS / 10
    received = 0
    while link.receive(frame(0x42)) is None:
        received += 1
        assert received < 10 * MOST


def test_a_flood_after_a_long_rest(link):
    link.clock.now += 1e6
    received = 0
    while link.receive(frames.ping(bytes(8))) is None:
        received += 1
        assert received <= 2 * MOST + 1


def test_what_brings_something_is_no_flood(link):
    """A byte a frame, and a window for each frame that we sent: slow, but no harm."""
    assert link.receive(content(b"a", 3) * 10 * MOST) is None
    assert link.receive(frames.window_update(0, 1) * 10 * MOST) is None


def test_answers_of_many_requests_are_no_flood(link):
    for number in range(7, 7 + 10 * MOST, 2):
        assert link.request().id == number
        link.sent()
        assert link.receive(headers(stream=number), content(b"", number, end=True)) is None


def test_a_reset_after_each_answer_is_no_flood(link):
    """A server that answers early says that it wants no more of the request (RFC 9113, 8.1)."""
    for number in range(7, 7 + 10 * MOST, 2):
        link.request()
        link.sent()
        assert link.receive(headers(stream=number, end=True), frames.rst_stream(number, 0)) is None


def test_resets_are_not_saved_up(link):
    """Else a connection that has answered many calls could be flooded as often."""
    for number in range(7, 7 + 20 * MOST, 2):
        link.request()
        link.sent()
        link.receive(headers(stream=number, end=True))
    assert link.receive(frames.rst_stream(1, 0) * 2 * MOST) is None
    assert link.receive(frames.rst_stream(1, 0)) is CALM


def test_requests_that_the_peer_resets_are_no_flood(link):
    """Each was asked for by this side."""
    for number in range(7, 7 + 10 * MOST, 2):
        stream = link.request()
        link.sent()
        assert link.receive(frames.rst_stream(number, ErrorCode.REFUSED_STREAM)) is None
        assert stream.events == [("reset", ErrorCode.REFUSED_STREAM, PEER)]
    assert len(link.connection.streams) == 2


# Field blocks.


def blocks(size):
    """Returns a head of `size`, as SETTINGS_MAX_HEADER_LIST_SIZE counts it, by fields that are new."""
    block = OK
    left = size - len(block) - 32
    assert left >= 38
    while left:
        length = min(left, 200)
        if 0 < left - length < 38:
            length -= 38
        value = b"v" * (length - 32 - 4 - (length - 36 > 127))
        block += b"\x00\x01x" + (
            bytes([len(value)]) if len(value) < 127 else b"\x7f" + bytes([len(value) - 127])
        ) + value  # fmt: skip
        left -= length
    return block


def in_parts(block, size, stream=1, end=False):
    parts = [block[at : at + size] for at in range(0, len(block), size)]
    received = headers(parts[0], stream, 0, end=end)
    for part in parts[1:-1]:
        received += frame(frames.CONTINUATION, part, stream)
    return received + frame(frames.CONTINUATION, parts[-1], stream, END_HEADERS)


@pytest.mark.parametrize("size", [300, 1000, 1001, 1500])
@pytest.mark.parametrize("cut", [False, True])
def test_a_field_section_that_is_too_large_ends_its_stream(size, cut):
    link = Link(limits=Limits(header_list=1000))
    stream = link.request()
    other = link.request()
    link.sent()
    block = blocks(size)
    assert link.receive(in_parts(block, 100) if cut else headers(block)) is None
    if size <= 1000:
        assert stream.events == [("head", 200, False)]
        assert link.sent() == []
    else:
        assert stream.events[0][:2] == ("reset", CALM)
        assert link.sent() == [rst(CALM)]
    assert link.receive(headers(stream=3, end=True)) is None
    assert other.events == [("head", 200, True)]


def test_many_fields_that_are_short_as_they_arrive():
    """32 bytes of overhead each: 100 bytes may stand for 3,300."""
    link = Link(limits=Limits(header_list=1000))
    stream = link.request()
    link.sent()
    assert link.receive(headers(OK + b"\x90" * 30)) is None
    assert stream.events == [("reset", CALM, stream.events[0][2])]


def test_trailers_that_are_too_large():
    link = Link(limits=Limits(header_list=1000))
    stream = link.request()
    link.sent()
    link.receive(headers(), headers(fields(x="v" * 1000), end=True))
    assert stream.events[-1][:2] == ("reset", CALM)


def test_more_fields_than_allowed_end_the_connection():
    link = Link()
    link.request()
    link.sent()
    assert link.receive(headers(OK + b"\x90" * 256)) is ErrorCode.COMPRESSION_ERROR


def test_continuation_without_end():
    """Empty ones too: they cost no bytes of a block."""
    for part in (b"", b"x", bytes(16_384)):
        link = Link(limits=Limits(continuations=5))
        link.request()
        link.sent()
        assert link.receive(headers(flags=0), frame(frames.CONTINUATION, part) * 5) is None
        assert link.receive(frame(frames.CONTINUATION, part)) is CALM


def test_the_last_continuation_that_is_allowed():
    link = Link(limits=Limits(continuations=5))
    stream = link.request()
    link.sent()
    assert link.receive(headers(flags=0), frame(frames.CONTINUATION) * 4) is None
    assert link.receive(frame(frames.CONTINUATION, flags=END_HEADERS)) is None
    assert stream.events == [("head", 200, False)]


# One decoder for two connections.


def test_a_decoder_that_connections_share():
    """A block means the same on each, whoever saw it first, and nobody's mistakes are another's."""
    decoder = Decoder()
    first, second = Link(decoder=decoder), Link(decoder=decoder)
    block = fields(status="200", server="x")
    answers = []
    for _ in range(3):
        for link in (first, second):
            stream = link.request()
            link.sent()
            link.receive(
                headers(block, stream.id), headers(fields(grpc_status="0"), stream.id, end=True)
            )
            answers.append(stream.events)
    assert answers == [[("head", 200, False), ("trailers", (("grpc-status", b"0"),))]] * 6


def test_a_block_that_was_a_head_is_no_trailers_on_another_connection():
    decoder = Decoder()
    first, second = Link(decoder=decoder), Link(decoder=decoder)
    for link, others in ((first, []), (second, [headers()])):
        stream = link.request()
        link.sent()
        link.receive(*others, headers(fields(status="200", server="x"), stream.id, end=True))
    assert stream.events[-1][:2] == ("reset", ErrorCode.PROTOCOL_ERROR)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(OK + OK, id="a status twice"),
        pytest.param(fields(server="x"), id="no status"),
        pytest.param(OK + b"\x00\x01A\x01b", id="a bad name"),
        pytest.param(fields(status="2x0"), id="a bad status"),
        pytest.param(fields(status="200", content_length="1") + fields(content_length="2"), id="two lengths"),
        pytest.param(OK + b"\x00\x0aconnection\x01x", id="a field of HTTP/1"),
    ],
)  # fmt: skip
def test_what_is_malformed_stays_so(block):
    """However often it comes, and though it may be kept."""
    decoder = Decoder()
    for _ in range(4):
        link = Link(decoder=decoder)
        stream = link.request()
        link.sent()
        link.receive(headers(block))
        assert stream.events[0][:2] == ("reset", ErrorCode.PROTOCOL_ERROR)


# Memory.


def test_part_of_a_frame_is_all_that_is_kept():
    link = Link()
    stream = link.request()
    link.sent()
    received = headers() + content(bytes(16_384)) + frames.ping(bytes(8))
    for at in range(len(received)):
        assert link.receive(received[at : at + 1]) is None
        assert len(link.connection._rest) < 9 + 16_384
    assert link.connection._rest == b""
    assert stream.events == [("head", 200, False), ("data", bytes(16_384))]


def test_nothing_is_kept_of_streams_that_are_over():
    link = Link()
    for number in range(1, 2001, 2):
        stream = link.request(b"abc", end=number % 4 == 1)
        link.sent()
        link.receive(headers(stream=number), headers(fields(x="y"), number, end=True))
        assert stream.id == number
    assert link.connection.streams == {}
    assert link.connection.outgoing._blocked == {}
