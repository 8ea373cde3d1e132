"""Endpoints that stand in a file."""

import asyncio
import os

import pytest

from gateway.upstream.endpoints import Endpoint, Listing
from gateway.upstream.resolvers import UnresolvedError
from gateway.upstream.resolvers.file import MOST, FileLook
from gateway.upstream.spec import FileSpec


def read(data, path):
    """Reads a file of one address a line."""
    lines = data.decode().split()
    if not lines:
        raise ValueError(f"{path.name}:1:1: no endpoints")
    return tuple(Listing(Endpoint.parse(line)) for line in lines)


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "endpoints.yaml"
    made.write_text("h:1 h:2")
    return made


def at_once(seconds):
    """Waits for nothing."""
    return asyncio.sleep(0)


async def hosts(look):
    return [str(each.endpoint) for each in (await look()).listings]


async def test_a_file_lists_endpoints_for_as_long_as_refresh_says(path):
    answer = await FileLook(FileSpec(path, read))()
    assert answer.listings == (Listing(Endpoint("h", 1)), Listing(Endpoint("h", 2)))
    assert answer.ttl is None


async def test_a_file_that_is_rewritten_within_one_tick_of_its_clock_is_seen(path):
    look = FileLook(FileSpec(path, read), at_once)
    before = path.stat()
    assert await hosts(look) == ["h:1", "h:2"]
    path.write_text("h:1 h:3")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert await hosts(look) == ["h:1", "h:3"]


async def test_a_file_that_is_replaced_is_seen(path):
    look = FileLook(FileSpec(path, read), at_once)
    await look()
    other = path.with_name("new")
    other.write_text("h:4")
    other.replace(path)
    assert await hosts(look) == ["h:4"]


async def test_a_file_is_believed_when_it_has_stayed_the_same_for_a_moment(path):
    def written_on(seconds):
        waits.append(seconds)
        if rest:
            path.write_text(path.read_text() + rest.pop())
        return asyncio.sleep(0)

    waits, rest = [], []
    look = FileLook(FileSpec(path, read), written_on)
    await look()
    assert not waits
    rest += [" h:5", " h:4"]
    path.write_text("h:3")
    assert await hosts(look) == ["h:3", "h:4", "h:5"]
    assert waits == [0.1] * 3


async def test_a_file_that_changes_all_the_time_is_not_believed(path):
    def written_on(seconds):
        path.write_text(path.read_text() + " h:3")
        return asyncio.sleep(0)

    look = FileLook(FileSpec(path, read), written_on)
    await look()
    path.write_text("h:9")
    with pytest.raises(UnresolvedError, match=r"^endpoints\.yaml changes all the time$"):
        await look()


async def test_a_file_that_did_not_change_is_not_read_again(path):
    reads = []
    look = FileLook(FileSpec(path, lambda data, path: reads.append(data) or read(data, path)))
    assert await hosts(look) == await hosts(look)
    assert len(reads) == 1


async def test_a_wrong_file_that_did_not_change_is_not_read_again_either(path):
    reads = []

    def counting(data, path):
        reads.append(data)
        return read(data, path)

    path.write_text("")
    look = FileLook(FileSpec(path, counting), at_once)
    for _ in range(3):
        with pytest.raises(UnresolvedError, match="no endpoints"):
            await look()
    assert len(reads) == 1
    path.write_text("h:1")
    assert await hosts(look) == ["h:1"]


async def test_a_wrong_file_says_where_each_time_and_is_believed_when_it_is_right_again(path):
    look = FileLook(FileSpec(path, read), at_once)
    await look()
    path.write_text("")
    for _ in range(2):
        with pytest.raises(UnresolvedError, match=r"^endpoints\.yaml:1:1: no endpoints$"):
            await look()
    path.write_text("h:1 h:2")
    assert await hosts(look) == ["h:1", "h:2"]


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda path: path.unlink(), "endpoints.yaml can't be read: No such file or directory"),
        (lambda path: path.unlink() or os.mkfifo(path), "endpoints.yaml is not a file"),
        (lambda path: path.write_bytes(b" " * (MOST + 1)), "endpoints.yaml is larger than"),
    ],
    ids=["is gone", "is a pipe", "is too large"],
)
async def test_a_file_that_cannot_be_read_is_told_without_its_folder(path, spoil, text):
    spoil(path)
    with pytest.raises(UnresolvedError, match=f"^{text}"):
        await FileLook(FileSpec(path, read))()
