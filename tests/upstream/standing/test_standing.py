"""Standing: who takes the next call, of all that changes."""

from collections import Counter
from dataclasses import replace
from gc import collect
from weakref import ref

import pytest

from gateway.upstream.balancers import maglev
from gateway.upstream.channel import State
from gateway.upstream.node import Cause
from gateway.upstream.spec import BalancingSpec
from gateway.upstream.standing import Standing
from tests.upstream.balancers.simulation import node_of, nodes_of, senses
from tests.upstream.fakes import Clock, FakeChannel, upstream_of

KEYS = [b"customer %d" % number for number in range(2000)]
SPREADING = ["least_request", "round_robin", "random"]
ALL = [*SPREADING, "ring_hash", "maglev", "pick_first"]


def standing(nodes, policy="round_robin", clock=None, **spec):
    made = Standing(BalancingSpec(policy, **spec), senses(clock))
    made.update(nodes)
    return made


def picked(made, picks=1000, key=None):
    return Counter(made.pick(key, ()) for _ in range(picks))


def out(*nodes):
    for node in nodes:
        node.out[Cause.HEALTH] = "it says so"


@pytest.mark.parametrize("policy", ALL)
def test_nobody_takes_calls_where_there_is_nobody(policy):
    made = Standing(BalancingSpec(policy), senses())
    assert made.pick(None, ()) is None
    made.update(())
    assert made.pick(b"customer", ()) is None


@pytest.mark.parametrize("policy", ALL)
def test_who_is_out_takes_no_calls(policy):
    nodes = nodes_of(5)
    out(*nodes[:2])
    taken = picked(standing(nodes, policy))
    assert set(taken) <= set(nodes[2:])


@pytest.mark.parametrize("policy", ALL)
def test_levels_share_the_calls(policy):
    first, second = nodes_of(10), [node_of(20 + each, priority=1) for each in range(10)]
    out(*first[:5])
    made = standing(first + second, policy)
    taken = Counter(made.pick(key, ()) for key in KEYS)
    share = sum(taken[node] for node in first) / taken.total()
    assert share == pytest.approx(1.0 if policy == "pick_first" else 0.7, abs=0.03)


@pytest.mark.parametrize("policy", ALL)
def test_a_level_fails_over_and_returns(policy):
    nodes = [node_of(1), node_of(2, priority=1)]
    made = standing(nodes, policy)
    assert set(picked(made)) == {nodes[0]}
    nodes[0].heard(State.FAILING)
    made.update(nodes)
    assert set(picked(made)) == {nodes[1]}
    nodes[0].heard(State.READY)
    made.update(nodes)
    assert set(picked(made)) == {nodes[0]}


@pytest.mark.parametrize("policy", ["ring_hash", "maglev"])
def test_a_key_stays_in_its_level(policy):
    first, second = nodes_of(10), [node_of(20 + each, priority=1) for each in range(10)]
    out(*first[:5])
    made = standing(first + second, policy)
    for key in KEYS[:100]:
        assert len(picked(made, 10, key)) == 1
    # Those that the first level takes still use all its nodes alike.
    taken = Counter(made.pick(key, ()) for key in KEYS)
    mean = sum(taken[node] for node in first) / 5
    assert all(0.5 < taken[node] / mean < 1.6 for node in first[5:])


@pytest.mark.parametrize("policy", SPREADING)
def test_the_own_zone_comes_first_and_the_rest_spills(policy):
    here, there = node_of(1, zone="a"), [node_of(2 + each, zone="b") for each in range(3)]
    made = standing([here, *there], policy, zone="a")
    taken = picked(made, 10_000)
    assert taken[here] / 10_000 == pytest.approx(0.5, abs=0.02)
    assert all(taken[node] / 10_000 == pytest.approx(1 / 6, abs=0.02) for node in there)
    out(here)
    made.update([here, *there])
    assert set(picked(made)) == set(there)


@pytest.mark.parametrize("policy", SPREADING)
def test_all_stay_in_a_zone_that_can_take_them(policy):
    nodes = [node_of(each, zone="ab"[each % 2]) for each in range(6)]
    assert set(picked(standing(nodes, policy, zone="a"))) == set(nodes[::2])


@pytest.mark.parametrize("policy", SPREADING)
def test_a_zone_does_not_hide_the_others_from_a_call_that_was_tried(policy):
    nodes = [node_of(each, zone="ab"[each % 2]) for each in range(4)]
    made = standing(nodes, policy, zone="a")
    assert made.pick(None, (nodes[0], nodes[2])) in (nodes[1], nodes[3])


def test_a_call_that_was_tried_goes_to_who_is_better_first():
    ready, connecting, failing, unwell = nodes = nodes_of(4)
    connecting.heard(State.CONNECTING)
    failing.heard(State.FAILING)
    out(unwell)
    made = standing(nodes)
    assert made.pick(None, ()) is ready
    assert made.pick(None, (ready,)) is connecting
    assert made.pick(None, (ready, connecting)) is failing
    assert made.pick(None, (ready, connecting, failing)) is None


@pytest.mark.parametrize("priorities", [(0, 0), (0, 1)], ids=["one level", "two levels"])
def test_pick_first_stays_while_its_node_connects_anew_until_that_has_failed(priorities):
    """As with each GOAWAY: else all calls would go elsewhere, for good."""
    first, second = nodes = [node_of(n, priority=each) for n, each in enumerate(priorities)]
    made = standing(nodes, "pick_first")
    for state in (State.IDLE, State.CONNECTING, State.READY, State.IDLE, State.CONNECTING):
        first.heard(state)
        made.update(nodes)
        assert made.pick(None, ()) is first
    first.heard(State.FAILING)
    made.update(nodes)
    assert made.pick(None, ()) is second
    first.heard(State.CONNECTING)
    made.update(nodes)
    assert made.pick(None, ()) is second


def test_pick_first_begins_with_one_that_is_connected():
    nodes = nodes_of(2)
    nodes[0].last, nodes[0].state = None, State.CONNECTING  # as of a channel that was just made
    assert standing(nodes, "pick_first").pick(None, ()) is nodes[1]


def test_in_panic_those_who_are_out_are_tried_too():
    nodes = nodes_of(4)
    out(*nodes[1:])
    made = standing(nodes)
    tried = ()
    for _ in nodes:
        tried = (*tried, made.pick(None, tried))
    assert set(tried) == set(nodes)


def test_without_panic_nobody_who_is_out_is_asked():
    nodes = nodes_of(2)
    out(*nodes)
    assert standing(nodes, panic_threshold=0.0).pick(None, ()) is None
    assert standing(nodes, panic_threshold=0.0).pick(None, (nodes[0],)) is None


@pytest.mark.parametrize("policy", ["least_request", "round_robin", "random", "pick_first"])
def test_calls_with_a_key_stick_and_the_others_go_by_the_policy(policy):
    nodes = [node_of(each, zone="ab"[each % 2]) for each in range(6)]
    made = standing(nodes, policy, sticky=True, zone="a")
    taken = {key: made.pick(key, ()) for key in KEYS}
    assert set(taken.values()) == set(nodes)
    assert all(made.pick(key, ()) is node for key, node in taken.items())
    assert set(picked(made)) == (set(nodes[:1]) if policy == "pick_first" else set(nodes[::2]))
    # A gateway elsewhere gives each key the same node.
    other = standing(nodes[::-1], "random", sticky=True, zone="b")
    assert all(other.pick(key, ()) is node for key, node in taken.items())


def test_keys_mean_nothing_where_they_are_not_to_stick():
    nodes = nodes_of(4)
    assert set(picked(standing(nodes), key=b"customer")) == set(nodes)


@pytest.mark.parametrize("policy", SPREADING)
def test_the_share_of_a_new_node_grows(policy):
    clock = Clock()
    nodes = nodes_of(3, clock)
    clock.now += 1000
    nodes.append(node_of(9, clock))
    made = standing(nodes, policy, clock, slow_start=30.0)
    shares = []
    for _ in range(4):
        shares.append(picked(made, 9000)[nodes[3]] / 9000)
        clock.now += 10
    assert shares[0] < 0.06
    assert shares == sorted(shares)
    assert shares[3] == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("policy", SPREADING)
def test_the_share_of_a_zone_whose_only_node_is_new_grows(policy):
    clock = Clock()
    nodes = [node_of(each, clock, zone="b") for each in range(2)]
    clock.now += 1000
    nodes.append(node_of(9, clock, zone="a"))
    made = standing(nodes, policy, clock, zone="a", slow_start=10.0)
    shares = []
    for _ in range(6):
        shares.append(picked(made, 9000)[nodes[2]] / 9000)
        clock.now += 2
    # A tenth of one beside two, all of it from one of two zones; then a third, likewise.
    assert shares[0] == pytest.approx(2 * 0.1 / 2.1, abs=0.02)
    assert shares == sorted(shares)
    assert shares[5] == pytest.approx(2 / 3, abs=0.02)


def test_turns_go_on_over_changes():
    nodes = nodes_of(4)
    made = standing(nodes)
    taken = Counter()
    for _ in range(400):
        taken[made.pick(None, ())] += 1
        made.update(nodes)
    assert set(taken.values()) == {100}


def test_a_change_decides_and_a_pick_does_not(monkeypatch):
    made = standing(nodes_of(10))
    monkeypatch.setattr(made, "update", None)
    assert picked(made).total() == 1000


async def test_a_reload_takes_over_another_policy():
    channels = [FakeChannel(name) for name in "abc"]
    upstream = upstream_of(*channels, balancing=BalancingSpec("pick_first"))
    nodes = list(upstream.nodes.values())
    assert {upstream.pick(None, ()) for _ in range(10)} == {nodes[0]}
    spec = replace(upstream.spec, balancing=BalancingSpec("round_robin", orca=True))
    upstream.configure(spec)
    assert Counter(upstream.pick(None, ()) for _ in range(30)) == dict.fromkeys(nodes, 10)
    assert all(node.reports for node in nodes)
    upstream.configure(replace(spec, balancing=BalancingSpec("round_robin")))
    upstream.pick(None, ())
    assert not any(node.reports for node in nodes)
    await upstream.close(0)


async def test_a_reload_takes_over_how_endpoints_are_listed():
    upstream = upstream_of(FakeChannel("a"), FakeChannel("b"), balancing=BalancingSpec("random"))
    one, other = upstream.nodes.values()
    listings = (replace(one.listing, priority=1), replace(other.listing, weight=3))
    upstream.configure(replace(upstream.spec, endpoints=listings))
    assert {upstream.pick(None, ()) for _ in range(10)} == {other}
    assert other.weight == 3
    await upstream.close(0)


def test_health_that_changes_builds_no_table_anew(monkeypatch):
    built = []
    table = maglev._table
    monkeypatch.setattr(maglev, "_table", lambda members: built.append(1) or table(members))
    nodes = [node_of(each, priority=each // 2) for each in range(4)]
    made = standing(nodes, "maglev")
    for _ in range(3):
        out(*nodes[:2])
        made.update(nodes)
        for node in nodes[:2]:
            node.out.clear()
        made.update(nodes)
    assert len(built) == 2, "one for each level"


def test_of_nodes_that_are_not_listed_any_more_nothing_is_kept():
    nodes = [node_of(each, priority=each) for each in range(3)]
    made = standing(nodes, "maglev")
    out(nodes[0])
    made.update(nodes)
    gone = ref(nodes.pop(0).channel)
    made.update(nodes)
    collect()
    assert gone() is None
