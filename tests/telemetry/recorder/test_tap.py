"""Requests as they end, for who looks: filtered, bounded, forgotten with who asks no more."""

import pytest

from gateway.call import Code
from gateway.telemetry.recorder.recorder import Recorder
from gateway.telemetry.recorder.tap import MOST, PATIENCE, ROOM, Tap, TooManyError
from gateway.telemetry.recorder.wanted import ALL, FilterError, wanted_of
from tests.telemetry.records import METHOD, Maker, head
from tests.upstream.fakes import Clock


class Shown:
    """Shows a tap what has ended (Keeper)."""

    def __init__(self):
        self.clock = Clock()
        self.tap = Tap(self.clock, lambda: 5.0)

    def called(self, call):
        pass

    def asked(self, request):
        self.tap.see(request)


@pytest.fixture
def shown():
    return Shown()


@pytest.fixture
def maker(shown):
    return Maker(shown)


@pytest.fixture
def tap(shown):
    return shown.tap


def ids(told):
    return [each["request_id"] for each in told["rows"]]


def test_who_looks_is_told_what_came_since_it_asked_last(maker, tap):
    maker.usual(request_id="before")
    assert ids(tap.ask("me", ALL, 1)) == []
    maker.usual(request_id="a")
    maker.usual(request_id="b")
    told = tap.ask("me", ALL, 1)
    assert (ids(told), told["missed"]) == (["a", "b"], 0)
    assert ids(tap.ask("me", ALL, 1)) == []
    row = told["rows"][0]
    assert (row["what"], row["code"], row["status"]) == (METHOD, "OK", 200)
    assert (row["principal"], row["endpoint"]) == ("ann", "127.0.0.1:50051")


def test_what_does_not_fit_is_told_by_its_number(maker, tap, shown):
    tap.ask("me", ALL, 1)
    for number in range(ROOM + 3):
        shown.clock.advance(0.002)
        maker.usual(request_id=str(number))
    told = tap.ask("me", ALL, 1)
    assert (len(told["rows"]), told["missed"], told["rows"][0]["request_id"]) == (ROOM, 3, "3")


def test_one_of_many_is_told(maker, tap):
    tap.ask("me", ALL, 3)
    for number in range(7):
        maker.usual(request_id=str(number))
    assert ids(tap.ask("me", ALL, 3)) == ["0", "3", "6"]


def test_who_asks_no_more_is_forgotten(tap, shown):
    for number in range(MOST):
        tap.ask(str(number), ALL, 1)
    with pytest.raises(TooManyError):
        tap.ask("one too many", ALL, 1)
    assert tap.is_watched
    shown.clock.advance(PATIENCE + 1)
    assert not tap.is_watched
    tap.ask("another", ALL, 1)


def test_where_nobody_looks_nothing_is_left_of_it(tap):
    recorder = Recorder(9, 0, generation=lambda: 1, standing=lambda _: None)
    recorder.tap = tap
    Maker(recorder).usual()
    assert recorder.tap is None


@pytest.mark.parametrize(
    ("given", "wants"),
    [
        ({}, True),
        ({"method": METHOD}, True),
        ({"method": "CatalogService.GetProduct"}, True),
        ({"method": "GetProduct"}, True),
        ({"method": "shop.catalog.*"}, True),
        ({"method": "Product"}, False),
        ({"method": "shop.orders.*"}, False),
        ({"status": "200"}, True),
        ({"status": "2xx"}, True),
        ({"status": "5xx"}, False),
        ({"status": "OK"}, True),
        ({"status": "NOT_FOUND"}, False),
        ({"principal": "ann"}, True),
        ({"principal": "bob"}, False),
        ({"front": "rest"}, True),
        ({"front": "graphql"}, False),
        ({"peer": "192.0.2.0/24"}, True),
        ({"peer": "192.0.2.1"}, True),
        ({"peer": "2001:db8::/32"}, False),
    ],
    ids=str,
)
def test_filters(maker, tap, given, wants):
    tap.ask("me", wanted_of(given), 1)
    maker.usual()
    assert bool(ids(tap.ask("me", ALL, 1))) is wants


def test_a_filter_by_time(maker, tap):
    tap.ask("me", wanted_of({}, slower=10.0), 1)
    maker.usual()
    record = maker.request(request_id="slow")
    call = maker.call(record)
    maker.attempt(call, 12, Code.OK)
    maker.ends(call)
    maker.answered(record)
    assert ids(tap.ask("me", ALL, 1)) == ["slow"]


def test_a_peer_without_an_address_is_in_no_network(maker, tap):
    tap.ask("me", wanted_of({"peer": "0.0.0.0/0"}), 1)
    maker.usual(head(peer=""))
    assert ids(tap.ask("me", ALL, 1)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "6xx"),
        ("status", "oops"),
        ("front", "soap"),
        ("peer", "nowhere"),
        ("method", "*" * 9),
        ("method", "a" * 300),
    ],
)
def test_a_filter_that_is_none(name, value):
    with pytest.raises(FilterError, match=f"{name}: expected"):
        wanted_of({name: value})
