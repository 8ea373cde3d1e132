"""The shape of messages in the graph: which members they have there, and under which names.

A member is a field, or a oneof that is a union. Options and the configuration hide and rename;
names that clash are settled in each message. Types are not its business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    EnumValueDescriptor,
    FieldDescriptor,
    OneofDescriptor,
)

from gateway.fronts.graphql.graph.annotations import field_options, oneof_options
from gateway.fronts.graphql.graph.findings import Findings
from gateway.fronts.graphql.graph.kinds import home
from gateway.fronts.graphql.graph.naming import (
    field_choices,
    is_name,
    settle,
    value_choices,
)
from gateway.fronts.graphql.graph.options import FieldOptions, GraphOptions, OneofOptions

NAME_HINT = "a name has letters, digits and underscores, and begins with neither a digit nor __"
_NOT_SAID = FieldOptions()
_NOT_SAID_OF_ONEOF = OneofOptions()


@dataclass(frozen=True, slots=True)
class Union:
    """A oneof that is a union, with its cases that are not hidden."""

    oneof: OneofDescriptor
    cases: tuple[FieldDescriptor, ...]


Member: TypeAlias = "FieldDescriptor | Union"


class Shapes:
    """The shapes of messages and enums; each is made once."""

    def __init__(self, options: GraphOptions, findings: Findings) -> None:
        self._options = options
        self._findings = findings
        self._members: dict[str, dict[str, Member]] = {}
        self._cases: dict[str, dict[str, str]] = {}
        self._values: dict[str, dict[str, EnumValueDescriptor]] = {}

    def members(self, message: Descriptor) -> dict[str, Member]:
        """Returns the members of a message by their name in the graph, in the proto's order."""
        known = self._members.get(message.full_name)
        if known is None:
            known = self._members[message.full_name] = self._shape(message)
        return known

    def is_union(self, oneof: OneofDescriptor) -> bool:
        """Whether a oneof is a union."""
        said = self._options.oneofs.get(oneof.full_name, _NOT_SAID_OF_ONEOF)
        return bool(said.over(oneof_options(oneof)).union)

    def union(self, oneof: OneofDescriptor) -> Union:
        """Returns a oneof as a union, hidden cases left out."""
        return Union(oneof, tuple(case for case in oneof.fields if not self.is_hidden(case)))

    def case_names(self, oneof: OneofDescriptor) -> dict[str, str]:
        """Returns the names of a union's cases in the graph, by the proto's names."""
        known = self._cases.get(oneof.full_name)
        if known is None:
            choices = {
                case.name: self._field_choices(case, self._said(case))
                for case in self.union(oneof).cases
            }
            known = self._cases[oneof.full_name] = self._settled(oneof.containing_type, choices)
        return known

    def is_hidden(self, field: FieldDescriptor) -> bool:
        """Whether a field is left out."""
        return bool(self._said(field).hide)

    def scopes(self, field: FieldDescriptor) -> frozenset[str]:
        """Returns the scopes that a caller must have to see a field."""
        return frozenset(self._said(field).scopes or ())

    def values(self, enum: EnumDescriptor) -> dict[str, EnumValueDescriptor]:
        """Returns the values of an enum by their name in the graph; of aliases the first."""
        known = self._values.get(enum.full_name)
        if known is None:
            known = self._values[enum.full_name] = self._enum(enum)
        return known

    def _said(self, field: FieldDescriptor) -> FieldOptions:
        return self._options.fields.get(field.full_name, _NOT_SAID).over(field_options(field))

    def _shape(self, message: Descriptor) -> dict[str, Member]:
        members: dict[str, Member] = {}
        choices: dict[str, Sequence[str]] = {}
        for field in message.fields:
            said = self._said(field)
            if said.hide:
                continue
            oneof = field.containing_oneof
            if oneof is not None and self.is_union(oneof):
                if oneof.name not in members:
                    members[oneof.name] = self.union(oneof)
                    choices[oneof.name] = field_choices(oneof.name, "")
                continue
            members[field.name] = field
            choices[field.name] = self._field_choices(field, said)
        names = self._settled(message, choices)
        return {names[name]: member for name, member in members.items()}

    def _field_choices(self, field: FieldDescriptor, said: FieldOptions) -> Sequence[str]:
        usual = field_choices(field.name, field.json_name)
        if said.name is None:
            return usual
        if is_name(said.name):
            return (said.name,)
        self._findings.refuse(
            home(field).file.name, f"{field.full_name} can't be named {said.name!r}", NAME_HINT
        )
        return usual

    def _enum(self, enum: EnumDescriptor) -> dict[str, EnumValueDescriptor]:
        first: dict[int, EnumValueDescriptor] = {}
        for value in enum.values:
            first.setdefault(value.number, value)
        choices = {value.name: value_choices(value.name) for value in first.values()}
        names = self._settled(enum, choices)
        return {names[value.name]: value for value in first.values()}

    def _settled(
        self, where: Descriptor | EnumDescriptor, choices: Mapping[str, Sequence[str]]
    ) -> dict[str, str]:
        settled = settle(choices)
        for clash in settled.clashes:
            self._findings.clash(
                where.file.name,
                f"{where.full_name}: {clash.name}",
                clash.keys,
                [settled.names[key] for key in clash.keys],
                taken=clash.taken,
            )
        for clash in settled.unsettled:
            self._findings.refuse(
                where.file.name,
                f"{where.full_name}: {' and '.join(clash.keys)} are all named {clash.name}",
                "give one of them another name by option",
            )
        return dict(settled.names)
