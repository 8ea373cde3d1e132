"""What held a call up on its way is noted with its record, whatever became of the call."""

import asyncio

import pytest

from gateway.awaited import awaited
from gateway.call import Call, Code, Reply, RpcError, Status
from gateway.chain.unary import compose_unary
from tests.telemetry.records import METHOD, Maker


class Held:
    """A gate that waits, and then admits or refuses."""

    def __init__(self, clock, refusal=None):
        self._clock = clock
        self._refusal = refusal

    def admit(self, call):
        return self._wait()

    async def _wait(self):
        await asyncio.sleep(0)
        self._clock.advance(0.25)
        if self._refusal is not None:
            raise self._refusal


def answers(call, done):
    done(Reply(b""))
    return lambda: None


@pytest.mark.parametrize("refusal", [None, RpcError(Status(Code.UNAVAILABLE))])
async def test_a_gate_that_waits_is_noted(refusal):
    maker = Maker()
    record = maker.request().call(METHOD)
    began = maker.clock.now
    start = compose_unary([Held(maker.clock, refusal)], answers)
    try:
        await awaited(start, Call(METHOD, record=record))
    except RpcError as failure:
        assert failure is refusal
    assert record.waits == [("Held", began, began + 0.25)]


async def test_of_a_call_without_a_record_nothing_is_noted():
    maker = Maker()
    start = compose_unary([Held(maker.clock)], answers)
    assert (await awaited(start, Call(METHOD))).message == b""
