import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.sse import comment, event


@pytest.mark.parametrize(
    ("made", "wire"),
    [
        pytest.param(event("x"), b"data: x\n\n", id="data"),
        pytest.param(event(""), b"data: \n\n", id="empty data is an event"),
        pytest.param(event("a\nb"), b"data: a\ndata: b\n\n", id="LF splits data"),
        pytest.param(event("a\r\nb"), b"data: a\ndata: b\n\n", id="CR LF is one line ending"),
        pytest.param(event("a\rb"), b"data: a\ndata: b\n\n", id="CR splits data"),
        pytest.param(event("a\n"), b"data: a\ndata: \n\n", id="a last line ending is kept"),
        pytest.param(
            event("a\u2028b\x0bc"), "data: a\u2028b\x0bc\n\n".encode(), id="nothing else splits"
        ),
        pytest.param(event(" x"), b"data:  x\n\n", id="a leading space is kept"),
        pytest.param(event("x", name="error"), b"event: error\ndata: x\n\n", id="event name"),
        pytest.param(event("x", identity="7"), b"id: 7\ndata: x\n\n", id="id"),
        pytest.param(event("x", identity=""), b"id: \ndata: x\n\n", id="an empty id resets it"),
        pytest.param(event(retry=1500), b"retry: 1500\n\n", id="retry alone"),
        pytest.param(
            event("x", name="n", identity="i", retry=1),
            b"event: n\nid: i\nretry: 1\ndata: x\n\n",
            id="all",
        ),
        pytest.param(comment(), b":\n\n", id="empty comment"),
        pytest.param(comment("a\r\nb"), b": a\n: b\n\n", id="a comment of two lines"),
    ],
)
def test_format(made, wire):
    assert made == wire


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"name": "a\nb"}, id="LF in a name"),
        pytest.param({"name": "a\rb"}, id="CR in a name"),
        pytest.param({"identity": "a\nb"}, id="LF in an id"),
        pytest.param({"identity": "a\0"}, id="NUL in an id"),
        pytest.param({"retry": -1}, id="negative retry"),
    ],
)
def test_fields_that_cannot_be_written_are_refused(fields):
    with pytest.raises(ValueError):
        event("x", **fields)


def interpret(stream):
    """The events of a stream, by the steps of WHATWG HTML 9.2.6."""
    events, data, name, identity = [], "", "", ""
    for line in re.split(r"\r\n|\n|\r", stream):
        if not line:
            if data:
                events.append((name or "message", data[:-1], identity))
            data, name = "", ""
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data += value + "\n"
        elif field == "event":
            name = value
        elif field == "id" and "\0" not in value:
            identity = value
    return events


words = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))


@given(st.text(st.characters(exclude_categories=["Cs"])), words, words)
def test_a_browser_reads_what_was_meant(data, name, identity):
    stream = comment(data) + event(data, name=name, identity=identity) + comment()
    lines = re.sub(r"\r\n|\r", "\n", data)
    assert interpret(stream.decode()) == [(name or "message", lines, identity)]
