"""Lines that are too long for a pipe are brief there, and below what it takes in one piece."""

import json

import pytest

from gateway.call import Principal
from gateway.telemetry.access_log import AccessLog, lines_of
from tests.telemetry.records import Maker, head

PIECE = 4096
LONG = "é" * 2000


class Kept:
    """A writer that keeps lines."""

    def __init__(self, most):
        self.most = most
        self.lines = []

    def write(self, line):
        self.lines.append(line)


def made(most, form="json"):
    writer = Kept(most)
    return writer, Maker(AccessLog(lines_of(form, ()), writer))


def longest(maker, calls):
    """A request that has as much of everything as a client may send."""
    asked = head(f"/{LONG}", LONG, user_agent=LONG, referer=f"http://a/?{LONG}")
    record = maker.request(asked, request_id="x" * 128, received=10**9)
    record.operation, record.operation_type, record.document = LONG, "query", "0" * 64
    for _ in range(calls):
        call = maker.call(record)
        maker.attempt(call)
        maker.ends(call, principal=Principal(LONG, "customers", plan="pro"))
    maker.answered(record)


@pytest.mark.parametrize("form", ["json", "ncsa"])
@pytest.mark.parametrize("calls", [0, 1, 40])
def test_whatever_is_sent_a_line_is_below(form, calls):
    writer, maker = made(PIECE, form)
    longest(maker, calls)
    (line,) = writer.lines
    assert len(line) <= PIECE
    assert line.isascii()
    if form == "json":
        said = json.loads(line)
        assert said["brief"] is True
        assert said.get("calls_made", calls) == calls
        assert not {"calls", "query", "user_agent"} & said.keys()


def test_where_there_is_no_bound_it_has_all():
    writer, maker = made(10**9)
    longest(maker, 40)
    said = json.loads(writer.lines[0])
    assert len(writer.lines[0]) > PIECE
    assert {"calls", "query", "user_agent"} <= said.keys()
    assert "brief" not in said


def test_what_is_short_is_not_brief():
    writer, maker = made(PIECE)
    maker.usual(head(user_agent="curl/8"))
    assert "brief" not in json.loads(writer.lines[0])
