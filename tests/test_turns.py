"""Long work gives way: how often, and for how long."""

from __future__ import annotations

import pytest

from gateway.turns import Turn, at_once, in_turns


class Clock:
    """A clock that work and sleep turn on."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self.others = 0.0  # what share of a pause others use
        self.worked = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.worked += seconds * self.others

    def cpu(self) -> float:
        return self.worked

    def turn(self, *, alone: bool = False) -> Turn:
        return Turn(alone=alone, clock=self, cpu=self.cpu, sleep=self.sleep)

    def work(self, *steps: float):
        """Work of steps that take so many seconds."""
        for seconds in steps:
            self.now += seconds
            yield
        return len(steps)


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_who_has_nothing_to_do_is_given_as_long_as_the_work_had(clock):
    assert await in_turns(clock.work(0.005, 0.010, 0.004), clock.turn()) == 3
    # Of the first nobody knows what others have to do.
    assert clock.slept == pytest.approx([0.040, 0.010, 0.004])


@pytest.mark.parametrize(("others", "times"), [(0.05, 2.4), (0.125, 4.5), (0.25, 8), (0.9, 8)])
async def test_who_has_much_to_do_is_given_the_more_time(clock, others, times):
    clock.others = others
    await in_turns(clock.work(0.005, 0.010, 0.010), clock.turn())
    assert clock.slept == pytest.approx([0.040, 0.010 * times, 0.010 * times])


async def test_work_that_takes_long_is_not_held_up_so_much(clock):
    clock.others = 1.0
    began = clock.now
    await in_turns(clock.work(*[0.008] * 100), clock.turn())
    paused = clock.slept.index(pytest.approx(0.016))
    assert clock.slept == pytest.approx([0.064] * paused + [0.016] * (100 - paused))
    assert paused * 0.072 == pytest.approx(2.0, abs=0.15)
    assert clock.now - began < 4


async def test_nobody_needs_a_pause_of_seconds(clock):
    clock.others = 1.0
    await in_turns(clock.work(0.5, 1.0), clock.turn())
    assert clock.slept == pytest.approx([0.1, 0.1])


async def test_short_steps_are_done_in_one_turn(clock):
    assert await in_turns(clock.work(*[0.0004] * 6), clock.turn()) == 6
    assert clock.slept == pytest.approx([0.0012 * 8, 0.0012])


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
    clock.now += 0.0005
    await turn.over()
    assert clock.slept == pytest.approx([0.040])


async def test_work_that_fails_says_so(clock):
    def failing():
        yield
        raise ValueError("so")

    with pytest.raises(ValueError, match="so"):
        await in_turns(failing(), clock.turn())


def test_at_once_it_is_done_to_its_end_and_returns_what_it_returns():
    done = []

    def work():
        for number in range(3):
            done.append(number)
            yield
        return "made"

    assert at_once(work()) == "made"
    assert done == [0, 1, 2]


def test_work_that_fails_at_once_says_so():
    def failing():
        yield
        raise ValueError("so")

    with pytest.raises(ValueError, match="so"):
        at_once(failing())
