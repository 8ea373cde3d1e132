"""Only regular files are opened, and nobody is waited for."""

import os
from pathlib import Path

import pytest

from gateway.regular import open_regular, read_regular


def test_a_file_is_read_also_through_a_link(tmp_path):
    (tmp_path / "file").write_bytes(b"words")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link") == b"words"


def test_what_is_there_no_more_is_told_as_ever(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "gone")


def _open_files():
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (os.mkfifo, "it is not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is not a regular file"),
        (lambda path: path.mkdir(), "Is a directory"),
    ],
    ids=["a pipe that nobody writes to", "a device without an end", "a folder"],
)
def test_whatever_else_stands_there_is_refused_at_once(tmp_path, make, why):
    path = tmp_path / "thing"
    make(path)
    before = _open_files()
    with pytest.raises(OSError, match=why) as caught:
        open_regular(path)
    assert caught.value.strerror == why
    assert _open_files() == before
