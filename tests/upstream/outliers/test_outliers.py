"""Endpoints whose calls fail are left out for a while: simulations with time and luck by hand."""

import logging
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import NO_METADATA, Call, Code, Reply, RpcError, Status
from gateway.errors import error
from gateway.upstream import upstream as upstreams
from gateway.upstream.channel import State
from gateway.upstream.node import Cause
from gateway.upstream.outliers.ejection import most
from gateway.upstream.outliers.outliers import Outliers
from gateway.upstream.spec import BalancingSpec, OutlierSpec, RetrySpec, UpstreamSpec
from tests.upstream.fakes import FakeChannel, listings
from tests.upstream.timers import Timers

FAILURE = RpcError(Status(Code.INTERNAL, "no disk"))
REFUSAL = RpcError(Status(Code.NOT_FOUND, "no such product"))
LATE = error("DEADLINE_EXCEEDED", "The backend took too long.")
BROKEN = error("UPSTREAM_RESET", "The backend broke off.")


class Fleet:
    """An upstream whose endpoints end calls as they are told, and the time it lives in."""

    def __init__(self, count, spec=None, seed=1, **arguments):
        self.timers = Timers()
        self.random = random.Random(seed)
        self.channels = [FakeChannel(str(number)) for number in range(count)]
        self.spec = UpstreamSpec(
            "test",
            listings(count),
            balancing=BalancingSpec("round_robin"),
            outliers=OutlierSpec() if spec is None else spec,
            **arguments,
        )
        self.made = 0
        self.upstream = upstreams.Upstream(
            self.spec, self._make, clock=self.timers.clock, random=self.random.random
        )
        before = upstreams.WATCHERS
        upstreams.WATCHERS = (lambda upstream: Outliers(upstream, self.timers.later),)
        try:
            self.upstream.open()
        finally:
            upstreams.WATCHERS = before

    def _make(self, spec, endpoint, heard, queue):
        while len(self.channels) < endpoint.port:
            self.channels.append(FakeChannel(str(len(self.channels))))
        channel = self.channels[endpoint.port - 1]
        channel.heard = heard
        return channel

    @property
    def nodes(self):
        return list(self.upstream.nodes.values())

    @property
    def out(self):
        return [index for index, node in enumerate(self.nodes) if Cause.OUTLIER in node.out]

    def call(self):
        """Makes a call; returns what it ends with."""
        ends = []
        self.upstream.start(Call("m"), ends.append)
        (end,) = ends
        return end

    def end(self, index, result, seconds=1.0):
        """Has a call of one endpoint end."""
        node = self.nodes[index]
        node.started()
        node.ended(result, seconds)

    def fail(self, index, times=5):
        for _ in range(times):
            self.end(index, FAILURE)


async def test_one_of_five_that_fails_is_out_after_as_many_of_its_calls_and_takes_none():
    fleet = Fleet(5)
    fleet.channels[2].result = FAILURE
    ends = [fleet.call() for _ in range(1000)]
    assert sum(end is FAILURE for end in ends) == 5
    assert fleet.out == [2]
    assert fleet.nodes[2].out[Cause.OUTLIER] == "5 of its calls failed in a row"
    assert fleet.nodes[2].ejections == 1


async def test_one_of_five_that_fails_half_of_its_calls_is_out_with_the_next_interval():
    fleet = Fleet(5, OutlierSpec(consecutive_errors=0))
    for _ in range(10_000):
        fleet.channels[3].result = fleet.random.choice([FAILURE, Reply(b"3")])
        fleet.call()
    fleet.timers.advance(10)
    assert fleet.out == [3]
    assert "of its calls succeed, where 90% is usual" in fleet.nodes[3].out[Cause.OUTLIER]


async def test_one_of_two_that_fails_nearly_always_is_out_with_the_next_interval():
    fleet = Fleet(2, OutlierSpec(consecutive_errors=0))
    for number in range(400):
        fleet.end(0, Reply(b""))
        fleet.end(1, FAILURE if number % 10 else Reply(b""))
    fleet.timers.advance(10)
    assert fleet.out == [1]
    assert fleet.nodes[1].out[Cause.OUTLIER] == "90% of its calls fail"


async def test_it_comes_back_and_stays_out_longer_each_further_time(caplog):
    caplog.set_level(logging.INFO, "gateway.upstream")
    fleet = Fleet(5)
    lengths = []
    for _ in range(3):
        fleet.fail(1)
        began = fleet.timers.now
        assert fleet.out == [1]
        while fleet.out:
            fleet.timers.advance(1)
        lengths.append(fleet.timers.now - began)
    assert lengths == [30, 60, 90]
    assert fleet.nodes[1].ejections == 3
    assert [record.message for record in caplog.records][:3] == [
        "backend h:2: it takes no calls for 30 s: 5 of its calls failed in a row",
        "backend h:2: it may take calls again",
        "backend h:2: it takes no calls for 60 s: 5 of its calls failed in a row",
    ]


def back(channel):
    """It is down, and up again."""
    channel.become(State.FAILING)
    channel.become(State.CONNECTING)
    channel.become(State.READY)


@pytest.mark.parametrize("before", [True, False], ids=["before it was put out", "while it was out"])
@pytest.mark.parametrize(
    "ail",
    [
        pytest.param(lambda fleet: back(fleet.channels[1]), id="it was not reached"),
        pytest.param(
            lambda fleet: fleet.upstream.checked(fleet.nodes[1], well=False), id="a check failed"
        ),
    ],
)
async def test_a_check_that_it_passes_lets_it_in_after_it_was_away(ail, before, caplog):
    caplog.set_level(logging.INFO, "gateway.upstream")
    fleet = Fleet(5)
    if before:
        ail(fleet)
    fleet.fail(1)
    fleet.timers.advance(1)
    if not before:
        ail(fleet)
    assert fleet.out == [1]
    fleet.upstream.checked(fleet.nodes[1], well=True)
    assert fleet.out == []
    assert caplog.messages[-1] == "backend h:2: it may take calls again"
    fleet.fail(1)
    fleet.upstream.checked(fleet.nodes[1], well=True)
    assert fleet.out == [1], "it passes its checks, and fails calls"
    fleet.timers.advance(50)
    assert fleet.out == [1], "it was the second time"


async def test_a_check_does_not_let_in_whose_checks_were_passed_all_along():
    fleet = Fleet(5)
    fleet.channels[1].become(State.CONNECTING)
    fleet.channels[1].become(State.READY)
    back(fleet.channels[1])
    fleet.upstream.checked(fleet.nodes[1], well=True)
    fleet.fail(1)
    fleet.upstream.checked(fleet.nodes[1], well=True)
    assert fleet.out == [1]


async def test_a_check_does_not_let_in_whose_rates_were_too_bad():
    fleet = Fleet(2, OutlierSpec(consecutive_errors=0))
    for number in range(400):
        fleet.end(0, Reply(b""))
        fleet.end(1, FAILURE if number % 10 else Reply(b""))
    fleet.timers.advance(10)
    back(fleet.channels[1])
    fleet.upstream.checked(fleet.nodes[1], well=True)
    assert fleet.out == [1]


async def test_checks_and_connections_of_one_that_is_not_listed_any_more_say_nothing():
    fleet = Fleet(3)
    gone = fleet.nodes[2]
    fleet.upstream.update(listings(2))
    fleet.channels[2].become(State.CLOSED)
    fleet.upstream.checked(gone, well=False)
    fleet.upstream.checked(gone, well=True)
    assert fleet.out == []
    await fleet.upstream.close(0)


async def test_one_that_was_well_for_long_stays_out_as_long_as_the_first_time():
    fleet = Fleet(5)
    for _ in range(3):
        fleet.fail(1)
        fleet.timers.advance(100)
    fleet.timers.advance(100)
    fleet.fail(1)
    fleet.timers.advance(30)
    assert fleet.out == []


async def test_what_failed_before_it_was_out_does_not_count_when_it_is_back():
    fleet = Fleet(5)
    fleet.fail(1, times=9)  # four of them were under way
    fleet.timers.advance(30)
    fleet.fail(1, times=4)
    assert fleet.out == []
    fleet.fail(1, times=1)
    assert fleet.out == [1]


async def test_answers_between_failures_and_refusals_put_nobody_out():
    fleet = Fleet(5)
    for _ in range(20):
        fleet.fail(0, times=4)
        fleet.end(0, Reply(b""))
        fleet.end(1, REFUSAL)
    assert fleet.out == []


async def test_one_connection_that_breaks_under_many_calls_puts_nobody_out():
    fleet = Fleet(2)
    for _ in range(50):
        fleet.end(0, BROKEN)
    assert fleet.out == []
    assert fleet.nodes[0].failures == 50, "for those who made the calls it is all the same"
    for _ in range(4):
        fleet.timers.advance(1.5)
        fleet.end(0, BROKEN)
    assert fleet.out == [0], "five that break are a row"


async def test_a_stream_that_ends_well_ends_a_row():
    fleet = Fleet(2)
    for _ in range(5):
        fleet.fail(0, times=4)
        fleet.nodes[0].started()
        fleet.nodes[0].stream_ended(NO_METADATA, 60)
    assert fleet.out == []


async def test_clients_with_little_time_put_nobody_out():
    fleet = Fleet(2)
    for _ in range(1000):
        fleet.end(0, LATE, seconds=0.001)
        fleet.timers.advance(0.01)
    assert fleet.out == []


async def test_one_that_hangs_is_out():
    fleet = Fleet(2)
    fleet.timers.advance(1)
    for _ in range(5):
        fleet.end(0, LATE, seconds=0.5)
    assert fleet.out == [0]


@pytest.mark.parametrize(
    ("per_try", "seconds", "expected"),
    [
        pytest.param(0.1, 0.1, [0], id="no longer than each try may take"),
        pytest.param(0.1, 0.05, [], id="not less"),
        pytest.param(2.0, 1.0, [0], id="nor longer than is usual"),
    ],
)
async def test_how_long_is_too_long(per_try, seconds, expected):
    fleet = Fleet(2, retries=RetrySpec(per_try_timeout=per_try))
    fleet.timers.advance(1)
    for _ in range(5):
        fleet.end(0, LATE, seconds=seconds)
    assert fleet.out == expected


async def test_the_only_endpoint_stays_however_it_fails():
    fleet = Fleet(1)
    fleet.fail(0, times=50)
    assert fleet.out == []


@pytest.mark.parametrize("how", ["unhealthy", "not connected"])
async def test_one_stays_while_there_is_no_other_that_takes_calls(how):
    fleet = Fleet(2)
    if how == "unhealthy":
        fleet.nodes[1].take_out(Cause.HEALTH, "it says NOT_SERVING")
    else:
        fleet.channels[1].become(State.FAILING)
    fleet.fail(0, times=50)
    assert fleet.out == []
    fleet.nodes[1].bring_back(Cause.HEALTH)
    fleet.channels[1].become(State.READY)
    fleet.fail(0, times=1)
    assert fleet.out == [0]


async def test_calls_in_flight_are_told_when_theirs_is_out():
    fleet = Fleet(2)
    moved = []

    class Attempt:
        def move(self):
            moved.append(self)

    attempt = Attempt()
    fleet.nodes[0].movable.add(attempt)
    fleet.fail(0)
    assert moved == [attempt]


async def test_a_total_outage_leaves_half_of_them_in():
    fleet = Fleet(10)
    for channel in fleet.channels:
        channel.result = FAILURE
    for _ in range(1000):
        fleet.call()
        fleet.timers.advance(0.01)
    assert len(fleet.out) == 5
    taken = Counter(len(channel.calls) > 0 for channel in fleet.channels)
    assert taken == {True: 10}


async def test_one_that_was_put_out_comes_in_when_others_leave():
    fleet = Fleet(4)
    fleet.fail(0)
    fleet.timers.advance(1)
    fleet.fail(1)
    assert fleet.out == [0, 1]
    fleet.upstream.update(listings(4)[:2])
    assert fleet.out == [1]  # whose time is over last
    await fleet.upstream.close(0)


async def test_it_can_be_switched_off_and_on():
    fleet = Fleet(4)
    fleet.fail(0)
    off = UpstreamSpec("test", fleet.spec.endpoints, balancing=fleet.spec.balancing)
    fleet.upstream.configure(off)
    assert fleet.out == []
    assert fleet.timers.due == []
    fleet.fail(0, times=50)
    assert fleet.out == []
    fleet.upstream.configure(fleet.spec)
    fleet.fail(0)
    assert fleet.out == [0]


async def test_who_is_out_stays_out_with_other_bounds_and_counts_go_on():
    fleet = Fleet(4)
    fleet.fail(0)
    fleet.fail(1, times=2)
    stricter = OutlierSpec(consecutive_errors=3)
    fleet.upstream.configure(
        UpstreamSpec(
            "test", fleet.spec.endpoints, balancing=fleet.spec.balancing, outliers=stricter
        )
    )
    assert fleet.out == [0]
    fleet.fail(1, times=1)
    assert fleet.out == [0, 1]


async def test_nothing_is_left_in_the_end():
    fleet = Fleet(4)
    fleet.fail(0)
    assert len(fleet.timers.due) == 1
    await fleet.upstream.close(0)
    assert fleet.timers.due == []


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("fail"), st.integers(0, 9), st.integers(1, 120)),
        st.tuples(st.just("answer"), st.integers(0, 9), st.integers(1, 120)),
        st.tuples(st.just("late"), st.integers(0, 9), st.integers(1, 120)),
        st.tuples(st.just("wait"), st.integers(1, 60), st.just(0)),
        st.tuples(st.just("unwell"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("well"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("join"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("leave"), st.integers(0, 9), st.just(0)),
    ),
    max_size=40,
)
RESULTS = {"fail": FAILURE, "answer": Reply(b"", NO_METADATA), "late": LATE}


@given(STEPS, st.integers(0, 100), st.integers(1, 8))
async def test_whatever_happens_no_more_are_out_than_may_be(steps, share, count):
    spec = OutlierSpec(max_ejected=share, consecutive_errors=3, minimum_hosts=2)
    fleet = Fleet(count, spec)
    listed = list(listings(count))
    for what, number, times in steps:
        index = number % len(fleet.nodes)
        before = set(fleet.out)
        match what:
            case "wait":
                fleet.timers.advance(number)
            case "unwell":
                fleet.nodes[index].take_out(Cause.HEALTH, "it says NOT_SERVING")
            case "well":
                fleet.nodes[index].bring_back(Cause.HEALTH)
            case "join":
                listed = list({*listed, *listings(number + 1)})
                fleet.upstream.update(listed)
            case "leave" if len(listed) > 1:
                del listed[index]
                fleet.upstream.update(listed)
            case "fail" | "answer" | "late":
                for _ in range(times):
                    fleet.end(index, RESULTS[what])
        assert len(fleet.out) <= most(spec, len(fleet.nodes))
        if what in ("fail", "late", "wait") and set(fleet.out) - before:
            assert any(not node.out for node in fleet.nodes), "an ejection leaves somebody"
    await fleet.upstream.close(0)
    assert fleet.timers.due == []


async def test_one_that_is_out_comes_back_as_soon_as_no_other_can_be_reached(caplog):
    caplog.set_level(logging.INFO, "gateway.upstream")
    fleet = Fleet(2)
    fleet.fail(0)
    assert fleet.out == [0]
    fleet.channels[1].become(State.FAILING)
    assert fleet.out == []
    assert isinstance(fleet.call(), Reply)
    assert len(fleet.channels[0].calls) == 1
    assert caplog.records[-1].message == "backend h:1: it may take calls again"
    fleet.fail(0)
    assert fleet.out == [], "there is no other"
    fleet.channels[1].become(State.READY)
    fleet.fail(0)
    assert fleet.out == [0]
    assert fleet.nodes[0].ejections == 2
    await fleet.upstream.close(0)


async def test_one_that_is_out_stays_out_while_another_can_be_reached():
    fleet = Fleet(3)
    fleet.fail(0)
    fleet.channels[1].become(State.FAILING)
    assert fleet.out == [0]
    fleet.channels[1].become(State.READY)
    fleet.channels[0].become(State.FAILING)
    fleet.channels[1].become(State.FAILING)
    fleet.channels[2].become(State.FAILING)
    assert fleet.out == [0], "nothing can be sent to it either"


async def test_one_that_is_out_comes_back_with_the_interval_after_others_are_found_unwell():
    fleet = Fleet(2, OutlierSpec(interval=1))
    fleet.fail(0)
    fleet.nodes[1].take_out(Cause.HEALTH, "it says NOT_SERVING")
    fleet.timers.advance(1)
    assert fleet.out == []


async def test_nobody_comes_back_when_all_is_closed(caplog):
    caplog.set_level(logging.INFO, "gateway.upstream")
    fleet = Fleet(2)
    fleet.fail(0)
    await fleet.upstream.close(0)
    fleet.channels[1].become(State.CLOSED)
    assert fleet.out == [0]
