"""Messages in JSON: what clients of REST and of WebSocket's JSON send, get, and put into queries.

JSON has names and no numbers: a field that is called otherwise is another one. What a client sends
may be wider than before, what it gets may be narrower, never the other way round. Types are
compared by what they hold, whatever they are called.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from gateway.app.compatibility.change import Change, Effect
from gateway.app.compatibility.reaching import Reaching
from gateway.app.compatibility.scalars import (
    WELL_KNOWN,
    becomes_text,
    described,
    reads_all,
    writes_alike,
)
from gateway.app.surface.model import Field, Message, Surface

_NUMBERED: Final = "its number is the same, so grpcws.v1.proto has it still"


@dataclass(frozen=True, slots=True)
class Position:
    """Where JSON stands.

    Attributes:
        family: What rules begin with.
        sent: Whether clients send it.
        noun: What a field is called there.
        is_query: Whether it is a query: one value is read as a list of one, and lists of messages
            can't be given.
        tolerates: Whether a name that no field has is ignored.
    """

    family: str
    sent: bool
    noun: str = "field"
    is_query: bool = False
    tolerates: Callable[[str], bool] = lambda _: False


REPLY: Final = Position("json.reply", sent=False)


class _Pair(NamedTuple):
    """The full names of a type that clients know, and of the one that they meet."""

    old: str
    new: str
    is_enum: bool = False


class JsonMessages:
    """Compares the messages of two surfaces as JSON.

    Args:
        old: What clients know.
        new: What they meet.
    """

    def __init__(self, old: Surface, new: Surface) -> None:
        self._old = old
        self._new = new
        self._found: dict[Position, Reaching[_Pair, Change]] = {}
        ignores = new.json.ignores_unknown
        self.request: Final = Position("json.request", sent=True, tolerates=lambda _: ignores)

    def changes(self, old: str, new: str, position: Position) -> Iterator[Change]:
        """Yields what has changed in a message type, and in all that it holds.

        Args:
            old: The full name of the type that clients know.
            new: That of the type that they meet.
            position: Where it stands: in a request's body, or a reply.
        """
        return self._all(position).of([_Pair(old, new)])

    def of_value(self, subject: str, old: Field, new: Field, position: Position) -> list[Change]:
        """Returns what has changed in a field that is a body by itself.

        Args:
            subject: Its full name.
            old: The field that clients know.
            new: The one that they meet.
            position: Where it stands.
        """
        found = list(self._value(subject, old, new, position))
        if not found and old.type == "message" and old.of not in WELL_KNOWN:
            found += self.changes(old.of, new.of, position)
        if not found and old.type == "enum":
            found += self._enum(old.of, new.of, position)
        return found

    def of_part(
        self,
        old: str,
        new: str,
        position: Position,
        *,
        unless: Collection[str] = (),
        unless_new: Collection[str] = (),
    ) -> Iterator[Change]:
        """Yields what has changed in a part of a message type's fields, and in all that it holds.

        Args:
            old: The full name of the type that clients know.
            new: That of the type that they meet.
            position: Where it stands.
            unless: Names of fields that clients do not give there.
            unless_new: Names of fields that can't be given there any more; that is told elsewhere.
        """
        if old in WELL_KNOWN:
            return
        yield from self._fields(old, new, position, unless, unless_new)
        below = self._below(old, new, position, {*unless, *unless_new})
        yield from self._all(position).of(below)

    def _all(self, position: Position) -> Reaching[_Pair, Change]:
        """Returns what is found of all types that stand in a position."""
        if position not in self._found:
            self._found[position] = Reaching(partial(self._one, position=position))
        return self._found[position]

    def _one(self, pair: _Pair, position: Position) -> tuple[Iterator[Change], Iterator[_Pair]]:
        """Returns what has changed in one type, and the types that it holds."""
        old, new, is_enum = pair
        if is_enum:
            return self._enum(old, new, position), iter(())
        if old in WELL_KNOWN:
            return iter(()), iter(())
        return self._fields(old, new, position, (), ()), self._below(old, new, position, set())

    def _fields(
        self,
        old_name: str,
        new_name: str,
        position: Position,
        unless: Collection[str],
        unless_new: Collection[str],
    ) -> Iterator[Change]:
        old, new = self._old.messages[old_name], self._new.messages[new_name]
        by_name = {self._shown(each): each for each in new.fields}
        if position.sent:
            by_name = {name: each for each in new.fields for name in (each.name, each.json_name)}
        numbers = {each.number: each for each in new.fields}
        met = set()
        for each in old.fields:
            found = by_name.get(self._shown(each))
            if found is not None:
                met.add(found.number)
            if each.name in unless or (found is not None and found.name in unless_new):
                continue
            if position.is_query and _is_list_of_messages(each):
                continue
            subject = f"{old_name}.{each.name}"
            if found is not None:
                yield from self._field(subject, each, found, position)
                yield from self._other_name(subject, each, found, position)
            elif (other := numbers.get(each.number)) is not None and _is_renamed(each, other):
                met.add(other.number)
                yield self._renamed(subject, each, other, position)
            else:
                yield self._removed(subject, each, position)
        yield from self._added(new_name, new, met, {*unless, *unless_new}, position)
        if position.sent:
            yield from self._joined(new_name, old, by_name, position)

    def _below(self, old: str, new: str, position: Position, left_out: set[str]) -> Iterator[_Pair]:
        """Yields the types of fields that both have."""
        by_name = {self._shown(each): each for each in self._new.messages[new].fields}
        for each in self._old.messages[old].fields:
            found = by_name.get(self._shown(each))
            if found is None or each.type != found.type or not each.of:
                continue
            if left_out & {each.name, found.name}:
                continue
            if {each.of, found.of} & WELL_KNOWN:
                continue
            if position.is_query and _is_list_of_messages(each):
                continue
            yield _Pair(each.of, found.of, each.type == "enum")

    def _shown(self, field: Field) -> str:
        # That names have changed altogether is told once, of `rest.json`.
        return field.name if self._old.json.proto_names else field.json_name

    def _renamed(self, subject: str, old: Field, new: Field, position: Position) -> Change:
        message = f"is called {self._shown(new)} now, in JSON another {position.noun}; {_NUMBERED}"
        tolerated = position.sent and position.tolerates(self._shown(old))
        effect = Effect.DANGEROUS if tolerated else Effect.BREAKING
        owner = subject.rpartition(".")[0]
        return Change(
            f"{position.family}-field-renamed", effect, subject, message, f"{owner}.{new.name}"
        )

    def _other_name(
        self, subject: str, old: Field, new: Field, position: Position
    ) -> Iterator[Change]:
        """Yields a change where the other of the two names that clients may send is gone."""
        lost = {old.name, old.json_name} - {new.name, new.json_name}
        if position.sent and lost:
            shown, given = self._shown(old), ", ".join(lost)
            message = f"is {shown} as before, and can't be given as {given} any more"
            element = f"{subject.rpartition('.')[0]}.{new.name}"
            rule = f"{position.family}-field-renamed"
            yield Change(rule, Effect.DANGEROUS, subject, message, element)

    def _removed(self, subject: str, old: Field, position: Position) -> Change:
        tolerated = position.sent and position.tolerates(self._shown(old))
        if not position.sent:
            message = "is not in replies any more"
        elif tolerated:
            message = f"is no {position.noun} any more: what clients send in it is ignored"
        else:
            message = f"is no {position.noun} any more: requests that have it are refused"
        effect = Effect.DANGEROUS if tolerated else Effect.BREAKING
        return Change(f"{position.family}-field-removed", effect, subject, message, subject)

    def _added(
        self,
        owner: str,
        new: Message,
        met: Collection[int],
        unless: Collection[str],
        position: Position,
    ) -> Iterator[Change]:
        for each in new.fields:
            if each.number in met or each.name in unless:
                continue
            if position.is_query and _is_list_of_messages(each):
                continue
            subject = f"{owner}.{each.name}"
            if position.sent and each.required:
                yield self._required(subject, position)
            else:
                rule = f"{position.family}-field-added"
                yield Change(rule, Effect.SAFE, subject, f"is a new {position.noun}", subject)

    def _required(self, subject: str, position: Position) -> Change:
        message = "is required now: requests without it are refused"
        return Change(
            f"{position.family}-field-required", Effect.BREAKING, subject, message, subject
        )

    def _field(self, subject: str, old: Field, new: Field, position: Position) -> Iterator[Change]:
        yield from self._value(subject, old, new, position)
        if position.sent and new.required and not old.required:
            yield self._required(subject, position)

    def _value(self, subject: str, old: Field, new: Field, position: Position) -> Iterator[Change]:
        message = f"was {described(old)} and is {described(new)}"
        grown = position.is_query and (old.cardinality, new.cardinality) == ("one", "many")
        if old.cardinality != new.cardinality and not grown:
            rule = f"{position.family}-cardinality-changed"
            yield Change(rule, Effect.BREAKING, subject, message, subject)
            return
        fits = reads_all if position.sent else writes_alike
        keyed = new.key in (old.key, "string") or not position.sent
        if not fits(old, new) or not keyed:
            rule = f"{position.family}-type-changed"
            yield Change(rule, Effect.BREAKING, subject, message, subject)
        elif position.sent and becomes_text(old, new):
            message += ": numbers are taken as before, and types that are generated have a text"
            rule = f"{position.family}-type-widened"
            yield Change(rule, Effect.DANGEROUS, subject, message, subject)

    def _joined(
        self,
        owner: str,
        old: Message,
        by_name: dict[str, Field],
        position: Position,
    ) -> Iterator[Change]:
        """Yields a change for each oneof that has fields which could be sent together."""
        groups: dict[str, list[Field]] = {}
        for each in old.fields:
            found = by_name.get(self._shown(each))
            if found is not None and found.oneof:
                groups.setdefault(found.oneof, []).append(each)
        for name, members in groups.items():
            before = {each.oneof or each.name for each in members}
            if len(before) > 1:
                names = " and ".join(sorted(each.name for each in members))
                message = f"{names} could be sent together, and are members of one oneof now"
                yield Change(
                    f"{position.family}-oneof-joined",
                    Effect.BREAKING,
                    f"{owner}.{name}",
                    message,
                    f"{owner}.{members[0].name}",
                )

    def _enum(self, old: str, new: str, position: Position) -> Iterator[Change]:
        before, now = self._old.enums[old], self._new.enums[new]
        rule = f"{position.family}-enum-value"
        written, names = _written(before), _written(now)
        as_number = self._old.json.enums_as_numbers
        for name, number in before.items():
            subject, other = f"{old}.{name}", names.get(number)
            is_met = position.sent or written[number] == name
            if name in now and as_number and now[name] != number:
                message = f"was the number {number} and is {now[name]}"
                yield Change(f"{rule}-renumbered", Effect.BREAKING, subject, message, new)
            elif name in now and (position.sent or as_number or now[name] != number):
                continue
            elif is_met and other is not None and other != name:
                known = as_number or (other in before and not position.sent)
                effect = Effect.DANGEROUS if known else Effect.BREAKING
                message = f"is called {other} now, in JSON another value; {_NUMBERED}"
                yield Change(f"{rule}-renamed", effect, subject, message, new)
            elif position.sent:
                message = "is no value any more: requests that have it are refused"
                yield Change(f"{rule}-removed", Effect.BREAKING, subject, message, new)
        if position.sent:
            return
        renamed = set(before.values())
        for name, number in now.items():
            if name not in before and number not in renamed:
                message = "is a new value in replies, which clients may not know"
                yield Change(f"{rule}-added", Effect.DANGEROUS, f"{new}.{name}", message, new)


def _written(enum: Mapping[str, int]) -> Mapping[int, str]:
    """Returns the name that JSON has for each number: of aliases, the first."""
    found: dict[int, str] = {}
    for name, number in enum.items():
        found.setdefault(number, name)
    return found


def _is_renamed(old: Field, new: Field) -> bool:
    return old.name != new.name and (old.type, old.cardinality) == (new.type, new.cardinality)


def _is_list_of_messages(field: Field) -> bool:
    return field.cardinality == "many" and field.type == "message" and field.of not in WELL_KNOWN
