"""The cache of compiled protos: kept whole or not at all, and never needed."""

import os
import threading
from pathlib import Path

import pytest

from gateway.schema.cache import Cache, default_folder

FILES = [("a.proto", b"types of a", b"info of a"), ("b.proto", b"types of b", b"")]
DAY = 86400.0


def parts(entries) -> list[tuple[str, bytes, bytes]]:
    return [(each.name, bytes(each.types), bytes(each.source_info)) for each in entries]


def kept(cache: Cache) -> list[Path]:
    return sorted(cache.folder.iterdir())


def test_what_is_stored_is_loaded(cache):
    assert cache.load("key") is None
    assert parts(cache.store("key", lambda: FILES, 0.0)) == FILES
    assert parts(cache.load("key")) == FILES
    assert cache.load("other") is None
    assert [path.name for path in kept(cache)] == ["key.descriptors"]


def test_the_cache_is_the_users_own(cache):
    cache.store("key", lambda: FILES, 0.0)
    assert cache.folder.stat().st_mode & 0o077 == 0
    assert kept(cache)[0].stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("at", [0, 20, 40, -1])
def test_a_spoiled_entry_is_forgotten(cache, at):
    cache.store("key", lambda: FILES, 0.0)
    (path,) = kept(cache)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    assert cache.load("key") is None
    assert kept(cache) == []


@pytest.mark.parametrize("length", [0, 10, 60, -1])
def test_a_cut_entry_is_forgotten(cache, length):
    cache.store("key", lambda: FILES, 0.0)
    (path,) = kept(cache)
    path.write_bytes(path.read_bytes()[:length])
    assert cache.load("key") is None
    assert kept(cache) == []


@pytest.mark.parametrize("blocked", ["the folder is a file", "its parent is one", "no cache"])
def test_without_a_place_nothing_is_kept(tmp_path, blocked):
    (tmp_path / "file").write_text("")
    folder = {"the folder is a file": tmp_path / "file", "its parent is one": tmp_path / "file/x"}
    cache = Cache(folder.get(blocked))
    assert parts(cache.store("key", lambda: FILES, 0.0)) == FILES
    assert cache.load("key") is None
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_failed_write_leaves_nothing(cache):
    def files():
        yield FILES[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        cache.store("key", files, 0.0)
    assert kept(cache) == []


def test_what_is_mapped_outlives_its_entry(cache):
    entries = cache.store("key", lambda: FILES, 0.0)
    kept(cache)[0].unlink()
    assert parts(entries) == FILES


def test_old_entries_are_forgotten_and_used_ones_are_not(cache):
    for key in ("old", "used"):
        cache.store(key, lambda: FILES, 0.0)
        os.utime(cache.folder / f"{key}.descriptors", (0, 0))
    cache.load("used")
    now = (cache.folder / "used.descriptors").stat().st_mtime
    cache.store("new", lambda: FILES, now + 29 * DAY)
    assert [path.stem for path in kept(cache)] == ["new", "used"]


def test_of_too_many_entries_the_oldest_are_forgotten(cache):
    for number in range(20):
        cache.store(f"{number:02}", lambda: FILES, 100.0)
        os.utime(cache.folder / f"{number:02}.descriptors", (number, number))
    cache.store("last", lambda: FILES, 100.0)
    assert [path.stem for path in kept(cache)] == [*(f"{n:02}" for n in range(5, 20)), "last"]


def test_entries_are_bounded_in_bytes_but_the_newest_stays(cache, monkeypatch):
    monkeypatch.setattr("gateway.schema.cache._MAX_BYTES", 10)
    cache.store("one", lambda: FILES, 0.0)
    os.utime(cache.folder / "one.descriptors", (0, 0))
    cache.store("two", lambda: FILES, 0.0)
    assert [path.stem for path in kept(cache)] == ["two"]


def test_many_write_the_same_at_once(cache):
    threads = [
        threading.Thread(target=cache.store, args=("key", lambda: FILES, 0.0)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert parts(cache.load("key")) == FILES
    assert len(kept(cache)) == 1


@pytest.mark.parametrize(
    ("xdg", "expected"),
    [
        ("/x/cache", "/x/cache/grpc-api-gateway/schema"),
        ("relative", "/home/me/.cache/grpc-api-gateway/schema"),
        ("", "/home/me/.cache/grpc-api-gateway/schema"),
    ],
)
def test_it_lies_where_xdg_says(monkeypatch, xdg, expected):
    monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    monkeypatch.setenv("HOME", "/home/me")
    assert default_folder() == Path(expected)


def test_without_a_home_there_is_none(monkeypatch):
    def homeless():
        raise RuntimeError

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert default_folder() is None
