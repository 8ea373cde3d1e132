"""Request streams: a body that can't be had, in the words of a stream."""

from __future__ import annotations

import pytest

from gateway.call import RpcError
from gateway.fronts.rest.media import BodyForm
from gateway.fronts.rest.requests import JsonStream, RawStream, splitter
from gateway.http import BodyError, BodyFault


async def broken(fault, *pieces):
    for piece in pieces:
        yield piece
    raise BodyError(fault, 1.0)


async def whole(*pieces):
    for piece in pieces:
        yield piece


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        # The wait for a unary body has a limit of its own; a stream's is that nothing passes at all.
        (BodyFault.TIMEOUT, "STREAM_IDLE"),
        (BodyFault.TOO_LARGE, "BODY_TOO_LARGE"),
        (BodyFault.INCOMPLETE, "BODY_INCOMPLETE"),
        (BodyFault.ENCODING, "UNSUPPORTED_CONTENT_ENCODING"),
    ],
)
async def test_a_stream_that_breaks_gives_what_came_and_then_the_error(fault, reason):
    stream = JsonStream(broken(fault, b"1\n"), splitter(BodyForm.NDJSON, 100), bytes)
    assert await stream.receive() == b"1"
    with pytest.raises(RpcError) as caught:
        await stream.receive()
    assert caught.value.reason == reason


async def test_an_empty_body_is_no_message():
    assert await JsonStream(whole(), splitter(BodyForm.JSON, 100), bytes).receive() is None


async def test_an_empty_raw_body_is_one_message():
    stream = RawStream(whole(), bytes)
    assert [await stream.receive(), await stream.receive()] == [b"", None]
