"""What nodes lead to, against looking at all of it again and again."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.app.compatibility.reaching import Reaching
from tests.examples import examples

GRAPHS = st.integers(1, 9).flatmap(
    lambda size: st.lists(
        st.tuples(st.booleans(), st.lists(st.integers(0, size - 1), max_size=3)),
        min_size=size,
        max_size=size,
    )
)


def reached(graph, node):
    """The nodes of which something is found among all that one leads to, and itself."""
    seen, waiting = {node}, [node]
    while waiting:
        for each in graph[waiting.pop()][1]:
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return {each for each in seen if graph[each][0]}


@settings(max_examples=examples(3), deadline=None)
@given(graph=GRAPHS, data=st.data())
def test_all_is_found_once_and_each_node_looked_at_once(graph, data):
    looked = Counter()

    def look(node):
        looked[node] += 1
        return [node] if graph[node][0] else [], graph[node][1]

    reaching = Reaching(look)
    for node in data.draw(st.permutations(range(len(graph)))):
        found = list(reaching.of([node]))
        assert set(found) == reached(graph, node)
        assert len(found) == len(set(found))
    several = data.draw(st.lists(st.sampled_from(range(len(graph)))))
    found = list(reaching.of(several))
    assert set(found) == set().union(*(reached(graph, each) for each in several))
    assert len(found) == len(set(found))
    assert max(looked.values()) == 1


def test_what_leads_on_for_long_is_followed():
    count = 20_000
    reaching = Reaching(lambda node: ([node] if node == count else [], [min(node + 1, count)]))
    assert list(reaching.of([0])) == [count]
