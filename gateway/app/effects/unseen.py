"""Files that differ in what nobody compares: so that nobody hears of a change that there is none.

Comments and layout are such, and options that the gateway does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.app.effects.effect import Effect, counted, listed
from gateway.app.effects.facts import Facts
from gateway.config.values import Key

JOINS: Final[Key] = ("graphql", "joins")


def unseen(before: Facts, after: Facts) -> Iterator[Effect]:
    """Yields protos and joins whose bytes are others; for where nothing else is told of them."""
    one, other = before.protos, after.protos
    names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    words = "changed in comments, layout or options that alter no call"
    if names:
        text = f"{counted(len(names), 'proto')} {words}: {listed(names)}"
        yield Effect("proto-text", text, tuple(names))
    if before.contents.get(JOINS) != after.contents.get(JOINS):
        yield Effect("joins-text", f"joins {words}", (".".join(JOINS),))
