"""Least request: simulations on a clock by hand, with luck that is the same each time."""

import pytest

from gateway.upstream.balancers.least_request import LeastRequest
from gateway.upstream.latency import FIRST
from tests.upstream.balancers.simulation import FAILURE, nodes_of, picked, senses, simulate
from tests.upstream.fakes import Clock


def least_request(nodes, clock):
    balancer = LeastRequest(senses(clock))
    balancer.update(nodes, nodes)
    return balancer


def constant(seconds):
    return lambda node, luck: seconds


def jittery(seconds):
    return lambda node, luck: seconds * luck.lognormvariate(0, 0.3)


@pytest.mark.parametrize("amount", [2, 5, 10, 100])
def test_equal_nodes_have_the_same_number_of_calls_within_ten_percent(amount):
    clock = Clock()
    nodes = nodes_of(amount, clock)
    balancer = least_request(nodes, clock)
    counts = simulate(balancer, clock, constant(0.01), calls=100_000, rate=amount * 100)
    assert all(abs(counts[node] * amount / 100_000 - 1) < 0.1 for node in nodes)


@pytest.mark.parametrize("rate", [50, 1000, 5000], ids=lambda rate: f"{rate} calls a second")
def test_nodes_that_differ_by_luck_alone_have_much_the_same(rate):
    clock = Clock()
    nodes = nodes_of(10, clock)
    balancer = least_request(nodes, clock)
    counts = simulate(balancer, clock, jittery(0.01), calls=100_000, rate=rate)
    assert all(0.5 < counts[node] * 10 / 100_000 < 1.7 for node in nodes)


@pytest.mark.parametrize("rate", [20, 200, 2000], ids=lambda rate: f"{rate} calls a second")
@pytest.mark.parametrize("amount", [2, 3, 5, 10])
def test_one_ten_times_slower_has_under_five_percent(amount, rate):
    clock = Clock()
    slow, *_ = nodes = nodes_of(amount, clock)
    balancer = least_request(nodes, clock)
    counts = simulate(
        balancer,
        clock,
        lambda node, luck: (0.1 if node is slow else 0.01) * luck.uniform(0.8, 1.2),
        calls=50_000,
        rate=rate,
    )
    assert counts[slow] / 50_000 < 0.05


def test_one_that_becomes_slow_is_noticed_and_comes_back():
    clock = Clock()
    slow, *_ = nodes = nodes_of(5, clock)
    balancer = least_request(nodes, clock)
    simulate(balancer, clock, constant(0.01), calls=5000, rate=500)
    counts = simulate(
        balancer,
        clock,
        lambda node, luck: 1.0 if node is slow else 0.01,
        calls=5000,
        rate=500,
    )
    assert counts[slow] / 5000 < 0.02
    simulate(balancer, clock, constant(0.01), calls=30_000, rate=500)
    counts = simulate(balancer, clock, constant(0.01), calls=5000, rate=500)
    assert counts[slow] / 5000 > 0.15


@pytest.mark.parametrize("seconds", [0.0001, 0.01], ids=["at once", "as fast as the others"])
def test_one_that_fails_does_not_draw_calls(seconds):
    clock = Clock()
    broken, *_ = nodes = nodes_of(5, clock)
    balancer = least_request(nodes, clock)
    counts = simulate(
        balancer,
        clock,
        lambda node, luck: seconds if node is broken else 0.01,
        calls=50_000,
        rate=1000,
        fails={broken},
    )
    assert 0 < counts[broken] / 50_000 < 0.01


def test_all_that_fail_have_the_same():
    clock = Clock()
    nodes = nodes_of(4, clock)
    balancer = least_request(nodes, clock)
    counts = simulate(balancer, clock, constant(0.01), calls=20_000, rate=400, fails=set(nodes))
    assert all(abs(counts[node] / 5000 - 1) < 0.1 for node in nodes)


def test_one_of_which_nothing_is_known_is_taken_for_one_like_the_others():
    clock = Clock()
    nodes = nodes_of(5, clock)
    balancer = least_request(nodes[1:], clock)
    simulate(balancer, clock, constant(0.01), calls=2000, rate=100)
    balancer.update(nodes, nodes)
    counts = picked(balancer, 10_000)
    assert counts[nodes[0]] / 10_000 == pytest.approx(0.2, abs=0.03)


def test_a_first_answer_that_was_slow_does_not_count():
    clock = Clock()
    nodes = nodes_of(3, clock)
    balancer = least_request(nodes, clock)
    counts = simulate(
        balancer,
        clock,
        lambda node, luck: 0.001 if node.calls > 1 else 0.05,
        calls=300,
        rate=100,
    )
    assert min(counts[node] for node in nodes) > 70


def test_one_that_nobody_called_for_long_is_not_flooded():
    clock = Clock()
    nodes = nodes_of(2, clock)
    for node in nodes * FIRST:
        node.latency.took(0.01, clock())
    clock.now += 60
    nodes[1].latency.took(0.01, clock())
    balancer = least_request(nodes, clock)
    for _ in range(90):
        balancer.pick(None, ()).started()
    assert nodes[0].pending <= 61


def test_one_that_was_late_once_is_back_soon():
    """One client, whose calls are over before the next: nothing but what is known decides."""
    clock = Clock()
    nodes = nodes_of(2, clock)
    balancer = least_request(nodes, clock)
    simulate(balancer, clock, constant(0.002), calls=500, rate=75)
    nodes[0].started()
    clock.now += 0.3
    nodes[0].ended(FAILURE, 0.3)
    avoided = simulate(balancer, clock, constant(0.002), calls=75, rate=75)
    assert avoided[nodes[0]] == 0
    simulate(balancer, clock, constant(0.002), calls=300, rate=75)
    counts = simulate(balancer, clock, constant(0.002), calls=1000, rate=75)
    assert 400 < counts[nodes[0]] < 600


def test_one_that_hangs_is_tried_with_a_call_at_a_time():
    clock = Clock()
    hung, other = nodes = nodes_of(2, clock)
    balancer = least_request(nodes, clock)
    simulate(balancer, clock, constant(0.002), calls=500, rate=75)
    hung.latency.failed(5.0, clock())
    for _ in range(4000):
        clock.now += 0.01
        node = balancer.pick(None, ())
        if node is other:
            node.answered(clock.now - 0.002, clock.now)
        else:
            node.started()
    assert hung.pending == 1


def test_weights_count():
    clock = Clock()
    nodes = nodes_of(2, clock, weights=[1, 4])
    balancer = least_request(nodes, clock)
    counts = simulate(balancer, clock, constant(0.5), calls=20_000, rate=200)
    assert counts[nodes[1]] / counts[nodes[0]] == pytest.approx(4, rel=0.1)


def test_failures_are_forgotten():
    clock = Clock()
    nodes = nodes_of(2, clock)
    nodes[0].started()
    clock.now += 1
    nodes[0].ended(FAILURE, 0.001)
    balancer = least_request(nodes, clock)
    assert picked(balancer, 100)[nodes[0]] == 0
    clock.now += 60
    assert 30 < picked(balancer, 100)[nodes[0]] < 70
