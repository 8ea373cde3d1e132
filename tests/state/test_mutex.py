"""Mutexes between processes: taken by one at a time, outliving their holder, never waited for long."""

from __future__ import annotations

import contextlib
import logging
import mmap
import multiprocessing
import os
import signal
import sys
import tempfile

import pytest

from gateway.state.mutex import COUNT, PATIENCE, SIZE, FileLocks, RobustMutexes, mutexes

processes = multiprocessing.get_context("fork")
robust = pytest.mark.skipif(sys.platform != "linux", reason="robust mutexes are Linux's")


def _robust(fd: int, memory: mmap.mmap, **how) -> RobustMutexes:
    return RobustMutexes(memory, 0, fresh=True, **how)


def _file(fd: int, memory: mmap.mmap, **how) -> FileLocks:
    return FileLocks(fd, 0, **how)


@pytest.fixture(params=[pytest.param(_robust, marks=robust), _file], ids=["robust", "file"])
def locks(request):
    """Makes mutexes in a file that is mapped; and a counter of 8 bytes that they guard."""
    with tempfile.TemporaryFile() as file, contextlib.ExitStack() as closed:
        os.ftruncate(file.fileno(), COUNT * SIZE + 8)
        memory = mmap.mmap(file.fileno(), COUNT * SIZE + 8)
        closed.callback(memory.close)

        def make(**how):
            made = request.param(file.fileno(), memory, **how)
            closed.callback(made.close)
            return made

        make.memory = memory
        yield make


@contextlib.contextmanager
def child(work, *arguments):
    """A process that does some work, says so, and stays; killed at the end."""
    ours, its = processes.Pipe()

    def run():
        its.send(work(*arguments))
        signal.pause()

    process = processes.Process(target=run, daemon=True)
    process.start()
    try:
        assert ours.poll(60), "the process did not do its work"
        yield process, ours.recv()
    finally:
        process.kill()
        process.join()


class Clock:
    """Goes on by a millisecond whenever it is looked at."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        self.now += 0.001
        return self.now


def test_one_that_is_held_by_another_process_is_not_taken(locks):
    made = locks(now=Clock())
    with child(made.take, 3) as (_, taken):
        assert taken
        assert not made.take(3)
        assert made.take(4), "another"
        made.give(4)


def test_one_that_was_given_back_is_taken(locks):
    made = locks()
    with child(lambda: (made.take(3), made.give(3))):
        assert made.take(3)
        made.give(3)


def test_one_whose_holder_was_killed_is_taken_and_goes_on(locks):
    made = locks()
    with child(made.take, 3) as (process, _):
        process.kill()
        process.join()
    for _ in range(3):
        assert made.take(3)
        made.give(3)
    with child(made.take, 3) as (_, taken):
        assert taken, "by others too"


def test_the_death_of_a_holder_is_told(locks, caplog):
    made = locks()
    with child(made.take, 3):
        pass
    made.take(3)
    made.give(3)
    told = ["a process died while it counted a call: its part goes on"]
    # The system ends record locks without a word.
    expected = [] if isinstance(made, FileLocks) else told
    assert [record.getMessage() for record in caplog.records] == expected


def test_one_whose_holder_is_stopped_is_gone_on_without_and_said_once(locks, caplog):
    made = locks(now=(clock := Clock()))
    with child(made.take, 3) as (process, _), caplog.at_level(logging.WARNING, "gateway.state"):
        os.kill(process.pid, signal.SIGSTOP)
        began = clock.now
        assert not made.take(3)
        assert PATIENCE <= clock.now - began < 2 * PATIENCE
        waited = clock.now
        assert not made.take(3)
        assert clock.now - waited < 0.002, "it is not waited for again"
        clock.now += 2
        assert not made.take(3)
    assert len(caplog.records) == 1
    clock.now += 2
    assert made.take(3)
    made.give(3)


def test_a_holder_that_goes_on_is_waited_for(locks):
    made = locks(patience=60.0)
    ours, its = processes.Pipe()

    def hold():
        made.take(3)
        its.send(None)
        its.recv()
        made.give(3)

    process = processes.Process(target=hold, daemon=True)
    process.start()
    ours.recv()
    ours.send(None)
    assert made.take(3)
    made.give(3)
    process.join()


def test_four_processes_lose_no_count(locks):
    made = locks(patience=60.0)
    counter = memoryview(locks.memory)[-8:].cast("q")

    def count():
        for _ in range(5000):
            assert made.take(7)
            counter[0] += 1
            made.give(7)

    several = [processes.Process(target=count, daemon=True) for _ in range(4)]
    for process in several:
        process.start()
    for process in several:
        process.join()
    total = counter[0]
    counter.release()
    assert total == 4 * 5000


@robust
def test_linux_has_robust_ones():
    with tempfile.TemporaryFile() as file:
        os.ftruncate(file.fileno(), COUNT * SIZE)
        memory = mmap.mmap(file.fileno(), COUNT * SIZE)
        made = mutexes(memory, file.fileno(), 0, fresh=True)
        assert isinstance(made, RobustMutexes)
        made.close()
        memory.close()
