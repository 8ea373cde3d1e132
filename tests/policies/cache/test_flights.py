"""Equal calls that are under way at a time are one."""

from __future__ import annotations

import pytest

from gateway.call import Call, Code, Metadata, Principal
from gateway.cookies import Cookies
from gateway.policies.cache.coalesce import Coalesce
from gateway.policies.cache.flights import Flights
from gateway.policies.cache.keys import Keys
from gateway.policies.cache.onecaller import told_of
from tests.policies.cache.caching import METHOD, Caching, Ended, Time, Upstream


class Coalescing:
    """The policy that only makes equal calls once."""

    def __init__(self, timeout=10.0, *, shared=False, tells=None, rank=None):
        self.time, self.upstream = Time(), Upstream()
        told = None if tells is None else told_of(tells)
        self.flights = Flights(timeout, self.time, self.time.at, rank=rank, told=told)
        self._policy = Coalesce(Keys([METHOD.encode()], shared=shared), self.flights)

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
    of.time.move(0)
    assert {each.message for each in ended} == {b"m"}
    assert len(of.flights) == 0


def test_the_call_that_is_made_for_all_gives_nobody_a_cookie(make):
    of = make()
    cookies = Cookies()
    of.ask(cookies=cookies)
    assert of.upstream.last.call.cookies is None


class TestSoMany:
    """Those who wait are told in parts, each in a turn of the loop of its own."""

    @pytest.fixture
    def told(self):
        """Who was told, in order."""
        return []

    @pytest.fixture
    def crowd(self, make, told):
        """A policy, and what cancels each of a crowd that waits for one call."""
        of = make()

        def ask(number):
            return of.filter.filter(
                Call(METHOD, b"r"), lambda result: told.append(number), of.upstream
            )

        return of, [ask(number) for number in range(600)]

    def test_they_are_told_in_order(self, crowd, told):
        of, _ = crowd
        of.upstream.last.answer()
        assert told == list(range(256))
        of.time.turn()
        assert told == list(range(512))
        of.time.turn()
        assert told == list(range(600))
        assert not of.time.timers

    def test_who_leaves_meanwhile_is_not_told(self, crowd, told):
        of, cancels = crowd
        of.upstream.last.answer()
        cancels[300]()
        of.time.move(0)
        assert told == [*range(300), *range(301, 600)]
        assert not of.upstream.last.cancelled

    def test_when_all_have_left_nobody_is(self, crowd, told):
        of, cancels = crowd
        of.upstream.last.answer()
        for cancel in cancels:
            cancel()
        of.time.move(0)
        assert told == list(range(256))
        assert not of.upstream.last.cancelled

    def test_who_asks_meanwhile_waits_for_nobody_of_them(self, crowd):
        of, _ = crowd
        of.upstream.last.fail()
        ended = of.ask()
        assert len(of.upstream.asked) == 2
        of.upstream.last.answer(b"new")
        of.time.move(0)
        assert ended.message == b"new"


ADA, BOB, CY = (Principal(name, "customers") for name in ("ada", "bob", "cy"))


class TestOneCallerForAll:
    """Where callers share, and their backend is told of the one who came first."""

    REFUSALS = (
        *((Code.PERMISSION_DENIED, None), (Code.UNAUTHENTICATED, None)),
        (Code.INVALID_ARGUMENT, "HEADERS_TOO_LARGE"),
    )
    refusals = pytest.mark.parametrize(("code", "reason"), REFUSALS, ids=str)

    @pytest.fixture
    def of(self, make):
        return make(shared=True, tells=["tenant"])

    @refusals
    def test_what_is_refused_to_one_is_asked_for_the_others(self, of, code, reason):
        first, *others = (of.ask(principal=each) for each in (ADA, BOB, CY))
        of.upstream.last.fail(code, reason)
        assert first.code is code
        assert not any(others)
        assert [asked.call.principal for asked in of.upstream.asked] == [ADA, BOB]
        of.upstream.last.answer(b"m")
        assert {each.message for each in others} == {b"m"}

    def test_it_is_refused_to_all_of_whom_the_same_is_told(self, of):
        again = Principal("ada", "customers", claims={"jti": "2"}, expires=9.0)
        ended = [of.ask(principal=each) for each in (ADA, ADA, again)]
        of.upstream.last.fail(Code.PERMISSION_DENIED)
        assert [each.code for each in ended] == [Code.PERMISSION_DENIED] * 3
        assert len(of.upstream.asked) == 1

    def test_of_those_without_a_name_nothing_is_told(self, of):
        ended = [of.ask(principal=each) for each in (None, Principal("", "devices"), ADA)]
        of.upstream.last.fail(Code.UNAUTHENTICATED)
        assert [each.code for each in ended[:2]] == [Code.UNAUTHENTICATED] * 2
        of.upstream.last.answer(b"m")
        assert ended[2].message == b"m"

    @pytest.mark.parametrize(
        "other",
        [Principal("ada", "partners"), Principal("ada", "customers", claims={"tenant": "b"})],
        ids=["provider", "claim"],
    )
    def test_others_are_who_are_told_otherwise(self, of, other):
        of.ask(principal=ADA)
        ended = of.ask(principal=other)
        of.upstream.last.fail(Code.PERMISSION_DENIED)
        of.upstream.last.answer(b"m")
        assert ended.message == b"m"

    def test_a_crowd_of_those_who_may_not_holds_up_the_others_once(self, of):
        crowd = [Principal(str(number), "customers") for number in range(50)]
        ended = [of.ask(principal=each) for each in crowd for _ in range(2)]
        for _ in range(2):
            of.upstream.last.fail(Code.PERMISSION_DENIED)
        assert len(of.upstream.asked) == 50
        for asked in of.upstream.asked[2:]:
            asked.fail(Code.PERMISSION_DENIED)
        assert [each.code for each in ended] == [Code.PERMISSION_DENIED] * 100
        assert len(of.upstream.asked) == 50
        assert len(of.flights) == 0

    def test_who_has_left_asks_no_more(self, of):
        of.ask(principal=ADA)
        of.ask(principal=BOB).cancel()
        of.upstream.last.fail(Code.PERMISSION_DENIED)
        assert len(of.upstream.asked) == 1

    @pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.NOT_FOUND, Code.INVALID_ARGUMENT])
    def test_other_ends_are_for_all(self, of, code):
        ended = [of.ask(principal=each) for each in (ADA, BOB)]
        of.upstream.last.fail(code)
        assert [each.code for each in ended] == [code] * 2

    @refusals
    def test_where_nothing_is_told_it_is_refused_to_all(self, make, code, reason):
        of = make(shared=True)
        ended = [of.ask(principal=each) for each in (ADA, BOB)]
        of.upstream.last.fail(code, reason)
        assert [each.code for each in ended] == [code] * 2
        assert len(of.upstream.asked) == 1

    def test_claims_that_are_nested_too_deep_are_told_to_nobody(self, of):
        claim = []
        for _ in range(100_000):
            claim = [claim]
        of.ask(principal=Principal("ada", "customers", claims={"tenant": claim}))
        ended = of.ask(principal=BOB)
        of.upstream.last.fail(Code.INVALID_ARGUMENT, "HEADERS_TOO_LARGE")
        of.upstream.last.answer(b"m")
        assert ended.message == b"m"


def test_calls_of_other_priorities_wait_for_others(make):
    of = make(rank=lambda call: call.front)
    low, also_low, high = (of.ask(front=front) for front in ("low", "low", "high"))
    assert len(of.upstream.asked) == 2
    of.upstream.asked[0].fail(Code.UNAVAILABLE, "OVERLOADED")
    assert low.error.reason == also_low.error.reason == "OVERLOADED"
    of.upstream.asked[1].answer(b"m")
    assert high.message == b"m"


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
