"""A node that was slow, was taken out or lost, and is well again."""

import pytest

from gateway.errors import error
from gateway.upstream.channel import AnsweredError, State
from gateway.upstream.node import Cause
from tests.upstream.fakes import Clock, FakeChannel, upstream_of

LATE = error("DEADLINE_EXCEEDED", "The deadline has passed.")
RESET = error("UPSTREAM_RESET", "The backend broke off.")


def node_of(clock):
    channel = FakeChannel("a")
    upstream = upstream_of(channel, clock=clock)
    (node,) = upstream.nodes.values()
    clock.now += 10
    return channel, node


def out_and_back(_, node):
    node.take_out(Cause.HEALTH, "it did not answer in time")
    node.bring_back(Cause.HEALTH)


def lost_and_found(channel, _):
    channel.become(State.FAILING)
    channel.become(State.READY)


@pytest.mark.parametrize("again", [out_and_back, lost_and_found])
async def test_one_that_begins_anew_is_not_left_alone_for_how_slow_it_was(again):
    clock = Clock()
    channel, node = node_of(clock)
    node.answered(clock.now - 5, clock.now)
    assert node.latency.at(clock.now) == 5
    again(channel, node)
    assert node.latency.at(clock.now) == 0, "as of one that has just joined"


async def test_what_was_asked_before_says_nothing_of_how_fast_it_is_now():
    clock = Clock()
    channel, node = node_of(clock)
    out_and_back(channel, node)
    clock.now += 1
    node.answered(clock.now - 3, clock.now)
    assert node.latency.seconds == 0
    node.answered(clock.now - 0.5, clock.now)
    node.started()
    node.ended(LATE, 3)
    assert node.latency.seconds == 0.5
    assert node.failures == 1, "it is counted all the same"


async def test_one_cause_less_of_two_is_not_a_beginning():
    clock = Clock()
    _, node = node_of(clock)
    node.answered(clock.now - 1, clock.now)
    node.take_out(Cause.HEALTH, "it says NOT_SERVING")
    node.take_out(Cause.OUTLIER, "5 calls failed in a row")
    node.bring_back(Cause.HEALTH)
    assert node.latency.seconds == 1


async def test_how_long_a_stream_was_says_nothing_of_how_fast_answers_are():
    clock = Clock()
    _, node = node_of(clock)
    clock.now += 900
    node.answered(clock.now - 0.005, clock.now)
    node.started()
    node.stream_ended(RESET, 600)
    assert (node.latency.seconds, node.latency.failures) == (pytest.approx(0.005), 0)
    assert (node.pending, node.failures) == (0, 1)


@pytest.mark.parametrize(
    ("failure", "answered"),
    [(AnsweredError.of(LATE), False), (LATE, True)],
    ids=["the channel says so", "messages came"],
)
async def test_a_stream_that_was_answered_until_its_deadline_is_no_failure(failure, answered):
    _, node = node_of(Clock())
    node.started()
    node.stream_ended(failure, 60, answered=answered)
    assert node.failures == 0
    node.started()
    node.stream_ended(LATE, 60)
    assert node.failures == 1


async def test_what_was_outrun_that_was_asked_before_says_nothing_either():
    clock = Clock()
    channel, node = node_of(clock)
    asked = clock.now
    clock.now += 1
    out_and_back(channel, node)
    node.answered(clock.now, clock.now + 0.5)
    clock.now += 1
    node.started()
    node.outrun(asked, clock.now)
    assert node.latency.seconds == 0.5
    node.started()
    node.outrun(clock.now - 0.9, clock.now)
    assert node.latency.seconds > 0.5, "what was asked since does"
