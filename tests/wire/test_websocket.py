"""What frames make up, beside websockets' own reading of the same bytes."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from gateway.wire.websocket import Incoming
from gateway.wire.websocket_frames import BINARY, CONT, PING, PONG, TEXT, Broken
from tests.listener.wire import frame

MOST = 300


def read(wire, pieces=(1 << 30,)):
    """Returns what is read from bytes that come in pieces, fragments left out, and how it ends."""
    incoming, events = Incoming(MOST, None), []
    buffer, come, turn = bytearray(), 0, 0
    try:
        while come < len(wire):
            size = pieces[turn % len(pieces)]
            buffer += wire[come : come + size]
            come, turn, at = come + size, turn + 1, 0
            while (event := incoming.next(buffer, at)) is not None:
                opcode, brought, at = event
                if opcode != CONT:
                    events.append((opcode, brought))
            del buffer[:at]
    except Broken as broken:
        return events, broken.code
    return events, None


def theirs(wire):
    """The same by websockets; messages are joined, measured and decoded here."""
    protocol = ServerProtocol(state=OPEN, max_size=None)  # its limit counts control frames, too
    protocol.receive_data(wire)
    events, joined, kind = [], b"", None
    for read_frame in protocol.events_received():
        if read_frame.opcode in (Opcode.PING, Opcode.PONG):
            events.append((int(read_frame.opcode), bytes(read_frame.data)))
            continue
        kind = kind if read_frame.opcode is Opcode.CONT else int(read_frame.opcode)
        joined += read_frame.data
        if len(joined) > MOST:
            return events, 1009
        if read_frame.fin:
            try:
                events.append((kind, joined.decode() if kind == TEXT else joined))
            except UnicodeDecodeError:
                return events, 1007
            joined = b""
    return events, protocol.close_sent.code if protocol.close_sent else None


payloads = st.one_of(
    st.text(max_size=40).map(str.encode),
    st.binary(max_size=40),
    st.integers(100, 400).map(bytes),
)
honest = st.builds(
    lambda opcode, data, fin: frame(opcode, data, fin=fin or opcode >= 8),
    st.sampled_from([CONT, TEXT, BINARY, PING, PONG]),
    payloads,
    st.booleans(),
)
messages = st.lists(st.text(max_size=20).map(str.encode), min_size=1, max_size=4).map(
    lambda parts: b"".join(
        frame(CONT if at else TEXT, part, fin=at == len(parts) - 1) for at, part in enumerate(parts)
    )
)
odd = st.builds(
    lambda opcode, data, fin, rsv, mask: frame(opcode, data, fin=fin, rsv=rsv, mask=mask),
    st.integers(0, 15).filter(lambda opcode: opcode != 8),  # closes are another module's
    payloads,
    st.booleans(),
    st.sampled_from([0, 0, 0, 1, 4]),
    st.sampled_from([b"abcd", b"abcd", b""]),
)


@given(
    st.lists(st.one_of(messages, messages, honest, odd), max_size=8).map(b"".join),
    st.lists(st.integers(1, 50), min_size=1, max_size=5),
)
@example(frame(TEXT, bytes(MOST)) + frame(BINARY, bytes(MOST + 1)), [1])
@example(frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), [7])
@example(frame(PING, bytes(126)), [3])
def test_it_is_read_as_websockets_reads_it_however_it_comes(wire, pieces):
    events, code = read(wire, pieces)
    assert (events, code) == read(wire)
    their_events, their_code = theirs(wire)
    if code == 1007:  # text is checked earlier here
        assert their_events[: len(events)] == events
    else:
        assert (events, code) == (their_events, their_code)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([b"\xce\xba", b"\xf4\x90"], id="in the second fragment"),
        pytest.param([b"\xff"], id="in the first"),
        pytest.param([b"\xe2", b"\x82", b"x"], id="a character cut by fragments"),
    ],
)
def test_text_that_is_none_ends_before_the_last_fragment(parts):
    """The RFC asks for it only at the end of the message (section 8.1); so nobody waits."""
    wire = b"".join(frame(CONT if at else TEXT, p, fin=False) for at, p in enumerate(parts))
    assert read(wire) == ([], 1007)


def test_what_is_too_large_is_known_from_the_head():
    assert read(frame(BINARY, bytes(MOST + 1))[:8]) == ([], 1009)
    begun = frame(BINARY, bytes(MOST), fin=False)
    assert read(begun + frame(CONT, b"x")[:2]) == ([], 1009)
    assert read(begun + frame(CONT)) == ([(BINARY, bytes(MOST))], None)
