"""Calls go by the way of the upstream that was chosen for them, all others by their own."""

from __future__ import annotations

import pytest

from gateway.call import NO_METADATA, Call, Metadata
from gateway.policies.elsewhere import Elsewhere
from tests.policies.streams import Client


class Way:
    """A way that only tells that it was taken."""

    def __init__(self, name, taken):
        self.name = name
        self.taken = taken

    def start(self, call, done):
        self.taken.append(self.name)
        return self.cancel

    async def stream(self, call):
        self.taken.append(self.name)
        return Metadata([("x-way", self.name)])

    def cancel(self):
        self.taken.append(f"{self.name} cancelled")


@pytest.fixture
def taken():
    return []


@pytest.fixture
def own(taken):
    return Way("own", taken)


@pytest.fixture
def elsewhere(taken):
    return Elsewhere({"canary": Way("canary", taken), "next": Way("next", taken)})


@pytest.mark.parametrize(
    ("chosen", "way"), [("", "own"), ("canary", "canary"), ("next", "next")], ids=str
)
async def test_each_call_goes_its_way(elsewhere, own, taken, chosen, way):
    elsewhere.filter(Call("a.B/C", upstream=chosen), taken.append, own.start)()
    assert taken == [way, f"{way} cancelled"]
    stream = Client("a.B/C", upstream=chosen)
    trailers = await elsewhere.stream(stream, own.stream)
    assert trailers.text("x-way") == way
    assert trailers != NO_METADATA


def test_it_says_so(elsewhere):
    assert elsewhere.describe() == (
        "Sends calls for canary, next there, within their bounds; what follows is for the rest."
    )
