"""What counts calls in a running gateway: only where the config asks for it, and over reloads."""

import json
from pathlib import Path

import pytest

from gateway.app import App
from gateway.app import usage as module
from gateway.config import from_mapping
from gateway.operations import NOT_ASKED_RIGHT, NOT_NOW, NOT_THERE, OperationError
from gateway.policies.usage import UsageOfCalls, UsageOfStreams
from gateway.state.usage.meter import StoreError

ROOT = Path(__file__).parents[2]
GET = "shop.catalog.v1.CatalogService/GetProduct"
WATCH = "shop.orders.v1.OrderService/WatchOrder"


class File:
    """A config file that is rewritten."""

    def __init__(self, **sections):
        self.sections = sections

    def __call__(self):
        data = {
            "listener": {"address": "127.0.0.1:0"},
            "admin": False,
            "schema": {"protos": [str(ROOT / "protos")]},
            "upstreams": {"shop": {"services": ["shop.*"], "endpoints": ["127.0.0.1:1"]}},
            "graphql": False,
            **self.sections,
        }
        return from_mapping(data, origin="test")


@pytest.fixture
async def start():
    apps = []

    async def make(file, adopted=None):
        apps.append(App(file, adopted))
        await apps[-1].start(lambda _: None)
        return apps[-1]

    yield make
    for each in apps:
        await each.stop()


def counting(app, method=GET):
    kinds = UsageOfCalls | UsageOfStreams
    return [each for each in app.current.methods[method].policies if isinstance(each, kinds)]


def tally(app):
    (policy,) = counting(app)
    return policy._tally


async def calls(app):
    return [row["calls"] for row in (await app.operate("usage", {"by": ""}))["rows"]]


async def test_unless_the_config_asks_nothing_counts(start):
    app = await start(File())
    assert counting(app) == []
    with pytest.raises(OperationError) as caught:
        await app.operate("usage", {})
    assert caught.value.reason == NOT_THERE


async def test_each_method_has_what_counts_its_kind(start):
    app = await start(File(usage={"enabled": True}))
    assert [type(each) for each in counting(app)] == [UsageOfCalls]
    assert [type(each) for each in counting(app, WATCH)] == [UsageOfStreams]


async def test_counts_outlive_a_reload_also_those_of_calls_of_the_generation_before(start):
    file = File(usage={"enabled": True})
    app = await start(file)
    before = tally(app)
    before.of(("keys", "a", None)).calls += 1
    file.sections = {"usage": {"enabled": True, "callers": 1}, "rest": {"prefix": "/api"}}
    await app.reload()
    assert tally(app) is before
    before.of(("keys", "a", None)).calls += 2
    before.of(("keys", "b", None)).calls += 4  # one more than are told apart now
    rows = (await app.operate("usage", {"by": "principal"}))["rows"]
    assert {row["subject"]: row["calls"] for row in rows} == {"a": 3, "others": 4}


async def test_a_question_that_is_wrong_is_refused(start):
    app = await start(File(usage={"enabled": True}))
    with pytest.raises(OperationError, match="period: expected") as caught:
        await app.operate("usage", {"period": "never"})
    assert caught.value.reason == NOT_ASKED_RIGHT


async def test_what_can_t_be_read_now_is_told_without_addresses(start, monkeypatch):
    class Away:
        def __init__(self, _):
            pass

        async def take(self, _):
            raise StoreError("10.0.0.1 refused")

        async def answer(self, _):
            raise StoreError("10.0.0.1 refused")

    monkeypatch.setattr(module, "InMemory", Away)
    app = await start(File(usage={"enabled": True}))
    with pytest.raises(OperationError) as caught:
        await app.operate("usage", {})
    assert caught.value.reason == NOT_NOW
    assert "10.0.0.1" not in caught.value.message


async def test_gateways_that_name_one_redis_share_it_and_leave_the_rest_there(start, redis_url):
    file = File(usage={"enabled": True}, state=redis_url, state_timeout="2s")
    one, other = await start(file), await start(file)
    tally(one).of(("keys", "a", None)).calls += 1
    tally(other).of(("keys", "a", None)).calls += 2
    # Each is asked after it has told what it counted.
    await until_calls(one, 1)
    await until_calls(other, 3)
    file.sections["state_timeout"] = "1s"  # another client, another meter
    tally(other).of(("keys", "a", None)).calls += 4
    await other.reload()
    await until_calls(other, 7)
    tally(one).of(("keys", "a", None)).calls += 8
    await one.stop()
    assert await calls(other) == [15]


async def test_calls_that_run_while_the_state_changes_are_counted(start, redis_url):
    file = File(usage={"enabled": True})
    app = await start(file)
    running = tally(app)
    file.sections |= {"state": redis_url, "state_timeout": "2s"}
    await app.reload()
    running.of(("keys", "a", None)).calls += 1
    await until_calls(app, 1)


@pytest.mark.parametrize(
    "between",
    [
        pytest.param({"usage": {"enabled": False}}, id="off"),
        pytest.param({"state": "redis://127.0.0.1:1", "state_timeout": "10ms"}, id="elsewhere"),
    ],
)
async def test_counts_in_memory_are_there_again_after_a_while_without(start, between, monkeypatch):
    monkeypatch.setattr("gateway.state.usage.meter.LAST", 0.01)
    file = File(usage={"enabled": True})
    app = await start(file)
    tally(app).of(("keys", "a", None)).calls += 1
    file.sections |= between
    await app.reload()
    file.sections = {"usage": {"enabled": True}}
    await app.reload()
    assert await calls(app) == [1]


async def test_calls_that_end_while_usage_is_off_are_told_of_when_it_is_on(start):
    file = File(usage={"enabled": True})
    app = await start(file)
    running = tally(app)
    file.sections = {}
    await app.reload()
    running.of(("keys", "a", None)).calls += 2
    file.sections = {"usage": {"enabled": True}}
    await app.reload()
    assert await calls(app) == [2]


async def until_calls(app, number):
    """Waits until a gateway that has just connected tells so many."""
    while True:
        try:
            found = await calls(app)
        except OperationError as error:
            assert error.reason == NOT_NOW  # it is not connected yet
        else:
            assert found == [number]
            return


async def test_answers_are_what_json_has(start):
    app = await start(File(usage={"enabled": True}))
    tally(app).of(("keys", "ü", "free")).calls += 1
    answer = await app.operate("usage", {})
    assert json.loads(json.dumps(answer)) == answer
