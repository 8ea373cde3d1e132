"""What the supervisor does with its workers: real processes, that are told how to misbehave."""

import asyncio
import errno
import json
import logging
import os
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from gateway.config import ConfigError
from gateway.operations import NOT_NOW, OperationError
from gateway.operations.readiness import REFUSED_RELOAD, Stage, Standing
from gateway.state.usage.counts import NUMBERS
from gateway.supervisor import supervisor as module
from gateway.supervisor.merging import LOOKS
from gateway.supervisor.snapshot import Snapshot
from gateway.supervisor.supervisor import ReloadError, StartError, Supervisor
from gateway.supervisor.usage import Usage
from gateway.supervisor.worker import State

FAKE = Path(__file__).with_name("fake.py")
PATIENCE = 30
SOON = 1.0
"""Seconds for an answer where another worker hangs: one that answers does so even on a slow machine."""


class Crew:
    """A supervisor of fake workers, and what they heard."""

    def __init__(self, folder, workers):
        self.folder = folder
        self.waited = []
        self.longest = 0.5
        self.plan()
        snapshot = self.config("/0")
        self.supervisor = Supervisor(
            snapshot,
            snapshot.load().config,
            workers,
            command=[sys.executable, str(FAKE), str(folder)],
            wait=self._wait,
        )

    async def _wait(self, wake, seconds):
        """Time flies, up to `longest`; then it stands still."""
        self.waited.append(seconds)
        if seconds > self.longest:
            await wake.wait()

    def config(self, prefix, **sections):
        data = {
            "listener": {"address": "127.0.0.1:0", "drain_timeout": "1s"},
            "admin": False,
            "rest": {"prefix": prefix},
            **sections,
        }
        return Snapshot("test", data)

    def plan(self, **steps):
        # In one step, as workers read it at any time.
        (self.folder / "new").write_text(json.dumps(steps))
        (self.folder / "new").replace(self.folder / "plan")

    @property
    def heard(self):
        path = self.folder / "heard"
        return (
            [tuple(json.loads(line)) for line in path.read_text().splitlines()]
            if path.exists()
            else []
        )

    def numbers(self, worker):
        path = self.folder / f"numbers-{worker}"
        return [int(line) for line in path.read_text().splitlines()]

    def taps(self, worker):
        path = self.folder / f"taps-{worker}"
        return [json.loads(line) for line in path.read_text().splitlines()]

    @property
    def workers(self):
        return self.supervisor._workers

    async def until(self, check):
        async with asyncio.timeout(PATIENCE):
            while not check():
                await asyncio.sleep(0.01)

    async def until_ready(self):
        await self.until(lambda: all(each.state is State.READY for each in self.workers))


@pytest.fixture
async def crew(tmp_path):
    made = []

    def make(workers=3):
        made.append(Crew(tmp_path, workers))
        return made[-1]

    yield make
    for each in made:
        each.supervisor.kill()
        async with asyncio.timeout(PATIENCE):
            await each.supervisor.drain()


async def started(crew, workers=3):
    made = crew(workers)
    async with asyncio.timeout(PATIENCE):
        await made.supervisor.start()
    return made


async def test_the_first_starts_alone_then_all_others(crew):
    three = await started(crew)
    heard = three.heard
    assert heard[0] == (1, "start", "/0")
    assert sorted(heard[1:]) == [(2, "start", "/0"), (3, "start", "/0")]
    assert len({each.pid for each in three.workers}) == 3
    assert three.supervisor.warnings == ["warning of 1"]


async def test_a_worker_that_is_restarted_is_told_who_follows_requests(crew):
    two = await started(crew, 2)
    await two.supervisor.ask("tap", {"watch": "me", "status": "5xx"})
    two.workers[1].kill()
    await two.until(lambda: two.workers[1].starts == 2)
    await two.until_ready()
    assert two.taps(1) == [[]]
    assert two.taps(2) == [[], [{"watch": "me", "status": "5xx"}]]


async def test_a_mistake_at_the_start_is_told_once_and_nothing_else_is_started(crew):
    three = crew()
    three.plan(start={"1": "fail", "2": "fail", "3": "fail"})
    with pytest.raises(StartError) as caught:
        await three.supervisor.start()
    assert (caught.value.lines, caught.value.code) == (("1 is wrong",), 2)
    assert three.heard == [(1, "start", "/0")]


async def test_memory_that_can_t_be_shared_ends_the_start(crew, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "SharedMemory", full)
    two = crew(2)
    with pytest.raises(StartError) as caught:
        await two.supervisor.start()
    (line,) = caught.value.lines
    assert line.startswith("limits.keys: ")
    assert line.endswith(": No space left on device")
    assert caught.value.code == 1
    assert two.heard == []


async def test_a_worker_that_dies_before_all_serve_ends_the_start(crew):
    three = crew()
    three.plan(start={"3": "die"})
    with pytest.raises(StartError) as caught:
        await three.supervisor.start()
    assert caught.value.lines == ("worker 3 ended before it was ready (SIGKILL)",)
    assert caught.value.code == 1
    await three.supervisor.drain()
    assert all(each.pid is None for each in three.workers)


async def test_a_dead_worker_is_restarted_at_once_on_its_own_sockets(crew, caplog):
    three = await started(crew)
    second, before = three.workers[1], three.supervisor._sockets.of(2)
    old = second.pid
    os.kill(old, signal.SIGKILL)
    await three.until(lambda: second.pid not in {old, None})
    await three.until_ready()
    assert three.supervisor._sockets.of(2) == before
    assert "worker 2 ended (SIGKILL); it is restarted now" in caplog.text
    assert [each.starts for each in three.workers] == [1, 2, 1]


async def test_one_that_keeps_dying_is_restarted_later_and_later(crew, caplog):
    two = await started(crew, 2)
    two.plan(start={"2": "die"})
    two.longest = 1
    two.workers[1].kill()
    await two.until(lambda: len(two.waited) == 4)
    assert two.waited == [0, 0.5, 1, 2]
    assert two.workers[1].starts == 4
    words = [record.getMessage().rpartition("restarted ")[2] for record in caplog.records]
    assert words == ["now", "in 0.5 seconds", "in 1 seconds", "in 2 seconds"]
    assert two.workers[0].state is State.READY
    assert (await two.supervisor.standing()).stage is Stage.SERVING


async def test_a_restarted_one_that_cannot_start_says_why(crew, caplog):
    two = await started(crew, 2)
    two.plan(start={"2": "fail"})
    two.workers[1].kill()
    await two.until(lambda: "worker 2 ended (exit code 2)" in caplog.text)
    assert "worker 2: 2 is wrong" in caplog.text


async def test_a_reload_goes_to_the_first_and_then_to_the_others(crew):
    three = await started(crew)
    said = await three.supervisor.reload(three.config("/1"))
    assert (said.summary, said.later) == ("summary of 1", ["admin"])
    heard = three.heard[3:]
    assert heard[0] == (1, "reload", "/1")
    assert sorted(heard[1:]) == [(2, "reload", "/1"), (3, "reload", "/1")]


async def test_the_keys_that_backends_check_tokens_by_are_those_of_the_newest_config(crew):
    two = await started(crew, 2)
    page = two.supervisor._jwks
    assert page() is None
    await two.supervisor.reload(two.config("/1"))
    assert page() == "keys of /1"
    two.workers[0].kill()
    await two.until(lambda: two.workers[0].starts == 2)
    assert page() == "keys of /1"
    two.plan(reload={"1": "refuse"})
    await two.until_ready()
    with pytest.raises(ReloadError):
        await two.supervisor.reload(two.config("/2"))
    assert page() == "keys of /1"


async def test_what_the_first_refuses_the_others_never_see(crew):
    three = await started(crew)
    three.plan(reload={"1": "refuse"})
    with pytest.raises(ReloadError) as caught:
        await three.supervisor.reload(three.config("/1"))
    assert caught.value.lines == ("1 refuses",)
    assert three.heard[3:] == [(1, "reload", "/1")]


async def test_a_config_that_is_wrong_is_told_to_nobody(crew):
    three = await started(crew)
    with pytest.raises(ConfigError):
        await three.supervisor.reload(Snapshot("test", {"rest": 1}))
    assert len(three.heard) == 3


async def test_a_config_that_kills_the_first_is_not_taken(crew):
    three = await started(crew)
    three.plan(reload={"1": "die"})
    with pytest.raises(ReloadError, match="it ended"):
        await three.supervisor.reload(three.config("/1"))
    await three.until(lambda: three.workers[0].starts == 2)
    await three.until_ready()
    assert three.heard[3:] == [(1, "reload", "/1"), (1, "start", "/0")]


async def test_a_later_one_that_refuses_is_named(crew, caplog):
    three = await started(crew)
    three.plan(reload={"3": "refuse"})
    await three.supervisor.reload(three.config("/1"))
    assert "worker 3 was not reloaded: 3 refuses" in caplog.text
    assert three.supervisor.reloads.problems == ("worker 3: 3 refuses",)


async def test_a_worker_restarted_after_a_reload_has_the_newest_good_config(crew):
    two = await started(crew, 2)
    await two.supervisor.reload(two.config("/1"))
    two.plan(reload={"1": "refuse"})
    with pytest.raises(ReloadError):
        await two.supervisor.reload(two.config("/2"))
    two.workers[1].kill()
    await two.until(lambda: two.workers[1].starts == 2)
    await two.until_ready()
    assert two.heard[-1] == (2, "start", "/1")


async def test_workers_are_told_the_number_of_their_config(crew):
    two = await started(crew, 2)
    await two.supervisor.reload(two.config("/1"))
    two.plan(reload={"1": "refuse"})
    with pytest.raises(ReloadError):
        await two.supervisor.reload(two.config("/2"))
    two.plan()
    await two.supervisor.reload(two.config("/3"))
    two.workers[1].kill()
    await two.until(lambda: two.workers[1].starts == 2)
    await two.until_ready()
    assert two.numbers(1) == [1, 2, 3, 3]  # the third was refused, so that the next has its number
    assert two.numbers(2) == [1, 2, 3, 3]  # the last as it started again


async def test_one_that_starts_during_a_reload_is_brought_along(crew):
    two = await started(crew, 2)
    two.plan(start={"2": "wait"})
    two.workers[1].kill()
    await two.until(lambda: two.heard[-1:] == [(2, "start", "/0")] and len(two.heard) == 3)
    reloading = asyncio.create_task(two.supervisor.reload(two.config("/1")))
    await two.until(lambda: two.heard[-1] == (1, "reload", "/1"))
    two.plan()
    async with asyncio.timeout(PATIENCE):
        await reloading
    assert two.heard[-1] == (2, "reload", "/1")


async def test_a_reload_wakes_those_that_wait_to_be_restarted(crew):
    two = await started(crew, 2)
    two.plan(start={"1": "die", "2": "die"})
    for each in two.workers:
        each.kill()
    await two.until(
        lambda: all(each.starts >= 3 and each.state is State.WAITING for each in two.workers)
    )
    assert (await two.supervisor.standing()).stage is Stage.NO_WORKER
    two.plan()
    assert await two.supervisor.reload(two.config("/1")) is None
    await two.until_ready()
    assert {(1, "start", "/1"), (2, "start", "/1")} <= set(two.heard)


async def test_a_drain_tells_all_and_counts_what_was_cut(crew):
    three = await started(crew)
    assert await three.supervisor.drain() == 1 + 2 + 3
    assert sorted(three.heard[3:]) == [(1, "drain", None), (2, "drain", None), (3, "drain", None)]
    assert await three.supervisor.drain() == 6  # nothing is left to do


async def test_a_worker_that_does_not_end_is_killed(crew, monkeypatch, caplog):
    monkeypatch.setattr(module, "_LAST_WORDS", 0.1)
    two = await started(crew, 2)
    two.plan(drain={"2": "hang"})
    pids = [each.pid for each in two.workers]
    async with asyncio.timeout(PATIENCE):
        await two.supervisor.drain()
    assert "1 workers do not end: killed" in caplog.text
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_drain_during_the_start_ends_what_was_started(crew):
    three = crew()
    three.plan(start={"1": "wait"})
    starting = asyncio.create_task(three.supervisor.start())
    await three.until(lambda: three.heard)
    assert (await three.supervisor.standing()).stage is Stage.STARTING
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    draining = asyncio.create_task(three.supervisor.drain())
    three.plan()
    async with asyncio.timeout(PATIENCE):
        await draining
    assert three.heard == [(1, "start", "/0"), (1, "drain", None)]


async def test_nothing_that_waits_to_be_restarted_holds_up_a_drain(crew):
    two = await started(crew, 2)
    two.plan(start={"2": "die"})
    two.workers[1].kill()
    await two.until(lambda: two.waited == [0, 0.5, 1])
    await two.supervisor.drain()
    assert two.workers[1].starts == 3


async def test_the_pages_tell_the_state(crew):
    two = await started(crew, 2)
    assert await two.supervisor.ask("workers", {}) == {
        "workers": [
            {
                "worker": each.number,
                "pid": each.pid,
                "state": "ready",
                "generation": 1,
                "restarts": 0,
            }
            for each in two.workers
        ]
    }
    assert await two.supervisor.standing() == Standing(Stage.SERVING, [])
    await two.supervisor.drain()
    assert await two.supervisor.standing() == Standing(Stage.DRAINING)


async def test_what_workers_warn_of_is_told_once_and_who_does_not_answer(crew, monkeypatch):
    monkeypatch.setitem(LOOKS, "readiness", SOON)
    three = await started(crew)
    three.plan(ask={"1": "hang"}, warnings={"2": ["so"], "3": ["so", "and so"]})
    told = await three.supervisor.standing()
    assert told == Standing(Stage.SERVING, ["Workers that do not answer: 1.", "so", "and so"])
    three.plan(start={"2": "die"})
    three.workers[1].kill()
    await three.until(lambda: three.workers[1].state is State.WAITING)
    assert (await three.supervisor.standing()).warnings == ["Worker 2 does not serve."]


async def test_a_reload_that_is_refused_is_told_until_one_is_taken(crew):
    two = await started(crew, 2)
    two.plan(reload={"1": "refuse"})
    with pytest.raises(ReloadError):
        await two.supervisor.reload(two.config("/1"))
    assert (await two.supervisor.standing()).warnings == [REFUSED_RELOAD]
    two.plan()
    await two.supervisor.reload(two.config("/1"))
    assert not (await two.supervisor.standing()).warnings


async def test_a_worker_that_could_not_follow_a_reload_is_named_until_it_does(crew):
    two = await started(crew, 2)
    two.plan(reload={"2": "refuse"}, warnings={"2": [REFUSED_RELOAD]})

    async def generations():
        listed = await two.supervisor.ask("workers", {})
        return [each["generation"] for each in listed["workers"]]

    await two.supervisor.reload(two.config("/1"))
    older = "Worker 2 serves an older config."
    assert (await two.supervisor.standing()).warnings == [older]
    assert await generations() == [2, 1]
    two.plan(reload={"1": "refuse"})
    with pytest.raises(ReloadError):
        await two.supervisor.reload(two.config("/2"))
    assert (await two.supervisor.standing()).warnings == [older, REFUSED_RELOAD]
    two.plan()
    two.workers[1].kill()
    await two.until(lambda: two.workers[1].starts == 2)
    await two.until_ready()
    assert await generations() == [2, 2]
    assert (await two.supervisor.standing()).warnings == [REFUSED_RELOAD]


@pytest.fixture
def stopped():
    """Stops workers, and has them go on at the end at the latest."""
    pids = []

    def stop(worker):
        os.kill(worker.pid, signal.SIGSTOP)
        pids.append(worker.pid)

    yield stop
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def test_a_first_that_is_stopped_holds_no_reload_up_and_follows_when_it_goes_on(
    crew, stopped, caplog
):
    three = await started(crew)
    three.supervisor._reloading._pulse = SOON
    first = three.workers[0]
    stopped(first)
    async with asyncio.timeout(PATIENCE):
        said = await three.supervisor.reload(three.config("/1"))
        assert said.summary == "summary of 2"
        assert "worker 1 does not answer: it is reloaded when it does" in caplog.text
        await three.supervisor.reload(three.config("/2"))
        three.plan(reload={"2": "refuse"})
        with pytest.raises(ReloadError, match="2 refuses"):
            await three.supervisor.reload(three.config("/3"))
    three.plan()
    os.kill(first.pid, signal.SIGCONT)
    await three.until(lambda: first.snapshot is three.supervisor._reloading.newest)
    # It was told of the first while it stood, and of no other before it had answered.
    assert [each for each in three.heard[3:] if each[0] == 1] == [
        (1, "reload", "/1"),
        (1, "reload", "/2"),
    ]


async def test_one_that_falls_silent_in_a_reload_is_passed_over_and_brought_to_the_newest(
    crew, stopped
):
    two = await started(crew, 2)
    reloading = two.supervisor._reloading
    reloading._pulse, reloading._patience = SOON, 0.1
    first = two.workers[0]
    has_pulse, asked = reloading._has_pulse, []

    async def stop_after_the_first(worker):
        alive = await has_pulse(worker)
        if worker is first and not asked:
            asked.append(worker)
            stopped(worker)
        return alive

    reloading._has_pulse = stop_after_the_first
    two.plan(reload={"2": "refuse"})
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ReloadError, match="2 refuses"):
            await two.supervisor.reload(two.config("/1"))
    assert first.owes
    os.kill(first.pid, signal.SIGCONT)
    # It takes what was refused meanwhile, and is told to go back.
    await two.until(lambda: two.heard[-1] == (1, "reload", "/0"))
    await two.until(lambda: first.snapshot is reloading.newest)
    assert (1, "reload", "/1") in two.heard


async def test_a_reload_that_no_worker_answers_to_is_refused(crew, stopped):
    two = await started(crew, 2)
    two.supervisor._reloading._pulse = 0.1
    for each in two.workers:
        stopped(each)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ReloadError, match="no worker answers"):
            await two.supervisor.reload(two.config("/1"))
    assert two.supervisor.reloads.problems == ("no worker answers",)


async def test_reloads_are_counted_whether_or_not_a_worker_has_heard_of_them(crew):
    two = await started(crew, 2)

    async def told():
        metrics = (await two.supervisor.ask("metrics", {}))["metrics"]
        (ok,) = metrics["gateway.reload.last.successful"]
        (at,) = metrics["gateway.reload.last.timestamp"]
        return {outcome: count for (outcome, _), count in metrics["gateway.reloads"]}, ok[1], at[1]

    assert await told() == ({"ok": 0, "failed": 0}, 1, 0)
    with pytest.raises(ConfigError):
        await two.supervisor.reload(Snapshot("test", {"rest": 1}))
    counts, ok, refused_at = await told()
    assert (counts, ok) == ({"ok": 0, "failed": 1}, 0)
    assert refused_at > 0
    await two.supervisor.reload(two.config("/1"))
    counts, ok, at = await told()
    assert (counts, ok) == ({"ok": 1, "failed": 1}, 1)
    assert at >= refused_at


async def test_what_all_tell_alike_is_asked_of_one(crew):
    three = await started(crew)
    assert await three.supervisor.ask("routes", {}) == {"purged": 1}
    assert [each[0] for each in three.heard if each[1] == "ask"] == [1]


async def test_of_those_that_tell_alike_another_is_asked_where_one_does_not_answer(
    crew, monkeypatch
):
    monkeypatch.setattr("gateway.supervisor.asking._ALONE", SOON)
    three = await started(crew)
    three.plan(ask={"1": "hang", "2": "die"})
    assert await three.supervisor.ask("routes", {}) == {"purged": 3}
    three.plan(ask={"1": "refuse"})
    with pytest.raises(OperationError, match="1 refuses"):
        await three.supervisor.ask("routes", {})


async def test_a_drain_is_told_also_where_a_worker_does_not_answer(crew, monkeypatch):
    monkeypatch.setattr("gateway.supervisor.asking._DONE", 0.2)
    two = await started(crew, 2)
    two.plan(ask={"2": "hang"})
    with pytest.raises(OperationError, match="did not answer"):
        await two.supervisor.ask("drain", {})
    assert (await two.supervisor.standing()).stage is Stage.DRAINING
    with pytest.raises(OperationError, match="did not answer"):
        await two.supervisor.ask("undrain", {})
    assert (await two.supervisor.standing()).stage is Stage.SERVING


async def test_a_drain_that_is_asked_wrongly_is_none(crew):
    two = await started(crew, 2)
    with pytest.raises(OperationError, match="There is no parameter"):
        await two.supervisor.ask("drain", {"now": "1"})
    assert (await two.supervisor.standing()).stage is Stage.SERVING


async def test_a_drain_that_operators_order_is_told_until_it_is_taken_back(crew):
    two = await started(crew, 2)
    assert await two.supervisor.ask("drain", {}) == {"draining": True, "connections": 3}
    assert (await two.supervisor.standing()).stage is Stage.DRAINING
    assert await two.supervisor.ask("undrain", {}) == {"draining": False, "connections": 3}
    assert (await two.supervisor.standing()).stage is Stage.SERVING


async def test_a_level_is_changed_in_the_supervisor_too_and_falls_back_at_its_end(crew):
    two = await started(crew, 2)
    logger = logging.getLogger("gateway.supervisor")
    await two.supervisor.ask("log", {"level": "debug", "logger": "gateway.supervisor"})
    assert logger.level == logging.DEBUG
    await two.supervisor.drain()
    assert logger.level == logging.NOTSET


async def test_an_operation_is_done_by_all_workers_and_answered_once(crew):
    three = await started(crew)
    assert await three.supervisor.ask("purge", {"tag": "a"}) == {"purged": 1 + 2 + 3}
    assert sorted(each[0] for each in three.heard if each[1] == "ask") == [1, 2, 3]


async def test_a_worker_that_dies_meanwhile_is_left_out(crew):
    three = await started(crew)
    three.plan(ask={"2": "die"})
    assert await three.supervisor.ask("purge", {}) == {"purged": 1 + 3}


async def test_what_one_worker_refuses_is_told(crew):
    three = await started(crew)
    three.plan(ask={"3": "refuse"})
    with pytest.raises(OperationError, match="3 refuses") as caught:
        await three.supervisor.ask("purge", {})
    assert caught.value.reason == "BAD_REQUEST"


async def test_a_worker_that_does_not_answer_in_time_is_an_error(crew, monkeypatch):
    monkeypatch.setattr("gateway.supervisor.asking._DONE", 0.2)
    two = await started(crew, 2)
    two.plan(ask={"2": "hang"})
    with pytest.raises(OperationError, match=r"did not answer within 0\.2 seconds") as caught:
        await two.supervisor.ask("purge", {})
    assert caught.value.reason == "OPERATION_UNAVAILABLE"
    monkeypatch.undo()  # a worker that answers has the time that it needs
    two.plan()
    assert await two.supervisor.ask("purge", {}) == {"purged": 3}


SEEN = {"upstreams": []}


async def test_of_a_look_the_answers_that_come_are_told(crew, monkeypatch):
    monkeypatch.setitem(LOOKS, "upstreams", SOON)
    three = await started(crew)
    assert await three.supervisor.ask("upstreams", {}) == SEEN | {"workers": 3, "unanswered": 0}
    three.plan(ask={"1": "hang", "3": "refuse"})
    assert await three.supervisor.ask("upstreams", {}) == SEEN | {"workers": 1, "unanswered": 2}
    three.plan(ask=dict.fromkeys("123", "hang"))
    with pytest.raises(OperationError, match="did not answer within 1 seconds"):
        await three.supervisor.ask("upstreams", {})


async def test_without_a_ready_worker_nothing_can_be_done(crew):
    two = crew(2)
    with pytest.raises(OperationError, match="No worker is ready"):
        await two.supervisor.ask("purge", {})


async def test_operations_have_pages(crew):
    two = crew(2)
    two.supervisor.config = two.config("/0", admin={"address": "127.0.0.1:0"}).load().config
    async with asyncio.timeout(PATIENCE):
        await two.supervisor.start()
    async with (
        aiohttp.ClientSession(two.supervisor.admin_url) as session,
        session.post("/cache/purge", params={"all": "true"}) as reply,
    ):
        assert (reply.status, await reply.json()) == (200, {"purged": 3})


def used(answer):
    return {row["subject"]: row["calls"] for row in answer["rows"]}


@pytest.fixture
def at_noon(monkeypatch):
    """The fake workers count on a fixed day."""
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
    monkeypatch.setattr("gateway.supervisor.supervisor.Usage", partial(Usage, now=lambda: noon))


async def test_what_workers_count_is_summed_and_outlives_them(crew, at_noon):
    two = await started(crew, 2)
    asked = {"period": "2026-11", "by": "principal"}
    assert used(await two.supervisor.ask("usage", asked)) == {"acme": 1 + 2}
    old = two.workers[1].pid
    os.kill(old, signal.SIGKILL)
    await two.until(lambda: two.workers[1].pid not in {old, None})
    await two.until_ready()
    assert used(await two.supervisor.ask("usage", asked)) == {"acme": 2 * (1 + 2)}


async def test_usage_can_t_be_told_while_only_some_workers_keep_it_elsewhere(crew, at_noon):
    two = await started(crew, 2)
    kept = {"period": "2026-11", "by": [], "rows": [dict.fromkeys(NUMBERS, 1)]}
    for plan in ({"1": {}, "2": kept}, {"1": kept, "2": {}}):
        two.plan(usage=plan)
        with pytest.raises(OperationError, match="a reload is under way") as caught:
            await two.supervisor.ask("usage", {"by": ""})
        assert caught.value.reason == NOT_NOW


async def test_usage_that_is_asked_wrongly_is_refused(crew, at_noon):
    two = await started(crew, 2)
    for asked in ({"period": "yesterday"}, {"period": "2026-10"}):
        with pytest.raises(OperationError) as caught:
            await two.supervisor.ask("usage", asked)
        assert caught.value.reason == "BAD_REQUEST"


async def test_usage_that_workers_keep_elsewhere_is_the_newest_that_one_has_read(crew):
    two = await started(crew, 2)
    numbers = dict.fromkeys(NUMBERS, 0)

    def read(**calls):
        rows = [{"plan": plan, **numbers, "calls": each} for plan, each in calls.items()]
        return {"period": "2026-11", "by": ["plan"], "rows": rows}

    two.plan(usage={"1": read(free=7, paid=1), "2": read(free=5, new=2)})
    answer = await two.supervisor.ask("usage", {"by": "plan"})
    assert {row["plan"]: row["calls"] for row in answer["rows"]} == {"free": 7, "new": 2, "paid": 1}
