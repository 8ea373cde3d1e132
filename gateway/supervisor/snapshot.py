"""What a config is made of, at one moment: other processes can make the same of it.

A worker gets it from its supervisor and does not read the file, which may have changed since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateway.config import Loaded, Mocking, from_mapping, load, read_text


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A config before it is looked at. Consists of what JSON has.

    Attributes:
        origin: The file, or what errors say in its place, such as `--reflect`.
        content: The file's text, or what it would have said.
        overrides: The values of `--set`.
        mocking: The attributes of `Mocking`, where answers are made up; else None.
    """

    origin: str
    content: str | Mapping[str, object]
    overrides: Sequence[str] = ()
    mocking: Mapping[str, Any] | None = None

    @classmethod
    def of_file(cls, path: Path, overrides: Sequence[str] = ()) -> Snapshot:
        """Reads a file as it is now.

        Raises:
            ConfigError: It can't be read.
        """
        return cls(str(path), read_text(path), overrides)

    def load(self) -> Loaded:
        """Makes the config.

        Raises:
            ConfigError: With every problem.
        """
        loaded = self._read()
        return loaded if self.mocking is None else replace(loaded, mocking=Mocking(**self.mocking))

    def _read(self) -> Loaded:
        if isinstance(self.content, str):
            return load(self.origin, text=self.content, overrides=self.overrides)
        return from_mapping(self.content, origin=self.origin, overrides=self.overrides)
