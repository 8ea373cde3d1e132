"""A resolver that looks again and again: when it looks, by a clock that is set by hand."""

import asyncio

import pytest

from gateway.upstream.endpoints import Endpoint, Listing
from gateway.upstream.resolvers import Found, UnresolvedError
from gateway.upstream.resolvers.polling import Polling, wait
from tests.upstream.fakes import Clock

SET = (Listing(Endpoint("10.0.0.1", 1)),)


class Told:
    """What a resolver told."""

    def __init__(self):
        self.news = []
        self.stranded = False

    def listed(self, listings):
        self.news.append(tuple(listings))

    def failed(self, why):
        self.news.append(why)


class Turn:
    """Looks that are answered in turn, and waits that are over at once and are written down."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.waits = []
        self.clock = Clock()
        self.told = Told()
        self.polling = Polling(
            self.look, 10.0, clock=self.clock, random=lambda: 0.0, wait=self.wait
        )

    async def look(self):
        if not self.answers:
            raise asyncio.CancelledError
        answer = self.answers.pop(0)
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def wait(self, event, seconds):
        self.waits.append(seconds)
        if not event.is_set():
            self.clock.now += seconds

    async def run(self):
        with pytest.raises(asyncio.CancelledError):
            await self.polling.run(self.told)


async def test_it_looks_at_once_and_again_when_the_answer_is_over():
    turn = Turn(Found(SET, 3), Found(SET), Found(SET, 0))
    await turn.run()
    assert turn.told.news == [SET] * 3
    assert turn.waits == [3, 10, 1]


async def test_after_failures_it_looks_later_each_time_until_there_is_an_answer():
    failed = UnresolvedError("there is no such name")
    turn = Turn(Found(SET), failed, failed, Found(SET), failed)
    await turn.run()
    assert turn.waits == [10, 0.5, 1, 10, 0.5]
    assert turn.told.news == [SET, str(failed), str(failed), SET, str(failed)]


async def test_while_nothing_that_is_listed_can_be_reached_it_looks_as_after_failures():
    turn = Turn(*[Found(SET)] * 3, lambda: setattr(turn.told, "stranded", False) or Found(SET))
    turn.told.stranded = True
    await turn.run()
    assert turn.waits == [0.5, 1, 2, 10]


async def test_asked_to_look_again_it_does_a_second_after_the_last_look():
    def asked_meanwhile():
        turn.clock.now += 0.4
        turn.polling.again()
        return Found(SET)

    turn = Turn(asked_meanwhile, Found(SET))
    await turn.run()
    assert turn.waits == pytest.approx([10, 0.6, 10])


async def test_asked_to_look_again_long_after_the_last_look_it_does_at_once():
    turn = Turn(Found(SET), Found(SET))

    async def asked(event, seconds):
        await Turn.wait(turn, event, 4)
        turn.polling.again()

    turn.polling._wait = asked
    await turn.run()
    assert turn.waits == [4, 4]


async def test_waiting_ends_with_the_event_or_with_the_time():
    event = asyncio.Event()
    await wait(event, 0)
    assert not event.is_set()
    event.set()
    await wait(event, 3600)
