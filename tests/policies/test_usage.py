"""What a call adds to its caller's numbers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from gateway.call import OK, Call, Code, Metadata, Outcome, Principal, Reply, Status, StreamCall
from gateway.errors import error
from gateway.policies.usage import UsageOfCalls, UsageOfStreams
from gateway.state.usage.counts import NUMBERS
from gateway.state.usage.ledger import Ledger

ADA = Principal("ada", "customers", plan="free")
FAILED = Outcome(Status(Code.NOT_FOUND, "no such thing"))


def told(ledger):
    """What the ledger has, by caller: its numbers that are not 0."""
    return {
        key.caller: {name: getattr(count, name) for name in NUMBERS if getattr(count, name)}
        for key, count in ledger.take().items()
    }


@pytest.fixture
def ledger():
    return Ledger(10, lambda: 1.0)


class TestCalls:
    """Unary ones."""

    def test_one_that_was_answered(self, ledger):
        call = Call("a.B/C", request=b"12345", principal=ADA)
        UsageOfCalls(ledger.tally("a.B/C")).ended(call, Outcome(OK, Reply(b"1234567")))
        assert told(ledger) == {
            ("customers", "ada", "free"): {
                "calls": 1,
                "request_messages": 1,
                "request_bytes": 5,
                "reply_messages": 1,
                "reply_bytes": 7,
            }
        }

    def test_one_that_failed_has_no_reply(self, ledger):
        UsageOfCalls(ledger.tally("a.B/C")).ended(Call("a.B/C", b"12", principal=ADA), FAILED)
        assert told(ledger) == {
            ("customers", "ada", "free"): {
                "calls": 1,
                "errors": 1,
                "request_messages": 1,
                "request_bytes": 2,
            }
        }

    def test_an_empty_reply_is_a_reply(self, ledger):
        UsageOfCalls(ledger.tally("a.B/C")).ended(Call("a.B/C"), Outcome(OK, Reply(b"")))
        assert told(ledger) == {
            ("", "", ""): {"calls": 1, "request_messages": 1, "reply_messages": 1}
        }

    def test_callers_whom_nobody_knows_are_one(self, ledger):
        usage = UsageOfCalls(ledger.tally("a.B/C"))
        for peer in ("203.0.113.7", "203.0.113.8"):
            usage.ended(Call("a.B/C", peer=peer), FAILED)
        assert told(ledger)["", "", ""]["calls"] == 2

    def test_a_subject_of_two_providers_is_two(self, ledger):
        usage = UsageOfCalls(ledger.tally("a.B/C"))
        for provider in ("customers", "partners"):
            usage.ended(Call("a.B/C", principal=Principal("ada", provider)), FAILED)
        assert set(told(ledger)) == {("customers", "ada", ""), ("partners", "ada", "")}

    def test_it_says_what_it_does(self, ledger):
        assert "Counts calls" in UsageOfCalls(ledger.tally("a.B/C")).describe()
        assert "Counts calls" in UsageOfStreams(ledger.tally("a.B/C")).describe()


@dataclass(slots=True, kw_only=True)
class Client(StreamCall):
    messages: list = field(default_factory=list)

    async def receive(self):
        return self.messages.pop(0) if self.messages else None

    async def start(self, initial):
        pass

    async def send(self, message):
        if message == b"too slow":
            await asyncio.Event().wait()


class TestStreams:
    """Messages count as they pass, the call at its end."""

    async def test_one_that_ends_well(self, ledger):
        async def backend(call):
            while (message := await call.receive()) is not None:
                await call.send(message * 2)
            return Metadata([("t", "1")])

        client = Client("a.B/C", messages=[b"1", b"22"], principal=ADA)
        trailers = await UsageOfStreams(ledger.tally("a.B/C")).stream(client, backend)
        assert trailers == Metadata([("t", "1")])
        assert told(ledger) == {
            ("customers", "ada", "free"): {
                "calls": 1,
                "request_messages": 2,
                "request_bytes": 3,
                "reply_messages": 2,
                "reply_bytes": 6,
            }
        }

    async def test_messages_are_told_before_the_end(self, ledger):
        seen = []

        async def backend(call):
            await call.receive()
            await call.send(b"123")
            seen.append(told(ledger))
            await call.send(b"4")
            return Metadata()

        client = Client("a.B/C", messages=[b"1"])
        await UsageOfStreams(ledger.tally("a.B/C")).stream(client, backend)
        assert seen == [
            {
                ("", "", ""): {
                    "request_messages": 1,
                    "request_bytes": 1,
                    "reply_messages": 1,
                    "reply_bytes": 3,
                }
            }
        ]
        assert told(ledger) == {("", "", ""): {"calls": 1, "reply_messages": 1, "reply_bytes": 1}}

    @pytest.mark.parametrize("failure", [error("DEADLINE_EXCEEDED", "late"), LookupError()])
    async def test_one_that_fails_is_an_error(self, ledger, failure):
        async def backend(_):
            raise failure

        with pytest.raises(type(failure)):
            await UsageOfStreams(ledger.tally("a.B/C")).stream(Client("a.B/C"), backend)
        assert told(ledger) == {("", "", ""): {"calls": 1, "errors": 1}}

    async def test_one_whose_client_leaves_is_an_error_and_what_it_did_not_get_counts_not(
        self, ledger
    ):
        async def backend(call):
            await call.send(b"123")
            await call.send(b"too slow")

        usage = UsageOfStreams(ledger.tally("a.B/C"))
        running = asyncio.create_task(usage.stream(Client("a.B/C"), backend))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert told(ledger) == {
            ("", "", ""): {"calls": 1, "errors": 1, "reply_messages": 1, "reply_bytes": 3}
        }

    async def test_what_is_told_follows_who_calls(self, ledger):
        client = Client("a.B/C")

        async def backend(call):
            await call.send(b"1")
            client.principal = ADA  # a token that was renewed on a socket
            await call.send(b"1")
            return Metadata()

        await UsageOfStreams(ledger.tally("a.B/C")).stream(client, backend)
        assert {who: each["reply_messages"] for who, each in told(ledger).items()} == {
            ("", "", ""): 1,
            ("customers", "ada", "free"): 1,
        }
