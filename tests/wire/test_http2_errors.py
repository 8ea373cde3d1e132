"""Every error code of RFC 9113 section 7: those that this side says, and all of them as heard.

Not said by this side, and why:

- INTERNAL_ERROR: an owner may say it (`cancel`, `fail`); the connection has no such cause of its own.
- SETTINGS_TIMEOUT: a matter of time, so of the driver, which says it by `fail`.
- STREAM_CLOSED: a client forgets a stream with the peer's END_STREAM, in which state frames are
  passed over (section 5.1, "closed"): they may be on their way since before a RST_STREAM.
- REFUSED_STREAM: for who accepts streams, and this side forbids them (ENABLE_PUSH 0).
- CONNECT_ERROR: for tunnels. INADEQUATE_SECURITY: TLS is the driver's. HTTP_1_1_REQUIRED: a server's.
"""

import pytest

from gateway.wire import frames
from gateway.wire.frames import ErrorCode
from gateway.wire.settings import Limits
from tests.wire.link import HERE, PEER, Link, content, fields, goaway, headers, rst

NOT_SAID = {
    ErrorCode.INTERNAL_ERROR,
    ErrorCode.SETTINGS_TIMEOUT,
    ErrorCode.STREAM_CLOSED,
    ErrorCode.REFUSED_STREAM,
    ErrorCode.CONNECT_ERROR,
    ErrorCode.INADEQUATE_SECURITY,
    ErrorCode.HTTP_1_1_REQUIRED,
}
LIMITS = Limits(stream_window=100, header_list=200, continuations=2, nuisances=3)
PINGS = frames.ping(bytes(8)) * 4

# Where it is said ("connection" by GOAWAY, "stream" by RST_STREAM), the code, what causes it.
CAUSES = [
    ("connection", ErrorCode.PROTOCOL_ERROR, "DATA on an idle stream", content(b"a", 3)),
    ("stream", ErrorCode.PROTOCOL_ERROR, "DATA before a head", content(b"a")),
    ("connection", ErrorCode.FLOW_CONTROL_ERROR, "a window that overflows", frames.window_update(0, 2**31 - 1)),
    ("stream", ErrorCode.FLOW_CONTROL_ERROR, "content over the window", headers() + content(bytes(101))),
    ("connection", ErrorCode.FRAME_SIZE_ERROR, "PING of 9 bytes", frames.frame(frames.PING, 0, 0, bytes(9))),
    ("stream", ErrorCode.FRAME_SIZE_ERROR, "PRIORITY of 4 bytes", frames.frame(frames.PRIORITY, 0, 1, bytes(4))),
    ("connection", ErrorCode.COMPRESSION_ERROR, "an index of the dynamic table", headers(b"\xbe")),
    ("connection", ErrorCode.COMPRESSION_ERROR, "a field cut short", headers(b"\x88\x00\x05a")),
    ("connection", ErrorCode.COMPRESSION_ERROR, "a table that has a size", headers(b"\x3f\xe1\x1f\x88")),
    ("connection", ErrorCode.ENHANCE_YOUR_CALM, "a flood of PING", PINGS),
    ("connection", ErrorCode.ENHANCE_YOUR_CALM, "a block without end", headers(flags=0) + frames.frame(frames.CONTINUATION, 0, 1) * 3),
    ("stream", ErrorCode.ENHANCE_YOUR_CALM, "a head that is too large", headers(fields(status="200", x="v" * 200))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "code", "cause", "received"),
    CAUSES,
    ids=[f"{one[1].name}: {one[2]}" for one in CAUSES],
)
def test_said(scope, code, cause, received):
    link = Link(limits=LIMITS)
    stream = link.request()
    link.sent()
    failed = link.receive(received)
    if scope == "connection":
        assert failed is code
        assert link.sent()[-1] == goaway(code)
    else:
        assert failed is None
        assert link.sent() == [rst(code)]
        assert stream.events[-1] == ("reset", code, HERE)
        assert link.receive(frames.ping(bytes(8))) is None  # the connection goes on


def test_cancel_is_said_by_default():
    link = Link()
    stream = link.request()
    link.sent()
    link.connection.cancel(stream)
    assert link.sent() == [rst(ErrorCode.CANCEL)]


def test_no_error_is_said_of_a_request_whose_answer_is_whole():
    link = Link()
    link.request(end=False)
    link.sent()
    link.receive(headers(end=True))
    assert link.sent() == [rst(ErrorCode.NO_ERROR)]


@pytest.mark.parametrize("code", ErrorCode, ids=lambda code: code.name)
def test_an_owner_may_end_the_connection_with_any(code):
    """The driver's part: NO_ERROR at its end, SETTINGS_TIMEOUT by its clock."""
    link = Link()
    link.connection.fail(code)
    assert link.sent() == [goaway(code)]
    assert link.connection.gone
    assert link.connection.room == 0


def test_every_code_is_said_or_it_is_known_why_not():
    said = {code for _, code, _, _ in CAUSES} | {ErrorCode.CANCEL, ErrorCode.NO_ERROR}
    assert said | NOT_SAID == set(ErrorCode)
    assert not said & NOT_SAID


NUMBERS = [
    *((int(code), code) for code in ErrorCode),
    *((number, ErrorCode.INTERNAL_ERROR) for number in (0xE, 0xFF, 2**31, 2**32 - 1)),
]


@pytest.mark.parametrize(("number", "code"), NUMBERS, ids=[hex(number) for number, _ in NUMBERS])
def test_heard_by_rst_stream(number, code):
    """Section 7: those that are not defined count as INTERNAL_ERROR."""
    link = Link()
    stream = link.request()
    link.sent()
    assert link.receive(frames.rst_stream(1, number)) is None
    assert stream.events == [("reset", code, PEER)]
    assert stream.unprocessed == (code is ErrorCode.REFUSED_STREAM)
    assert link.sent() == []  # section 5.4.2: no RST_STREAM answers one


@pytest.mark.parametrize(("number", "code"), NUMBERS, ids=[hex(number) for number, _ in NUMBERS])
def test_heard_by_goaway(number, code):
    link = Link()
    first, second = link.request(), link.request()
    link.sent()
    assert link.receive(frames.goaway(1, number, b"why")) is None
    assert link.owner.events == [("going_away", code, b"why")]
    assert first.events == []
    assert second.events == [("reset", ErrorCode.REFUSED_STREAM, PEER)]
    assert second.unprocessed


def test_what_this_side_refuses_was_processed():
    """A stream that broke a rule may have done its work: it must not be sent again."""
    link = Link()
    stream = link.request()
    link.sent()
    link.receive(content(b"a"))
    assert not stream.unprocessed
