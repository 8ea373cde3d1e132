"""Adaptive concurrency in a chain: what waits, what is told, and that nothing is lost on any way."""

from __future__ import annotations

import asyncio

import pytest

from gateway.call import Call, Code, Deadline, Reply, RpcError
from gateway.chain import compose_unary
from gateway.errors import error
from gateway.fronts.http_errors import http_status
from gateway.policies.adaptive.gate import PRIORITIES, AdaptiveConcurrency
from gateway.policies.adaptive.lines import Lines, Priority
from gateway.policies.adaptive.turns import Turns
from tests.policies.adaptive.test_turns import Fixed
from tests.policies.auth.callers import head


class Door:
    """The policy, before a backend that ends calls when it is told to."""

    def __init__(self, *, limit=1, queue=10, max_wait=60.0, behind=(), header=None):
        loop = asyncio.get_running_loop()
        self.gradient = Fixed(limit)
        self.turns = Turns(self.gradient, Lines(queue, max_wait), loop.time)
        self.gate = AdaptiveConcurrency(self.turns, Priority.NORMAL, header, loop.time)
        self.start = compose_unary([self.gate, *behind], self._backend)
        self.inside, self.results = {}, {}
        self.cancelled = []

    def _backend(self, call, done):
        self.inside[call.request_id] = done
        return lambda: self.cancelled.append(call.request_id)

    def call(self, name, **given):
        """Makes a call; returns what cancels it."""
        call = Call("a.B/C", request_id=name, **given)
        return self.start(call, lambda result: self.results.update({name: result}))

    def answer(self, name, result=None):
        self.inside.pop(name)(result or Reply(b""))

    def reason(self, name):
        return self.results[name].reason


async def settle():
    """Lets everything happen that can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_call_that_finds_a_place_costs_no_task():
    door = Door()
    before = asyncio.all_tasks()
    door.call("a")
    assert asyncio.all_tasks() == before
    assert list(door.inside) == ["a"]


async def test_one_waits_and_goes_when_another_ends():
    door = Door()
    door.call("a")
    door.call("b")
    await settle()
    assert list(door.inside) == ["a"]
    door.answer("a")
    await settle()
    assert list(door.inside) == ["b"]
    door.answer("b")
    assert door.turns.running == 0
    assert isinstance(door.results["b"], Reply)


async def test_the_bound_on_calls_that_wait_holds_within_one_turn_of_the_loop():
    door = Door(queue=3)
    for number in range(50):
        door.call(f"{number}")
    assert (door.turns.running, door.turns.waiting) == (1, 3)
    assert len(door.results) == 46
    await settle()
    assert (door.turns.running, door.turns.waiting) == (1, 3)


async def test_a_refusal_comes_at_once_and_says_when_to_try_again():
    door = Door(queue=0)
    door.call("a")
    door.call("b")
    failure = door.results["b"]
    assert (failure.reason, http_status(failure)) == ("OVERLOADED", 503)
    assert failure.status.code is Code.UNAVAILABLE
    assert any(each.type_url.endswith("RetryInfo") for each in failure.status.details)


async def test_one_that_waits_too_long_is_refused():
    door = Door(max_wait=0.02)
    door.call("a")
    door.call("b")
    while "b" not in door.results:
        await asyncio.sleep(0.005)
    assert door.reason("b") == "OVERLOADED"
    assert (door.turns.running, door.turns.waiting) == (1, 0)


async def test_one_whose_deadline_passes_is_told_so():
    door = Door()
    door.call("a")
    door.call("b", deadline=Deadline(asyncio.get_running_loop().time() + 0.02))
    while "b" not in door.results:
        await asyncio.sleep(0.005)
    assert door.reason("b") == "DEADLINE_EXCEEDED"


class TestCancellation:
    @pytest.mark.parametrize("turns", [0, 1, 5], ids=["at-once", "in-its-task", "later"])
    async def test_while_it_waits(self, turns):
        door = Door()
        door.call("a")
        cancel = door.call("b")
        for _ in range(turns):
            await asyncio.sleep(0)
        cancel()
        await settle()
        assert (door.turns.running, door.turns.waiting) == (1, 0)
        door.answer("a")
        assert door.turns.running == 0
        assert "b" not in door.results

    @pytest.mark.parametrize("turns", [0, 1, 2, 3])
    @pytest.mark.parametrize("before", [0, 5])
    async def test_just_when_its_turn_has_come(self, before, turns):
        """In whichever turn of the loop: the permit goes to the next, or the call had gone."""
        door = Door()
        door.call("a")
        cancel = door.call("b")
        door.call("c")
        for _ in range(before):
            await asyncio.sleep(0)
        door.answer("a")
        for _ in range(turns):
            await asyncio.sleep(0)
        cancel()
        await settle()
        assert list(set(door.inside) - {"b"}) == ["c"]
        door.answer("c")
        assert (door.turns.running, door.turns.waiting) == (0, 0)
        assert "b" not in door.results

    async def test_and_the_turn_comes_just_after(self):
        door = Door()
        door.call("a")
        cancel = door.call("b")
        await settle()
        cancel()  # its task hears of it in the next turn of the loop
        door.answer("a")
        await settle()
        assert (door.turns.running, door.turns.waiting) == (0, 0)


class TestWhatIsTold:
    @pytest.mark.parametrize(
        ("result", "dropped"),
        [
            (Reply(b""), [False]),
            (error("DEADLINE_EXCEEDED", "It took too long."), [True]),
            (error("UPSTREAM_UNAVAILABLE", "It is away."), []),
            (error("UPSTREAM_MESSAGE_TOO_LARGE", "It is large."), []),
        ],
        ids=["an-answer", "a-deadline", "a-cheap-error", "another-error"],
    )
    async def test_of_a_call_that_ended(self, result, dropped):
        door = Door()
        door.call("a")
        door.answer("a", result)
        assert [each[3] for each in door.gradient.observed] == dropped
        assert door.turns.running == 0

    async def test_of_a_client_that_left(self):
        door = Door()
        door.call("a")()
        assert [each[3] for each in door.gradient.observed] == [True]
        assert (door.turns.running, door.cancelled) == (0, ["a"])

    async def test_nothing_of_a_call_that_a_gate_behind_refused(self):
        class Refuses:
            def admit(self, call):
                raise error("OVERLOADED", "No.")

        door = Door(behind=[Refuses()])
        door.call("a")
        assert isinstance(door.results["a"], RpcError)
        assert (door.turns.running, door.gradient.observed) == (0, [])

    async def test_the_time_of_waiting_is_not_the_backends(self):
        door = Door()
        door.call("a")
        door.call("b")
        await asyncio.sleep(0.05)
        door.answer("a")
        await settle()
        door.answer("b")
        assert door.gradient.observed[1][1] < 0.04


class TestPriority:
    @pytest.mark.parametrize(
        ("said", "trusted", "goes"),
        [
            ("high", True, "b"),
            (" High ", True, "b"),
            ("high", False, "a"),
            ("urgent", True, "a"),
            ("low", True, "a"),
        ],
        ids=["a-proxy", "as-written", "anybody", "no-priority", "low"],
    )
    async def test_by_header_of_a_trusted_proxy(self, said, trusted, goes):
        door = Door(header="x-priority")
        door.call("running")
        door.call("a")
        door.call("b", head=head(("x-priority", said), is_trusted=trusted))
        door.answer("running")
        await settle()
        assert list(door.inside) == [goes]

    async def test_without_a_header_that_is_named_none_counts(self):
        door = Door()
        door.call("running")
        door.call("a")
        door.call("b", head=head(("x-priority", "high"), is_trusted=True))
        door.answer("running")
        await settle()
        assert list(door.inside) == ["a"]

    def test_their_names(self):
        assert list(PRIORITIES) == ["low", "normal", "high"]

    async def test_operators_are_told(self):
        assert "normal priority, or as x-priority of a trusted proxy says" in (
            Door(header="x-priority").gate.describe()
        )
