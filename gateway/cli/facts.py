"""Lines of an answer about one RPC: what, its value, and what set it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import typer

from gateway.app import Generation
from gateway.config.problems import Path, format_path

DEFAULT = "default"
_NAMES = 17  # columns for what a line is about, or as many as the longest has


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


def print_facts(*sections: Iterable[Fact]) -> None:
    """Prints sections: names as one column, and what set the values of each as another."""
    told = [list(section) for section in sections]
    names = max([_NAMES, *(len(fact.name) for facts in told for fact in facts)])
    for facts in told:
        wide = max((len(fact.value) for fact in facts if fact.where), default=0)
        for fact in facts:
            value = fact.value.ljust(wide) if fact.where else fact.value
            typer.echo(f"{fact.name:{names}} {value}  {fact.where}".rstrip())
