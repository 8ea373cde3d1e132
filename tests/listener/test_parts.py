"""The small sans-IO parts: where a head ends, which are remembered, how a reply's head is written."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.listener.cut import Cutter
from gateway.listener.faults import Refused
from gateway.listener.fields import lines
from gateway.listener.head import KEY_SIZE, HeadReader
from gateway.listener.presence import Presence, presence
from gateway.listener.reply import chunk, head

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@given(st.lists(st.integers(0, 3 * len(HEAD) + 4)))
def test_heads_are_cut_alike_however_they_come(cuts):
    wire = b"\r\n" + HEAD + HEAD + b"\r\n" + HEAD + b"tail"
    cutter, received, found, at = Cutter(), bytearray(), [], 0
    for end in [*sorted(cuts), len(wire)]:
        received += wire[at:end]
        at = max(at, end)
        while (one := cutter.cut(received, 1000)) is not None:
            found.append(one)
    assert found == [HEAD] * 3
    assert received == b"tail"
    assert cutter.begun


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"\x16\x03", 400, id="TLS"),
        pytest.param(b"GET / HTTP/1.1\nA", 400, id="a bare LF"),
        pytest.param(b"GET /" + b"a" * 100, 431, id="no end in sight"),
        pytest.param(HEAD[:-2] + b"a: " + b"b" * 100 + b"\r\n\r\n", 431, id="too large, whole"),
    ],
)
def test_what_becomes_no_head_is_refused_early(sent, status):
    with pytest.raises(Refused) as refused:
        Cutter().cut(bytearray(sent), 100)
    assert refused.value.fault.status == status


def test_long_fields_are_read_and_not_remembered():
    reader = HeadReader()
    for size in (KEY_SIZE // 2, KEY_SIZE):
        data = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * size + b"\r\n\r\n"
        first, again = (reader.read(data, "http", "")[1] for _ in range(2))
        assert (first is again) == (size < KEY_SIZE)


def test_header_lines():
    made = lines([("X-A", "1"), ("SERVER", "x"), ("X-a", "\tü\xff"), ("Connection", "close")])
    assert made == "X-A: 1\r\nX-a: \tü\xff\r\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [("", "a"), ("a b", "a"), ("a:", "a"), ("ä", "a"), ("a", "\r"), ("a", "\n"), ("a", "\0"),
     ("a", "\x7f"), ("a", "€"), ("connection", "\r\n")],
)  # fmt: skip
def test_header_lines_that_cannot_be_sent(name, value):
    for _ in range(2):  # what is remembered of names lets none through
        with pytest.raises(ValueError, match="can't be sent"):
            lines([(name, value)])


def test_many_made_up_names_are_not_remembered_for_ever():
    for n in range(3000):
        lines([(f"x-{n}", "1")])
    from gateway.listener.fields import _known

    assert len(_known) <= 1000
    assert lines([("x" * 1000, "1")]) == "x" * 1000 + ": 1\r\n"
    assert "x" * 1000 not in _known


def test_the_head_of_a_reply():
    data = head(200, "x-a: \xff\r\n", "Content-Length: 0\r\n")
    start, server, date, *rest = data.split(b"\r\n")
    assert (start, server) == (b"HTTP/1.1 200 OK", b"Server: gateway")
    assert date.startswith(b"Date: ")
    assert rest == [b"x-a: \xff", b"Content-Length: 0", b"", b""]


def test_a_chunk():
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"


@pytest.fixture(params=["tcp", "unix"])
def pair(request):
    if request.param == "unix":
        ours, theirs = socket.socketpair(socket.AF_UNIX)
    else:
        with socket.create_server(("127.0.0.1", 0)) as server:
            theirs = socket.create_connection(server.getsockname())
            ours, _ = server.accept()
    yield ours, theirs
    ours.close()
    theirs.close()


def test_who_is_there(pair):
    ours, theirs = pair
    theirs.sendall(b"unread")
    assert presence(ours.fileno()) is Presence.HERE
    theirs.shutdown(socket.SHUT_WR)
    assert presence(ours.fileno()) is Presence.ENDED


def test_who_has_gone(pair):
    ours, theirs = pair
    theirs.sendall(b"unread")
    if theirs.family != socket.AF_UNIX:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    assert presence(ours.fileno()) is Presence.GONE
