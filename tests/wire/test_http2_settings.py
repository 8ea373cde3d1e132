"""The preface, and the peer's settings (RFC 9113 sections 3.4, 4.2, 6.5)."""

import pytest

from gateway.wire import frames
from gateway.wire.frames import ErrorCode
from gateway.wire.hpack import Decoder
from gateway.wire.http2_client import ClientConnection
from gateway.wire.settings import Limits
from tests.wire.link import ACK, Link, Owner, Sent, content, data, goaway, headers, parse, update

PROTOCOL, SIZE = ErrorCode.PROTOCOL_ERROR, ErrorCode.FRAME_SIZE_ERROR
FLOW = ErrorCode.FLOW_CONTROL_ERROR


def setting(number: int, value: int) -> bytes:
    return number.to_bytes(2, "big") + value.to_bytes(4, "big")


def set_frame(*settings: bytes, flags: int = 0, stream: int = 0) -> bytes:
    return frames.frame(frames.SETTINGS, flags, stream, b"".join(settings))


# What this side says first.


def test_the_preface_is_the_magic_then_settings_then_the_connections_window():
    connection = ClientConnection(Owner(), Decoder(), Limits())
    first = connection.outgoing.take()
    assert first.startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    settings, window = parse(first[24:])
    assert settings == Sent(
        frames.SETTINGS,
        0,
        0,
        setting(1, 0)
        + setting(2, 0)
        + setting(4, 65_536)
        + setting(5, 16_384)
        + setting(6, 65_536),
    )
    assert window == update(1024 * 1024 - 65_535)


def test_the_settings_are_those_of_the_limits():
    limits = Limits(
        stream_window=1, connection_window=65_535, frame_size=2**24 - 1, header_list=2**32 - 1
    )
    connection = ClientConnection(Owner(), Decoder(), limits)
    assert parse(connection.outgoing.take()[24:]) == [
        Sent(
            frames.SETTINGS,
            0,
            0,
            setting(1, 0) + setting(2, 0) + setting(4, 1) + setting(5, 2**24 - 1) + setting(6, 2**32 - 1),
        )
    ]  # fmt: skip


def test_a_larger_frame_that_the_limits_allow():
    link = Link(limits=Limits(frame_size=20_000))
    stream = link.request()
    assert link.receive(headers() + content(bytes(20_000))) is None
    assert stream.events[1] == ("data", bytes(20_000))
    assert link.receive(content(bytes(20_001))) is SIZE


# What the peer says first.


def test_there_is_no_room_before_the_peers_settings():
    link = Link(settings=None)
    assert (link.connection.ready, link.connection.room) == (False, 0)
    assert link.receive(set_frame()) is None
    assert link.connection.ready
    assert link.connection.room > 1_000_000
    assert link.owner.events == [("settled",)]
    assert link.sent() == [ACK]


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(frames.SETTINGS_ACK, id="an acknowledgement"),
        pytest.param(frames.ping(bytes(8)), id="PING"),
        pytest.param(frames.goaway(0, 0), id="GOAWAY"),
        pytest.param(frames.window_update(0, 1), id="WINDOW_UPDATE"),
        pytest.param(headers(), id="HEADERS"),
        pytest.param(content(b"a"), id="DATA"),
        pytest.param(frames.frame(0x42, 0, 0), id="an unknown type"),
        pytest.param(frames.frame(frames.CONTINUATION, 4, 1), id="CONTINUATION"),
    ],
)
def test_the_first_frame_is_settings(first):
    """Section 3.4."""
    link = Link(settings=None)
    assert link.receive(first) is PROTOCOL
    assert link.sent() == [goaway(PROTOCOL)]
    assert not link.connection.ready


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        b"\x15\x03\x03\x00\x02\x02\x46 an alert of TLS",
        b"220 mail.example ESMTP\r\n",
    ],
)
def test_who_speaks_something_else_is_known_by_the_first_bytes(answer):
    """Section 3.4: nothing waits for more of a frame that is none."""
    link = Link(settings=None)
    assert link.receive(answer) in {PROTOCOL, SIZE}
    assert link.connection.gone


# Each setting.


@pytest.mark.parametrize(
    ("number", "value", "code"),
    [
        pytest.param(1, 0, None, id="HEADER_TABLE_SIZE 0"),
        pytest.param(1, 2**32 - 1, None, id="HEADER_TABLE_SIZE 2^32-1"),
        pytest.param(2, 0, None, id="ENABLE_PUSH 0"),
        pytest.param(2, 1, PROTOCOL, id="ENABLE_PUSH 1, which a server may not say"),
        pytest.param(2, 2, PROTOCOL, id="ENABLE_PUSH 2"),
        pytest.param(3, 0, None, id="MAX_CONCURRENT_STREAMS 0"),
        pytest.param(3, 2**32 - 1, None, id="MAX_CONCURRENT_STREAMS 2^32-1"),
        pytest.param(4, 0, None, id="INITIAL_WINDOW_SIZE 0"),
        pytest.param(4, 2**31 - 1, None, id="INITIAL_WINDOW_SIZE 2^31-1"),
        pytest.param(4, 2**31, FLOW, id="INITIAL_WINDOW_SIZE 2^31"),
        pytest.param(4, 2**32 - 1, FLOW, id="INITIAL_WINDOW_SIZE 2^32-1"),
        pytest.param(5, 2**14 - 1, PROTOCOL, id="MAX_FRAME_SIZE 2^14-1"),
        pytest.param(5, 2**14, None, id="MAX_FRAME_SIZE 2^14"),
        pytest.param(5, 2**24 - 1, None, id="MAX_FRAME_SIZE 2^24-1"),
        pytest.param(5, 2**24, PROTOCOL, id="MAX_FRAME_SIZE 2^24"),
        pytest.param(6, 0, None, id="MAX_HEADER_LIST_SIZE, which is advice"),
        pytest.param(0, 1, None, id="an unknown setting"),
        pytest.param(0xFFFF, 2**32 - 1, None, id="the last unknown setting"),
    ],
)
def test_the_bounds_of_a_setting(number, value, code):
    """Section 6.5.2."""
    link = Link()
    assert link.receive(set_frame(setting(number, value))) is code
    assert link.owner.events == ([] if code else [("settled",)])
    assert (goaway(code) in link.sent()) if code else (link.sent() == [ACK])


@pytest.mark.parametrize(
    ("received", "code"),
    [
        pytest.param(set_frame(stream=1), PROTOCOL, id="on a stream"),
        pytest.param(set_frame(flags=frames.ACK, stream=1), PROTOCOL, id="acknowledged on a stream"),
        pytest.param(set_frame(b"\0\0\0\0\0"), SIZE, id="5 bytes"),
        pytest.param(set_frame(setting(1, 1), b"\0"), SIZE, id="7 bytes"),
        pytest.param(set_frame(setting(1, 1), flags=frames.ACK), SIZE, id="an acknowledgement that sets"),
        pytest.param(set_frame(setting(4, 2**31), setting(4, 1)), FLOW, id="a wrong value, then a right one"),
        pytest.param(set_frame(setting(4, 1), setting(5, 1)), PROTOCOL, id="a right value, then a wrong one"),
    ],
)  # fmt: skip
def test_settings_that_end_the_connection(received, code):
    link = Link()
    assert link.receive(received) is code
    assert link.sent()[-1] == goaway(code)


def test_flags_without_a_meaning_are_ignored():
    link = Link()
    assert link.receive(set_frame(setting(3, 1), flags=0xFF & ~frames.ACK)) is None
    assert link.connection.most_streams == 1


def test_the_last_value_counts():
    """Section 6.5.3: values in the order in which they stand."""
    link = Link()
    link.receive(set_frame(setting(3, 5), setting(3, 7), setting(0x99, 3), setting(3, 6)))
    assert link.connection.most_streams == 6


def test_each_settings_frame_is_acknowledged():
    link = Link()
    link.receive(set_frame(), set_frame(setting(3, 9)))
    assert link.sent() == [ACK, ACK]


def test_what_new_settings_free_follows_the_acknowledgement():
    """Section 6.5.3: until it reads that, the peer counts by the old ones."""
    link = Link({frames.INITIAL_WINDOW_SIZE: 2})
    stream = link.request(b"abcdef")
    assert link.sent()[1:] == [data(b"ab")]
    link.receive(set_frame(setting(4, 5)))
    assert link.sent() == [ACK, data(b"cde")]
    link.receive(set_frame(setting(4, 9)))
    assert link.sent() == [ACK, data(b"f", end=True)]
    assert stream.events == [("writable",)]


def test_frames_after_the_acknowledgement_keep_to_the_new_size_whatever_the_order_of_settings():
    link = Link({frames.INITIAL_WINDOW_SIZE: 0, frames.MAX_FRAME_SIZE: 40_000})
    link.request(bytes(60_000))
    link.sent()
    link.receive(set_frame(setting(4, 40_000), setting(5, 16_384)))
    assert [len(sent.payload) for sent in link.sent()] == [0, 16_384, 16_384, 40_000 - 2 * 16_384]


def test_values_on_the_way_to_the_last_free_nothing():
    """A window that opens and closes within one frame was never open."""
    link = Link({frames.INITIAL_WINDOW_SIZE: 0})
    link.request(b"abcdef")
    link.sent()
    link.receive(set_frame(*[setting(4, 6), setting(4, 0)] * 1000))
    assert link.sent() == [ACK]


# How many streams.


def test_room_is_what_the_peer_allows_less_what_is_open():
    """Section 5.1.2."""
    link = Link({frames.MAX_CONCURRENT_STREAMS: 2})
    assert link.connection.room == 2
    first = link.request()
    assert link.connection.room == 1
    second = link.request()
    assert link.connection.room == 0
    link.receive(headers(end=True))
    assert link.connection.room == 1
    link.connection.cancel(second)
    assert link.connection.room == 2
    assert first.events == [("head", 200, True)]


def test_fewer_streams_than_are_open_leave_no_room():
    link = Link()
    for _ in range(3):
        link.request()
    link.receive(set_frame(setting(3, 2)))
    assert link.connection.room <= 0
    assert len(link.connection.streams) == 3
    link.receive(headers(end=True), headers(stream=3, end=True))
    assert link.connection.room == 1


def test_streams_that_are_used_up():
    """Section 5.1.1: numbers are not used twice; the last is 2^31-1."""
    link = Link()
    link.connection._next = 2**31 - 1  # a thousand million requests later
    link.sent()
    stream = link.request()
    assert stream.id == 2**31 - 1
    assert link.connection.room == 0
    assert link.receive(headers(stream=2**31 - 1, end=True)) is None
    assert stream.events == [("head", 200, True)]
    assert link.connection.room == 0
