"""What operators may ask where nothing is kept of requests."""

import asyncio
import gc
import os

import pytest

from gateway.app.counted.sources import Sources
from gateway.app.telemetry import Telemetry
from gateway.config import from_mapping
from gateway.operations import NOT_THERE, OperationError
from gateway.operations.reloads import Reloads
from gateway.telemetry.access_log import writer

CONFIG = {
    "admin": {"address": "127.0.0.1:0"},
    "upstreams": {"shop": {"services": ["shop.*"], "endpoints": ["127.0.0.1:1"]}},
    "telemetry": {"recorder": False, "metrics": False},
}


@pytest.fixture
async def unrecorded():
    reloads = Reloads()
    telemetry = Telemetry(Sources(0, lambda: None, lambda: None, None, reloads))
    await telemetry.open(from_mapping(CONFIG, origin="test"))
    yield telemetry.operations, reloads
    await telemetry.close()


async def test_why_a_reload_was_refused_is_told_all_the_same(unrecorded):
    operations, reloads = unrecorded
    reloads.fail(5.0, ["gateway.yaml:3: no"])
    told = await operations.run("why", {"id": "reload"})
    assert told["reload"] == {"refused": True, "at": 5.0, "problems": ["gateway.yaml:3: no"]}
    assert (told["rows"], told["kept"]) == ([], None)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("why", {"id": "x"}), ("recent", {}), ("tap", {"watch": "me"})],
    ids=["why", "recent", "tap"],
)
async def test_what_is_not_kept_is_told_so(unrecorded, name, arguments):
    operations, _ = unrecorded
    with pytest.raises(OperationError) as failure:
        await operations.run(name, arguments)
    assert failure.value.reason == NOT_THERE


async def test_what_a_reload_switches_off_looks_at_nothing_more():
    before = list(gc.callbacks)
    telemetry = Telemetry(Sources(0, lambda: None, lambda: None, None, Reloads()))
    counted = {**CONFIG, "telemetry": {"recorder": False}}
    await telemetry.open(from_mapping(counted, origin="test"))
    assert len(gc.callbacks) == len(before) + 1
    assert await telemetry.operations.run("metrics", {})
    await telemetry.open(from_mapping(CONFIG, origin="test"))
    assert gc.callbacks == before
    with pytest.raises(OperationError) as failure:
        await telemetry.operations.run("metrics", {})
    assert failure.value.reason == NOT_THERE
    await telemetry.close()


async def test_a_log_that_nobody_reads_holds_up_no_reload_and_its_lost_lines_count(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(writer, "_STUCK", 0.2)
    monkeypatch.setattr(writer, "_LOOK", 10)
    pipe, file = tmp_path / "pipe", tmp_path / "access.log"
    os.mkfifo(pipe)
    telemetry = Telemetry(Sources(0, lambda: None, lambda: None, None, Reloads()))

    async def log_to(path):
        told = {"metrics": True, "recorder": False, "access_log": {"path": str(path)}}
        await telemetry.open(from_mapping({**CONFIG, "telemetry": told}, origin="test"))

    def lost():
        return sum(value for _, _, value in telemetry._dropped())

    await log_to(pipe)
    stuck = telemetry._log.writer
    for _ in range(1024):
        stuck.write("x" * 1023 + "\n")
    await log_to(file)
    assert telemetry._closing, "it goes on beside"
    assert telemetry._log.writer.path == str(file)
    async with asyncio.timeout(20):
        while telemetry._closing:
            await asyncio.sleep(0.01)
    assert lost() == stuck.lost > 900
    await telemetry.close()
