"""Messages as bytes: what clients of WebSocket's `grpcws.v1.proto` send and get.

The wire has numbers and no names: a field of the same number and type is the same, whatever it is
called. Lists of numbers are read whether they are packed or not
(protobuf.dev/programming-guides/encoding#packed).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from gateway.app.compatibility.change import Change, Effect
from gateway.app.compatibility.reaching import Reaching
from gateway.app.compatibility.scalars import alike_on_wire, described
from gateway.app.surface.model import Field, Surface

_RULE: Final = "proto.field"


class _Pair(NamedTuple):
    """The full names of a type that clients know, and of the one that they meet."""

    old: str
    new: str
    is_enum: bool = False


class WireMessages:
    """Compares the messages of two surfaces as bytes.

    Args:
        old: What clients know.
        new: What they meet.
    """

    def __init__(self, old: Surface, new: Surface) -> None:
        self._old = old
        self._new = new
        self._found = Reaching(self._one)

    def changes(self, old: str, new: str) -> Iterator[Change]:
        """Yields what has changed in a message type, and in all that it holds.

        Args:
            old: The full name of the type that clients know.
            new: That of the type that they meet.
        """
        return self._found.of([_Pair(old, new)])

    def _one(self, pair: _Pair) -> tuple[list[Change], list[_Pair]]:
        """Returns what has changed in one type, and the types that it holds."""
        old, new, is_enum = pair
        if is_enum:
            return list(self._enum(old, new)), []
        found: list[Change] = []
        below: list[_Pair] = []
        numbers = {each.number: each for each in self._new.messages[new].fields}
        names = {each.name: each for each in self._new.messages[new].fields}
        for each in self._old.messages[old].fields:
            known, subject = numbers.get(each.number), f"{old}.{each.name}"
            named = names.get(each.name)
            if known is None or (named is not None and named.number != each.number):
                found.append(_gone(subject, each, named))
                continue
            found += _field(subject, each, known)
            if each.type == known.type and each.of:
                below.append(_Pair(each.of, known.of, each.type == "enum"))
        return found, below

    def _enum(self, old: str, new: str) -> Iterator[Change]:
        now = self._new.enums[new]
        for name, number in self._old.enums[old].items():
            if now.get(name, number) != number:
                message = f"had the number {number} and has {now[name]}: on the wire, another value"
                rule = "proto.enum-value-renumbered"
                yield Change(rule, Effect.BREAKING, f"{old}.{name}", message, new)


def _gone(subject: str, old: Field, named: Field | None) -> Change:
    if named is None:
        message = f"had the number {old.number}, which no field has: it is lost both ways"
        return Change(f"{_RULE}-removed", Effect.BREAKING, subject, message, subject)
    message = f"had the number {old.number} and has {named.number}: on the wire, another field"
    return Change(f"{_RULE}-renumbered", Effect.BREAKING, subject, message, subject)


def _field(subject: str, old: Field, new: Field) -> Iterator[Change]:
    owner = subject.rpartition(".")[0]
    element = f"{owner}.{new.name}"
    if (old.cardinality, old.key) != (new.cardinality, new.key):
        message = f"was {described(old)} and is {described(new)}, with the number {old.number}"
        yield Change(f"{_RULE}-cardinality-changed", Effect.BREAKING, subject, message, element)
    elif old.type != new.type:
        alike = alike_on_wire(old, new)
        message = f"was {described(old)} and is {described(new)}, with the number {old.number}"
        if alike:
            message += ": its bytes are read, and values may be cut or mean another"
        effect = Effect.DANGEROUS if alike else Effect.BREAKING
        yield Change(f"{_RULE}-type-changed", effect, subject, message, element)
    elif old.name != new.name:
        message = f"is called {new.name} now: the number {old.number} is the same, and counts"
        yield Change(f"{_RULE}-renamed", Effect.SAFE, subject, message, element)
