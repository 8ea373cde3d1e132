"""Folders of protos made by tests, and a cache of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.schema.cache import Cache

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def write(tmp_path) -> Write:
    """Writes protos by name below a folder of the test's, and returns the folder."""

    def write(files: dict[str, str], folder: str = "protos") -> Path:
        for name, text in files.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / folder

    return write


@pytest.fixture
def cache(tmp_path) -> Cache:
    return Cache(tmp_path / "cache")
