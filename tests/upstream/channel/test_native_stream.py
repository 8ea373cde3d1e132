"""What a streaming call gives back of its HTTP/2 window, and when."""

import asyncio
from types import SimpleNamespace

import pytest

from gateway.upstream.channel.native_stream import StreamRun
from gateway.wire.grpc import Head, Messages, prefixed


class Connection:
    """Counts the bytes that were given back."""

    def __init__(self):
        self.given_back = 0

    def consumed(self, _stream, size):
        self.given_back += size


@pytest.fixture
async def run():
    loop = asyncio.get_running_loop()
    run = StreamRun(SimpleNamespace(message_size=1000, loop=loop), SimpleNamespace(), b"")
    run.connection = Connection()
    run._head = Head(b"identity", ())
    run._messages = Messages(1000, b"identity")
    return run


MESSAGE = prefixed(bytes(100))


async def test_bytes_are_given_back_when_their_message_is_taken(run):
    run.data(MESSAGE * 2)
    assert run.connection.given_back == 0
    run._take()
    assert run.connection.given_back == len(MESSAGE)


async def test_a_part_of_a_message_is_given_back_to_a_reader_that_waits_for_it(run):
    run._waiter = asyncio.get_running_loop().create_future()
    run.data(MESSAGE[:50])
    assert run.connection.given_back == 50


async def test_but_not_where_it_was_woken_for_messages_that_it_has_not_taken(run):
    run._waiter = asyncio.get_running_loop().create_future()
    run.data(MESSAGE)  # wakes the reader, whose turn has not come yet
    run.data(MESSAGE[:50])
    assert run.connection.given_back == 0
    run._take()
    assert run.connection.given_back == len(MESSAGE)
