"""Prints what is told of one RPC: names as one column, and what set each value as another."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from gateway.app.explained.fact import Fact

_NAMES = 17  # columns for what a line is about, or as many as the longest has


def print_facts(*sections: Iterable[Fact]) -> None:
    """Prints sections: names as one column, and what set the values of each as another."""
    told = [list(section) for section in sections]
    names = max([_NAMES, *(len(fact.name) for facts in told for fact in facts)])
    for facts in told:
        wide = max((len(fact.value) for fact in facts if fact.where), default=0)
        for fact in facts:
            value = fact.value.ljust(wide) if fact.where else fact.value
            typer.echo(f"{fact.name:{names}} {value}  {fact.where}".rstrip())
