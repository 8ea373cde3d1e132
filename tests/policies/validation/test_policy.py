"""Requests are checked before the backend has them; a stream ends at the first that is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from gateway.call import NO_METADATA, Call, RpcError, StreamCall
from gateway.errors import error
from gateway.policies.validation.policy import Validate, ValidateMessages


class Rules:
    """Refuses what is `bad`."""

    def check(self, data):
        if data == b"bad":
            raise error("VALIDATION_FAILED", "It is bad.")


@dataclass(slots=True, kw_only=True)
class Client(StreamCall):
    messages: list = field(default_factory=list)

    async def receive(self):
        return self.messages.pop(0) if self.messages else None

    async def start(self, initial):
        raise AssertionError("nothing is told")

    async def send(self, message):
        raise AssertionError("nothing is told")


def test_a_unary_call_is_admitted_or_refused():
    gate = Validate(Rules())
    assert gate.admit(Call("a.B/C", b"good")) is None
    with pytest.raises(RpcError) as refusal:
        gate.admit(Call("a.B/C", b"bad"))
    assert refusal.value.reason == "VALIDATION_FAILED"


async def received(*messages):
    """What a backend has of a stream, and how the stream ended."""
    had = []

    async def backend(call):
        while (message := await call.receive()) is not None:
            had.append(message)
        return NO_METADATA

    policy = ValidateMessages(Rules())
    try:
        await policy.stream(Client("a.B/C", messages=list(messages)), backend)
    except RpcError as failure:
        return had, failure.reason
    return had, None


async def test_a_stream_ends_at_the_first_message_that_is_wrong():
    assert await received(b"1", b"bad", b"2") == ([b"1"], "VALIDATION_FAILED")
    assert await received(b"1", b"2") == ([b"1", b"2"], None)
    assert await received() == ([], None)


def test_they_say_what_they_do():
    said = [each(Rules()).describe() for each in (Validate, ValidateMessages)]
    assert said == [
        "Refuses a request that breaks the rules in its proto.",
        "Ends a stream at the first request message that breaks the rules in its proto.",
    ]
