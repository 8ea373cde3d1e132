"""Reloads are made whenever they are told to, whatever became of those before."""

import asyncio

import pytest

from gateway.cli import reloading
from gateway.cli.reloading import Read, reload_when_told
from gateway.cli.running import all_cancelled
from gateway.config import from_mapping

NOTHING = Read(frozenset(), 0)
PATIENCE = 10


class Told:
    """A loop of reloads that each do what they are planned to."""

    def __init__(self, *plan, mode="signal"):
        self.signal = asyncio.Event()
        self.done = 0
        self._plan = list(plan)
        self._once = asyncio.Event()
        config = from_mapping({"reload": mode}, origin="test").config
        loop = reload_when_told(self.signal, self._reload, lambda: config, NOTHING)
        self.task = asyncio.ensure_future(loop)

    async def _reload(self):
        self.done += 1
        self._once.set()
        match self._plan.pop(0):
            case Exception() as error:
                raise error
            case served:
                return served

    async def tell(self):
        self._once.clear()
        self.signal.set()
        async with asyncio.timeout(PATIENCE):
            await self._once.wait()

    async def end(self):
        async with asyncio.timeout(PATIENCE):
            await all_cancelled([self.task])


async def test_a_reload_that_fails_on_a_bug_does_not_prevent_the_next(caplog):
    told = Told(RuntimeError("torn"), False, True)
    for _ in range(3):
        await told.tell()
    await told.end()
    assert told.done == 3
    (record,) = caplog.records
    assert record.getMessage() == "a bug in a reload: there can be another all the same"
    assert "torn" in caplog.text


async def test_without_eyes_a_signal_still_reloads(caplog, monkeypatch):
    async def blind(*_):
        raise OSError("no eyes")

    monkeypatch.setattr(reloading, "_watch", blind)
    told = Told(True, True, mode="watch")
    for _ in range(2):
        await told.tell()
    await told.end()
    assert told.done == 2
    assert "a bug in what watches files" in caplog.text


@pytest.mark.parametrize("failed", [False, True], ids=["that-runs", "that-has-failed"])
async def test_the_end_goes_on_whatever_a_task_did(failed, caplog):
    async def fail():
        raise RuntimeError("torn")

    task = asyncio.ensure_future(fail() if failed else asyncio.Event().wait())
    await asyncio.sleep(0)
    await all_cancelled([task])
    assert task.done()
    assert ("torn" in caplog.text) is failed
