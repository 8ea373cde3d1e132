"""Weights: as listed, growing, and by reported load."""

import logging

import pytest

from gateway.call import Metadata
from gateway.upstream.channel import State
from gateway.upstream.node import Cause
from gateway.upstream.spec import BalancingSpec
from gateway.upstream.standing.weights import BLACKOUT, EXPIRY, UPDATE, Weights
from tests.upstream.balancers.simulation import nodes_of
from tests.upstream.fakes import Clock
from tests.upstream.reports import load_report


@pytest.fixture
def clock():
    return Clock()


def slow(seconds=30.0):
    return Weights(BalancingSpec(slow_start=seconds), vary=True)


def test_weights_are_as_listed(clock):
    nodes = nodes_of(2, clock, weights=[1, 3])
    assert Weights(BalancingSpec(), vary=True).settle(nodes, clock()) is None
    assert [node.weight for node in nodes] == [1, 3]
    assert not nodes[0].reports


# Slow start.


@pytest.mark.parametrize(
    ("passed", "share"), [(0, 0.1), (1, 0.1), (15, 0.5), (29, 29 / 30), (30, 1), (1000, 1)]
)
def test_a_share_grows_from_a_tenth(clock, passed, share):
    (node,) = nodes_of(1, clock, weights=[4])
    clock.now += passed
    slow().settle([node], clock())
    assert node.weight == pytest.approx(4 * share)


def test_it_is_settled_again_until_all_are_warm(clock):
    nodes = nodes_of(2, clock)
    weights = slow(30.0)
    settled = 0
    while (due := weights.settle(nodes, clock())) is not None:
        assert due > clock()
        clock.now = due
        settled += 1
    assert settled == 20
    assert nodes[0].weight == 1


def test_one_that_was_brought_back_begins_anew(clock):
    (node,) = nodes_of(1, clock)
    clock.now += 1000
    node.take_out(Cause.HEALTH, "it says so")
    node.take_out(Cause.OUTLIER, "it fails")
    clock.now += 1000
    node.bring_back(Cause.HEALTH)
    slow().settle([node], clock())
    assert node.weight == 1
    node.bring_back(Cause.OUTLIER)
    slow().settle([node], clock())
    assert node.weight == 0.1


@pytest.mark.parametrize(
    ("before", "weight"), [(State.FAILING, 0.1), (State.CONNECTING, 1), (State.IDLE, 1)]
)
def test_one_that_is_reached_after_it_failed_begins_anew(clock, before, weight):
    (node,) = nodes_of(1, clock)
    clock.now += 1000
    node.heard(before)
    node.heard(State.READY)
    slow().settle([node], clock())
    assert node.weight == weight


def test_where_weights_must_not_change_they_do_not(clock):
    (node,) = nodes_of(1, clock)
    spec = BalancingSpec("ring_hash", slow_start=30, orca=True)
    assert Weights(spec, vary=False).settle([node], clock()) is None
    assert (node.weight, node.reports) == (1, False)


# Reported load.


@pytest.fixture
def reported(clock):
    """Tells of loads by a function of time passed; returns the weights."""
    weights = Weights(BalancingSpec(orca=True), vary=True)

    def settled(nodes, seconds, *loads):
        end = clock.now + seconds
        while clock.now < end:
            for node, load in zip(nodes, loads, strict=False):
                if load is not None:
                    node.reported(Metadata([("endpoint-load-metrics-bin", load_report(**load))]))
            due = weights.settle(nodes, clock())
            assert due == clock() + UPDATE
            clock.now = due
        weights.settle(nodes, clock())
        return [round(node.weight, 3) for node in nodes]

    return settled


BUSY = {"rps_fractional": 100.0, "application_utilization": 0.9}
IDLE = {"rps_fractional": 100.0, "application_utilization": 0.3}


def test_reports_are_asked_for(clock, reported):
    nodes = nodes_of(1, clock)
    reported(nodes, 1)
    assert nodes[0].reports


def test_who_is_less_busy_has_more_calls(clock, reported):
    assert reported(nodes_of(2, clock), BLACKOUT + 2, BUSY, IDLE) == [0.5, 1.5]


def test_reports_are_believed_after_a_while(clock, reported):
    nodes = nodes_of(2, clock, weights=[1, 7])
    assert reported(nodes, BLACKOUT / 2, BUSY, IDLE) == [1, 7]
    assert reported(nodes, BLACKOUT, BUSY, IDLE) == [0.5, 1.5]


def test_who_does_not_report_has_the_mean_of_those_who_do(clock, reported):
    assert reported(nodes_of(3, clock), BLACKOUT + 2, BUSY, IDLE, None) == [0.5, 1.5, 1]


def test_one_report_alone_says_nothing(clock, reported):
    assert reported(nodes_of(2, clock, weights=[2, 3]), BLACKOUT + 2, BUSY) == [2, 3]


def test_one_that_is_wrong_about_itself_has_neither_all_calls_nor_none(clock, reported):
    absurd = {"rps_fractional": 1e300, "application_utilization": 1e-3}
    nodes = nodes_of(20, clock)
    assert reported(nodes, BLACKOUT + 2, absurd, *[BUSY] * 19) == [10, *[0.01] * 19]


def test_what_was_reported_is_forgotten(clock, reported):
    nodes = nodes_of(2, clock)
    reported(nodes, BLACKOUT + 2, BUSY, IDLE)
    assert reported(nodes, EXPIRY - 5) == [0.5, 1.5]
    assert reported(nodes, 10) == [1, 1]


def test_one_that_was_brought_back_has_to_report_anew(clock, reported):
    nodes = nodes_of(2, clock)
    reported(nodes, BLACKOUT + 2, BUSY, IDLE)
    nodes[0].take_out(Cause.OUTLIER, "it fails")
    nodes[0].bring_back(Cause.OUTLIER)
    assert reported(nodes, 2, BUSY, IDLE) == [1, 1]


def test_reports_that_say_too_little_change_nothing(clock, reported):
    assert reported(nodes_of(2, clock), BLACKOUT + 2, {"cpu_utilization": 1.0}, IDLE) == [1, 1]


def test_a_report_that_cannot_be_read_is_told_of_once(clock, caplog):
    nodes = nodes_of(1, clock)
    weights = Weights(BalancingSpec(orca=True), vary=True)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            nodes[0].reported(Metadata([("endpoint-load-metrics-bin", b"\xff")]))
            weights.settle(nodes, clock())
    assert caplog.messages == [
        "10.0.0.0:80 sends a load report with a broken number; its weight does not follow from it"
    ]
