"""A line of what is told of one RPC: what, its value, and what set it."""

from __future__ import annotations

from typing import NamedTuple

from gateway.app.generation import Generation
from gateway.config.problems import Path, format_path

DEFAULT = "default"


class Fact(NamedTuple):
    """A line of the answer: what, its value, and what set it."""

    name: str
    value: str = ""
    where: str = ""


def set_by(generation: Generation, path: Path) -> str:
    """Returns what set the value at `path`: the line of the config, or `default`."""
    if (found := generation.source.place(path)) is None:
        return DEFAULT
    return f"{found} {format_path(path)}"
