"""Who follows requests now, as a worker that is started meanwhile is told."""

from gateway.supervisor.taps import PATIENCE, Taps
from gateway.telemetry.recorder import tap
from tests.upstream.fakes import Clock


def test_who_asks_is_remembered_once_and_forgotten_as_workers_do():
    clock = Clock()
    taps = Taps(clock)
    assert taps.running == []
    taps.took({"watch": "a"})
    clock.advance(PATIENCE / 2)
    taps.took({"watch": "b", "status": "5xx"})
    taps.took({"watch": "b", "status": "5xx"})
    assert taps.running == [{"watch": "a"}, {"watch": "b", "status": "5xx"}]
    clock.advance(PATIENCE / 2 + 1)
    assert taps.running == [{"watch": "b", "status": "5xx"}]
    assert PATIENCE == tap.PATIENCE
