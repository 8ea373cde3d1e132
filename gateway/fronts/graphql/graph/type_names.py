"""Who has which type name: first the types that the graph's methods reach, then all others.

The first are settled among themselves, so that what is merely imported somewhere never changes
their names. The others are settled when one of them is asked for (an edge may name any message),
against those.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from google.protobuf.descriptor import Descriptor, EnumDescriptor
from graphql import specified_scalar_types

from gateway.fronts.graphql.graph.findings import Findings
from gateway.fronts.graphql.graph.kinds import is_entry
from gateway.fronts.graphql.graph.naming import Settled, Unit, settle, type_choices
from gateway.fronts.graphql.graph.reach import Reach, Subject
from gateway.fronts.graphql.graph.scalars import SCALARS
from gateway.fronts.graphql.graph.shapes import Shapes
from gateway.schema.registry import Registry

ROOTS = ("Query", "Mutation", "Subscription")
TAKEN = frozenset((*specified_scalar_types, *SCALARS, *ROOTS))
"""Names that no type made of a proto may have."""


class TypeNames:
    """Names of units, both ways."""

    def __init__(
        self,
        reached: Mapping[Unit, Subject],
        registry: Registry,
        shapes: Shapes,
        findings: Findings,
        services: Collection[Unit] = (),
    ) -> None:
        self._registry = registry
        self._shapes = shapes
        self._findings = findings
        self._subjects = dict(reached)
        choices = {unit: type_choices(unit) for unit in (*reached, *services)}
        settled = settle(choices, TAKEN)
        self._report(settled)
        self._names: dict[Unit, str] = dict(settled.names)
        self._units = {name: unit for unit, name in self._names.items()}
        self._complete = False

    def name(self, unit: Unit) -> str:
        """Returns the name of a unit.

        Raises:
            KeyError: It is of another registry.
        """
        if unit not in self._names:
            self._add_others()
        return self._names[unit]

    def find(self, name: str) -> tuple[Unit, Subject] | None:
        """Returns the unit of a name, and what it is made of; None where no message has it."""
        if name not in self._units:
            self._add_others()
        unit = self._units.get(name)
        return (unit, self._subjects[unit]) if unit in self._subjects else None

    def all(self) -> Collection[str]:
        """Returns all names that `find` knows."""
        self._add_others()
        return [name for name, unit in self._units.items() if unit in self._subjects]

    def _add_others(self) -> None:
        if self._complete:
            return
        self._complete = True
        reach = Reach(self._shapes)
        reach.everything(_messages(self._registry), _enums(self._registry))
        others = {u: subject for u, subject in reach.found.items() if u not in self._names}
        settled = settle({u: type_choices(u) for u in others}, {*TAKEN, *self._units})
        self._subjects.update(others)
        self._names.update(settled.names)
        self._units.update({name: u for u, name in settled.names.items()})

    def _report(self, settled: Settled[Unit]) -> None:
        for clash in settled.clashes:
            self._findings.clash(
                self._where(clash.keys[0]),
                clash.name,
                [unit.full_name for unit in clash.keys],
                [settled.names[unit] for unit in clash.keys],
                taken=clash.taken,
            )

    def _where(self, unit: Unit) -> str:
        subject = self._subjects.get(unit)
        if isinstance(subject, Descriptor | EnumDescriptor):
            return self._registry.origin(subject.file.name)
        return unit.full_name


def _messages(registry: Registry) -> Iterator[Descriptor]:
    pending = [
        message for file in registry.files() for message in file.message_types_by_name.values()
    ]
    while pending:
        message = pending.pop()
        pending += message.nested_types
        if not is_entry(message):
            yield message


def _enums(registry: Registry) -> Iterator[EnumDescriptor]:
    for file in registry.files():
        yield from file.enum_types_by_name.values()
    for message in _messages(registry):
        yield from message.enum_types
