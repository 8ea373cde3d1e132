"""Long work gives way: how often, and for how long."""

from __future__ import annotations

import pytest

from gateway.app.turns import Turn, at_once, in_turns


class Clock:
    """A clock that work and sleep turn on."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def turn(self, *, alone: bool = False) -> Turn:
        return Turn(alone=alone, clock=self, sleep=self.sleep)

    def work(self, *steps: float):
        """Work of steps that take so many seconds."""
        for seconds in steps:
            self.now += seconds
            yield
        return len(steps)


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_others_have_as_long_as_the_work_had(clock):
    assert await in_turns(clock.work(0.005, 0.010), clock.turn()) == 2
    assert clock.slept == pytest.approx([0.005, 0.010])


async def test_short_steps_are_done_in_one_turn(clock):
    assert await in_turns(clock.work(*[0.0006] * 10), clock.turn()) == 10
    assert clock.slept == pytest.approx([0.0024, 0.0024])


async def test_where_nobody_waits_the_loop_has_a_turn_and_no_more(clock):
    await in_turns(clock.work(0.005), clock.turn(alone=True))
    assert clock.slept == [0]


async def test_what_was_awaited_is_no_work(clock):
    turn = clock.turn()
    clock.now += 60.0  # another process works
    turn.begin()
    await turn.over()
    assert clock.slept == []


async def test_a_turn_that_others_overslept_is_not_made_longer(clock):
    turn = clock.turn()
    clock.now += 0.005
    await turn.over()
    clock.now += 0.001
    await turn.over()
    assert clock.slept == pytest.approx([0.005])


async def test_work_that_fails_says_so(clock):
    def failing():
        yield
        raise ValueError("so")

    with pytest.raises(ValueError, match="so"):
        await in_turns(failing(), clock.turn())
    with pytest.raises(ValueError, match="so"):
        at_once(failing())


def test_all_at_once(clock):
    assert at_once(clock.work(1.0, 2.0)) == 2
