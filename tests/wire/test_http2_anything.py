"""Any bytes from the server: ConnectionFailed or nothing, bounded, and the same however they are cut.

The bytes are those of servers that spoke as they should (`h2`'s), cut, changed and put together.
"""

import functools
import sys
from itertools import pairwise

import h2.config
import h2.connection
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.wire import frames
from gateway.wire.failure import ConnectionFailed
from gateway.wire.frames import ErrorCode
from gateway.wire.settings import Limits
from tests.examples import examples
from tests.wire.link import Link, parse

LIMITS = Limits(
    stream_window=2_000,
    connection_window=65_535,
    header_list=4_000,
    continuations=4,
    nuisances=50,
)
REQUESTS = 4


def begin():
    """Returns a connection with requests under way, of each kind."""
    link = Link(settings=None, limits=LIMITS)
    for number in range(REQUESTS):
        link.request(b"x" * 100 * number, end=number != 2, paced=number == 3)
    return link


@functools.cache
def sessions():
    """Returns what servers say to that: frames, in several sessions."""
    client = begin()
    request = client.preface + client.connection.outgoing.take()
    found = []
    for way in range(5):
        server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        server.initiate_connection()
        server.receive_data(request)
        for number in (1, 3, 5, 7):
            server.send_headers(
                number,
                [
                    (":status", "200"),
                    ("content-type", "application/grpc"),
                    ("x", "y" * 20 * number),
                ],
                end_stream=way == 4,
            )
            if way == 4:
                continue
            server.send_data(number, b"abc" * 100, pad_length=5 if way == 1 else None)
            if way == 2:
                server.ping(b"12345678")
                server.reset_stream(number, number)
            elif way == 3:
                server.update_settings({4: number * 10, 5: 20_000})
                server.increment_flow_control_window(10, number)
                server.increment_flow_control_window(10)
            if way != 2:
                long = [("x", "z" * 17_000)] if way == 1 and number == 7 else []
                server.send_headers(number, [("grpc-status", "0"), *long], end_stream=True)
        if way == 0:
            server.close_connection(last_stream_id=7)
        data = server.data_to_send()
        found.append([frames.frame(*one) for one in parse(data)])
    return found


OWN = st.builds(
    frames.frame,
    st.integers(0, 11),
    st.sampled_from([0, 1, 4, 5, 8, 9, 0x2D, 0xFF]),
    st.sampled_from([0, 1, 3, 5, 7, 2, 9, 2**31 - 1, 2**32 - 1]),
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from([bytes(4), bytes(5), bytes(8), b"\x88", b"\0\0\0\1", b"\x7f\xff\xff\xff", b"\0\4\x7f\xff\xff\xff"]),
    ),
)  # fmt: skip


@st.composite
def conversations(draw):
    """Frames of the sessions and of nobody's, in any order, then some bytes changed."""
    spoken = sessions()
    base = list(draw(st.sampled_from(spoken)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(base)))
        what = draw(st.sampled_from(["add", "own", "own", "drop", "twice", "swap", "many"]))
        if what == "add":
            base.insert(at, draw(st.sampled_from(draw(st.sampled_from(spoken)))))
        elif what == "own":
            base.insert(at, draw(OWN))
        elif what == "many":
            base[at:at] = [draw(OWN)] * 60
        elif base[at:]:
            if what == "drop":
                del base[at]
            elif what == "twice":
                base.insert(at, base[at])
            else:
                base[at], base[0] = base[0], base[at]
    data = bytearray(b"".join(base))
    for _ in range(draw(st.integers(0, 3))):
        if data:
            at = draw(st.integers(0, len(data) - 1))
            data[at] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    return bytes(data)


def run(parts):
    """Feeds a connection; returns all that came of it."""
    link = begin()
    streams = dict(link.connection.streams)
    failed: ErrorCode | None = None
    answered = b""
    try:
        for part in parts:
            link.connection.receive(part)
            assert len(link.connection._rest) < 9 + LIMITS.frame_size
    except ConnectionFailed as failure:
        failed = failure.code
    answered = parse(link.connection.outgoing.take())
    for stream in streams.values():
        ends = [
            one
            for one in stream.events
            if one[0] in {"end", "trailers", "reset"} or one[-1] is True
        ]
        assert len(ends) <= 1
        assert not ends or [one for one in stream.events if one[0] != "writable"][-1] == ends[0]
        over = stream.id not in link.connection.streams
        assert bool(ends) == over
    kinds = [one.kind for one in answered]
    assert (failed is not None) == (frames.GOAWAY in kinds)
    assert failed is None or kinds[-1] == frames.GOAWAY
    for stream in streams:
        resets = [one for one in answered if (one.kind, one.stream) == (frames.RST_STREAM, stream)]
        assert len(resets) <= 1
    told = {number: stream.events for number, stream in streams.items()}
    return failed, answered, told, link.owner.events


def work(data):
    """Counts the calls of functions that receiving takes."""
    link = begin()
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        link.connection.receive(data)
    except ConnectionFailed:
        pass
    finally:
        sys.setprofile(before)
    return calls


def pieces(data, at):
    ends = sorted({min(one, len(data)) for one in at} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


def test_the_sessions_are_as_they_should_be():
    for session in sessions():
        failed, _, told, _ = run([b"".join(session)])
        assert failed is None
        assert all(told.values())


@settings(max_examples=examples(20), deadline=None)
@given(conversations(), st.lists(st.integers(0, 20_000), max_size=8))
def test_any_conversation_however_it_is_cut(data, at):
    assert run([data]) == run(pieces(data, at))


@settings(max_examples=examples(2), deadline=None)
@given(conversations())
def test_any_conversation_a_byte_at_a_time(data):
    data = data[:3_000]
    assert run([data]) == run([data[at : at + 1] for at in range(len(data))])


@settings(max_examples=examples(8), deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes(data, settled):
    start = frames.settings({}) if settled else b""
    assert run([start + data]) == run([start, data])


@settings(max_examples=examples(6), deadline=None)
@given(conversations())
def test_work_is_bounded_by_the_bytes(data):
    """Some calls for each frame, and for each field of a block; nothing squared."""
    assert work(data) <= 200 + 12 * len(data)


def test_settings_over_and_over_are_little_work():
    """Each could change the windows of all streams."""
    link = begin()
    link.receive(frames.settings({}))
    for _ in range(200):
        link.request(b"x" * 70_000)
    link.sent()
    one = frames.settings({4: 0})[9:] + frames.settings({4: 1})[9:]
    received = frames.frame(frames.SETTINGS, 0, 0, one * 1300)
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        assert link.receive(received) is None
    finally:
        sys.setprofile(None)
    assert calls < len(received)


def test_what_is_said_after_the_end_is_bounded():
    """A peer that never reads, and never stops asking: what is kept for it is a few kilobytes."""
    link = begin()
    link.receive(frames.settings({}))
    most = LIMITS.nuisances
    while link.receive(frames.ping(bytes(8)) + frames.settings({})) is None:
        most -= 1
        assert most >= 0
    assert len(link.connection.outgoing.take()) < 10_000
