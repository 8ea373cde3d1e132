"""Levels of loggers that are changed for a while."""

import logging

import pytest

from gateway.operations import OperationError
from gateway.operations.log_levels import LogLevels


class Clock:
    """A clock that is told the time; timers are called as it passes."""

    def __init__(self):
        self.now = 0.0
        self.timers = []

    def time(self):
        return self.now

    def call_later(self, delay, callback):
        timer = Timer(self.now + delay, callback)
        self.timers.append(timer)
        return timer

    def pass_(self, seconds):
        self.now += seconds
        due = [each for each in self.timers if each.at <= self.now and not each.cancelled]
        self.timers = [each for each in self.timers if each not in due and not each.cancelled]
        for each in due:
            each.callback()


class Timer:
    def __init__(self, at, callback):
        self.at, self.callback, self.cancelled = at, callback, False

    def cancel(self):
        self.cancelled = True


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def levels(clock):
    made = LogLevels(clock)
    yield made
    made.close()
    clock.pass_(0)
    assert not clock.timers
    assert logging.getLogger("gateway.x").level == logging.NOTSET


X = {"logger": "gateway.x"}


def level():
    return logging.getLogger("gateway.x").getEffectiveLevel()


async def test_a_level_falls_back_after_its_time(levels, clock):
    usual = level()
    told = await levels.operate({"level": "debug", **X, "for": "1m"})
    assert told == {"levels": [{"logger": "gateway.x", "level": "debug", "seconds": 60.0}]}
    clock.pass_(59)
    assert level() == logging.DEBUG
    assert (await levels.operate({}))["levels"][0]["seconds"] == 1.0
    clock.pass_(1)
    assert level() == usual
    assert await levels.operate({}) == {"levels": []}


async def test_a_second_change_has_its_own_time_and_the_first_level_to_fall_back_to(levels, clock):
    usual = level()
    await levels.operate({"level": "debug", **X, "for": "1m"})
    await levels.operate({"level": "error", **X, "for": "5m"})
    clock.pass_(60)
    assert level() == logging.ERROR
    clock.pass_(240)
    assert level() == usual


async def test_it_falls_back_when_told(levels):
    usual = level()
    await levels.operate({"level": "debug", **X})
    assert await levels.operate({"level": "usual", **X}) == {"levels": []}
    assert level() == usual


async def test_the_gateway_s_own_is_the_usual_one_and_ten_minutes_the_time(levels):
    before = logging.getLogger("gateway").level
    told = await levels.operate({"level": "info"})
    assert told == {"levels": [{"logger": "gateway", "level": "info", "seconds": 600.0}]}
    levels.close()
    assert logging.getLogger("gateway").level == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"level": "loud"}, "level: expected one of debug, info, warning, error, usual"),
        ({"logger": "gateway"}, "level: it is missing"),
        ({"level": "debug", "logger": "aiohttp.client"}, "logger: expected one of the gateway's"),
        ({"level": "debug", "logger": ""}, "logger: expected one of the gateway's"),
        ({"level": "debug", "logger": "gateway..x"}, "logger: expected one of the gateway's"),
        ({"level": "debug", "for": "48h"}, "for: expected a duration such as 10m, of 24h at most"),
        ({"level": "debug", "to": "x"}, "There is no parameter 'to'"),
    ],
)
async def test_what_is_wrong_is_said_and_changes_nothing(levels, arguments, message):
    with pytest.raises(OperationError, match=message):
        await levels.operate(arguments)
    assert await levels.operate({}) == {"levels": []}


async def test_so_many_at_once(levels):
    for number in range(64):
        await levels.operate({"level": "info", "logger": f"gateway.y{number}"})
    with pytest.raises(OperationError, match="The levels of 64 loggers are changed"):
        await levels.operate({"level": "info", **X})
    await levels.operate({"level": "debug", "logger": "gateway.y1"})
