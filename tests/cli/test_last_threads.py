"""A thread that never ends does not keep the process."""

import asyncio
import threading

import pytest

from gateway.cli.last_threads import run_to_its_end


def test_a_thread_that_hangs_is_left_behind_after_a_while():
    free, left = threading.Event(), []

    def leave(code):
        left.append(code)
        free.set()  # what ends the process ends its threads

    async def work():
        asyncio.get_running_loop().run_in_executor(None, free.wait)

    run_to_its_end(work(), patience=0.01, leave=leave)
    assert left == [0]


def test_where_all_threads_end_the_process_ends_by_itself():
    left, ended = [], []

    async def work():
        await asyncio.to_thread(ended.append, True)

    run_to_its_end(work(), patience=60, leave=left.append)
    assert (left, ended) == ([], [True])
    assert not any(isinstance(each, threading.Timer) for each in threading.enumerate())


def test_what_work_raises_is_its_caller_s():
    async def work():
        raise LookupError("no gateway")

    with pytest.raises(LookupError, match="no gateway"):
        run_to_its_end(work(), leave=None)
