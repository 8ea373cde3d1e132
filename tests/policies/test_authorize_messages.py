"""Each message of a stream is looked at before the backend has it."""

from __future__ import annotations

import asyncio

import pytest

from gateway.call import Code, Metadata, Principal, RpcError
from gateway.policies.authorize_messages import AuthorizeMessages
from tests.policies.streams import Client

ADA = Principal("ada", "customers")
BOB = Principal("bob", "customers")


class Good:
    """Holds for messages that begin with the caller's name."""

    def __init__(self):
        self.asked = []

    def allows_message(self, call, message):
        self.asked.append(message)
        name = "" if call.principal is None else call.principal.subject
        return message.startswith(name.encode() or b"?")


async def run(*messages, principal=ADA, between=None):
    """What the backend received of a stream, and how the stream ended."""
    client = Client("a.B/C", messages=list(messages), principal=principal, peer="203.0.113.7")
    received = []

    async def backend(call):
        assert (call.method, call.peer, call.principal) == ("a.B/C", "203.0.113.7", principal)
        await call.start(Metadata([("a", "1")]))
        while (message := await call.receive()) is not None:
            received.append(message)
            await call.send(b"re:" + message)
            if between is not None:
                between(client)
        return Metadata([("t", "2")])

    policy = AuthorizeMessages(Good(), ["Bearer"])
    try:
        ended = await policy.stream(client, backend)
    except RpcError as failure:
        ended = failure
    return received, client.heard, ended


async def test_what_is_allowed_passes_both_ways():
    received, heard, ended = await run(b"ada 1", b"ada 2")
    assert received == [b"ada 1", b"ada 2"]
    assert heard == [Metadata([("a", "1")]), b"re:ada 1", b"re:ada 2"]
    assert ended == Metadata([("t", "2")])


@pytest.mark.parametrize("at", [0, 1, 2])
async def test_what_is_not_ends_the_stream_and_never_reaches_the_backend(at):
    messages = [b"ada"] * 3
    messages[at] = b"eve"
    received, _, ended = await run(*messages)
    assert received == [b"ada"] * at
    assert (ended.reason, ended.status.code) == ("CONDITION_FAILED", Code.PERMISSION_DENIED)


async def test_nobody_is_asked_who_it_is():
    _, _, ended = await run(b"eve", principal=None)
    assert ended.status.code is Code.UNAUTHENTICATED
    assert ended.headers == {"www-authenticate": 'Bearer realm="gateway"'}


async def test_the_caller_of_the_time_counts():
    def becomes_bob(client):
        client.principal = BOB

    received, _, ended = await run(b"ada", b"ada", between=becomes_bob)
    assert received == [b"ada"]
    assert ended.reason == "CONDITION_FAILED"


async def test_a_client_that_sends_nothing_is_not_stopped():
    received, _, ended = await run()
    assert received == []
    assert ended == Metadata([("t", "2")])


async def test_a_stream_that_is_cancelled_stays_so():
    async def backend(_call):
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await AuthorizeMessages(Good()).stream(Client("a.B/C"), backend)


async def test_who_calls_and_what_the_reply_says_are_the_fronts():
    client = Client("a.B/C", messages=[b"ada", b"bob"], principal=ADA)

    async def backend(call):
        call.reply_headers = {"ratelimit": "a"}
        assert client.reply_headers is call.reply_headers
        assert await call.receive() == b"ada"
        client.principal = BOB  # the caller was looked at again
        assert call.principal is BOB
        assert await call.receive() == b"bob"
        return Metadata()

    await AuthorizeMessages(Good()).stream(client, backend)
    assert client.reply_headers == {"ratelimit": "a"}
