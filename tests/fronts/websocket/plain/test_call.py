"""The life of a plain call of each kind, on a fake socket, with a fake method."""

import asyncio
import json

import pytest

from gateway.call import Code, Metadata, Reply, RpcError, Status
from gateway.errors import error
from gateway.fronts.websocket.plain.inbox import MOST
from gateway.schema.method import Kind
from tests.fronts.websocket.plain.fakes import HELLO, IN_A, WAITING, settled

UNARY, SERVER, CLIENT, BIDI = Kind


class TestUnary:
    def test_starts_at_once_of_path_and_query(self, dial, backend):
        dial(UNARY, target="/v1/a?text=hello")
        assert backend.call.request == HELLO + IN_A

    def test_or_with_the_first_frame(self, dial, backend):
        socket = dial(UNARY, WAITING)
        assert not backend.calls
        socket.takes(' {"text": "hello"}\n')
        assert backend.call.request == HELLO + IN_A

    def test_or_with_the_word_that_there_is_none(self, dial, backend):
        dial(UNARY, WAITING).takes("")
        assert backend.call.request == IN_A

    def test_its_reply_is_a_frame_and_the_end(self, dial, backend, clock):
        socket = dial(UNARY)
        backend.done[0](Reply(HELLO))
        assert socket.sent == ['{"text":"hello"}']
        assert socket.ended == (1000, "")
        assert not clock.due
        assert not backend.cancelled

    def test_an_error_is_a_frame_and_a_code(self, dial, backend):
        socket = dial(UNARY)
        backend.done[0](RpcError(Status(Code.NOT_FOUND, "no")))
        assert socket.sent == ['{"error":{"code":5,"status":"NOT_FOUND","message":"no"}}']
        assert socket.ended == (4205, '{"code":5,"status":"NOT_FOUND","message":"no"}')

    def test_a_limit_says_when_to_try_again(self, dial, backend):
        socket = dial(UNARY)
        backend.done[0](error("RATE_LIMITED", "no", retry_after=2))
        told = json.loads(socket.sent[0])["error"]["details"]
        assert "type.googleapis.com/google.rpc.RetryInfo" in [each["@type"] for each in told]
        assert socket.code == 4208

    def test_a_reply_that_is_none_is_an_error(self, dial, backend):
        socket = dial(UNARY)
        backend.done[0](Reply(b"\xff"))
        assert socket.reason == "INVALID_UPSTREAM_MESSAGE"
        assert socket.code == 4213

    def test_a_second_frame_is_an_error(self, dial, backend):
        socket = dial(UNARY, WAITING)
        socket.takes("{}", "{}")
        assert socket.reason == "UNEXPECTED_MESSAGE"
        assert backend.cancelled == 1

    def test_so_is_a_first_one_where_none_is_waited_for(self, dial, backend):
        socket = dial(UNARY)
        socket.takes("{}")
        assert socket.reason == "UNEXPECTED_MESSAGE"
        assert backend.cancelled == 1

    def test_the_word_that_there_is_no_more_is_none(self, dial, backend):
        socket = dial(UNARY, WAITING)
        socket.takes("{}", "", "\r\n")
        assert socket.ended is None
        assert not backend.cancelled

    def test_what_comes_after_the_end_is_nothing(self, dial, backend):
        socket = dial(UNARY, WAITING)
        socket.takes("{}", "{}", "{}")
        assert len(socket.sent) == 1

    def test_a_client_that_goes_cancels_it(self, dial, backend, clock):
        dial(UNARY).goes()
        assert backend.cancelled == 1
        assert not clock.due

    def test_a_bug_is_told_as_internal(self, dial, backend, caplog):
        backend.start = None
        assert dial(UNARY).reason == "INTERNAL"
        assert "failed on a bug" in caplog.text


class TestServerStreaming:
    async def test_each_message_is_a_frame(self, dial, backend):
        socket = dial(SERVER)
        await settled()
        await backend.says(HELLO, HELLO, None)
        assert socket.sent == ['{"text":"hello"}'] * 2
        assert socket.ended == (1000, "")

    async def test_it_takes_one_message(self, dial, backend):
        dial(SERVER, WAITING).takes('{"text":"hello"}')
        assert await backend.took() == HELLO + IN_A
        assert await backend.took() is None

    async def test_and_no_more(self, dial, backend):
        socket = dial(SERVER, WAITING)
        socket.takes("{}")
        await settled()
        socket.takes("{}")
        await settled()
        assert socket.reason == "UNEXPECTED_MESSAGE"
        assert backend.cancelled == 1

    async def test_an_error_comes_behind_the_messages(self, dial, backend):
        socket = dial(SERVER)
        await backend.says(HELLO, RpcError(Status(Code.ABORTED, "no")))
        assert socket.sent[0] == '{"text":"hello"}'
        assert json.loads(socket.sent[1])["error"]["status"] == "ABORTED"
        assert socket.code == 4210

    async def test_a_slow_client_slows_the_backend(self, dial, backend):
        socket = dial(SERVER)
        socket.drain.clear()
        await backend.says(HELLO, HELLO)
        assert len(socket.sent) == 1
        socket.drain.set()
        await settled()
        assert len(socket.sent) == 2

    async def test_others_have_a_turn_though_the_client_takes_all(self, dial, backend):
        turns = []

        async def stream(call):
            for _ in range(100):
                await call.send(HELLO)
            turns.append("sent")
            return Metadata()

        backend.stream = stream
        dial(SERVER)
        asyncio.get_running_loop().call_soon(
            lambda: asyncio.get_running_loop().call_soon(turns.append, "another")
        )
        await settled()
        assert turns == ["another", "sent"]

    async def test_a_client_that_goes_cancels_it(self, dial, backend):
        socket = dial(SERVER)
        await settled()
        socket.goes()
        await settled()
        assert backend.cancelled == 1

    async def test_one_that_goes_while_it_is_waited_for_is_no_failure(self, dial, backend, caplog):
        socket = dial(SERVER)
        socket.drain.clear()
        await backend.says(HELLO)
        socket.ended = (1006, "")
        socket.drain.set()
        await settled()
        assert socket.tasks[0].cancelled()
        assert not caplog.records

    async def test_a_bug_is_told_as_internal(self, dial, backend, caplog):
        socket = dial(SERVER)
        await backend.says(ValueError("secret"))
        assert socket.reason == "INTERNAL"
        assert "secret" not in socket.sent[0]


class TestClientStreaming:
    async def test_each_frame_is_a_message(self, dial, backend):
        dial(CLIENT).takes('{"text":"hello"}', "{}", "")
        taken = [await backend.took() for _ in range(3)]
        assert taken == [HELLO + IN_A, IN_A, None]

    async def test_its_one_reply_counts_if_it_ends_well(self, dial, backend):
        socket = dial(CLIENT)
        await backend.says(HELLO)
        assert not socket.sent
        await backend.says(None)
        assert socket.sent == ['{"text":"hello"}']
        assert socket.code == 1000

    async def test_and_else_does_not(self, dial, backend):
        socket = dial(CLIENT)
        await backend.says(HELLO, RpcError(Status(Code.ABORTED, "no")))
        assert len(socket.sent) == 1
        assert socket.code == 4210

    @pytest.mark.parametrize("said", [[None], [HELLO, HELLO, None]], ids=["none", "two"])
    async def test_another_number_of_replies_is_an_error(self, dial, backend, said):
        socket = dial(CLIENT)
        await backend.says(*said)
        assert socket.reason == "UPSTREAM_PROTOCOL_ERROR"


class TestBidirectional:
    async def test_both_ways_at_once(self, dial, backend):
        socket = dial(BIDI)
        await backend.says(HELLO)
        assert len(socket.sent) == 1
        socket.takes("{}")
        assert await backend.took() == IN_A
        await backend.says(HELLO)
        socket.takes("")
        assert await backend.took() is None
        await backend.says(HELLO, None)
        assert len(socket.sent) == 3
        assert socket.ended == (1000, "")

    async def test_path_and_query_are_bound_into_each_frame(self, dial, backend):
        dial(BIDI, target="/v1/a?text=hello").takes("{}", '{"room":"a"}')
        assert [await backend.took() for _ in range(2)] == [HELLO + IN_A] * 2

    async def test_a_wrong_frame_ends_it_and_says_which(self, dial, backend):
        socket = dial(BIDI)
        socket.takes("{}", '{"room":"b"}')
        await settled()
        assert socket.reason == "CONFLICTING_FIELD"
        told = json.loads(socket.sent[0])["error"]["message"]
        assert told.startswith("Message 2: ")

    async def test_one_after_the_end_is_an_error(self, dial, backend):
        socket = dial(BIDI)
        socket.takes("{}", "", "")
        await settled()
        assert socket.ended is None
        socket.takes("{}")
        await settled()
        assert socket.reason == "UNEXPECTED_MESSAGE"
        assert backend.cancelled == 1

    async def test_what_the_backend_does_not_take_stays_with_the_client(self, dial, backend):
        backend.requests = asyncio.Queue(1)
        socket = dial(BIDI)
        frame = json.dumps({"text": "x" * 1000})
        sent = 0
        while not socket.paused:
            socket.takes(frame)
            sent += 1
            await settled()
        assert MOST <= sent * 1000 <= MOST + 5000
        while socket.paused:
            await backend.took()
            await settled()
        assert backend.requests.qsize() == 1

    async def test_messages_are_read_no_faster_than_they_may_come(self, dial, backend, clock):
        socket = dial(BIDI, messages=10)
        socket.takes(*["{}"] * 10)
        assert not socket.paused
        socket.takes("{}")
        assert socket.paused
        await settled()
        assert socket.paused, "though the backend has taken all"
        clock.turn(0.1)
        assert not socket.paused
        assert socket.ended is None

    async def test_a_backend_that_ends_first_ends_it(self, dial, backend):
        socket = dial(BIDI)
        socket.takes("{}")
        await backend.says(None)
        assert socket.ended == (1000, "")
