"""What differs between the facts of two generations, in words. Pure.

What concerns many methods in the same way is one effect that names them. A policy is not told as
such: what it does to methods is.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from gateway.app.effects.callers import callers_of_methods, callers_of_pages, scopes_of_fields
from gateway.app.effects.effect import Effect
from gateway.app.effects.facts import Facts, taking
from gateway.app.effects.served import served
from gateway.app.effects.unseen import unseen
from gateway.app.effects.values import values
from gateway.app.generation import Generation
from gateway.turns import Turn, in_turns


async def effects_of(before: Generation, after: Generation) -> list[Effect]:
    """Returns what a generation changes that takes the place of another.

    Gives way to others every few milliseconds. In a thread it would hold on to the generations for
    a moment longer, and hold up the loop more often, by the turns of the interpreter's lock.
    """
    messages = before.codec_key.types != after.codec_key.types
    turn = Turn()
    facts = [await in_turns(taking(each, messages=messages), turn) for each in (before, after)]
    return await in_turns(_gathered(*facts), turn)


def effects(before: Facts, after: Facts) -> list[Effect]:
    """Returns what differs, in the order in which it is told: who may call first."""
    return list(_all(before, after))


def _gathered(before: Facts, after: Facts) -> Generator[None, None, list[Effect]]:
    """Returns what differs, and yields before each."""
    found = []
    for each in _all(before, after):
        found.append(each)
        yield
    return found


def _all(before: Facts, after: Facts) -> Iterator[Effect]:
    told = False
    for each in _made_of_protos(before, after):
        told = True
        yield each
    yield from callers_of_pages(before, after)
    yield from values(before, after)
    if not told:
        yield from unseen(before, after)


def _made_of_protos(before: Facts, after: Facts) -> Iterator[Effect]:
    """Yields what protos and joins have a part in."""
    yield from callers_of_methods(before, after)
    yield from scopes_of_fields(before, after)
    yield from served(before, after)
