"""Round robin: even, by weight, evenly apart."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.balancers.round_robin import RoundRobin
from tests.upstream.balancers.simulation import nodes_of, picked, senses


def round_robin(nodes, seed=1):
    balancer = RoundRobin(senses(seed=seed))
    balancer.update(nodes, nodes)
    return balancer


@pytest.mark.parametrize("amount", [2, 7, 10, 1000])
def test_equal_nodes_have_the_same_number_of_calls_within_two_percent(amount):
    nodes = nodes_of(amount)
    counts = picked(round_robin(nodes), 100_000)
    even = 100_000 / amount
    assert all(abs(counts[node] - even) <= max(0.02 * even, 1) for node in nodes)


def test_nodes_have_calls_by_their_weights():
    nodes = nodes_of(3, weights=[5, 1, 4])
    counts = picked(round_robin(nodes), 100_000)
    assert [round(counts[node] / 10_000, 2) for node in nodes] == [5, 1, 4]


@given(st.lists(st.integers(1, 20), min_size=2, max_size=6), st.integers(0, 100))
def test_no_node_is_ever_more_than_a_call_from_its_share(weights, seed):
    nodes = nodes_of(len(weights), weights=weights)
    balancer = round_robin(nodes, seed)
    counts = Counter()
    whole = sum(weights)
    for turn in range(1, 3 * whole + 1):
        counts[balancer.pick(None, ())] += 1
        assert sum(counts.values()) == turn
        if turn % whole == 0:
            for node, weight in zip(nodes, weights, strict=True):
                assert abs(counts[node] - weight * turn / whole) <= 1


def test_a_heavy_node_s_turns_are_apart():
    heavy, *_ = nodes = nodes_of(4, weights=[3, 1, 1, 1])
    balancer = round_robin(nodes)
    turns = [balancer.pick(None, ()) is heavy for _ in range(60)]
    assert not any(all(turns[at : at + 3]) for at in range(58))


def test_gateways_do_not_all_begin_with_the_same():
    nodes = nodes_of(10)
    assert len({round_robin(nodes, seed).pick(None, ()) for seed in range(50)}) > 5


def test_a_node_that_was_avoided_keeps_its_turn():
    nodes = nodes_of(3)
    balancer = round_robin(nodes)
    first = round_robin(nodes).pick(None, ())
    other = balancer.pick(None, (first,))
    assert other is not first
    assert balancer.pick(None, ()) is first


def test_changes_do_not_favour_who_is_listed_first():
    nodes = nodes_of(4)
    balancer = round_robin(nodes)
    counts = Counter()
    for turn in range(4000):
        balancer.update(nodes, nodes[:3] if turn % 2 else nodes)
        counts[balancer.pick(None, ())] += 1
    assert max(counts[node] for node in nodes[:3]) <= 1.1 * min(counts[node] for node in nodes[:3])


def test_a_node_that_came_back_is_not_given_what_it_missed():
    nodes = nodes_of(2)
    balancer = round_robin(nodes)
    balancer.update(nodes, nodes[:1])
    picked(balancer, 1000)
    balancer.update(nodes, nodes)
    assert picked(balancer, 10) == {nodes[0]: 5, nodes[1]: 5}
