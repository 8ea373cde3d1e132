import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.client.pace import Pace
from gateway.fronts.websocket.rates import Pace as GatewaysPace


@pytest.mark.parametrize(("rate", "burst"), [(20, 10), (2, 1), (1, 1), (0.1, 1)])
def test_half_a_seconds_worth_may_go_at_once_and_one_at_least(rate, burst):
    pace = Pace(rate)
    taken = [pace.spend(100.0) for _ in range(burst + 1)]
    assert taken[:-1] == [0.0] * burst
    assert taken[-1] == pytest.approx(1 / rate if rate <= 2 else 0.05)


def test_without_a_rate_all_may_go():
    pace = Pace(0)
    assert {pace.spend(100.0) for _ in range(1000)} == {0.0}


@given(st.floats(0.5, 1000), st.lists(st.floats(0, 0.4), max_size=200))
def test_the_gateway_refuses_none_though_the_network_delays_some(rate, delays):
    ours, theirs = Pace(rate), GatewaysPace(rate)
    now = arrived = 100.0
    for delay in delays:
        while wait := ours.spend(now):
            now += wait
        arrived = max(arrived, now + (delay if rate >= 10 else 0.0))
        assert not theirs.try_spend(arrived)
