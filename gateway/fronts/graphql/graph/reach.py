"""Which types a set of methods reaches, as units that want a name. It names and makes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor

from gateway.fronts.graphql.graph.annotations import behavior
from gateway.fronts.graphql.graph.kinds import MESSAGE_SCALARS, home
from gateway.fronts.graphql.graph.naming import Role, Unit
from gateway.fronts.graphql.graph.shapes import Shapes, Union

_OUTPUT_ONLY = 3  # google.api.FieldBehavior


class Case(NamedTuple):
    """A case of a union, with a type made for it."""

    oneof: OneofDescriptor
    field: FieldDescriptor


Subject: TypeAlias = "Descriptor | EnumDescriptor | OneofDescriptor | Case"


def unit(role: Role, subject: Subject) -> Unit:
    """Returns the unit that a subject is in a role."""
    match subject:
        case Case(oneof, field):
            package = home(field).file.package
            return Unit(role, f"{oneof.full_name}.{field.name}", package)
        case OneofDescriptor():
            return Unit(role, subject.full_name, subject.containing_type.file.package)
        case _:
            return Unit(role, subject.full_name, subject.file.package)


def is_wrapped(union: Union, case: FieldDescriptor) -> bool:
    """Whether a case needs a type of its own: it is no object, or another case's object too."""
    message = case.message_type
    return (
        message is None
        or message.full_name in MESSAGE_SCALARS
        or sum(_same(message, each.message_type) for each in union.cases) > 1
    )


def _same(one: Descriptor, other: Descriptor | None) -> bool:
    return other is not None and one.full_name == other.full_name


def is_given(field: FieldDescriptor) -> bool:
    """Whether clients may give a field: they may not, where only the server sets it (AIP-203)."""
    return _OUTPUT_ONLY not in behavior(field)


def given_cases(union: Union) -> list[FieldDescriptor]:
    """Returns the cases of a union that clients may give."""
    return [case for case in union.cases if is_given(case)]


class Reach:
    """Walks from messages to all that their fields reach. Scalars end a walk."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self.found: dict[Unit, Subject] = {}

    def outputs(self, message: Descriptor) -> None:
        """Adds a message as an output, and what it reaches."""
        pending = [message]
        while pending:
            each = pending.pop()
            if each.full_name not in MESSAGE_SCALARS and self._add(Role.OBJECT, each):
                for field in self._output_fields(each):
                    pending += self._leaf_or_message(field)

    def inputs(self, message: Descriptor) -> None:
        """Adds a message as an input, and what it reaches."""
        if message.full_name not in MESSAGE_SCALARS and self._add(Role.INPUT, message):
            self.arguments(message)

    def arguments(self, message: Descriptor) -> None:
        """Adds what the fields of a request reach; not the request itself."""
        pending = list(self._input_messages(message))
        while pending:
            each = pending.pop()
            if each.full_name not in MESSAGE_SCALARS and self._add(Role.INPUT, each):
                pending += self._input_messages(each)

    def everything(self, messages: Iterable[Descriptor], enums: Iterable[EnumDescriptor]) -> None:
        """Adds messages as outputs and inputs, enums, and what they reach."""
        for message in messages:
            self.outputs(message)
            self.inputs(message)
        for enum in enums:
            self._add(Role.ENUM, enum)

    def _add(self, role: Role, subject: Subject) -> bool:
        key = unit(role, subject)
        if key in self.found:
            return False
        self.found[key] = subject
        return True

    def _output_fields(self, message: Descriptor) -> Iterator[FieldDescriptor]:
        for member in self._shapes.members(message).values():
            if isinstance(member, Union):
                self._add(Role.UNION, member.oneof)
                for case in member.cases:
                    if is_wrapped(member, case):
                        self._add(Role.CASE, Case(member.oneof, case))
                    yield case
            else:
                yield member

    def _input_messages(self, message: Descriptor) -> Iterator[Descriptor]:
        for member in self._shapes.members(message).values():
            if isinstance(member, Union):
                cases = given_cases(member)
                if cases:
                    self._add(Role.ONE_OF, member.oneof)
                for case in cases:
                    yield from self._leaf_or_message(case)
            elif is_given(member):
                yield from self._leaf_or_message(member)

    def _leaf_or_message(self, field: FieldDescriptor) -> Iterator[Descriptor]:
        if field.enum_type is not None:
            self._add(Role.ENUM, field.enum_type)
        elif field.message_type is not None:
            yield field.message_type
