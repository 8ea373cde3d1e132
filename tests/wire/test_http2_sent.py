"""What this side sends: requests, the windows that hold them back, and requests taken back.

RFC 9113 sections 4.3, 5.2, 6.9, 8.1.
"""

import gc

import pytest

from gateway.wire import frames, hpack
from gateway.wire.frames import END_HEADERS, END_STREAM, ErrorCode
from tests.wire.link import (
    ACK,
    REQUEST,
    Link,
    Sent,
    content,
    data,
    headers,
    rst,
)

CANCEL = ErrorCode.CANCEL
WINDOW = 65_535
MOST = 16_384


def head(stream=1, block=REQUEST, *, end=False, first=None):
    """A request's HEADERS; the first of a connection says that there is no table."""
    first = stream == 1 if first is None else first
    block = b"\x20" + block if first else block
    return Sent(frames.HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block)


def room_for(link, stream=0, *, size):
    link.receive(frames.window_update(stream, size))


# Requests.


def test_a_request_with_content():
    link = Link()
    link.request(b"abc")
    assert link.sent() == [head(), data(b"abc", end=True)]


def test_a_request_with_empty_content_ends():
    link = Link()
    link.request(b"")
    assert link.sent() == [head(), data(b"", end=True)]


def test_a_request_that_goes_on():
    link = Link()
    stream = link.request(b"ab", end=False)
    assert link.sent() == [head(), data(b"ab")]
    assert link.connection.send(stream, b"cd", end=False)
    assert link.connection.send(stream, b"", end=False)
    assert link.connection.send(stream, b"e", end=True)
    assert link.sent() == [data(b"cd"), data(b"e", end=True)]
    assert stream.events == []


def test_a_request_whose_content_comes_later():
    link = Link()
    stream = link.request(end=False)
    assert link.sent() == [head()]
    assert link.connection.send(stream, b"", end=True)
    assert link.sent() == [data(b"", end=True)]


def test_streams_are_numbered_by_the_odd():
    """Section 5.1.1."""
    link = Link()
    assert [link.request().id for _ in range(4)] == [1, 3, 5, 7]


def test_only_the_first_block_says_that_there_is_no_table():
    """RFC 7541 section 4.2: a table that shrinks is told at the start of the next block."""
    link = Link()
    for _ in range(3):
        link.request()
    link.sent()
    link.request()
    assert link.sent() == [head(7), data(b"", 7, end=True)]


def test_nothing_is_sent_on_a_stream_that_is_over():
    link = Link()
    stream = link.request(end=False)
    link.sent()
    link.receive(frames.rst_stream(1, CANCEL))
    assert link.connection.send(stream, b"abc", end=True)
    assert link.sent() == []


# Sizes of frames (section 4.2).


def test_content_in_frames_that_the_peer_takes():
    link = Link()
    link.request(bytes(MOST + 1))
    assert link.sent() == [head(), data(bytes(MOST)), data(b"\0", end=True)]


def test_content_in_one_frame_that_just_fits():
    link = Link()
    link.request(bytes(MOST))
    assert link.sent() == [head(), data(bytes(MOST), end=True)]


def test_larger_frames_where_the_peer_takes_them():
    link = Link({frames.MAX_FRAME_SIZE: MOST + 1})
    link.request(bytes(MOST + 1))
    assert link.sent() == [head(), data(bytes(MOST + 1), end=True)]


@pytest.mark.parametrize("size", [MOST, MOST + 1, 2 * MOST, 2 * MOST + 1, 3 * MOST - 1])
def test_a_block_larger_than_a_frame_is_continued(size):
    """Sections 4.3 and 6.10: END_HEADERS at the last part only, END_STREAM at the first."""
    link = Link()
    link.request()
    link.sent()
    block = REQUEST + hpack.field("x", b"v" * (size - len(REQUEST) - 7))
    block += bytes(size - len(block))  # the peer's business
    link.request(b"abc", block=block)
    first, *parts, last = link.sent()
    assert last == data(b"abc", 3, end=True)
    assert (first.kind, first.stream) == (frames.HEADERS, 3)
    assert all((part.kind, part.stream) == (frames.CONTINUATION, 3) for part in parts)
    assert first.payload + b"".join(part.payload for part in parts) == block
    flags = [first.flags, *(part.flags for part in parts)]
    assert flags == [*[0] * len(parts), END_HEADERS]
    assert all(len(part.payload) <= MOST for part in (first, *parts))


def test_a_block_larger_than_a_frame_without_content():
    link = Link()
    link.request(block=bytes(MOST), end=True)
    first, last = link.sent()
    assert (first.flags, last.flags) == (END_STREAM, END_HEADERS)


# Windows (sections 5.2, 6.9).


def test_the_streams_window_holds_content_back():
    link = Link({frames.INITIAL_WINDOW_SIZE: 3})
    stream = link.request(b"abcdefgh")
    assert link.sent() == [head(), data(b"abc")]
    room_for(link, 1, size=4)
    assert link.sent() == [data(b"defg")]
    assert stream.events == []
    room_for(link, 1, size=4)
    assert link.sent() == [data(b"h", end=True)]
    assert stream.events == [("writable",)]


def test_the_connections_window_holds_content_back():
    link = Link({frames.INITIAL_WINDOW_SIZE: 2**20})
    link.request(bytes(WINDOW - 1))
    link.sent()
    stream = link.request(b"abc")
    assert link.sent() == [head(3), data(b"a", 3)]
    room_for(link, size=1)
    assert link.sent() == [data(b"b", 3)]
    room_for(link, size=1)
    assert link.sent() == [data(b"c", 3, end=True)]
    assert stream.events == [("writable",)]


def test_a_window_of_nothing_lets_heads_and_ends_pass():
    """Section 6.9.1: an empty frame needs no window."""
    link = Link({frames.INITIAL_WINDOW_SIZE: 0})
    link.request(b"")
    stream = link.request(end=False)
    assert link.connection.send(stream, b"", end=True)
    assert link.sent() == [
        head(),
        data(b"", end=True),
        head(3, first=True),
        data(b"", 3, end=True),
    ]


def test_heads_pass_when_the_connections_window_is_used_up():
    link = Link({frames.INITIAL_WINDOW_SIZE: 2**20})
    link.request(bytes(WINDOW))
    link.sent()
    link.request(b"")
    link.request(b"abc")
    assert link.sent() == [head(3), data(b"", 3, end=True), head(5)]


def test_what_waits_is_sent_in_order():
    link = Link({frames.INITIAL_WINDOW_SIZE: 0})
    stream = link.request(b"ab", end=False)
    assert not link.connection.send(stream, b"cd", end=False)
    assert not link.connection.send(stream, b"ef", end=True)
    assert link.sent() == [head()]
    room_for(link, 1, size=3)
    room_for(link, 1, size=9)
    assert link.sent() == [data(b"abc"), data(b"def", end=True)]
    assert stream.events == [("writable",)]


def test_an_end_waits_for_the_content_before_it():
    link = Link({frames.INITIAL_WINDOW_SIZE: 0})
    stream = link.request(b"ab", end=False)
    assert not link.connection.send(stream, b"", end=True)
    link.sent()
    room_for(link, 1, size=2)
    assert link.sent() == [data(b"ab", end=True)]


def test_both_windows_count():
    link = Link({frames.INITIAL_WINDOW_SIZE: 40_000})
    link.request(bytes(40_000))
    second = link.request(bytes(40_000))
    sent = link.sent()
    assert sum(len(one.payload) for one in sent if one.kind == frames.DATA) == WINDOW
    room_for(link, 3, size=50_000)
    assert link.sent() == []
    room_for(link, size=50_000)
    assert sum(len(one.payload) for one in link.sent()) == 80_000 - WINDOW
    assert second.events == [("writable",)]


def test_a_smaller_initial_window_makes_windows_negative():
    """Section 6.9.2, with the RFC's own figures: 60 KB are sent, then the window is 16 KB."""
    link = Link({frames.INITIAL_WINDOW_SIZE: 60_000})
    stream = link.request(bytes(60_000) + b"abc")
    link.sent()
    link.receive(frames.settings({frames.INITIAL_WINDOW_SIZE: 16_000}))
    assert link.sent() == [ACK]
    room_for(link, 1, size=44_000)
    assert link.sent() == []
    room_for(link, 1, size=2)
    assert link.sent() == [data(b"ab")]
    link.receive(frames.settings({frames.INITIAL_WINDOW_SIZE: 16_001}))
    assert link.sent() == [ACK, data(b"c", end=True)]
    assert stream.events == [("writable",)]


def test_an_end_passes_a_negative_window():
    link = Link()
    stream = link.request(b"abc", end=False)
    link.receive(frames.settings({frames.INITIAL_WINDOW_SIZE: 0}))
    link.sent()
    assert link.connection.send(stream, b"", end=True)
    assert link.sent() == [data(b"", end=True)]


def test_a_new_initial_window_holds_for_new_streams():
    link = Link()
    link.receive(frames.settings({frames.INITIAL_WINDOW_SIZE: 2}))
    link.sent()
    link.request(b"abc")
    assert link.sent()[1:] == [data(b"ab")]


def test_a_new_initial_window_leaves_the_connections_as_it_is():
    link = Link({frames.INITIAL_WINDOW_SIZE: 2**31 - 1})
    link.request(bytes(WINDOW + 1))
    assert sum(len(one.payload) for one in link.sent()[1:]) == WINDOW


def test_a_new_initial_window_that_takes_a_streams_over_the_largest_ends_the_connection():
    link = Link()
    link.request(end=False)
    room_for(link, 1, size=1)
    code = link.receive(frames.settings({frames.INITIAL_WINDOW_SIZE: 2**31 - 1}))
    assert code is ErrorCode.FLOW_CONTROL_ERROR


def test_a_new_initial_window_does_not_concern_streams_that_have_sent_all():
    link = Link()
    link.request()
    link.sent()
    room_for(link, 1, size=2**31 - 1)
    assert link.receive(frames.settings({frames.INITIAL_WINDOW_SIZE: 2**31 - 1})) is None


# Turns.


def test_streams_that_wait_for_the_connections_window_take_turns():
    """A frame each: a large request does not keep the others waiting."""
    link = Link({frames.INITIAL_WINDOW_SIZE: 2**20})
    streams = [link.request(bytes(WINDOW)), *(link.request(bytes(2 * MOST)) for _ in range(3))]
    link.sent()
    room_for(link, size=4 * MOST)
    order = [(one.stream, len(one.payload)) for one in link.sent()]
    assert order == [(3, MOST), (5, MOST), (7, MOST), (3, MOST)]
    room_for(link, size=MOST + 1)
    assert [(one.stream, len(one.payload)) for one in link.sent()] == [(5, MOST), (7, 1)]
    room_for(link, size=WINDOW)
    assert [(one.stream, one.flags) for one in link.sent()] == [(7, END_STREAM)]
    assert [stream.events for stream in streams] == [[], *[[("writable",)]] * 3]


def test_who_waits_for_its_own_window_does_not_hold_others_up():
    link = Link({frames.INITIAL_WINDOW_SIZE: 3})
    link.request(b"abcdef")
    link.request(b"xyz")
    assert link.sent() == [
        head(),
        data(b"abc"),
        head(3),
        data(b"xyz", 3, end=True),
    ]


def test_a_small_window_of_the_connection_goes_to_who_may_use_it():
    link = Link({frames.INITIAL_WINDOW_SIZE: WINDOW})
    link.request(bytes(WINDOW) + b"waits for its stream")
    link.request(b"waits for the connection")
    link.sent()
    room_for(link, size=5)
    assert link.sent() == [data(b"waits", 3)]


# Requests taken back.


def test_a_request_taken_back_before_it_left_was_never_there():
    link = Link()
    link.request()
    link.sent()
    stream = link.request(b"abc")
    assert link.connection.cancel(stream)
    assert link.sent() == []
    assert link.connection.streams.keys() == {1}
    assert stream.events == []


def test_a_request_taken_back_between_others():
    link = Link()
    link.request(b"a")
    stream = link.request(b"b")
    link.request(b"c")
    link.connection.ping(bytes(8))
    assert link.connection.cancel(stream)
    assert link.sent() == [
        head(),
        data(b"a", end=True),
        head(5, first=True),
        data(b"c", 5, end=True),
        Sent(frames.PING, 0, 0, bytes(8)),
    ]


def test_a_request_taken_back_gives_its_window_back():
    link = Link()
    streams = [link.request(bytes(MOST)) for _ in range(3)]
    for stream in streams:
        assert link.connection.cancel(stream)
    link.request(bytes(WINDOW))
    assert sum(len(one.payload) for one in link.sent()[1:]) == WINDOW


def test_a_window_that_is_given_back_goes_to_those_that_wait():
    """They would wait for ever: the peer, which saw nothing of it, has nothing to give back."""
    link = Link()
    gone = [link.request(bytes(MOST)) for _ in range(3)]
    waits = link.request(bytes(2 * MOST))
    for stream in gone:
        assert link.connection.cancel(stream)
    sent = link.sent()
    assert {one.stream for one in sent} == {7}
    assert sum(len(one.payload) for one in sent[1:]) == 2 * MOST
    assert sent[-1].flags == END_STREAM
    assert waits.events == [("writable",)]


def test_a_window_that_is_given_back_is_used_once():
    link = Link({frames.INITIAL_WINDOW_SIZE: 2**20})
    gone = link.request(bytes(100))
    waits = link.request(bytes(WINDOW - 100), end=False)
    assert not link.connection.send(waits, b"abc", end=False)
    link.connection.cancel(gone)
    assert link.connection.send(waits, b"def", end=True)
    room_for(link, size=10)
    sent = link.sent()
    assert b"".join(one.payload for one in sent[1:]) == bytes(WINDOW - 100) + b"abcdef"
    assert [bool(one.flags & END_STREAM) for one in sent[1:]].count(True) == 1
    assert sent[-1].flags == END_STREAM


def test_the_first_request_taken_back_leaves_the_table_to_the_next():
    """Whoever is first to leave says that there is no table."""
    link = Link({frames.HEADER_TABLE_SIZE: 0})
    assert link.connection.cancel(link.request())
    assert link.sent() == []
    link.request()
    link.request()
    first, _, *_ = link.sent()
    assert first == head(3, first=True)


def test_the_first_of_several_taken_back_leaves_the_table_to_the_next():
    link = Link()
    first = link.request()
    link.request()
    assert link.connection.cancel(first)
    assert link.sent()[0] == head(3, first=True)
    link.request()
    assert link.sent()[0] == head(5)


def test_the_first_request_has_told_of_the_table_once_it_left_and_is_held_no_longer():
    link = Link()
    first = link.request()
    link.sent()
    assert not link.connection.cancel(first)
    assert first not in gc.get_referents(link.connection)
    link.request()
    assert head(3) in link.sent()


def test_a_request_that_has_left_is_reset():
    link = Link()
    stream = link.request()
    link.sent()
    assert not link.connection.cancel(stream)
    assert link.sent() == [rst(CANCEL)]
    assert stream.events == []


def test_a_request_of_which_some_content_follows_its_head_is_reset():
    link = Link()
    stream = link.request(end=False)
    link.connection.send(stream, b"abc", end=False)
    link.connection.cancel(stream)
    sent = link.sent()
    assert sent in ([], [head(), data(b"abc"), rst(CANCEL)])


def test_content_that_waits_is_not_sent_after_a_reset():
    link = Link({frames.INITIAL_WINDOW_SIZE: 1})
    stream = link.request(b"abc")
    link.sent()
    link.connection.cancel(stream)
    room_for(link, size=100)
    room_for(link, 1, size=100)
    assert link.sent() == [rst(CANCEL)]


def test_content_that_waits_for_the_connection_is_not_sent_after_the_peers_reset():
    link = Link({frames.INITIAL_WINDOW_SIZE: 2**20})
    link.request(bytes(WINDOW + 10))
    link.sent()
    link.receive(frames.rst_stream(1, CANCEL))
    room_for(link, size=100)
    assert link.sent() == []


def test_the_code_of_a_reset():
    link = Link()
    stream = link.request()
    link.sent()
    link.connection.cancel(stream, ErrorCode.INTERNAL_ERROR)
    assert link.sent() == [rst(ErrorCode.INTERNAL_ERROR)]


def test_a_stream_is_cancelled_once():
    link = Link()
    stream = link.request()
    link.sent()
    link.connection.cancel(stream)
    assert not link.connection.cancel(stream)
    assert link.sent() == [rst(CANCEL)]


def test_a_stream_that_is_over_is_not_reset():
    link = Link()
    stream = link.request()
    link.sent()
    link.receive(headers(end=True))
    assert not link.connection.cancel(stream)
    assert link.sent() == []


def test_a_stream_that_was_forgotten_is_sent_again():
    """On another connection, with the windows of that."""
    link, other = Link(), Link({frames.INITIAL_WINDOW_SIZE: 2})
    other.request()
    other.sent()
    stream = link.request(b"abc")
    link.sent()
    link.receive(frames.goaway(0, 0))
    stream.forget()
    other.connection.request(stream, REQUEST, b"abc", end=True)
    assert other.sent() == [head(3), data(b"ab", 3)]
    other.receive(headers(stream=3, end=True))
    assert stream.events[-1] == ("head", 200, True)


def test_a_whole_answer_while_content_waits_ends_the_request():
    """Section 8.1: nobody wants the rest of it."""
    link = Link({frames.INITIAL_WINDOW_SIZE: 1})
    stream = link.request(b"abc")
    link.sent()
    link.receive(headers() + content(b"x", end=True))
    assert link.sent() == [rst(ErrorCode.NO_ERROR)]
    room_for(link, 1, size=5)
    assert link.sent() == []
    assert stream.events == [("head", 200, False), ("data", b"x"), ("end",)]
