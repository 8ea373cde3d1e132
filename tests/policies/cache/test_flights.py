"""Equal calls that are under way at a time are one."""

from __future__ import annotations

import pytest

from gateway.call import Call, Code, Metadata
from gateway.policies.cache.coalesce import Coalesce
from gateway.policies.cache.flights import Flights
from gateway.policies.cache.keys import Keys
from tests.policies.cache.caching import METHOD, Caching, Ended, Time, Upstream


class Coalescing:
    """The policy that only makes equal calls once."""

    def __init__(self, timeout=10.0):
        self.time, self.upstream = Time(), Upstream()
        self.flights = Flights(timeout, self.time, self.time.at)
        self._policy = Coalesce(Keys([METHOD.encode()]), self.flights)

    ask, deadline = Caching.ask, Caching.deadline

    @property
    def filter(self):
        return self._policy


@pytest.fixture(params=[Caching, Coalescing], ids=["cache", "coalesce"])
def make(request):
    """Makes either of the policies that make equal calls once."""
    return request.param


def test_a_thousand_equal_calls_are_one(make):
    of = make()
    ended = [of.ask() for _ in range(1000)]
    assert len(of.upstream.asked) == 1
    assert not any(ended)
    of.upstream.last.answer(b"m")
    assert {each.message for each in ended} == {b"m"}
    assert len(of.flights) == 0


def test_others_are_others(make):
    of = make()
    of.ask(request=b"one")
    of.ask(request=b"other")
    assert len(of.upstream.asked) == 2


def test_what_has_ended_is_asked_again():
    of = Coalescing()
    of.ask()
    of.upstream.last.answer()
    of.ask()
    assert len(of.upstream.asked) == 2


def test_who_came_first_may_leave(make):
    of = make()
    first, second = of.ask(), of.ask()
    first.cancel()
    assert not of.upstream.last.cancelled
    of.upstream.last.answer(b"m")
    assert not first
    assert second.message == b"m"


def test_when_all_have_left_the_call_is_cancelled(make):
    of = make()
    ended = [of.ask() for _ in range(3)]
    for each in ended:
        assert not of.upstream.last.cancelled
        each.cancel()
    assert of.upstream.last.cancelled
    assert len(of.flights) == 0
    assert not of.time.timers
    of.ask()
    assert len(of.upstream.asked) == 2


def test_who_leaves_twice_leaves_once(make):
    of = make()
    first, _ = of.ask(), of.ask()
    first.cancel()
    first.cancel()
    assert not of.upstream.last.cancelled


def test_an_error_goes_to_all_who_wait_and_is_kept_by_nobody(make):
    of = make()
    ended = [of.ask() for _ in range(3)]
    of.upstream.last.fail(Code.UNAVAILABLE)
    assert [each.code for each in ended] == [Code.UNAVAILABLE] * 3
    assert len({id(each.error) for each in ended}) == 3  # each raises its own
    of.ask()
    assert len(of.upstream.asked) == 2


def test_the_call_is_nobody_s(make):
    of = make()
    call = Call(METHOD, b"r", deadline=of.deadline(1), reply_headers={"a": "b"})
    of.ask(call)
    asked = of.upstream.last.call
    assert asked is not call
    assert (asked.deadline, asked.reply_headers) == (of.deadline(10), None)


def test_each_has_its_own_deadline(make):
    of = make()
    short, long = of.ask(deadline=of.deadline(1)), of.ask(deadline=of.deadline(2))
    of.time.move(1)
    assert short.code is Code.DEADLINE_EXCEEDED
    assert short.error.reason == "DEADLINE_EXCEEDED"
    assert not long
    assert not of.upstream.last.cancelled
    of.upstream.last.answer(b"m")
    assert long.message == b"m"
    assert not of.time.timers


def test_when_the_last_one_s_time_is_over_the_call_is_cancelled(make):
    of = make()
    ended = of.ask(deadline=of.deadline(1))
    of.time.move(1)
    assert ended.code is Code.DEADLINE_EXCEEDED
    assert of.upstream.last.cancelled


def test_the_usual_deadline_needs_no_timer(make):
    of = make()
    of.ask(deadline=of.deadline(10))
    assert not of.time.timers


def test_who_has_more_time_than_the_call_had_has_another(make):
    of = make()
    first = of.ask(deadline=of.deadline(10))
    of.time.move(6)
    later = [of.ask(deadline=of.deadline(10)) for _ in range(3)]
    endless = of.ask()
    of.time.move(4)
    of.upstream.last.fail(Code.DEADLINE_EXCEEDED)
    assert first.code is Code.DEADLINE_EXCEEDED
    assert not any(later)
    assert len(of.upstream.asked) == 2
    of.upstream.last.answer(b"m")
    assert {each.message for each in (*later, endless)} == {b"m"}


def test_a_backend_that_says_so_early_is_believed(make):
    of = make()
    ended = of.ask()
    of.upstream.last.fail(Code.DEADLINE_EXCEEDED)
    assert ended.code is Code.DEADLINE_EXCEEDED
    assert len(of.upstream.asked) == 1


def test_a_method_without_a_time_out(make):
    of = make(timeout=0)
    waiting = of.ask(), of.ask(deadline=of.deadline(1))
    assert of.upstream.last.call.deadline is None
    of.time.move(1)
    assert waiting[1].code is Code.DEADLINE_EXCEEDED
    of.upstream.last.fail(Code.DEADLINE_EXCEEDED)
    assert waiting[0].code is Code.DEADLINE_EXCEEDED


def test_who_is_told_may_have_others_leave(make):
    of = make()
    first, second = Ended(), Ended()
    first.cancel = of.filter.filter(
        Call(METHOD, b"r"), lambda result: (first.append(result), second.cancel()), of.upstream
    )
    second.cancel = of.filter.filter(Call(METHOD, b"r"), second.append, of.upstream)
    of.upstream.last.answer()
    assert first
    assert not second


def test_who_is_told_may_ask_again(make):
    of = make()
    again = Ended()

    def done(result):
        again.cancel = of.filter.filter(Call(METHOD, b"s"), again.append, of.upstream)

    of.filter.filter(Call(METHOD, b"r"), done, of.upstream)
    of.upstream.last.answer()
    of.upstream.last.answer(b"again")
    assert again.message == b"again"


def test_a_call_that_is_answered_at_once(make):
    of = make()
    ended = Ended()

    def start(call, done):
        return of.upstream(call, done) if ended else (answer(done), lambda: None)[1]

    def answer(done):
        of.upstream(None, done)
        of.upstream.last.answer(b"m")

    cancel = of.filter.filter(Call(METHOD, b"r"), ended.append, start)
    assert ended.message == b"m"
    cancel()
    assert len(of.flights) == 0


def test_calls_of_which_nothing_is_known_are_made_each_by_itself(make):
    of = make()
    shown = Metadata([("authorization", "s3cr3t")])
    of.ask(metadata=shown)
    of.ask(metadata=shown)
    assert len(of.upstream.asked) == 2


def test_what_is_only_made_once_is_not_kept():
    of = Coalescing()
    ended = of.ask()
    of.upstream.last.answer(b"m", cache_control="max-age=100")
    assert ended.reply.rendered is None
    assert not of.ask()
    assert "once" in of.filter.describe()
