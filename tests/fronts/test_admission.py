"""A request passes a gate before it is answered."""

import asyncio
from types import SimpleNamespace

import pytest

from gateway.call import Principal, RpcError
from gateway.errors import error
from gateway.fronts.admission import InTurn, admit, forgo
from gateway.http import Headers, Request

ADA = Principal("ada", "customers")


class Asked:
    """A request; whoever waits for its client's going is told by `go`."""

    def __init__(self):
        self.record = SimpleNamespace(client=None)
        headers = Headers([("authorization", "Bearer x")])
        self.request = Request("GET", "/demo", None, headers, peer="203.0.113.7")
        self.watchers = []
        self.said = []

    def on_gone(self, callback):
        self.watchers.append(callback)

    def go(self):
        for callback in self.watchers:
            callback()

    def admit(self, gate, then=None):
        def serve(principal):
            self.said.append(principal)
            if then is not None:
                then()

        admit(self, gate, serve, self.said.append, front="demo")


class Gate:
    """Lets in, refuses, or waits before it does either."""

    def __init__(self, *, refusal=None, waits=False):
        self.refusal = refusal
        self.release = asyncio.Event() if waits else None
        self.cancelled = False
        self.calls = []

    def admit(self, call):
        self.calls.append(call)
        if self.release is not None:
            return self._wait(call)
        self._end(call)
        return None

    async def _wait(self, call):
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        self._end(call)

    def _end(self, call):
        if self.refusal is not None:
            raise self.refusal
        call.principal = ADA


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


def test_without_a_gate_everybody_is_served():
    asked = Asked()
    asked.admit(None)
    assert asked.said == [None]


def test_a_gate_is_asked_with_the_head_of_the_request():
    asked, gate = Asked(), Gate()
    asked.admit(gate)
    [call] = gate.calls
    assert call.head is asked.request
    assert (call.method, call.peer, call.front) == ("", "203.0.113.7", "demo")
    assert asked.said == [ADA]


def test_who_is_refused_at_once_is_not_served():
    asked, refusal = Asked(), error("CREDENTIALS_MISSING", "Who?")
    asked.admit(Gate(refusal=refusal))
    assert asked.said == [refusal]


async def test_who_must_be_waited_for_is_served_then():
    asked, gate = Asked(), Gate(waits=True)
    asked.admit(gate)
    await settle()
    assert asked.said == []
    gate.release.set()
    await settle()
    assert asked.said == [ADA]


@pytest.mark.parametrize("waits", [False, True], ids=["at-once", "after-a-while"])
async def test_who_is_let_in_is_noted(waits):
    asked, gate = Asked(), Gate(waits=waits)
    asked.admit(gate)
    if waits:
        await settle()
        assert asked.record.client is None
        gate.release.set()
        await settle()
    assert asked.record.client is ADA


async def test_who_is_refused_after_a_while_is_not_served():
    refusal = error("INVALID_CREDENTIALS", "No.")
    asked, gate = Asked(), Gate(waits=True, refusal=refusal)
    asked.admit(gate)
    gate.release.set()
    await settle()
    assert asked.said == [refusal]


async def test_nobody_waits_for_a_client_that_has_gone():
    asked, gate = Asked(), Gate(waits=True)
    asked.admit(gate)
    await settle()
    asked.go()
    await settle()
    assert gate.cancelled
    assert asked.said == []


@pytest.mark.parametrize("waits", [False, True], ids=["at-once", "after-a-while"])
async def test_what_serving_raises_is_answered(waits):
    asked, gate = Asked(), Gate(waits=waits)

    def then():
        raise error("METHOD_NOT_ALLOWED", "A file is read with GET.")

    asked.admit(gate, then)
    if waits:
        gate.release.set()
        await settle()
    principal, failure = asked.said
    assert principal is ADA
    assert isinstance(failure, RpcError)
    assert failure.reason == "METHOD_NOT_ALLOWED"


async def test_who_goes_at_once_leaves_nothing_that_was_not_awaited():
    asked, gate = Asked(), Gate(waits=True)
    asked.admit(gate)
    asked.go()  # before the task's first step
    await settle()
    assert asked.said == []
    assert not gate.cancelled


# Several gates.


class Named:
    """Lets in as somebody."""

    def __init__(self, name):
        self.principal = Principal(name, "customers")

    def admit(self, call):
        call.principal = self.principal


def test_several_gates_are_asked_in_turn():
    asked, first, last = Asked(), Gate(), Named("eve")
    asked.admit(InTurn([first, last]))
    assert asked.said == [last.principal]
    assert len(first.calls) == 1


@pytest.mark.parametrize("place", [0, 1])
async def test_any_of_them_may_wait(place):
    gates = [Gate(), Gate()]
    gates[place] = waits = Gate(waits=True)
    asked = Asked()
    asked.admit(InTurn(gates))
    await settle()
    assert asked.said == []
    assert len(gates[1].calls) == place
    waits.release.set()
    await settle()
    assert asked.said == [ADA]
    assert [len(each.calls) for each in gates] == [1, 1]


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("waits", [False, True], ids=["at-once", "after-a-while"])
async def test_any_of_them_may_refuse(place, waits):
    refusal = error("CREDENTIALS_MISSING", "Who?")
    gates = [Gate(), Gate()]
    gates[place] = Gate(waits=waits, refusal=refusal)
    asked = Asked()
    asked.admit(InTurn(gates))
    if waits:
        gates[place].release.set()
    await settle()
    assert asked.said == [refusal]
    assert len(gates[1].calls) == place


async def test_what_nobody_awaits_is_let_go():
    gate = Gate(waits=True)
    forgo(InTurn([gate, Named("eve")]).admit(Asked().request))
    assert len(gate.calls) == 1


def test_the_gate_knows_by_which_id_the_client_is_told():
    asked, gate = Asked(), Gate()
    admit(asked, gate, asked.said.append, asked.said.append, front="demo", request_id="r1")
    assert [call.request_id for call in gate.calls] == ["r1"]
