"""Calls that ask by keys: each is answered from what is kept, and only the rest is asked."""

from __future__ import annotations

import pytest
from google.protobuf.message_factory import GetMessageClass

from gateway.call import Call, Code, Metadata, Principal
from tests.policies.cache.caching import ASK, METHOD, Caching

Ask = GetMessageClass(ASK)
"""Requests have keys in `ids`; replies have them there too, each as its own answer."""


class Keyed:
    """What asks for some keys; a backend that has none of `absent` answers with the rest."""

    def __init__(self, *keys, rest=b"rest"):
        self.kept = {}
        self.keys = keys
        self.rest = rest

    @property
    def names(self):
        return [key.encode() for key in self.keys]

    def request(self, places):
        return ids(*(self.keys[place] for place in places))

    def split(self, places, message):
        if message == b"\xff":
            return None
        found = Ask.FromString(message).ids
        return [ids(self.keys[place]) if self.keys[place] in found else b"" for place in places]


def ids(*keys):
    return Ask(ids=keys).SerializeToString()


def of(message):
    return [*Ask.FromString(message).ids]


def ask(caching, *keys, rest=b"rest", **parts):
    """Asks for keys; returns what becomes of the call, whose keys it has."""
    asked = Keyed(*keys, rest=rest)
    ended = caching.ask(Call(METHOD, asked.request(range(len(keys))), keys=asked, **parts))
    ended.keys = asked
    return ended


@pytest.fixture
def caching():
    """A cache that has the answers of a and b."""
    caching = Caching(ttl=30.0, on_error=60.0, tags=("key:{ids}",))
    ask(caching, "a", "b")
    caching.upstream.last.answer(ids("a", "b"))
    return caching


def test_a_first_call_is_made_as_it_is():
    caching = Caching()
    ended = ask(caching, "a", "b")
    assert of(caching.upstream.last.call.request) == ["a", "b"]
    caching.upstream.last.answer(ids("a", "b"), x_a="1")
    assert of(ended.message) == ["a", "b"]
    assert ended.keys.kept == {}
    assert ended.reply.initial == Metadata([("x-a", "1")])
    assert ended.reply.headers == {"cache-control": "private, max-age=30"}


def test_keys_that_are_kept_are_not_asked_for(caching):
    ended = ask(caching, "b", "c", "a", "d")
    assert of(caching.upstream.last.call.request) == ["c", "d"]
    assert ended.keys.kept == {0: ids("b"), 2: ids("a")}
    caching.upstream.last.answer(ids("d", "c"))
    assert sorted(of(ended.message)) == ["a", "b", "c", "d"]
    assert of(ask(caching, "c", "d").message) == ["c", "d"]


@pytest.mark.parametrize("control", ["max-age=9", "no-store"], ids=["kept", "not-kept"])
def test_what_was_not_asked_for_is_no_second_answer(caching, control):
    ended = ask(caching, "a", "c")
    caching.upstream.last.answer(ids("a", "c", "d"), cache_control=control)
    assert of(ended.message) == ["a", "c"]


def test_where_all_are_kept_nobody_is_asked(caching):
    caching.time.move(3)
    ended = ask(caching, "b", "a")
    assert of(ended.message) == ["b", "a"]
    assert ended.reply.headers == {"age": "3", "cache-control": "private, max-age=30"}
    assert len(caching.upstream.asked) == 1


def test_that_there_is_nothing_for_a_key_is_kept_too():
    caching = Caching()
    ask(caching, "a", "none")
    caching.upstream.last.answer(ids("a"))
    ended = ask(caching, "none", "a")
    assert of(ended.message) == ["a"]
    assert ended.keys.kept == {0: b"", 1: ids("a")}


def test_what_else_is_asked_and_who_asks_make_others(caching):
    ask(caching, "a", rest=b"other")
    assert of(caching.upstream.last.call.request) == ["a"]
    ask(caching, "a", principal=Principal("ada", "customers"))
    assert len(caching.upstream.asked) == 3


def test_calls_without_keys_have_entries_of_their_own(caching):
    assert not caching.ask(request=ids("a"))


def test_equal_calls_are_made_once(caching):
    one, other = ask(caching, "a", "c"), ask(caching, "a", "c")
    caching.upstream.last.answer(ids("c"))
    assert [of(each.message) for each in (one, other)] == [["a", "c"]] * 2
    assert len(caching.upstream.asked) == 2


def test_calls_that_miss_the_same_are_made_once_whatever_else_they_ask(caching):
    one, other = ask(caching, "a", "c"), ask(caching, "c", "b")
    caching.upstream.last.answer(ids("c"))
    assert of(one.message) == ["a", "c"]
    assert sorted(of(other.message)) == ["b", "c"]
    assert other.keys.kept == {1: ids("b")}


def test_the_one_that_ends_first_is_told(caching):
    caching.time.move(10)
    ended = ask(caching, "a", "c")
    caching.upstream.last.answer(ids("c"))
    assert ended.reply.headers == {"age": "10", "cache-control": "private, max-age=30"}
    ended = ask(caching, "a", "d")
    caching.upstream.last.answer(ids("d"), cache_control="max-age=5")
    assert ended.reply.headers == {"cache-control": "private, max-age=5"}


def test_the_age_that_it_came_with_is_told(caching):
    ended = ask(caching, "a", "c")
    caching.upstream.last.answer(ids("c"), cache_control="max-age=60", age="50")
    assert ended.reply.headers == {"age": "50", "cache-control": "private, max-age=60"}
    ended = ask(caching, "a", "d")
    caching.upstream.last.answer(ids("d"), cache_control="no-store", age="50")
    assert ended.reply.headers == {"age": "50", "cache-control": "private, no-store"}


def test_what_may_not_be_kept_is_not(caching):
    for _ in range(2):
        ended = ask(caching, "a", "c")
        caching.upstream.last.answer(ids("c"), cache_control="no-store", x_cache_tags="t")
        assert of(ended.message) == ["a", "c"]
        assert ended.reply.headers == {"cache-control": "private, no-store"}
        assert not ended.reply.initial
    assert len(caching.upstream.asked) == 3


def test_a_reply_that_is_none_is_handed_on(caching):
    ended = ask(caching, "c")
    caching.upstream.last.answer(b"\xff")
    assert ended.message == b"\xff"
    ask(caching, "c")
    assert len(caching.upstream.asked) == 3


def test_each_key_has_the_tags_of_a_call_for_it_alone(caching):
    assert caching.store.purge_tag("key:a", 9) == 1
    ended = ask(caching, "a", "b")
    assert of(caching.upstream.last.call.request) == ["a"]
    caching.upstream.last.answer(ids("a"), x_cache_tags="sale")
    assert sorted(of(ended.message)) == ["a", "b"]
    assert caching.store.purge_tag("sale", 9) == 1


def test_what_was_asked_before_a_purge_is_not_kept(caching):
    ask(caching, "c")
    caching.store.clear()
    caching.upstream.last.answer(ids("c"))
    assert len(caching.store) == 0


def test_a_purge_of_one_key_does_not_matter_to_others():
    caching = Caching(tags=("key:{ids}",))
    ask(caching, "a", "b")
    caching.store.purge_tag("key:a", 9)
    caching.upstream.last.answer(ids("a", "b"))
    ask(caching, "a", "b")
    assert of(caching.upstream.last.call.request) == ["a"]


def test_answers_that_are_kept_hold_where_the_call_for_the_others_fails(caching):
    ended = ask(caching, "a", "c")
    caching.upstream.last.fail(Code.PERMISSION_DENIED)
    assert ended.code is Code.PERMISSION_DENIED
    assert ended.keys.kept == {0: ids("a")}


def test_stale_ones_are_used_where_the_backend_fails(caching):
    caching.time.move(31)
    ended = ask(caching, "a", "c")
    assert of(caching.upstream.last.call.request) == ["a", "c"]
    caching.upstream.last.fail()
    assert ended.code is Code.UNAVAILABLE
    assert ended.keys.kept == {0: ids("a")}


def test_where_all_are_stale_they_are_the_answer(caching):
    caching.time.move(31)
    ended = ask(caching, "a", "b")
    caching.upstream.last.fail()
    assert of(ended.message) == ["a", "b"]
    assert ended.reply.headers["age"] == "31"


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda asked: asked.fail(Code.PERMISSION_DENIED), id="no-right-any-more"),
        pytest.param(lambda asked: asked.answer(ids("a"), cache_control="no-store"), id="no-store"),
    ],
)
def test_stale_ones_are_dropped_where_the_backend_says_otherwise(caching, end):
    caching.time.move(31)
    ask(caching, "a")
    end(caching.upstream.last)
    ended = ask(caching, "a", "b")
    caching.upstream.last.fail()
    assert ended.code is Code.UNAVAILABLE
    assert ended.keys.kept == {1: ids("b")}


def test_stale_ones_that_all_share_stay_where_one_caller_is_refused():
    caching = Caching(ttl=30.0, on_error=60.0, shared=True, tells=())
    ask(caching, "a")
    caching.upstream.last.answer(ids("a"))
    caching.time.move(31)
    ask(caching, "a")
    caching.upstream.last.fail(Code.PERMISSION_DENIED)
    ended = ask(caching, "a")
    caching.upstream.last.fail()
    assert of(ended.message) == ["a"]


def test_not_for_longer_than_the_policy_says(caching):
    caching.time.move(89)
    ended = ask(caching, "a")
    caching.time.move(1)
    caching.upstream.last.fail()
    assert ended.code is Code.UNAVAILABLE


def test_nothing_is_kept_of_who_shows_only_backends_something():
    caching = Caching()
    for _ in range(2):
        ended = ask(caching, "a", metadata=Metadata([("cookie", "s3cr3t")]))
        caching.upstream.last.answer(ids("a"))
        assert of(ended.message) == ["a"]
    assert len(caching.upstream.asked) == 2


def test_who_leaves_takes_the_call_from_nobody(caching):
    one, other = ask(caching, "c"), ask(caching, "c")
    one.cancel()
    caching.upstream.last.answer(ids("c"))
    assert not one
    assert of(other.message) == ["c"]


def test_who_has_another_call_since_it_has_more_time_asks_for_its_own_keys(caching):
    late = ask(caching, "a", "c", deadline=caching.deadline(10))
    caching.time.move(6)
    one, other = (ask(caching, *keys, deadline=caching.deadline(10)) for keys in ("c", "ca"))
    caching.time.move(4)
    caching.upstream.last.fail(Code.DEADLINE_EXCEEDED)
    assert late.code is Code.DEADLINE_EXCEEDED
    assert of(caching.upstream.last.call.request) == ["c"]
    caching.upstream.last.answer(ids("c"))
    assert of(one.message) == ["c"]
    assert sorted(of(other.message)) == ["a", "c"]
    assert of(ask(caching, "c").message) == ["c"]
