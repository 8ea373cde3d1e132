"""What is noticed of files that change, the ways in which editors and platforms change them."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from gateway.cli.watched import Verdict, Watched
from gateway.cli.watching import EVERY, Watching

SAME, MOVING, CHANGED = Verdict
LONG_AGO = 1_000_000_000  # seconds since 1970
LATER = 2**62  # nanoseconds since 1970: nothing is written after that


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "gateway.yaml"
    path.write_text("old")
    return path


def watched(*paths, since=LATER):
    made = Watched()
    made.follow(paths, since)
    return made


def looks(of):
    return [of.look(), of.look(), of.look()]


def in_place(path):
    path.write_text("new")


def renamed_over(path):
    """As vim, emacs and most deploy tools do."""
    fresh = path.with_name("4913~")
    fresh.write_text("new")
    fresh.replace(path)


def removed_and_made(path):
    path.unlink()
    path.write_text("new")


def with_its_old_time(path):
    """As `cp -p` and `rsync -t` do; another size, or another inode, tells."""
    found = path.stat()
    path.write_text("newer")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


@pytest.mark.parametrize("change", [in_place, renamed_over, removed_and_made, with_its_old_time])
def test_a_change_is_seen_and_believed_at_the_second_look(file, change):
    seen = watched(file)
    assert looks(seen) == [SAME, SAME, SAME]
    change(file)
    assert looks(seen)[:2] == [MOVING, CHANGED]
    assert seen.changed() == [file]


def test_a_file_that_is_written_twice_in_one_tick_of_its_clock(file):
    os.utime(file, (LONG_AGO, LONG_AGO))
    seen = watched(file)
    file.write_text("new")  # as long as before
    os.utime(file, (LONG_AGO, LONG_AGO))
    assert seen.look() is MOVING


def test_a_version_that_was_read_twice_is_not_read_again(file, monkeypatch):
    seen = watched(file)
    looks(seen)
    monkeypatch.setattr("gateway.cli.watched._digest", None)
    assert seen.look() is SAME


def test_a_touch_is_no_change(file):
    seen = watched(file)
    looks(seen)
    os.utime(file)
    assert looks(seen) == [SAME, SAME, SAME]


def test_what_is_taken_back_is_no_change(file):
    seen = watched(file)
    file.write_text("new")
    assert seen.look() is MOVING
    file.write_text("old")
    assert looks(seen) == [SAME, SAME, SAME]


def test_a_file_that_is_being_written_is_not_believed(file):
    seen = watched(file)
    for size in range(1, 5):
        file.write_text("x" * size)
        assert seen.look() is MOVING
    assert seen.look() is CHANGED


def test_a_config_map_is_swapped(tmp_path):
    # Kubernetes: gateway.yaml → ..data/gateway.yaml, ..data → ..2026_1, renamed over as a whole.
    for number in (1, 2):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "gateway.yaml").write_text(str(number))
        (tmp_path / f"..{number}" / "x.proto").write_text(str(number))
    (tmp_path / "..data").symlink_to("..1")
    for name in ("gateway.yaml", "x.proto"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    seen = watched(tmp_path / "gateway.yaml", tmp_path)
    assert seen.look() is SAME
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").replace(tmp_path / "..data")
    assert looks(seen)[:2] == [MOVING, CHANGED]
    assert seen.changed() == [tmp_path / "gateway.yaml", tmp_path / "x.proto"]


def test_folders_are_looked_through_and_only_what_counts_in_them(tmp_path):
    protos = tmp_path / "protos" / "x" / "v1"
    protos.mkdir(parents=True)
    (protos / "x.proto").write_text("old")
    seen = watched(tmp_path / "protos")
    for name in (".x.proto.swp", "x.proto~", "README.md", ".git"):
        (protos / name).write_text("new")
    assert looks(seen) == [SAME, SAME, SAME]
    (protos / "y.proto").write_text("new")
    assert looks(seen)[:2] == [MOVING, CHANGED]
    assert seen.changed() == [protos / "y.proto"]


def test_a_link_to_a_folder_above_ends(tmp_path):
    (tmp_path / "x.proto").write_text("old")
    (tmp_path / "again").symlink_to(tmp_path)
    assert looks(watched(tmp_path)) == [SAME, SAME, SAME]


def test_what_is_not_there_yet_is_seen_when_it_comes_and_when_it_goes(tmp_path):
    path = tmp_path / "joins.graphql"
    seen = watched(path)
    assert seen.look() is SAME
    path.write_text("new")
    assert looks(seen)[:2] == [MOVING, CHANGED]
    seen.rebase()
    path.unlink()
    assert looks(seen)[:2] == [MOVING, CHANGED]


def test_a_pipe_holds_nobody_up(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert watched(tmp_path / "pipe").look() is SAME


def test_a_link_to_itself_is_as_good_as_none(tmp_path):
    (tmp_path / "a.proto").symlink_to("a.proto")
    (tmp_path / "loop").symlink_to("loop")
    seen = watched(tmp_path)
    assert seen.look() is SAME
    (tmp_path / "b.proto").write_text("")
    assert looks(seen)[:2] == [MOVING, CHANGED]


@pytest.mark.parametrize("name", ["x" * 300, "nul\0"], ids=["too long", "with a NUL"])
def test_what_no_file_can_be_called_is_not_there(tmp_path, file, name):
    seen = watched(tmp_path / name, file)
    assert seen.look() is SAME
    file.write_text("new")
    assert looks(seen)[:2] == [MOVING, CHANGED]


def test_a_closed_folder_is_as_good_as_none(tmp_path, file, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir()
    look = os.scandir

    def refused(path):  # by hand: root may look into every folder
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", refused)
    seen = watched(closed, closed / "gateway.yaml", file)
    assert seen.look() is SAME
    file.write_text("new")
    assert looks(seen)[:2] == [MOVING, CHANGED]


def test_what_was_changed_while_the_config_was_read_counts(file):
    seen = watched(file)
    file.write_text("new")
    seen.rebase()  # the config is about to be read
    file.write_text("newer")  # it was read already
    seen.follow([file], LATER)
    assert looks(seen)[:2] == [MOVING, CHANGED]


@pytest.mark.parametrize("folder", ["protos", "."], ids=["in a folder", "with its folder"])
def test_what_was_removed_while_the_config_was_read_counts(tmp_path, folder):
    (tmp_path / "protos").mkdir()
    proto = tmp_path / "protos/bad.proto"
    proto.write_text("bad")
    seen = watched(tmp_path / "protos")
    seen.rebase()  # the config is about to be read, and refused
    proto.unlink()
    if folder == ".":
        proto.parent.rmdir()
    seen.follow([tmp_path / "protos"], LATER)
    assert looks(seen)[:2] == [MOVING, CHANGED]
    seen.rebase()
    seen.follow([tmp_path / "protos"], LATER)
    assert seen.look() is SAME


def test_what_is_named_no_more_does_not_count(tmp_path, file):
    (tmp_path / "a.proto").write_text("")
    seen = watched(tmp_path, file)
    seen.follow([file], LATER)
    (tmp_path / "a.proto").unlink()
    assert seen.look() is SAME


def test_a_file_that_is_named_for_the_first_time_counts_if_it_is_younger_than_the_reading(file):
    assert watched(file, since=time.time_ns()).look() is SAME
    os.utime(file, (LATER / 1e10, LATER / 1e10))
    assert watched(file, since=0).look() is not SAME


# The driver.


class Clock:
    """Sleeps that a test lets pass one by one."""

    def __init__(self):
        self.now = 0.0
        self.slept = []
        self._asleep = asyncio.Event()
        self._woken = asyncio.Event()

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self._asleep.set()
        await self._woken.wait()
        self._woken.clear()
        self.now += seconds

    async def tick(self):
        """Lets one sleep pass, and waits for the next."""
        await self._asleep.wait()
        self._asleep.clear()
        self._woken.set()
        async with asyncio.timeout(20):
            await self._asleep.wait()
        return self.slept[-1]


@pytest.fixture
async def watching(file):
    clock, told = Clock(), []
    made = Watching(lambda: told.append(clock.now), clock.sleep, lambda: clock.now)
    await made.follow([file], LATER)
    yield clock, told, made
    await made.close()
    assert not [each for each in asyncio.all_tasks() if "_watch" in repr(each)]


async def test_it_looks_every_second_and_sooner_while_something_moves(watching, file, caplog):
    caplog.set_level("INFO", "gateway")
    clock, told, made = watching
    assert await clock.tick() == EVERY
    file.write_text("new")
    assert await clock.tick() < EVERY
    assert told == []
    assert await clock.tick() == EVERY
    assert len(told) == 1
    assert f"changed on disk: {file}" in caplog.text
    await made.rebase()
    await clock.tick()
    assert len(told) == 1


async def test_a_burst_is_told_of_once(watching, file):
    clock, told, made = watching
    await clock.tick()
    for size in range(1, 8):
        file.write_text("x" * size)
        await clock.tick()
    assert told == []
    await clock.tick()
    assert len(told) == 1
    await made.rebase()
    await clock.tick()
    assert len(told) == 1


async def test_what_never_rests_is_told_of_after_a_while(watching, file):
    clock, told, _ = watching
    await clock.tick()
    size = 0
    while not told:
        size += 1
        file.write_text("x" * size)
        await clock.tick()
    assert 30 <= told[0] <= 32


async def test_looks_take_a_small_share_of_the_time_however_long_they_take(file):
    clock = Clock()
    slow = iter(range(0, 10**6, 3))  # every time that it is asked, 3 seconds have passed
    made = Watching(lambda: None, clock.sleep, lambda: float(next(slow)))
    await made.follow([file], LATER)
    await clock.tick()
    assert clock.slept[-1] == 150.0
    await made.close()
