"""The head of a stream's reply that leaves by its time, before the call has come to a backend."""

from __future__ import annotations

from functools import partial

import pytest

from gateway.cookies import IdCookie
from gateway.fronts.rest.errors import ErrorRenderer
from gateway.fronts.rest.forms import FORMS
from gateway.fronts.rest.incoming import Incoming, Shared
from gateway.fronts.rest.media import NDJSON
from gateway.fronts.rest.reply import success_head
from gateway.fronts.rest.responses import StreamResponses
from gateway.http import Headers, Request
from gateway.policies.affinity import Affinity
from gateway.routing.metadata import HeaderRules

STAY = IdCookie("stay", 60)
SHARED = Shared(
    HeaderRules(), ErrorRenderer(lambda packed: b"{}"), clock=lambda: 0.0, gives_cookies=True
)


class Started:
    """An exchange that keeps the head of its answer."""

    record = None  # nothing is noted

    def __init__(self, *headers):
        self.request = Request("GET", "/", None, Headers(headers))

    def start(self, status, headers):
        self.status, self.headers = status, list(headers)

    @property
    def given(self):
        return [value for name, value in self.headers if name == "set-cookie"]


@pytest.fixture
def begin():
    """Begins a stream's reply, whose head leaves by its time at once."""
    began = []

    def one(*headers):
        incoming = Incoming(Started(*headers), SHARED)
        call = incoming.call("a.B/C")
        responses = StreamResponses(
            incoming.exchange,
            FORMS[NDJSON](lambda message: message),
            head=partial(success_head, rules=SHARED.rules),
            whole=incoming.head,
            error_text=incoming.error_text,
            refuse=incoming.refuse,
            early=partial(incoming.give, [STAY]),
            head_delay=0.0,
        )
        began.append(responses)
        return incoming.exchange, call, responses

    yield one
    for each in began:
        each.close()


async def test_gives_the_id_by_which_the_call_goes_afterwards(begin):
    exchange, call, responses = begin()
    await responses.committed.wait()
    Affinity(STAY).admit(call)
    assert exchange.given == [STAY.line(call.affinity, secure=False)]


async def test_gives_none_to_a_client_that_shows_one(begin):
    shown = "A" * 22
    exchange, call, responses = begin(("cookie", f"stay={shown}"))
    await responses.committed.wait()
    Affinity(STAY).admit(call)
    assert (call.affinity, exchange.given) == (shown, [])


async def test_gives_no_other_where_the_call_has_gone_already(begin):
    exchange, call, responses = begin()
    call.affinity = "known"
    await responses.committed.wait()
    assert exchange.given == []


async def test_says_that_its_form_was_chosen_by_what_is_accepted(begin):
    exchange, _, responses = begin()
    await responses.committed.wait()
    assert ("vary", "accept") in exchange.headers
