"""Calls through a real socket, against a scripted gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from gateway.client import RpcError, connect
from tests.client.scripted import Peer, session

METHOD = "a.B/C"
LATE_SECONDS = 0.05


def ends(code: int, status: str, **more) -> dict:
    return {"code": code, "status": status, **more}


class TestCall:
    async def test_a_reply(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            opened = await peer.answer({"title": "x"})
            assert opened == {
                "t": "open",
                "id": 1,
                "method": METHOD,
                "metadata": [["k", "v"], ["k-bin", "AA=="]],
                "credit": 2,
                "end": True,
                "body": {"id": "1"},
            }

        async with session(script) as gateway:
            metadata = [("K", "v"), ("k-bin", b"\x00")]
            reply = await gateway.call(METHOD, {"id": "1"}, metadata=metadata)
            assert reply == {"title": "x"}

    async def test_an_error_has_all_that_the_status_says(self):
        detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "R"}

        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            status = ends(5, "NOT_FOUND", message="no", details=[detail], trailers=[["k", "v"]])
            await peer.say("status", id=1, **status)

        async with session(script) as gateway:
            with pytest.raises(RpcError, match="NOT_FOUND: no") as caught:
                await gateway.call(METHOD, {})
        error = caught.value
        assert (error.code, error.status, error.message) == (5, "NOT_FOUND", "no")
        assert error.details == (detail,)
        assert error.trailers == (("k", "v"),)

    @pytest.mark.parametrize(
        ("replies", "words"), [(0, "without a reply"), (2, "more than one")], ids=["none", "two"]
    )
    async def test_it_has_one_reply(self, replies, words):
        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            for n in range(replies):
                await peer.say("message", id=1, body=n)
            await peer.say("status", id=1, **ends(0, "OK"))

        async with session(script) as gateway:
            with pytest.raises(RpcError, match=words):
                await gateway.call(METHOD, {})

    async def test_a_reply_may_be_null(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.answer(None)

        async with session(script) as gateway:
            assert await gateway.call(METHOD, {}) is None

    async def test_many_at_once_take_turns_on_one_socket_however_few_streams_there_may_be(self):
        async def script(peer: Peer) -> None:
            await peer.greet(limits={"streams": 2, "message_size": 9, "credit": 1, "buffer": 9})
            for _ in range(10):
                opened = await peer.frame("open")
                await peer.say("message", id=opened["id"], body=opened["body"])
                await peer.say("status", id=opened["id"], **ends(0, "OK"))

        async with session(script) as gateway:
            replies = await asyncio.gather(*(gateway.call(METHOD, n) for n in range(10)))
            assert replies == list(range(10))

    async def test_more_than_may_be_opened_in_a_second_wait_for_their_time(self):
        limits = {"streams": 9, "message_size": 9, "credit": 1, "buffer": 9, "opens": 40}

        async def script(peer: Peer) -> None:
            await peer.greet(limits=limits)
            for _ in range(24):
                await peer.answer()

        async with session(script) as gateway:
            begun = asyncio.get_running_loop().time()
            await asyncio.gather(*(gateway.call(METHOD, n) for n in range(24)))
            assert asyncio.get_running_loop().time() - begun > 0.09

    async def test_cancelling_the_task_cancels_the_call(self):
        opened = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            opened.set()
            assert (await peer.frame("cancel"))["id"] == 1

        async with session(script) as gateway:
            task = asyncio.create_task(gateway.call(METHOD, {}))
            await opened.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


class TestTimeout:
    async def test_it_travels_and_the_gateway_has_the_first_word(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            assert 0 < (await peer.frame("open"))["timeout_ms"] <= 5000
            await peer.say("status", id=1, **ends(4, "DEADLINE_EXCEEDED", message="theirs"))

        async with session(script) as gateway:
            with pytest.raises(RpcError, match="DEADLINE_EXCEEDED: theirs"):
                await gateway.call(METHOD, {}, timeout=5.0)

    async def test_where_the_gateway_is_silent_the_client_ends_the_call_a_little_later(
        self, monkeypatch
    ):
        monkeypatch.setattr("gateway.client.stream._GRACE", LATE_SECONDS)

        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            await peer.frame("cancel")

        async with session(script) as gateway:
            with pytest.raises(RpcError, match="DEADLINE_EXCEEDED: The time"):
                await gateway.call(METHOD, {}, timeout=LATE_SECONDS)

    async def test_a_call_that_waits_for_its_turn_ends_on_time(self):
        async def script(peer: Peer) -> None:
            await peer.greet(limits={"streams": 0, "message_size": 1, "credit": 1, "buffer": 1})

        async with session(script) as gateway:
            with pytest.raises(RpcError) as caught:
                await gateway.call(METHOD, {}, timeout=LATE_SECONDS)
            assert caught.value.status == "DEADLINE_EXCEEDED"


class TestStream:
    async def test_both_ways_with_headers_and_trailers(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            assert (await peer.frame("open"))["credit"] == 16
            await peer.say("headers", id=1, metadata=[["k", "v"]])
            for n in range(3):
                body = (await peer.frame("message"))["body"]
                assert body == {"n": n}
                await peer.say("message", id=1, body=body)
            assert await peer.frame("message") == {"t": "message", "id": 1, "end": True}
            await peer.say("status", id=1, **ends(0, "OK", trailers=[["t", "1"]]))

        async with session(script) as gateway, gateway.stream(METHOD, credit=16) as stream:
            for n in range(3):
                await stream.send({"n": n})
            await stream.end()
            await stream.end()  # says it once
            assert await stream.headers() == (("k", "v"),)
            assert [event["n"] async for event in stream] == [0, 1, 2]
            status = await stream.status()
            assert (status.ok, status.trailers) == (True, (("t", "1"),))

    async def test_sending_waits_for_credit(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            for _ in range(4):
                await peer.frame("message")
            await peer.say("ping", data="nothing else has come")
            await peer.frame("pong")
            await peer.say("credit", id=1, n=1)
            assert (await peer.frame("message"))["body"] == 4
            await peer.say("status", id=1, **ends(0, "OK"))

        async with session(script) as gateway, gateway.stream(METHOD) as stream:
            for n in range(5):
                await stream.send(n)
            await stream.status()

    async def test_sending_waits_for_room_in_bytes(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            await peer.frame("message")
            await peer.say("ping")
            await peer.frame("pong")
            await peer.say("credit", id=1, n=1)
            await peer.frame("message")
            await peer.say("status", id=1, **ends(0, "OK"))

        async with session(script) as gateway, gateway.stream(METHOD) as stream:
            for _ in range(2):
                await stream.send("x" * 60)
            await stream.status()

    async def test_messages_of_several_tasks_are_sent_in_their_order(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            assert len((await peer.frame("message"))["body"]) == 60
            await peer.say("credit", id=1, n=1)
            assert len((await peer.frame("message"))["body"]) == 90
            await peer.say("credit", id=1, n=1)
            assert len((await peer.frame("message"))["body"]) == 10
            await peer.say("status", id=1, **ends(0, "OK"))

        async with session(script) as gateway, gateway.stream(METHOD) as stream:
            await asyncio.gather(*(stream.send("x" * size) for size in (60, 90, 10)))
            await stream.status()

    async def test_the_last_message_may_say_that_it_is(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            assert await peer.frame("message") == {"t": "message", "id": 1, "body": 1, "end": True}
            await peer.say("headers", id=1, metadata=[])

        async with session(script) as gateway, gateway.stream(METHOD) as stream:
            await stream.send(1, end=True)
            await stream.headers()
            with pytest.raises(RuntimeError, match="the end was said"):
                await stream.send(2)

    async def test_taking_grants(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            for n in range(4):
                await peer.say("message", id=1, body=n)
            granted = 0
            while granted < 4:
                granted += (await peer.frame("credit"))["n"]
            assert granted == 4
            await peer.say("status", id=1, **ends(0, "OK"))

        async with (
            session(script) as gateway,
            gateway.stream(METHOD, {}, end=True, credit=4) as stream,
        ):
            assert [n async for n in stream] == [0, 1, 2, 3]

    async def test_an_error_comes_after_the_messages_before_it(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            await peer.say("message", id=1, body=1)
            await peer.say("status", id=1, **ends(13, "INTERNAL"))

        async with session(script) as gateway, gateway.stream(METHOD, {}, end=True) as stream:
            assert not (await stream.status()).ok
            assert await anext(stream) == 1
            for _ in range(2):
                with pytest.raises(RpcError, match="INTERNAL"):
                    await anext(stream)

    async def test_leaving_the_block_early_cancels(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            await peer.say("message", id=1, body=1)
            assert await peer.frame("cancel") == {"t": "cancel", "id": 1}

        async with session(script) as gateway:
            async with gateway.stream(METHOD, {}, end=True) as stream:
                await anext(stream)
            with pytest.raises(RpcError, match="CANCELLED"):
                await anext(stream)

    @pytest.mark.parametrize(
        ("status", "error", "words"),
        [
            (ends(0, "OK"), RuntimeError, "the call is over"),
            (ends(7, "PERMISSION_DENIED"), RpcError, "PERMISSION_DENIED"),
        ],
        ids=["ok", "error"],
    )
    async def test_nothing_can_be_sent_after_the_status(self, status, error, words):
        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            await peer.say("status", id=1, **status)

        async with session(script) as gateway, gateway.stream(METHOD) as stream:
            await stream.status()
            with pytest.raises(error, match=words):
                await stream.send(1)
            await stream.end()  # there is nothing to say any more

    async def test_a_sender_that_waits_hears_of_the_end(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            for _ in range(4):
                await peer.frame("message")
            await peer.say("status", id=1, **ends(8, "RESOURCE_EXHAUSTED"))

        async with session(script) as gateway, gateway.stream(METHOD) as stream:
            with pytest.raises(RpcError, match="RESOURCE_EXHAUSTED"):
                for n in range(5):
                    await stream.send(n)


class TestWhatStreamsShare:
    """Of 150 bytes, the first stream has sent 92. Others that don't fit wait, in their order."""

    @staticmethod
    async def filled(peer: Peer, *, streams: int) -> None:
        """Waits for the streams, and the first one's message; makes sure that nothing else came."""
        await peer.greet()
        for _ in range(streams):
            await peer.frame("open")
        assert (await peer.frame("message"))["id"] == 1
        await peer.say("headers", id=1, metadata=[])
        await peer.say("ping")
        await peer.frame("pong")

    @asynccontextmanager
    async def streams(self, script, count: int) -> AsyncIterator[list]:
        """So many streams, the first of which has filled the most of what they share."""
        async with AsyncExitStack() as stack:
            gateway = await stack.enter_async_context(session(script))
            each = [await stack.enter_async_context(gateway.stream(METHOD)) for _ in range(count)]
            await each[0].send("x" * 90)
            yield each

    @pytest.mark.parametrize(
        "frees",
        [
            {"kind": "credit", "n": 1},
            {"kind": "status", **ends(0, "OK")},
            {"kind": "status", **ends(13, "INTERNAL")},
        ],
        ids=["grant", "end", "error"],
    )
    async def test_is_free_by(self, frees):
        async def script(peer: Peer) -> None:
            await self.filled(peer, streams=2)
            await peer.say(id=1, **frees)
            assert (await peer.frame("message"))["id"] == 2
            await peer.say("status", id=2, **ends(0, "OK"))

        async with self.streams(script, 2) as (_, second):
            await second.send("y" * 60)
            await second.status()

    async def test_is_free_by_a_cancel_which_comes_first(self):
        async def script(peer: Peer) -> None:
            await self.filled(peer, streams=2)
            assert (await peer.frame("cancel"))["id"] == 1
            assert (await peer.frame("message"))["id"] == 2
            await peer.say("status", id=2, **ends(0, "OK"))

        async with self.streams(script, 2) as (first, second):
            sending = asyncio.create_task(second.send("y" * 60))
            await first.headers()
            first.cancel()
            await sending
            await second.status()

    async def test_is_for_the_first_who_waits_however_small_the_others_messages(self):
        async def script(peer: Peer) -> None:
            await self.filled(peer, streams=3)
            await peer.say("credit", id=1, n=1)
            assert [(await peer.frame("message"))["id"] for _ in range(2)] == [2, 3]
            await peer.say("status", id=3, **ends(0, "OK"))

        async with self.streams(script, 3) as (_, second, third):
            await asyncio.gather(second.send("y" * 60), third.send("z"))
            await third.status()

    @pytest.mark.parametrize("how", ["task", "cancel", "end", "status"])
    async def test_is_for_the_next_when_the_first_who_waits_leaves(self, how):
        async def script(peer: Peer) -> None:
            await self.filled(peer, streams=3)
            if how == "status":
                await peer.say("status", id=2, **ends(13, "INTERNAL"))
            elif how == "cancel":
                await peer.frame("cancel")
            elif how == "end":
                assert await peer.frame("message") == {"t": "message", "id": 2, "end": True}
            assert (await peer.frame("message"))["id"] == 3
            await peer.say("status", id=3, **ends(0, "OK"))

        async with self.streams(script, 3) as (first, second, third):
            leaving = asyncio.create_task(second.send("y" * 60))
            staying = asyncio.create_task(third.send("z"))
            await first.headers()
            if how == "task":
                leaving.cancel()
            elif how == "cancel":
                second.cancel()
            elif how == "end":
                await second.end()
            await staying
            await third.status()
            error = {"task": asyncio.CancelledError, "end": RuntimeError}.get(how, RpcError)
            with pytest.raises(error):
                await leaving

    async def test_holds_up_nobody_who_has_room(self):
        """A stream that waits for its own credit does not stand in the line of all."""

        async def script(peer: Peer) -> None:
            await self.filled(peer, streams=2)
            assert (await peer.frame("message"))["id"] == 2
            await peer.say("credit", id=1, n=1)
            assert (await peer.frame("message"))["id"] == 1
            await peer.say("status", id=1, **ends(0, "OK"))

        async with self.streams(script, 2) as (first, second):
            waits = asyncio.create_task(first.send("x" * 20))
            await first.headers()
            await second.send("y")
            await waits
            await first.status()


class TestMisuse:
    @pytest.fixture
    async def gateway(self):
        async def script(peer: Peer) -> None:
            await peer.greet()

        async with session(script) as gateway:
            yield gateway

    @pytest.mark.parametrize(
        ("arguments", "error", "words"),
        [
            ({"method": "/a.B/C"}, ValueError, "is no method"),
            ({"method": "a.B"}, ValueError, "is no method"),
            ({"credit": 0}, ValueError, "a credit is 1 to"),
            ({"credit": 2**31}, ValueError, "a credit is 1 to"),
            ({"timeout": 0}, ValueError, "more than 0 seconds"),
            ({"timeout": float("nan")}, ValueError, "more than 0 seconds"),
            ({"request": object()}, TypeError, "not JSON serializable"),
            ({"metadata": {"k": 1}}, TypeError, "is a text"),
            ({"reply": dict}, TypeError, "replies are JSON"),
        ],
        ids=lambda value: str(value)[:30],
    )
    async def test_arguments_are_checked_before_anything_is_sent(
        self, gateway, arguments, error, words
    ):
        with pytest.raises(error, match=words):
            gateway.stream(**{"method": METHOD} | arguments)

    async def test_a_stream_is_used_in_async_with_and_once(self, gateway):
        stream = gateway.stream(METHOD)
        for use in (stream.send(1), anext(stream), stream.headers(), stream.status(), stream.end()):
            with pytest.raises(RuntimeError, match="async with"):
                await use
        stream.cancel()  # there is nothing to cancel
        async with stream:
            assert repr(stream).startswith("<Stream a.B/C ")
            with pytest.raises(RuntimeError, match="one call"):
                await stream.__aenter__()

    async def test_a_message_that_is_too_large_is_not_sent_and_ends_nothing(self, gateway):
        async with gateway.stream(METHOD) as stream:
            with pytest.raises(ValueError, match="1002 bytes; the gateway takes 1000"):
                await stream.send("x" * 1000)
            await stream.send("x")

    async def test_none_is_no_message(self, gateway):
        with pytest.raises(TypeError, match="None is none"):
            await gateway.call(METHOD, None)
        async with gateway.stream(METHOD) as stream:
            with pytest.raises(TypeError, match="None is no message"):
                await stream.send(None)

    async def test_a_first_one_ends_its_call(self, gateway):
        with pytest.raises(RpcError, match="RESOURCE_EXHAUSTED"):
            await gateway.call(METHOD, "x" * 1000)


async def test_a_gateway_is_used_inside_its_block():
    gateway = connect("ws://127.0.0.1:1/ws")
    with pytest.raises(RuntimeError, match="not connected"):
        gateway.stream(METHOD)
    with pytest.raises(RuntimeError, match="not connected"):
        await gateway.call(METHOD, {})
    with pytest.raises(RuntimeError, match="not connected"):
        await gateway.auth("t")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"url": "http://127.0.0.1/ws"}, "no URL of a WebSocket"),
        ({"subprotocol": "graphql-ws"}, "none of grpcws"),
        ({"token": ""}, "ASCII"),
    ],
    ids=["url", "subprotocol", "token"],
)
def test_connect_checks_its_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        connect(**{"url": "ws://127.0.0.1/ws"} | arguments)
