"""The writer: whole lines, in batches, to a file that may be moved, be full, or take nothing."""

import asyncio
import json
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.telemetry.access_log import writer as module
from gateway.telemetry.access_log.writer import Writer, pieces


@pytest.fixture
def path(tmp_path):
    return tmp_path / "access.log"


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_lines_are_written_soon(path):
    writer = Writer(str(path))
    writer.write("one\n")
    writer.write("two\n")
    assert path.read_text() == ""
    await until(lambda: writer.written == 2)
    assert path.read_text() == "one\ntwo\n"
    await writer.close()


async def test_many_are_written_at_once(path):
    writer = Writer(str(path))
    line = "x" * 1023 + "\n"
    for _ in range(64):
        writer.write(line)
    await until(lambda: writer.written == 64)
    assert path.read_text() == line * 64
    await writer.close()


async def test_the_last_lines_are_written_at_the_end(path):
    writer = Writer(str(path))
    writer.write("last\n")
    await writer.close()
    assert path.read_text() == "last\n"
    assert not any(each.name == "access log" for each in threading.enumerate())


async def test_what_is_there_stays(path):
    path.write_text("before\n")
    writer = Writer(str(path))
    writer.write("after\n")
    await writer.close()
    assert path.read_text() == "before\nafter\n"


async def test_others_may_not_read_it(path):
    await Writer(str(path)).close()
    assert path.stat().st_mode & 0o007 == 0


async def test_a_file_that_was_moved_away_gets_what_came_before(path):
    moved = path.with_suffix(".1")
    writer = Writer(str(path))
    writer.write("before\n")
    path.rename(moved)
    writer.reopen()
    writer.write("after\n")
    await writer.close()
    assert (moved.read_text(), path.read_text()) == ("before\n", "after\n")


async def test_where_no_new_one_can_be_opened_the_old_one_goes_on(path):
    moved = path.with_suffix(".1")
    writer = Writer(str(path))
    path.rename(moved)
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        writer.reopen()
    writer.write("after\n")
    await writer.close()
    assert moved.read_text() == "after\n"


async def test_a_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(FileNotFoundError):
        Writer(str(tmp_path / "none" / "access.log"))


async def test_a_full_disk_loses_lines_and_says_so_once(caplog):
    writer = Writer("/dev/full")
    for _ in range(3):
        writer.write("a line\n")
        writer.flush()
    await until(lambda: writer.lost == 3)
    assert writer.written == 0
    assert len(caplog.records) == 1
    assert "No space left" in caplog.text
    await writer.close()


async def test_a_line_that_was_torn_does_not_run_into_the_next(path, monkeypatch):
    write, left = os.write, [10]

    def full_after_ten_bytes(file, data):
        if file == 1 or left[0] is None:
            return write(file, data)
        if not left[0]:
            left[0] = None
            raise OSError(28, "No space left on device")
        took, left[0] = left[0], 0
        return write(file, data[:took])

    monkeypatch.setattr(module.os, "write", full_after_ten_bytes)
    writer = Writer(str(path))
    writer.write("a first line\n")
    writer.flush()
    await until(lambda: writer.lost)
    writer.write("a second line\n")
    await writer.close()
    assert path.read_text() == "a first li\na second line\n"
    assert (writer.written, writer.lost) == (1, 1)


async def test_a_pipe_that_nobody_reads_holds_up_nobody_and_loses_what_is_too_much(
    path, monkeypatch
):
    monkeypatch.setattr(module, "_MOST", 256 * 1024)
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = Writer(str(path))
    line = "x" * 1023 + "\n"
    for _ in range(1024):
        writer.write(line)
        await asyncio.sleep(0)
    assert writer.lost > 500
    os.set_blocking(reader, True)
    data = b""
    wanted = (1024 - writer.lost) * 1024
    while len(data) < wanted:
        data += await asyncio.to_thread(os.read, reader, 65536)
    assert data == line.encode() * (1024 - writer.lost)
    await writer.close()
    os.close(reader)


async def test_a_pipe_that_has_no_reader_yet_holds_up_nobody(path):
    os.mkfifo(path)
    writer = Writer(str(path))
    writer.write("early\n")
    writer.reopen()  # as SIGUSR1 does
    writer.write("late\n")
    writer.flush()
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    await writer.close()
    assert os.read(reader, 100) == b"early\nlate\n"
    os.close(reader)


async def test_lines_of_two_writers_never_mix(path):
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    writers = [Writer(str(path)), Writer(str(path))]
    for number in range(500):
        for name, writer in enumerate(writers):
            writer.write(json.dumps({"writer": name, "number": number, "x": "y" * 700}) + "\n")
    closing = [asyncio.ensure_future(writer.close()) for writer in writers]
    data = b""
    while data.count(b"\n") < 1000:
        data += await asyncio.to_thread(os.read, reader, 65536)
    await asyncio.gather(*closing)
    os.close(reader)
    said = [json.loads(line) for line in data.splitlines()]
    for name in range(2):
        numbers = [each["number"] for each in said if each["writer"] == name]
        assert numbers == list(range(500))


@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"") + b"\n")))
def test_pieces_are_whole_lines_and_lose_nothing(lines):
    data = b"".join(lines)
    cut = list(pieces(data, 32))
    assert b"".join(cut) == data
    assert all(each.endswith(b"\n") for each in cut)
    assert all(len(each) <= 32 or each.count(b"\n") == 1 for each in cut)


async def test_what_is_lost_meanwhile_is_told_at_the_end(caplog):
    writer = Writer("/dev/full")
    for number in range(3):
        writer.write("a line\n")
        writer.flush()
        await until(lambda: writer.lost == number + 1)  # noqa: B023  it is awaited here
    assert [each.args[0] for each in caplog.records] == [1]
    await writer.close()
    assert [each.args[0] for each in caplog.records] == [1, 3]


async def test_what_is_lost_meanwhile_is_told_after_a_while(caplog, monkeypatch):
    monkeypatch.setattr(module, "_QUIET", 0.05)
    writer = Writer("/dev/full")
    writer.write("a line\n")
    writer.flush()
    await until(lambda: writer.lost == 1)
    writer.write("a line\n")
    writer.flush()
    await until(lambda: caplog.records[-1].args[0] == 2)
    await writer.close()


async def test_what_a_pipe_never_took_counts_as_lost(path, monkeypatch, caplog):
    monkeypatch.setattr(module, "_STUCK", 0.01)
    monkeypatch.setattr(module, "_LOOK", 10)
    os.mkfifo(path)
    writer = Writer(str(path))
    for _ in range(1024):
        writer.write("x" * 1023 + "\n")
    await writer.close()
    told = writer.written + writer.lost
    await until(lambda: not writer._thread.is_alive())
    await asyncio.sleep(0)  # what it said at last
    assert (told, writer.written + writer.lost) == (1024, 1024)
    assert writer.lost > 900
    assert f"{writer.lost} lines of the access log were lost" in caplog.text


async def test_a_pipe_takes_lines_up_to_a_length(path):
    os.mkfifo(path)
    piped, plain = Writer(str(path)), Writer("/dev/null")
    assert (piped.most, plain.most > 1024**3) == (4096, True)
    await piped.close()
    await plain.close()
