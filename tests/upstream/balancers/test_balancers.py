"""What all balancers promise, whatever their policy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.balancers.policies import POLICIES
from tests.upstream.balancers.simulation import nodes_of, senses

KEYS = [None, b"", b"customer", b"\xff" * 100]


@pytest.fixture(params=POLICIES)
def balancer(request):
    return POLICIES[request.param].make(senses())


@pytest.mark.parametrize("key", KEYS)
def test_only_usable_nodes_are_picked(balancer, key):
    nodes = nodes_of(10)
    usable = nodes[3:6]
    balancer.update(nodes, usable)
    assert all(balancer.pick(key, ()) in usable for _ in range(200))


@pytest.mark.parametrize("key", KEYS)
def test_nodes_that_were_tried_are_not_picked_again(balancer, key):
    nodes = nodes_of(5)
    balancer.update(nodes, nodes)
    tried = ()
    for _ in nodes:
        node = balancer.pick(key, tried)
        assert node not in tried
        tried = (*tried, node)
    assert set(tried) == set(nodes)
    assert balancer.pick(key, tried) is None


@pytest.mark.parametrize("key", KEYS)
def test_one_node_takes_all(balancer, key):
    (node,) = nodes_of(1)
    balancer.update([node], [node])
    assert {balancer.pick(key, ()) for _ in range(10)} == {node}


@pytest.mark.parametrize("policy", [name for name, kind in POLICIES.items() if kind.spreads])
def test_keys_mean_nothing_to_those_that_spread(policy):
    balancer = POLICIES[policy].make(senses())
    nodes = nodes_of(4)
    balancer.update(nodes, nodes)
    assert {balancer.pick(b"customer", ()) for _ in range(200)} == set(nodes)


@given(
    policy=st.sampled_from(sorted(set(POLICIES) - {"maglev"})),
    steps=st.lists(
        st.tuples(st.sets(st.integers(0, 7), min_size=1), st.sets(st.integers(0, 7))),
        min_size=1,
        max_size=8,
    ),
    key=st.none() | st.binary(max_size=8),
)
def test_whatever_comes_and_goes(policy, steps, key):
    balancer = POLICIES[policy].make(senses())
    all_nodes = nodes_of(8, weights=[1, 1, 2, 3, 5, 8, 100, 1000])
    for there, out in steps:
        members = [all_nodes[each] for each in sorted(there)]
        usable = [all_nodes[each] for each in sorted(there - out)] or members
        balancer.update(members, usable)
        for avoid in ((), usable[:1], usable):
            node = balancer.pick(key, avoid)
            left = [each for each in usable if each not in avoid]
            assert node in left if left else node is None
