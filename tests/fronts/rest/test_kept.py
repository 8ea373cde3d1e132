"""Replies that are kept: their JSON and entity tag are made once, and conditional requests."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from google.api.httpbody_pb2 import HttpBody

from gateway.call import Metadata, Reply
from gateway.fronts.entity_tags import entity_tag
from gateway.fronts.rest.replies import JsonReply, RawReply
from gateway.fronts.rest.unary import UnaryRoute
from gateway.http import Headers, Request
from gateway.kept import KeptBody
from gateway.routing.metadata import HeaderRules
from gateway.state.cache import CacheStore

HEADERS = {"age": "3", "cache-control": "private, max-age=30"}
TAG = entity_tag(b"{m}")


class Incoming:
    """A request, and what it was answered."""

    json = "application/json"

    def __init__(self, verb="GET", **headers):
        named = Headers((name.replace("_", "-"), value) for name, value in headers.items())
        self.request = Request(verb, "/", None, named)
        self.shared = SimpleNamespace(rules=HeaderRules(response_allow=["x-a"]))

    def respond(self, status, headers, body, kept=None):
        assert len({name for name, _ in headers}) == len(headers)
        self.status, self.headers, self.body = status, dict(headers), body
        self.kept = kept


class Renders:
    """Writes messages, and counts how often."""

    def __init__(self):
        self.times = 0

    def __call__(self, message):
        self.times += 1
        return b"{%b}" % message


@pytest.fixture
def renders():
    return Renders()


@pytest.fixture
def forms():
    store = CacheStore(10**6, 10**5)
    return store.put(b"k", None, 0, until=1e9, group="g")


@pytest.fixture
def answer(renders, forms):
    method = SimpleNamespace(start=None, descriptor=None)

    def answer(verb="GET", *, initial=(), json=renders, form="json", forms=forms, **headers):
        reply = JsonReply(json, form, ("etag", form))
        route = UnaryRoute(method, None, reply, body_size=1, etag=False)
        incoming = Incoming(verb, **headers)
        route.respond(incoming, Reply(b"m", Metadata(initial), headers=HEADERS, rendered=forms))
        return incoming

    return answer


def test_json_and_tag_are_made_once(answer, renders, forms):
    first, second = answer(), answer()
    assert renders.times == 1
    assert (first.status, first.body, first.headers) == (
        *(200, b"{m}"),
        {"content-type": "application/json", "etag": TAG, **HEADERS},
    )
    assert second.headers == first.headers
    assert forms.get(("etag", "json")) == TAG.encode()


def test_another_form_is_another(answer, renders):
    answer()
    answer(form="other")
    assert renders.times == 2


def test_who_has_it_is_not_sent_it_again(answer):
    again = answer(if_none_match=f'"other", {TAG}')
    assert (again.status, again.body, again.headers) == (304, b"", {"etag": TAG, **HEADERS})
    assert answer(if_none_match='"other"').status == 200


def test_the_backend_s_tag_goes_first(answer, forms):
    initial = [("etag", '"mine"'), ("x-a", "1"), ("x-b", "2")]
    assert answer(initial=initial).headers["etag"] == '"mine"'
    assert answer(initial=initial).headers["x-a"] == "1"
    assert "x-b" not in answer(initial=initial).headers
    assert answer(initial=initial, if_none_match='"mine"').status == 304
    assert forms.get(("etag", "json")) is None


def test_only_get_and_head_have_tags(answer):
    assert "etag" not in answer("POST").headers
    assert answer("POST", if_none_match=TAG).status == 200
    assert answer("HEAD").headers["etag"] == TAG


def test_data_is_taken_out_each_time(forms):
    taken = []
    reply = RawReply(lambda message: taken.append(message) or b"\n\ntext/plain\x12\1m")
    assert reply.kept(b"m", forms) == reply.body(b"m")
    assert reply.tag(b"m", forms) == entity_tag(b"m")
    assert len(taken) == 2
    assert forms.charge == CacheStore(10**6, 10**5).put(b"k", 0, 0, until=1e9, group="g").charge


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "fresh"])
@pytest.mark.parametrize(
    ("own", "told"),
    [
        pytest.param(True, "application/vnd.shop.v2+json", id="the gateway's JSON"),
        pytest.param(False, "application/json", id="a body that the backend has typed"),
    ],
)
def test_a_media_type_that_was_asked_for_is_of_the_gateway_s_own_json(forms, kept, own, told):
    wire = HttpBody(content_type="application/json", data=b"{}").SerializeToString()
    reply = JsonReply(lambda _: b"{}", "json", "etag") if own else RawReply(bytes)
    method = SimpleNamespace(start=None, descriptor=None)
    incoming = Incoming()
    incoming.json = "application/vnd.shop.v2+json"
    route = UnaryRoute(method, None, reply, body_size=1, etag=False)
    route.respond(incoming, Reply(wire, rendered=forms if kept else None))
    assert (incoming.headers["content-type"], incoming.body) == (told, b"{}")


def test_what_it_is_packed_in_is_kept_with_the_json(answer, forms):
    assert answer().kept == KeptBody(forms, "json")
    assert answer(if_none_match=TAG).kept is None
    assert answer(forms=None).kept is None
