"""The operations `why`, `recent` and `tap` of one process: what they take, and what they tell."""

import pytest

from gateway.app.counted.sources import Sources
from gateway.app.why import Why
from gateway.operations import NOT_ASKED_RIGHT, NOT_NOW, OperationError
from gateway.operations.reloads import Reloads
from gateway.telemetry.recorder.recorder import Recorder
from gateway.telemetry.recorder.tap import MOST
from tests.telemetry.records import METHOD, Maker


class Process:
    """What is asked, before it has a generation."""

    def __init__(self):
        self.reloads = Reloads()
        sources = Sources(3, lambda: None, lambda: None, None, self.reloads)
        recorder = Recorder(9, 1.0, generation=lambda: 1, standing=lambda _: None)
        self.maker = Maker(recorder)
        self.asks = Why(recorder, sources)


@pytest.fixture
def process():
    return Process()


async def test_what_is_kept_is_explained(process):
    process.maker.usual(request_id="one")
    told = await process.asks.why({"id": "one"})
    (row,) = told["rows"]
    assert (row["cause"], row["worker"], row["settings"], row["now"]) == (
        "SLOW_ENDPOINT", 3, [], None,
    )  # fmt: skip
    assert row["reloaded"] is False
    assert told["kept"]["seen"] == 1
    assert (await process.asks.why({"id": "two"}))["rows"] == []


async def test_after_a_reload_it_is_said_that_settings_are_of_another_config(process):
    process.maker.usual(request_id="one")
    process.reloads.succeed(1.0, digest="digest")
    (row,) = (await process.asks.why({"id": "one"}))["rows"]
    assert row["reloaded"] is True


async def test_a_reload_that_was_refused_is_told_until_one_is_taken(process):
    process.reloads.fail(5.0, (f"gateway.yaml:{line}: no" for line in range(1000)))
    told = (await process.asks.why({"id": "reload"}))["reload"]
    assert (told["refused"], told["at"], len(told["problems"])) == (True, 5.0, 100)
    process.reloads.succeed(6.0, digest="digest")
    told = (await process.asks.why({"id": "reload"}))["reload"]
    assert told == {"refused": False, "at": 6.0, "problems": []}


async def test_rows_are_listed_by_a_filter(process):
    process.maker.usual(request_id="one")
    (row,) = (await process.asks.recent({"method": "GetProduct"}))["rows"]
    assert (row["request_id"], row["what"], row["outcome"]) == ("one", METHOD, "sampled")
    assert (await process.asks.recent({"method": "GetOrder"}))["rows"] == []
    assert (await process.asks.recent({"failed": "1"}))["rows"] == []
    assert (await process.asks.recent({"limit": "0"}))["rows"] == []


async def test_who_taps_is_told_what_comes(process):
    assert (await process.asks.tap({"watch": "me"}))["rows"] == []
    process.maker.usual(request_id="one")
    (row,) = (await process.asks.tap({"watch": "me"}))["rows"]
    assert (row["request_id"], row["worker"]) == ("one", 3)


async def test_no_more_than_a_few_tap(process):
    for number in range(MOST):
        await process.asks.tap({"watch": f"{number}"})
    with pytest.raises(OperationError) as failure:
        await process.asks.tap({"watch": "one too many"})
    assert failure.value.reason == NOT_NOW


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("why", {}),
        ("why", {"id": ""}),
        ("why", {"id": "x" * 1000}),
        ("why", {"id": "x", "more": ""}),
        ("recent", {"limit": "1000"}),
        ("recent", {"failed": "yes"}),
        ("recent", {"slower": "soon"}),
        ("tap", {}),
        ("tap", {"watch": "me", "status": "6xx"}),
        ("tap", {"watch": "me", "sample": "-1"}),
    ],
    ids=str,
)
async def test_what_is_asked_wrong_is_refused(process, operation, arguments):
    with pytest.raises(OperationError) as failure:
        await getattr(process.asks, operation)(arguments)
    assert failure.value.reason == NOT_ASKED_RIGHT
