"""What may arrive, and when it is given back (RFC 9113 sections 5.2, 6.9).

The connection's window, and those of streams that are not paced, are given back on receipt; of a
paced stream what its owner has consumed. Nothing is given back before it is half of a window.
"""

import pytest

from gateway.wire.frames import END_HEADERS, HEADERS, ErrorCode, frame
from gateway.wire.settings import Limits
from tests.wire.link import HERE, OK, Link, content, fields, goaway, headers, rst, update

STREAM, CONNECTION = 1000, 100_000
LIMITS = Limits(stream_window=STREAM, connection_window=CONNECTION)
FLOW = ErrorCode.FLOW_CONTROL_ERROR


@pytest.fixture
def link():
    return Link(limits=LIMITS)


def answered(link, *, paced):
    stream = link.request(paced=paced)
    link.sent()
    assert link.receive(headers(stream=stream.id)) is None
    return stream


@pytest.fixture
def paced(link):
    return answered(link, paced=True)


@pytest.fixture
def unpaced(link):
    return answered(link, paced=False)


def test_a_stream_that_is_not_paced_is_given_back_on_receipt(link, unpaced):
    link.receive(content(bytes(499)))
    assert link.sent() == []
    link.receive(content(bytes(1)))
    assert link.sent() == [update(500, 1)]
    link.receive(content(bytes(1000)))
    assert link.sent() == [update(1000, 1)]
    assert unpaced.events[-1] == ("data", bytes(1500))


def test_a_paced_stream_is_given_back_as_it_is_consumed(link, paced):
    assert link.receive(content(bytes(1000))) is None
    assert link.sent() == []
    link.connection.consumed(paced, 499)
    assert link.sent() == []
    link.connection.consumed(paced, 1)
    assert link.sent() == [update(500, 1)]
    assert link.receive(content(bytes(500))) is None
    link.connection.consumed(paced, 1000)
    assert link.sent() == [update(1000, 1)]


def test_a_paced_stream_that_is_not_consumed_gets_no_more(link, paced):
    assert link.receive(content(bytes(1000))) is None
    assert link.receive(content(b"a")) is None
    assert paced.events[1:] == [("data", bytes(1000)), ("reset", FLOW, HERE)]
    assert link.sent() == [rst(FLOW)]


def test_more_than_a_streams_window_in_one_frame(link, unpaced):
    """What is over the window does not arrive, nor what is in it."""
    assert link.receive(content(bytes(1001))) is None
    assert len(unpaced.events) == 2
    assert link.sent() == [rst(FLOW)]
    assert link.connection.streams == {}


def test_all_of_a_streams_window_in_one_frame(link, unpaced):
    link.receive(content(bytes(1000)))
    assert link.sent() == [update(1000, 1)]


def test_padding_counts(link, paced):
    """Section 6.1: all of the payload does, the length of the padding too."""
    assert link.receive(content(bytes(799), padding=200)) is None
    assert link.receive(content(b"a")) is None
    assert paced.events[-1][:2] == ("reset", FLOW)


def test_padding_of_a_paced_stream_is_consumed_on_receipt(link, paced):
    for _ in range(2):
        link.receive(content(b"", padding=249))
    assert link.sent() == [update(500, 1)]
    assert paced.events[1:] == []


def test_heads_are_not_counted(link, paced):
    """Section 5.2.1: only DATA is."""
    other = link.request()
    link.sent()
    many = fields(status="200", x="v" * 2000)
    assert link.receive(headers(many, other.id)) is None
    assert link.receive(content(bytes(1000), other.id)) is None
    assert other.events[-1] == ("data", bytes(1000))


def test_an_end_gives_nothing_back_to_the_stream(link, unpaced):
    """Section 6.9: nobody will use it."""
    link.receive(content(bytes(1000), end=True))
    assert link.sent() == []
    assert unpaced.events[-1] == ("end",)


def test_what_is_consumed_after_the_end_is_not_given_back(link, paced):
    link.receive(content(bytes(1000), end=True))
    link.connection.consumed(paced, 1000)
    assert link.sent() == []


def test_what_is_consumed_after_a_reset_is_not_given_back(link, paced):
    """Section 5.1: nothing but PRIORITY is sent on a stream that is closed."""
    link.receive(content(bytes(1000)))
    link.connection.cancel(paced)
    assert link.sent() == [rst(ErrorCode.CANCEL)]
    link.connection.consumed(paced, 1000)
    assert link.sent() == []


def test_what_is_consumed_after_the_peers_reset_is_not_given_back(link, paced):
    link.receive(content(bytes(1000)), frame(3, 0, 1, bytes(4)))
    link.connection.consumed(paced, 1000)
    assert link.sent() == []


def test_what_is_consumed_of_a_stream_that_was_forgotten_is_not_the_connections(link, paced):
    link.receive(content(bytes(1000)), frame(3, 0, 1, bytes(4)))
    paced.forget()
    link.connection.consumed(paced, 1000)
    assert link.sent() == []


def test_the_connections_window_is_given_back_at_half(link):
    streams = [answered(link, paced=True) for _ in range(60)]
    for stream in streams[:49]:
        link.receive(content(bytes(1000), stream.id))
    assert link.sent() == []
    link.receive(content(bytes(1000), streams[49].id))
    assert link.sent() == [update(50_000)]


@pytest.mark.parametrize("ended", ["over", "cancelled", "refused"])
def test_content_of_streams_that_are_over_counts_for_the_connection(link, ended):
    """Section 6.9: also where the frame is in error."""
    stream = answered(link, paced=False)
    if ended == "over":
        link.receive(headers(fields(x="y"), end=True))
    elif ended == "cancelled":
        link.connection.cancel(stream)
    else:
        link.receive(content(bytes(1001)))
    link.sent()
    already = 1001 if ended == "refused" else 0
    for _ in range(5):
        assert link.receive(content(bytes(9000))) is None
    assert link.sent() == []
    assert link.receive(content(bytes(5000))) is None
    assert link.sent() == [update(50_000 + already)]


def test_content_without_a_head_counts_for_the_connection(link):
    link.request()
    link.sent()
    link.receive(content(bytes(15_000)))
    assert link.sent() == [rst(ErrorCode.PROTOCOL_ERROR)]
    for _ in range(3):
        link.receive(content(bytes(12_000)))
    assert link.sent() == [update(51_000)]


def test_a_frame_over_the_connections_window_ends_the_connection():
    """It can't happen while half is given back at once, unless the window is below two frames."""
    link = Link(limits=Limits(frame_size=2**24 - 1))
    stream = link.request()
    link.sent()
    assert link.receive(headers(), content(bytes(1024 * 1024 + 1))) is FLOW
    assert link.sent() == [goaway(FLOW)]
    assert stream.events == [("head", 200, False)]


def test_a_large_answer_passes_as_windows_are_given_back(link):
    """A hundred times the window, and the peer never waits for more than half of one."""
    stream = answered(link, paced=False)
    window = {0: CONNECTION, 1: STREAM}
    total = 0
    while total < 100 * STREAM:
        size = min(*window.values(), 700)
        assert size >= STREAM // 2 - 1
        assert link.receive(content(bytes(size))) is None
        total += size
        window = {number: left - size for number, left in window.items()}
        for sent in link.sent():
            window[sent.stream] += int.from_bytes(sent.payload, "big")
    assert stream.events[-1] == ("data", bytes(total))


def test_a_field_block_within_content_changes_no_window(link, unpaced):
    link.receive(content(bytes(499)), frame(HEADERS, END_HEADERS, 1, OK))
    assert [sent.kind for sent in link.sent()] == [3]  # a second head: RST_STREAM, no update
    assert unpaced.events[-1][:2] == ("reset", ErrorCode.PROTOCOL_ERROR)
