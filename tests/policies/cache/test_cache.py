"""The cache: what is answered from it, what is asked, what is kept, what clients are told."""

from __future__ import annotations

import pytest

from gateway.call import Call, Code, Detail, Metadata, Principal, Reply, RpcError, Status
from gateway.http import Headers, Request
from gateway.policies.cache.refresh import MOST, PAUSE
from tests.policies.cache.caching import METHOD, Caching

ADA, BOB = Principal("ada", "customers"), Principal("bob", "customers")
AUTHORIZED = Metadata([("authorization", "Bearer s3cr3t")])


def kept(message=b"m", metadata=None, **options):
    """A cache that has asked once, and been answered."""
    caching = Caching(**options)
    caching.ask()
    caching.upstream.last.answer(message, **(metadata or {}))
    return caching


def asks(caching, **parts):
    """Makes a call; returns whether the upstream is asked."""
    before = len(caching.upstream.asked)
    caching.ask(**parts)
    return len(caching.upstream.asked) > before


class TestHit:
    def test_a_call_is_made_once(self):
        caching = kept()
        assert caching.ask().message == b"m"
        assert len(caching.upstream.asked) == 1

    def test_it_is_answered_at_once(self):
        ended = kept().ask()
        assert ended.message == b"m"
        ended.cancel()  # without effect

    def test_metadata_and_trailers_are_kept(self):
        caching = Caching()
        caching.ask()
        initial, trailers = Metadata([("x-a", "1")]), Metadata([("x-b-bin", b"2")])
        caching.upstream.last.end(Reply(b"m", initial, trailers))
        reply = caching.ask().reply
        assert (reply.initial, reply.trailers) == (initial, trailers)

    def test_forms_are_kept_from_the_first_reply_on(self):
        caching = Caching()
        first = caching.ask()
        caching.upstream.last.answer()
        first.reply.rendered.keep("json", b"{}")
        assert caching.ask().reply.rendered.get("json") == b"{}"

    def test_other_requests_are_others(self):
        assert asks(kept(), request=b"other")

    def test_it_ends_at_its_time(self):
        caching = kept()
        caching.time.move(29.9)
        assert not asks(caching)
        caching.time.move(0.1)
        assert asks(caching)

    def test_the_backend_says_for_how_long(self):
        caching = kept(metadata={"cache_control": "max-age=5"})
        caching.time.move(5)
        assert asks(caching)

    def test_its_bound_holds(self):
        caching = Caching(size=10_000)
        for number in range(50):
            caching.ask(request=b"%d" % number)
            caching.upstream.last.answer(bytes(1000))
        assert caching.store.taken <= 10_000
        assert 0 < len(caching.store) < 10


class TestCallers:
    def test_each_has_entries_of_its_own(self):
        caching = kept()
        assert asks(caching, principal=ADA)
        caching.upstream.last.answer(b"ada's")
        assert caching.ask(principal=ADA).message == b"ada's"
        assert asks(caching, principal=BOB)
        assert caching.ask().message == b"m"

    def test_where_they_share_there_is_one(self):
        caching = kept(shared=True)
        assert caching.ask(principal=ADA).message == b"m"

    def test_by_headers_that_the_policy_names(self):
        caching = Caching(vary=("accept-language",))

        def asked(language):
            head = Request("GET", "/", None, Headers([("accept-language", language)]))
            return asks(caching, head=head)

        assert asked("en")
        caching.upstream.last.answer()
        assert not asked("en")
        assert asked("de")

    @pytest.mark.parametrize("shared", [False, True])
    def test_nothing_is_kept_of_who_shows_only_backends_something(self, shared):
        caching = Caching(shared=shared)
        for _ in range(2):
            first, second = (caching.ask(metadata=AUTHORIZED) for _ in range(2))
            caching.upstream.last.answer(b"mine", x_cache_tags="t")
            assert not first
            assert second.message == b"mine"
            assert not second.reply.initial
        assert len(caching.upstream.asked) == 4
        assert len(caching.store) == 0

    def test_nothing_is_kept_of_a_caller_without_a_name(self):
        caching = Caching()
        for _ in range(2):
            assert asks(caching, principal=Principal("", "devices"))
            caching.upstream.last.answer()


class TestKept:
    @pytest.mark.parametrize(
        "metadata",
        [
            {"cache_control": "no-store"},
            {"cache_control": "no-cache"},
            {"cache_control": "max-age=0"},
            {"set_cookie": "a=b"},
            {"x_http_code": "202"},
            {"x_cache_tags": "x" * 1000},
        ],
        ids=str,
    )
    def test_what_may_not_be_kept_is_not(self, metadata):
        caching = kept(metadata=metadata)
        assert len(caching.store) == 0
        assert asks(caching)

    def test_a_reply_that_is_too_large(self):
        caching = kept(b"m" * 101, entry_size=100)
        assert asks(caching)
        caching = kept(b"m" * 100, entry_size=100)
        assert not asks(caching)

    @pytest.mark.parametrize("code", [code for code in Code if code is not Code.OK])
    def test_no_error_is_kept(self, code):
        caching = Caching()
        ended = caching.ask()
        caching.upstream.last.fail(code)
        assert ended.code is code
        assert asks(caching)

    def test_what_is_no_message_is_not_kept(self):
        caching = Caching()
        ended = caching.ask()
        caching.upstream.last.answer(b"\xff")
        assert ended.message == b"\xff"
        assert asks(caching)

    def test_errors_come_as_they_are_less_what_speaks_to_the_gateway(self):
        caching = Caching()
        ended = caching.ask()
        status = Status(Code.ABORTED, "no", (Detail("t", b"v"),))
        metadata = Metadata([("x-a", "1"), ("x-cache-tags", "t")])
        caching.upstream.last.end(
            RpcError(status, metadata=metadata, headers={"a": "b"}, http_status=418, reason="R")
        )
        error = ended.error
        assert (error.status, error.metadata) == (status, Metadata([("x-a", "1")]))
        assert (error.headers, error.http_status, error.reason) == ({"a": "b"}, 418, "R")

    def test_an_error_s_own_time_is_told_as_the_caller_s_own(self):
        caching = Caching(shared=True)
        ended = caching.ask()
        caching.upstream.last.fail(Code.NOT_FOUND, cache_control="max-age=9", age="1", x_a="1")
        assert ended.error.headers == {"age": "1", "cache-control": "private, max-age=9"}
        assert ended.error.metadata == Metadata([("x-a", "1")])

    def test_another_reply_takes_the_place_of_a_stale_one(self):
        caching = kept(ttl=10.0)
        caching.time.move(10)
        caching.ask()
        caching.upstream.last.answer(b"new")
        assert caching.ask().message == b"new"

    @pytest.mark.parametrize(("tag", "kept"), [("sale", False), ("other", True)], ids=str)
    def test_a_purge_of_tags_that_a_reply_has_not_does_not_matter_to_it(self, tag, kept):
        caching = Caching(tags=("catalog",))
        caching.ask()
        caching.store.purge_tag(tag, 9)
        caching.upstream.last.answer(x_cache_tags="sale")
        assert (not asks(caching)) is kept

    def test_what_was_asked_before_a_purge_is_not_kept(self):
        caching = Caching()
        ended = caching.ask()
        caching.store.clear()
        caching.upstream.last.answer()
        assert ended.message == b"m"
        assert asks(caching)


class TestNotFound:
    def test_it_is_not_kept_unless_the_policy_says_so(self):
        caching = Caching()
        caching.ask()
        caching.upstream.last.fail(Code.NOT_FOUND)
        assert asks(caching)

    def test_it_is_kept_with_all_that_it_says(self):
        caching = Caching(negative=5.0)
        caching.ask()
        status = Status(Code.NOT_FOUND, "no such product", (Detail("t", b"v"),))
        caching.upstream.last.end(RpcError(status, metadata=Metadata([("x-a", "1")])))
        one, other = caching.ask().error, caching.ask().error
        assert one is not other
        assert (one.status, one.metadata) == (status, Metadata([("x-a", "1")]))
        caching.time.move(5)
        assert asks(caching)

    def test_the_gateway_s_own_is_not(self):
        caching = Caching(negative=5.0)
        caching.ask()
        caching.upstream.last.fail(Code.NOT_FOUND, reason="ROUTE_NOT_FOUND")
        assert asks(caching)

    def test_a_stale_reply_is_dropped_for_it(self):
        caching = kept(ttl=10.0, on_error=100.0)
        caching.time.move(10)
        caching.ask()
        caching.upstream.last.fail(Code.NOT_FOUND)
        caching.ask()
        caching.upstream.last.fail(Code.UNAVAILABLE)
        assert len(caching.store) == 0


class TestRevalidate:
    def test_the_stale_reply_is_used_at_once_and_a_new_one_fetched_for_all(self):
        caching = kept(ttl=10.0, revalidate=20.0)
        caching.time.move(10)
        assert [caching.ask().message for _ in range(3)] == [b"m"] * 3
        assert len(caching.upstream.asked) == 2
        caching.upstream.last.answer(b"new")
        assert caching.ask().message == b"new"
        assert len(caching.upstream.asked) == 2

    def test_the_fetch_has_the_method_s_time_and_belongs_to_nobody(self):
        caching = kept(ttl=10.0, revalidate=20.0, timeout=3.0)
        caching.time.move(10)
        call = Call(METHOD, b"r", deadline=caching.deadline(0.1), reply_headers={"a": "b"})
        caching.ask(call).cancel()
        asked = caching.upstream.last
        assert not asked.cancelled
        assert asked.call is not call
        assert asked.call.deadline == caching.deadline(3)
        assert asked.call.reply_headers is None

    def test_a_failure_leaves_the_stale_reply_and_is_not_tried_again_at_once(self):
        caching = kept(ttl=10.0, revalidate=20.0)
        caching.time.move(10)
        caching.ask()
        caching.upstream.last.fail()
        assert caching.ask().message == b"m"
        assert len(caching.upstream.asked) == 2
        caching.time.move(PAUSE)
        assert asks(caching)

    def test_an_answer_that_is_not_kept_drops_the_stale_reply(self):
        caching = kept(ttl=10.0, revalidate=20.0)
        caching.time.move(10)
        caching.ask()
        caching.upstream.last.answer(b"new", cache_control="no-store")
        assert not caching.ask()

    @pytest.mark.parametrize(("tells", "stays"), [((), True), (None, False)], ids=["told", "not"])
    def test_what_is_refused_to_one_caller_says_nothing_of_what_all_share(self, tells, stays):
        caching = kept(ttl=10.0, revalidate=20.0, shared=True, tells=tells)
        caching.time.move(10)
        caching.ask(principal=ADA)
        caching.upstream.last.fail(Code.PERMISSION_DENIED)
        assert bool(caching.ask(principal=BOB)) is stays

    def test_not_for_longer_than_the_policy_says(self):
        caching = kept(ttl=10.0, revalidate=20.0)
        caching.time.move(30)
        assert not caching.ask()

    def test_so_many_at_a_time(self):
        caching = Caching(ttl=10.0, revalidate=20.0)
        for number in range(MOST + 5):
            caching.ask(request=b"%d" % number)
            caching.upstream.last.answer()
        caching.time.move(10)
        caching.upstream.asked.clear()
        for number in range(MOST + 5):
            assert caching.ask(request=b"%d" % number).message == b"m"
        assert len(caching.upstream.asked) == MOST
        for asked in caching.upstream.asked[:]:
            asked.answer()
        assert asks(caching, request=b"%d" % MOST)


class TestOnError:
    FAILURES = (
        *(Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.INTERNAL, Code.UNKNOWN),
        Code.DATA_LOSS,
    )

    @pytest.mark.parametrize("code", [code for code in Code if code is not Code.OK])
    def test_the_stale_reply_is_used_where_the_backend_fails(self, code):
        caching = kept(ttl=10.0, on_error=20.0)
        caching.time.move(15)
        ended = caching.ask()
        assert not ended
        caching.upstream.last.fail(code)
        if code in self.FAILURES:
            assert ended.message == b"m"
            assert ended.reply.headers["age"] == "15"
        else:
            assert ended.code is code

    def test_again_and_again(self):
        caching = kept(ttl=10.0, on_error=20.0)
        for _ in range(3):
            caching.time.move(5)
            ended = caching.ask()
            if not ended:
                caching.upstream.last.fail()
            assert ended.message == b"m"

    def test_not_for_longer_than_the_policy_says(self):
        caching = kept(ttl=10.0, on_error=20.0)
        caching.time.move(29)
        ended = caching.ask()
        caching.time.move(1)
        caching.upstream.last.fail()
        assert ended.code is Code.UNAVAILABLE

    def test_where_the_call_s_own_time_is_over_too(self):
        caching = kept(ttl=10.0, on_error=20.0)
        caching.time.move(10)
        ended = caching.ask(deadline=caching.deadline(1))
        caching.time.move(1)
        assert ended.message == b"m"

    def test_a_reply_that_comes_is_used(self):
        caching = kept(ttl=10.0, on_error=20.0)
        caching.time.move(10)
        ended = caching.ask()
        caching.upstream.last.answer(b"new")
        assert ended.message == b"new"


class TestTold:
    def test_what_was_just_fetched_has_no_age(self):
        caching = Caching(told=("accept-language",))
        ended = caching.ask()
        caching.upstream.last.answer()
        told = {"cache-control": "private, max-age=30", "vary": "accept-language"}
        assert ended.reply.headers == told

    def test_what_was_kept_has_its_age(self):
        caching = kept()
        caching.time.move(7.9)
        assert caching.ask().reply.headers == {
            "age": "7",
            "cache-control": "private, max-age=30",
        }

    def test_the_age_that_it_came_with_counts(self):
        caching = kept(metadata={"cache_control": "max-age=60", "age": "5"})
        caching.time.move(2)
        assert caching.ask().reply.headers["age"] == "7"

    @pytest.mark.parametrize(
        ("metadata", "told"),
        [
            ({"cache_control": "max-age=60", "age": "50"}, {"age": "50"}),
            ({"cache_control": "max-age=60", "age": "0"}, {}),
            ({"cache_control": "max-age=60", "age": "old"}, {}),
            ({"cache_control": "max-age=60, no-store", "age": "50"}, {"age": "50"}),
            ({"cache_control": "max-age=60", "age": "60"}, {"age": "60"}),
            ({"age": "50"}, {"age": "50"}),
        ],
        ids=["kept", "new", "no-age", "not-kept", "too-old-to-be-kept", "without-a-time"],
    )
    def test_who_has_it_fetched_is_told_the_age_that_it_came_with(self, metadata, told):
        caching = Caching(on_error=0.0)
        ended = caching.ask()
        caching.upstream.last.answer(**metadata)
        assert {name: ended.reply.headers[name] for name in told} == told
        assert ("age" in ended.reply.headers) == bool(told)
        assert not ended.reply.initial

    def test_so_is_who_has_nothing_kept(self):
        caching = Caching()
        ended = caching.ask(metadata=Metadata([("cookie", "session=1")]))
        caching.upstream.last.answer(cache_control="max-age=60", age="50")
        told = {"age": "50", "cache-control": "private, max-age=60"}
        assert ended.reply.headers == told

    def test_so_is_who_is_told_that_it_is_not_found(self):
        caching = Caching(negative=60.0)
        ended = caching.ask()
        caching.upstream.last.fail(Code.NOT_FOUND, cache_control="max-age=60", age="50")
        assert ended.error.headers == {"age": "50", "cache-control": "private, max-age=60"}

    def test_shared_entries_are_private_only_to_those_who_are_known(self):
        caching = kept(shared=True)
        assert caching.ask().reply.headers["cache-control"] == "max-age=30"
        told = caching.ask(principal=ADA).reply.headers
        assert told["cache-control"] == "private, max-age=30"

    def test_what_speaks_to_the_gateway_goes_no_further(self):
        metadata = {"cache_control": "max-age=9", "x_cache_tags": "a b", "age": "1", "x_a": "1"}
        caching = kept(metadata=metadata)
        assert caching.ask().reply.initial == Metadata([("x-a", "1")])

    @pytest.mark.parametrize("control", ["no-store", "no-cache", "max-age=0"])
    def test_of_a_reply_that_is_not_kept_the_client_is_told_what_its_backend_says(self, control):
        caching = Caching()
        ended = caching.ask()
        caching.upstream.last.answer(cache_control=control, x_cache_tags="a")
        assert ended.reply.headers["cache-control"] == f"private, {control}"
        assert not ended.reply.initial
        assert ended.reply.rendered is None

    @pytest.mark.parametrize("shared", [False, True], ids=["own", "shared"])
    def test_what_its_backend_calls_private_is_told_so(self, shared):
        caching = Caching(shared=shared, ttl=0.0)
        ended = caching.ask()
        caching.upstream.last.answer(cache_control="max-age=9, private", set_cookie="a=b")
        assert ended.reply.headers["cache-control"] == "private, max-age=9"

    def test_what_only_the_backend_knows_whose_it_is_is_private(self):
        caching = Caching(shared=True)
        ended = caching.ask(metadata=Metadata([("cookie", "session=1")]))
        caching.upstream.last.answer(cache_control="max-age=9")
        assert ended.reply.headers["cache-control"] == "private, max-age=9"

    def test_not_found(self):
        caching = Caching(negative=5.0)
        caching.ask()
        caching.upstream.last.fail(Code.NOT_FOUND)
        caching.time.move(2)
        assert caching.ask().error.headers == {"age": "2", "cache-control": "private, max-age=5"}


class TestTags:
    def test_of_templates_and_of_the_backend(self):
        caching = kept(metadata={"x_cache_tags": "sale,new"}, tags=("catalog",))
        assert caching.store.purge_tag("other", 9) == 0
        assert not asks(caching)
        for tag in ("sale", "new", "catalog"):
            assert caching.store.purge_tag(tag, 9) == 1
            assert asks(caching)
            caching.upstream.last.answer(x_cache_tags="sale,new")

    def test_not_found_has_them_too(self):
        caching = Caching(negative=5.0, tags=("catalog",))
        caching.ask()
        caching.upstream.last.fail(Code.NOT_FOUND)
        assert caching.store.purge_tag("catalog", 9) == 1


def test_it_says_what_it_does():
    assert "each caller's own" in Caching().filter.describe()
    assert "for all callers" in Caching(shared=True).filter.describe()
