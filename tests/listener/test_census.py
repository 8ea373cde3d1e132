from gateway.listener.census import Census
from gateway.listener.limits import Limits

LIMITS = Limits(connections=3, connections_per_address=2)


def test_an_address_has_its_share():
    census = Census()
    assert census.enter("a", LIMITS)
    assert census.enter("a", LIMITS)
    assert not census.enter("a", LIMITS)
    assert census.enter("b", LIMITS)


def test_all_have_a_limit_together():
    census = Census()
    assert all(census.enter(address, LIMITS) for address in "abc")
    assert not census.enter("d", LIMITS)
    assert not census.enter("", LIMITS)


def test_who_leaves_makes_room():
    census = Census()
    for address in "aab":
        census.enter(address, LIMITS)
    census.leave("a")
    assert census.enter("a", LIMITS)
    for address in "aab":
        census.leave(address)
    assert census.total == 0
    assert not census._by_address


def test_no_address_counts_only_for_the_total():
    census = Census()
    assert all(census.enter("", LIMITS) for _ in range(3))
    assert not census.enter("", LIMITS)
