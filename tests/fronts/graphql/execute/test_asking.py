"""A server stream as GraphQL asks for one: what is taken, and what is counted of it."""

from gateway.call import Call
from gateway.fronts.graphql.execute.asking import AskedStream
from tests.telemetry.records import METHOD, Maker


async def test_the_request_is_taken_once_and_counted_as_all_that_is_sent():
    record = Maker().request().call(METHOD)
    seen = []

    async def take(message):
        seen.append(message)

    stream = AskedStream.of(Call(METHOD, b"four", record=record), take)
    assert [await stream.receive(), await stream.receive()] == [b"four", None]
    await stream.send(b"reply")
    assert seen == [b"reply"]
    assert (record.received, record.received_bytes) == (1, 4)
    assert (record.sent, record.sent_bytes) == (1, 5)
