"""Frames as bytes: RFC 6455 sections 5.2, 5.5.1 and 7.4; websockets reads what is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close
from websockets.protocol import OPEN, Protocol, Side

from gateway.wire.websocket_frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Broken,
    close_payload,
    frame,
    read_close,
    span,
)
from tests.listener.wire import frame as masked


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_client_reads_what_is_written(opcode, size):
    client = Protocol(Side.CLIENT, state=OPEN, max_size=None)
    client.receive_data(frame(opcode, b"x" * size))
    (read,) = client.events_received()
    assert (read.opcode, read.data, read.fin) == (opcode, b"x" * size, True)


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_control_frames(opcode):
    assert frame(opcode, b"ab") == bytes([0x80 | opcode, 2]) + b"ab"


@pytest.mark.parametrize(
    ("size", "head"),
    [
        pytest.param(1, b"\xc1\x01", id="short"),
        pytest.param(126, b"\xc1\x7e\x00\x7e", id="16 bits"),
        pytest.param(65_536, b"\xc1\x7f\x00\x00\x00\x00\x00\x01\x00\x00", id="64 bits"),
    ],
)
def test_what_is_packed_says_so(size, head):
    assert frame(TEXT, b"x" * size, packed=True) == head + b"x" * size
    assert frame(TEXT, memoryview(b"x" * size), packed=True) == head + b"x" * size


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_span_is_known_from_the_head(size):
    wire = b"before" + masked(TEXT, b"x" * size)
    head = len(wire) - size - 4  # without its mask
    assert span(wire, 6) == (len(wire) - size, len(wire))
    assert span(wire[:head], 6) == (len(wire) - size, len(wire))
    for short in range(6, head):
        assert span(wire[:short], 6) is None


def test_a_frame_without_a_mask_is_broken():
    with pytest.raises(Broken) as broken:
        span(b"\x81\x01a", 0)
    assert broken.value.code == 1002


@given(st.integers(0, 65_535), st.text(max_size=130))
def test_close_frames_are_as_websockets_has_them(code, reason):
    try:
        theirs = Close(code, reason).serialize()
    except Exception:  # noqa: BLE001  whatever it refuses
        theirs = None
    if theirs is None or len(theirs) > 125:
        with pytest.raises(ValueError, match="can't say"):
            close_payload(code, reason)
    else:
        assert close_payload(code, reason) == theirs
        assert read_close(theirs) == (code, reason)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"\x03", 1002, id="half a code"),
        pytest.param(b"\x03\xee", 1002, id="1006"),
        pytest.param(b"\x03\xf7", 1002, id="1015"),
        pytest.param(b"\x13\x88", 1002, id="5000"),
        pytest.param(b"\x03\xe8\xff", 1007, id="a reason that is not UTF-8"),
    ],
)
def test_closes_that_are_broken(data, code):
    with pytest.raises(Broken) as broken:
        read_close(data)
    assert broken.value.code == code


def test_a_close_without_a_code():
    assert read_close(b"") == (1005, "")
