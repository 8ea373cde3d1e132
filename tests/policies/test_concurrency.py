"""Calls at a time: of a method, an upstream, one caller."""

from __future__ import annotations

import asyncio

import pytest

from gateway.call import NO_METADATA, OK, Call, Code, Outcome, Principal, Reply, RpcError
from gateway.chain import compose_stream, compose_unary
from gateway.errors import error
from gateway.fronts.http_errors import error_headers, http_status
from gateway.policies.concurrency import Bound, BoundOfEach, Running, RunningOf

ENDED = Outcome(OK)
ADA = Principal("ada", "keys")


def calls(number, **given):
    return [Call("a.B/C", **given) for _ in range(number)]


def refused(bound, call):
    with pytest.raises(RpcError) as failure:
        bound.admit(call)
    return failure.value


class TestBound:
    def test_so_many_at_a_time_and_no_more(self):
        bound = Bound(Running(), 2, "the method")
        first, second, third = calls(3)
        assert (bound.admit(first), bound.admit(second)) == (None, None)
        assert refused(bound, third).reason == "OVERLOADED"
        bound.ended(first, ENDED)
        assert bound.admit(third) is None

    def test_a_refusal_takes_nothing(self):
        running = Running()
        bound = Bound(running, 1, "the method")
        first, *others = calls(5)
        bound.admit(first)
        for each in others:
            refused(bound, each)
        bound.ended(first, ENDED)
        assert running.calls == 0

    def test_clients_are_told_to_try_again(self):
        bound = Bound(Running(), 1, "the upstream")
        first, second = calls(2)
        bound.admit(first)
        failure = refused(bound, second)
        assert (failure.status.code, http_status(failure)) == (Code.UNAVAILABLE, 503)
        assert dict(error_headers(failure))["retry-after"] == "1"

    def test_bounds_that_share_a_count_go_on_with_another_number(self):
        running = Running()
        before, after = Bound(running, 1, "the method"), Bound(running, 3, "method")
        old, *new = calls(4)
        before.admit(old)
        after.admit(new[0])
        after.admit(new[1])
        assert refused(after, new[2]).reason == "OVERLOADED"
        before.ended(old, ENDED)
        after.admit(new[2])
        assert running.calls == 3


class TestBoundOfEach:
    def test_one_caller_does_not_count_for_another(self):
        bound = BoundOfEach(RunningOf(), 1)
        mine, another = calls(2, principal=ADA)
        (yours,) = calls(1, principal=Principal("bob", "keys"))
        bound.admit(mine)
        bound.admit(yours)
        failure = refused(bound, another)
        assert (failure.reason, failure.status.code) == ("TOO_MANY_CALLS", Code.RESOURCE_EXHAUSTED)
        assert (http_status(failure), dict(error_headers(failure))["retry-after"]) == (429, "1")
        bound.ended(mine, ENDED)
        bound.admit(another)

    @pytest.mark.parametrize(
        ("most", "said", "does"),
        [
            (
                1,
                "1 call of this method that has not ended.",
                "1 call of the method and its caller runs ",
            ),
            (
                2,
                "2 calls of this method that have not ended.",
                "2 calls of the method and its caller run ",
            ),
        ],
    )
    def test_it_says_how_many_calls_there_are(self, most, said, does):
        bound = BoundOfEach(RunningOf(), most)
        *mine, another = calls(most + 1, principal=ADA)
        for call in mine:
            bound.admit(call)
        assert refused(bound, another).status.message == f"The caller has {said}"
        assert does in bound.describe()

    def test_nothing_is_kept_of_who_has_no_calls(self):
        running = RunningOf()
        bound = BoundOfEach(running, 2)
        made = [Call("a.B/C", peer=f"203.0.113.{number}") for number in range(100)]
        for call in made:
            bound.admit(call)
        assert len(running) == 100
        for call in made:
            bound.ended(call, ENDED)
        assert len(running) == 0

    def test_a_permit_goes_back_to_whom_it_was_of_when_it_was_taken(self):
        running = RunningOf()
        bound = BoundOfEach(running, 1)
        (call,) = calls(1, principal=ADA)
        bound.admit(call)
        call.principal = Principal("ada", "other")  # a stream with another token
        bound.ended(call, ENDED)
        assert len(running) == 0


class Backend:
    """Ends calls when it is told to."""

    def __init__(self):
        self.done = []
        self.cancelled = 0

    def start(self, call, done):
        self.done.append(done)
        return self.cancel

    def cancel(self):
        self.cancelled += 1


class Refuses:
    def admit(self, call):
        raise error("CONDITION_FAILED", "No.")


class Bug:
    def admit(self, call):
        raise ZeroDivisionError


class TestWaysOut:
    """In a chain: a permit is given back exactly once, whatever becomes of the call."""

    @pytest.fixture
    def running(self):
        return Running(), RunningOf()

    @pytest.fixture
    def policies(self, running):
        count, each = running
        return [BoundOfEach(each, 5), Bound(count, 5, "the method")]

    @pytest.mark.parametrize(
        "result", [Reply(b""), error("UPSTREAM_RESET", "It broke.")], ids=["reply", "error"]
    )
    def test_an_answer(self, running, policies, result):
        backend = Backend()
        cancel = compose_unary(policies, backend.start)(Call("a.B/C"), lambda result: None)
        assert (running[0].calls, len(running[1])) == (1, 1)
        backend.done[0](result)
        cancel()  # too late
        assert (running[0].calls, len(running[1])) == (0, 0)

    def test_a_client_that_leaves(self, running, policies):
        backend = Backend()
        cancel = compose_unary(policies, backend.start)(Call("a.B/C"), lambda result: None)
        cancel()
        cancel()
        assert (running[0].calls, len(running[1]), backend.cancelled) == (0, 0, 1)

    @pytest.mark.parametrize("behind", [Refuses(), Bug()], ids=["refuses", "is-broken"])
    def test_a_gate_behind_that_refuses(self, running, policies, behind):
        results = []
        compose_unary([*policies, behind], Backend().start)(Call("a.B/C"), results.append)
        assert isinstance(results[0], RpcError)
        assert (running[0].calls, len(running[1])) == (0, 0)

    def test_its_own_refusal_gives_back_what_was_taken_before(self, running, policies):
        results, start = (
            [],
            compose_unary([*policies, Bound(Running(), 0, "the upstream")], Backend().start),
        )
        start(Call("a.B/C"), results.append)
        assert results[0].reason == "OVERLOADED"
        assert (running[0].calls, len(running[1])) == (0, 0)

    @pytest.mark.parametrize("way", ["ends", "fails", "is-cancelled"])
    async def test_a_stream_holds_its_permit_until_it_is_over(self, running, policies, way):
        over = asyncio.Event()

        async def stream(call):
            await over.wait()
            if way == "fails":
                raise error("UPSTREAM_RESET", "It broke.")
            return NO_METADATA

        task = asyncio.create_task(compose_stream(policies, stream)(Call("a.B/C")))
        await asyncio.sleep(0)
        assert (running[0].calls, len(running[1])) == (1, 1)
        if way == "is-cancelled":
            task.cancel()
        over.set()
        await asyncio.gather(task, return_exceptions=True)
        assert (running[0].calls, len(running[1])) == (0, 0)
