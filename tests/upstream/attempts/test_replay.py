"""What was sent of a stream is kept, as long as it is little and nobody has answered."""

import asyncio

import pytest

from gateway.call import NO_METADATA, Metadata
from gateway.errors import error
from gateway.upstream.attempts.replay import KEPT, Replay
from tests.upstream.clients import Client


async def taken(call):
    """What an attempt that ends here would have been given."""
    messages = []
    while (message := await call.receive()) is not None:
        messages.append(message)
    return messages


async def test_each_attempt_has_all_messages_and_their_end():
    client = Client("m", [b"1", b"2", b"3"])
    replay = Replay(client)
    assert await taken(replay) == [b"1", b"2", b"3"]
    replay.rewind(NO_METADATA)
    assert await taken(replay) == [b"1", b"2", b"3"]
    assert client.taken == 3
    await replay.close()


async def test_an_attempt_begins_with_what_others_took_and_goes_on_with_what_comes():
    replay = Replay(Client("m", [b"1", b"2", b"3"]))
    assert await replay.receive() == b"1"
    replay.rewind(NO_METADATA)
    assert await taken(replay) == [b"1", b"2", b"3"]
    await replay.close()


async def test_a_message_that_comes_between_attempts_is_not_lost():
    gate = asyncio.Event()
    replay = Replay(Client("m", [b"1", gate, b"2"]))
    assert await replay.receive() == b"1"
    pump = asyncio.create_task(replay.receive())
    await asyncio.sleep(0)
    pump.cancel()
    await asyncio.wait({pump})
    gate.set()
    await asyncio.sleep(0)
    replay.rewind(NO_METADATA)
    assert await taken(replay) == [b"1", b"2"]
    await replay.close()


async def test_an_answer_commits_and_what_is_under_way_goes_on():
    client = Client("m", [b"1", b"2", b"3"])
    replay = Replay(client)
    await replay.receive()
    replay.rewind(NO_METADATA)
    await replay.start(Metadata([("a", "b")]))
    assert replay.committed
    assert client.started == [Metadata([("a", "b")])]
    assert await taken(replay) == [b"1", b"2", b"3"]
    await replay.send(b"reply")
    assert client.replies == [b"reply"]
    await replay.close()


@pytest.mark.parametrize(("size", "committed"), [(KEPT - 5, False), (KEPT - 4, True)])
async def test_as_much_is_kept(size, committed):
    replay = Replay(Client("m", [bytes(size), b"2"]))
    assert len(await replay.receive()) == size
    assert replay.committed is committed
    assert await replay.receive() == b"2"
    await replay.close()


async def test_no_number_of_small_messages_is_kept():
    replay = Replay(Client("m", [b""] * 20_000))
    assert len(await taken(replay)) == 20_000
    assert replay.committed
    await replay.close()


async def test_what_is_too_much_while_an_attempt_catches_up_reaches_it_whole():
    replay = Replay(Client("m", [b"1", b"2", bytes(KEPT), b"4"]))
    await replay.receive()
    await replay.receive()
    replay.rewind(NO_METADATA)
    assert [len(each) for each in await taken(replay)] == [1, 1, KEPT, 1]
    await replay.close()


async def test_a_client_s_mistake_is_no_reason_to_try_again():
    replay = Replay(Client("m", [error("INVALID_JSON", "no")]))
    with pytest.raises(Exception, match="no"):
        await replay.receive()
    assert replay.committed
    await replay.close()


async def test_nothing_is_left_of_a_client_that_says_nothing():
    replay = Replay(Client("m", [asyncio.Event()]))
    pump = asyncio.create_task(replay.receive())
    await asyncio.sleep(0)
    pump.cancel()
    await asyncio.wait({pump})
    await replay.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_it_is_the_call_that_it_stands_for():
    client = Client("m", metadata=Metadata([("a", "b")]), peer="203.0.113.7", request_id="r")
    assert Replay(client).parts() == client.parts()
