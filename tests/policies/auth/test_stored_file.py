"""A file that is read again when it changes: which version counts when."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.policies.auth.stored_file import TAKES_EFFECT, FileError, StoredFile


def upper(data: bytes) -> str:
    """Means the text in capitals; `bad` is wrong."""
    if data == b"bad":
        raise FileError("words.txt:1:1: bad is no word")
    return data.decode().upper()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "words.txt"
    found.write_bytes(b"one")
    return found


@pytest.fixture
def errors(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What has been logged as an error so far."""
    caplog.set_level(logging.ERROR, "gateway.auth")
    return lambda: caplog.messages


def replace(path: Path, data: bytes) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(data)
    beside.replace(path)


def test_it_is_read_when_it_is_made(path: Path) -> None:
    assert StoredFile(path, upper).value == "ONE"


def test_a_change_counts_at_the_next_look(path: Path) -> None:
    file = StoredFile(path, upper)
    path.write_bytes(b"two words")
    assert file.value == "ONE"
    file.look()
    assert file.value == "TWO WORDS"


def test_a_file_that_was_replaced_counts_too(path: Path) -> None:
    file = StoredFile(path, upper)
    file.look()
    stamp = path.stat()
    replace(path, b"two")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # the inode alone tells
    file.look()
    assert file.value == "TWO"


def test_two_writes_in_one_tick_are_told_apart(path: Path) -> None:
    file = StoredFile(path, upper)
    file.look()
    path.write_bytes(b"two")
    file.look()
    stamp = path.stat()
    path.write_bytes(b"six")  # as long, in the same file
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    file.look()
    assert file.value == "SIX"


def test_what_has_not_changed_is_neither_parsed_nor_read_on_and_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = StoredFile(path, upper)
    value = file.value
    file.look()
    os.utime(path)
    file.look()
    file.look()
    assert file.value is value
    monkeypatch.setattr(file, "_read", None)  # a look would fail on it
    file.look()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(b"bad"), "words.txt:1:1: bad is no word"),
        (lambda path: path.unlink(), "words.txt can't be read: No such file or directory"),
        (lambda path: path.write_bytes(bytes(101)), "words.txt is larger than 100 bytes"),
        (lambda path: (path.unlink(), os.mkfifo(path)), "words.txt is not a file"),
    ],
    ids=["wrong", "gone", "too large", "a pipe"],
)
def test_of_a_bad_version_the_one_before_stays_and_it_is_said_once(
    spoil, said: str, path: Path, errors: Callable[[], list[str]]
) -> None:
    file = StoredFile(path, upper, most=100)
    value = file.value
    spoil(path)
    for _ in range(3):
        file.look()
    assert file.value is value
    assert errors() == [f"{said}; the version before stays in use"]
    replace(path, b"two")
    file.look()
    assert file.value == "TWO"


def test_trouble_that_comes_back_is_said_again(path: Path, errors: Callable[[], list[str]]) -> None:
    file = StoredFile(path, upper)
    for data in (b"bad", b"two", b"bad"):
        path.write_bytes(data)
        file.look()
        file.look()
    assert len(errors()) == 2
    assert file.value == "TWO"


def test_a_file_that_has_come_back_is_told(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = StoredFile(path, upper)
    data = path.read_bytes()
    path.unlink()
    file.look()
    replace(path, data)
    file.look()
    file.look()
    assert caplog.messages[1:] == ["words.txt can be read again, and says what it said"]
    path.unlink()
    file.look()
    replace(path, b"two")
    file.look()
    assert caplog.messages[3:] == ["words.txt has changed, and is in use"]


def test_a_bad_version_that_has_come_back_is_not_told_to_be_good(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = StoredFile(path, upper)
    replace(path, b"bad")
    file.look()
    path.unlink()
    file.look()
    replace(path, b"bad")
    file.look()
    file.look()
    mistake = caplog.messages[0]
    assert caplog.messages[2:] == [mistake]
    assert mistake.endswith("; the version before stays in use")
    replace(path, b"two")
    file.look()
    assert caplog.messages[3:] == ["words.txt has changed, and is in use"]


def test_the_version_before_counts_again_after_a_bad_one(path: Path) -> None:
    file = StoredFile(path, upper)
    path.write_bytes(b"bad")
    file.look()
    path.write_bytes(b"one")
    file.look()
    assert file.value == "ONE"


def test_at_the_start_a_bad_file_is_an_error(path: Path) -> None:
    path.write_bytes(b"bad")
    with pytest.raises(FileError, match=r"words\.txt:1:1"):
        StoredFile(path, upper)
    path.unlink()
    with pytest.raises(FileError, match="can't be read"):
        StoredFile(path, upper)


async def test_it_looks_by_itself_while_it_is_open(path: Path) -> None:
    file = StoredFile(path, upper, every=0.001)
    await file.open()
    await file.open()  # a second time does nothing
    replace(path, b"two")
    async with asyncio.timeout(TAKES_EFFECT):
        while file.value != "TWO":
            await asyncio.sleep(0.001)
    await file.close()
    await file.close()


async def test_a_look_that_fails_is_logged_and_not_the_last(
    path: Path, errors: Callable[[], list[str]]
) -> None:
    def parse(data: bytes) -> str:
        if data == b"bad":
            raise ZeroDivisionError
        return data.decode()

    file = StoredFile(path, parse, every=0.001)
    await file.open()
    replace(path, b"bad")
    async with asyncio.timeout(TAKES_EFFECT):
        while not errors():
            await asyncio.sleep(0.001)
    replace(path, b"two")
    async with asyncio.timeout(TAKES_EFFECT):
        while file.value != "two":
            await asyncio.sleep(0.001)
    await file.close()
