"""Lines of an answer about one RPC: what, its value, and what set it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import typer

from gateway.app import Generation
from gateway.config.problems import Path, format_path

DEFAULT = "default"
_NAMES = 18  # columns for what a line is about: the longest is `  stream_timeout`


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


def print_facts(section: Iterable[Fact]) -> None:
    """Prints a section, its right column as a column."""
    facts = list(section)
    wide = max((len(fact.value) for fact in facts if fact.where), default=0)
    for fact in facts:
        value = fact.value.ljust(wide) if fact.where else fact.value
        typer.echo(f"{fact.name:{_NAMES - 1}} {value}  {fact.where}".rstrip())
