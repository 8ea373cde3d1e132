"""Ring hash and maglev: a key's node, and who moves when one comes or goes."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.upstream.balancers.maglev import SIZE, Maglev
from gateway.upstream.balancers.ring_hash import POINTS, RingHash, points_by_weight
from tests.examples import examples
from tests.upstream.balancers.simulation import node_of, nodes_of, senses

KEYS = [b"customer %d" % number for number in range(20_000)]

KEYED = pytest.mark.parametrize("make", [RingHash, Maglev])


def made(make, members, usable=None):
    balancer = make(senses())
    balancer.update(members, members if usable is None else usable)
    return balancer


def placed(balancer, keys=KEYS):
    return {key: balancer.pick(key, ()).endpoint for key in keys}


def moved(before, after, gone=()):
    """Returns the share of the keys of all but some nodes that are elsewhere now."""
    others = [key for key, endpoint in before.items() if endpoint not in gone]
    return sum(before[key] != after[key] for key in others) / len(others)


@KEYED
def test_a_key_has_the_same_node_on_all_gateways(make):
    here, there = nodes_of(7), nodes_of(7)[::-1]
    assert placed(made(make, here)) == placed(made(make, there))


@KEYED
def test_removing_one_of_a_hundred_moves_few_of_the_others_keys(make):
    nodes = nodes_of(100)
    before = placed(made(make, nodes))
    after = placed(made(make, nodes[:40] + nodes[41:]))
    assert moved(before, after, gone={nodes[40].endpoint}) < 0.02


@KEYED
def test_adding_one_to_a_hundred_moves_few_keys_but_those_it_takes(make):
    nodes = nodes_of(101)
    before = placed(made(make, nodes[:100]))
    after = placed(made(make, nodes))
    stayed = {key: end for key, end in after.items() if end != nodes[100].endpoint}
    assert sum(before[key] != end for key, end in stayed.items()) / len(stayed) < 0.02


@KEYED
@pytest.mark.parametrize("count", [1, 3, 9])
def test_nodes_that_take_no_calls_lose_their_keys_and_no_other_moves(make, count):
    nodes = nodes_of(10)
    balancer = made(make, nodes)
    before = placed(balancer)
    out = {node.endpoint for node in nodes[:count]}
    balancer.update(nodes, nodes[count:])
    after = placed(balancer)
    assert moved(before, after, gone=out) == 0
    assert not out & set(after.values())
    balancer.update(nodes, nodes)
    assert placed(balancer) == before


@KEYED
def test_the_keys_of_one_that_is_out_go_to_all_others(make):
    nodes = nodes_of(10)
    balancer = made(make, nodes)
    before = placed(balancer)
    balancer.update(nodes, nodes[1:])
    after = placed(balancer)
    heirs = Counter(after[key] for key in KEYS if before[key] == nodes[0].endpoint)
    assert len(heirs) == 9
    assert max(heirs.values()) < 0.4 * heirs.total()


@KEYED
def test_a_call_that_was_tried_goes_where_it_would_if_that_node_were_out(make):
    nodes = nodes_of(10)
    balancer = made(make, nodes)
    tried = {key: balancer.pick(key, ()) for key in KEYS[:500]}
    seconds = {key: balancer.pick(key, (tried[key],)) for key in tried}
    for node in nodes:
        balancer.update(nodes, [each for each in nodes if each is not node])
        for key, first in tried.items():
            if first is node:
                assert balancer.pick(key, ()) is seconds[key]


@pytest.mark.parametrize(("make", "within"), [(RingHash, 0.25), (Maglev, 0.06)])
def test_shares_are_even(make, within):
    counts = Counter(placed(made(make, nodes_of(10))).values())
    assert all(abs(count / 2000 - 1) < within for count in counts.values())


@KEYED
@pytest.mark.parametrize("weights", [[1, 2, 5], [10, 20, 50], [1, 1, 2]])
def test_shares_follow_weights(make, weights):
    nodes = nodes_of(3, weights=weights)
    counts = Counter(placed(made(make, nodes)).values())
    for node, weight in zip(nodes, weights, strict=True):
        assert counts[node.endpoint] / len(KEYS) == pytest.approx(weight / sum(weights), rel=0.2)


@KEYED
def test_weights_that_change_with_time_move_no_key(make):
    nodes = nodes_of(5)
    balancer = made(make, nodes)
    before = placed(balancer, KEYS[:1000])
    nodes[0].weight = 0.1
    balancer.update(nodes, nodes)
    assert placed(balancer, KEYS[:1000]) == before


@KEYED
def test_calls_without_a_key_go_anywhere(make):
    nodes = nodes_of(5)
    balancer = made(make, nodes)
    counts = Counter(balancer.pick(None, ()) for _ in range(10_000))
    assert all(abs(counts[node] / 2000 - 1) < 0.1 for node in nodes)
    tried = (nodes[0], nodes[3])
    assert {balancer.pick(None, tried) for _ in range(200)} == set(nodes) - set(tried)


@KEYED
def test_calls_without_a_key_go_by_weight(make):
    nodes = nodes_of(3, weights=[1, 2, 7])
    balancer = made(make, nodes)
    counts = Counter(balancer.pick(None, ()) for _ in range(10_000))
    assert [counts[node] / 1000 for node in nodes] == pytest.approx([1, 2, 7], rel=0.1)
    left = Counter(balancer.pick(None, nodes[2:]) for _ in range(3000))
    assert [left[node] / 1000 for node in nodes] == pytest.approx([1, 2, 0], rel=0.1)


def test_a_node_of_the_usual_weight_has_the_usual_points():
    assert points_by_weight([1] * 5) == [POINTS] * 5
    assert points_by_weight([4] * 5) == [POINTS] * 5
    assert points_by_weight([1, 1000]) == [1, 2 * POINTS * 1000 // 1024]


def test_one_that_comes_or_goes_changes_nobody_s_points():
    assert points_by_weight([3, 3, 4, 5]) == points_by_weight([3, 3, 4, 5, 4])[:4]


def test_the_table_of_very_uneven_nodes_is_full():
    nodes = nodes_of(100, weights=[1000, *[1] * 99])
    counts = Counter(placed(made(Maglev, nodes)).values())
    assert counts[nodes[0].endpoint] / len(KEYS) == pytest.approx(1000 / 1099, abs=0.02)


@pytest.mark.parametrize("weights", [(1, 65535, 65535), (1, *(1000,) * 80), (1, 1, 65535, 65535)])
def test_a_light_node_beside_heavy_ones_takes_all_calls_when_they_take_none(weights):
    nodes = nodes_of(len(weights), weights=weights)
    light = [node for node in nodes if node.listing.weight == 1]
    balancer = made(Maglev, nodes, light)
    counts = Counter(placed(balancer, KEYS[:200]).values())
    assert set(counts) == {node.endpoint for node in light}
    assert placed(balancer, KEYS[:200]) == placed(made(Maglev, nodes, light), KEYS[:200])
    heavy = placed(made(Maglev, nodes))
    assert Counter(heavy.values())[light[0].endpoint] < 20, "as its weight says"


def test_the_size_of_the_table_is_prime():
    assert all(SIZE % divisor for divisor in range(2, 257))


@settings(max_examples=examples())
@given(
    there=st.sets(st.integers(0, 30), min_size=2, max_size=12),
    data=st.data(),
)
def test_on_a_ring_only_the_keys_of_who_goes_move(there, data):
    keys = KEYS[:300]
    gone = data.draw(st.sampled_from(sorted(there)))
    nodes = {number: node_of(number) for number in there}
    balancer = made(RingHash, list(nodes.values()))
    before = placed(balancer, keys)
    left = [node for number, node in nodes.items() if number != gone]
    balancer.update(left, left)
    after = placed(balancer, keys)
    assert all(after[key] == end or end == nodes[gone].endpoint for key, end in before.items())
    # It makes no difference how they came to be who they are.
    assert after == placed(made(RingHash, left[::-1]), keys)
