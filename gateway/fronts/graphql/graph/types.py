"""The types of the graph: one a message and direction, made when first asked for, each once.

What a type is called is decided before (`TypeNames`), what it has in it when it is looked at: all
fields are thunks, so types may refer to each other in circles. Every field, argument and input
field has its source (`sources`). Fields are nullable by the design's table: what a message always
has is non-null, what it may lack is nullable, and so is every input but a REQUIRED one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor
from graphql import (
    DEFAULT_DEPRECATION_REASON,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLUnionType,
    specified_scalar_types,
)

from gateway.fronts.graphql.graph.kinds import (
    FIELD_SCALARS,
    MESSAGE_SCALARS,
    home,
    is_entry,
    may_be_null,
    message_of,
)
from gateway.fronts.graphql.graph.naming import Role, Unit
from gateway.fronts.graphql.graph.reach import (
    Case,
    Subject,
    given_cases,
    is_given,
    is_wrapped,
    unit,
)
from gateway.fronts.graphql.graph.required import Required
from gateway.fronts.graphql.graph.scalars import SCALARS
from gateway.fronts.graphql.graph.shapes import Shapes, Union
from gateway.fronts.graphql.graph.sources import (
    MADE,
    SOURCE,
    Argument,
    Made,
    Nothing,
    OneofInput,
    OneofUnion,
    ProtoField,
)
from gateway.fronts.graphql.graph.type_names import TypeNames
from gateway.schema.comments import Comments

NOTHING = "_"
"""The one field of a type that would have none."""

Edges = Mapping[str, Mapping[str, GraphQLField]]
_LEAVES: Mapping[str, GraphQLScalarType] = {**specified_scalar_types, **SCALARS}


class Types:
    """The types of one graph."""

    def __init__(
        self, names: TypeNames, shapes: Shapes, required: Required, comments: Comments
    ) -> None:
        self._names = names
        self._shapes = shapes
        self._required = required
        self._comments = comments
        self._made: dict[Unit, Any] = {}
        self._edges: Edges = {}
        self._makers: Mapping[Role, Callable[[str, Any], GraphQLNamedType]] = {
            Role.OBJECT: self._object,
            Role.INPUT: self._input,
            Role.ENUM: self._enum,
            Role.UNION: self._union,
            Role.CASE: self._case,
            Role.ONE_OF: self._one_of,
        }

    # What a descriptor is in the graph.

    def output(self, message: Descriptor) -> GraphQLObjectType | GraphQLScalarType:
        """Returns what a message is in answers: an object, or a scalar (`MESSAGE_SCALARS`)."""
        scalar = MESSAGE_SCALARS.get(message.full_name)
        return scalar or self._of(Role.OBJECT, message)

    def input(self, message: Descriptor) -> GraphQLInputObjectType | GraphQLScalarType:
        """Returns what a message is in arguments: an input object, or a scalar."""
        scalar = MESSAGE_SCALARS.get(message.full_name)
        return scalar or self._of(Role.INPUT, message)

    def field_output(self, field: FieldDescriptor) -> GraphQLOutputType:
        """Returns the type of a field in answers, with list and non-null."""
        one: Any = self._leaf(field) or self.output(message_of(field))
        always = not self.scopes(field)  # to whom may not see it, it is null
        if field.is_repeated:
            listed = GraphQLList(one if may_be_null(field) else GraphQLNonNull(one))
            return GraphQLNonNull(listed) if always else listed
        return GraphQLNonNull(one) if always and _is_always_there(field) else one

    def scopes(self, field: FieldDescriptor) -> frozenset[str]:
        """Returns the scopes that a caller must have to see a field."""
        return self._shapes.scopes(field)

    def field_input(self, field: FieldDescriptor) -> GraphQLInputType:
        """Returns the type of a field in arguments, with list and non-null."""
        one: Any = self._leaf(field) or self.input(message_of(field))
        if field.is_repeated:
            one = GraphQLList(one if may_be_null(field) else GraphQLNonNull(one))
        return GraphQLNonNull(one) if self._required.must_be_given(field) else one

    def arguments(self, message: Descriptor) -> dict[str, GraphQLArgument]:
        """Returns the arguments of a field that sends a request: one a member of the message."""
        return {
            name: GraphQLArgument(
                type_, description=about, deprecation_reason=reason, extensions=more
            )
            for name, (type_, about, reason, more) in self._inputs(message).items()
        }

    def member_names(self, message: Descriptor) -> Mapping[str, str]:
        """Returns the names in the graph of a message's fields and unions, by the proto's names."""
        return {
            (member.oneof if isinstance(member, Union) else member).name: name
            for name, member in self._shapes.members(message).items()
        }

    # Names.

    def named(self, name: str) -> GraphQLNamedType | None:
        """Returns a type by its name, scalars too; None where neither they nor messages have it."""
        if name in _LEAVES:
            return _LEAVES[name]
        found = self._names.find(name)
        return None if found is None else self._make(*found)

    def names(self) -> Collection[str]:
        """Returns all names that `named` knows, sorted: candidates, where one is wrong."""
        return sorted((*_LEAVES, *self._names.all()))

    def is_made(self, name: str) -> bool:
        """Whether a type made of a proto has a name and has been asked for, or a scalar has it."""
        return name in _LEAVES or any(made.name == name for made in self._made.values())

    # Edges.

    def extend(self, edges: Edges) -> None:
        """Adds fields to object types, by the types' names; roots are not among them.

        One that the message has too replaces it; `build_graph` refuses such edges.
        """
        self._edges = edges
        for made in self._made.values():
            if isinstance(made, GraphQLObjectType) and made.name in edges:
                made.__dict__.pop("fields", None)  # somebody looked before they were all known

    # How types are made.

    def _of(self, role: Role, subject: Subject) -> Any:
        return self._make(unit(role, subject), subject)

    def _make(self, key: Unit, subject: Subject) -> Any:
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._makers[key.role](self._names.name(key), subject)
        return made

    def _object(self, name: str, message: Descriptor) -> GraphQLObjectType:
        return GraphQLObjectType(
            name,
            lambda: self._with_edges(name, self._fields(message)),
            description=self._comments.of(message.file, message.full_name),
            extensions={MADE: Made(message, entry=is_entry(message))},
        )

    def _case(self, name: str, case: Case) -> GraphQLObjectType:
        message, field = case.oneof.containing_type, case.field

        def fields() -> dict[str, GraphQLField]:
            one: Any = self._leaf(field) or self.output(message_of(field))
            type_ = one if may_be_null(field) else GraphQLNonNull(one)
            return {self._shapes.case_names(case.oneof)[field.name]: self._field(field, type_)}

        return GraphQLObjectType(
            name,
            lambda: self._with_edges(name, fields()),
            description=self._comments.of(home(field).file, field.full_name),
            extensions={MADE: Made(message)},
        )

    def _union(self, name: str, oneof: OneofDescriptor) -> GraphQLUnionType:
        def members() -> list[GraphQLObjectType]:
            union = self._shapes.union(oneof)
            return [self._member(union, case) for case in union.cases]

        return GraphQLUnionType(
            name,
            members,
            description=self._comments.of(oneof.containing_type.file, oneof.full_name),
        )

    def _input(self, name: str, message: Descriptor) -> GraphQLInputObjectType:
        def fields() -> dict[str, GraphQLInputField]:
            made = {
                name: GraphQLInputField(
                    type_, description=about, deprecation_reason=reason, extensions=more
                )
                for name, (type_, about, reason, more) in self._inputs(message).items()
            }
            nothing = GraphQLInputField(GraphQLBoolean, extensions={SOURCE: Argument(())})
            return made or {NOTHING: nothing}

        return GraphQLInputObjectType(
            name,
            fields,
            description=self._comments.of(message.file, message.full_name),
            extensions={MADE: Made(message, is_entry(message))},
        )

    def _one_of(self, name: str, oneof: OneofDescriptor) -> GraphQLInputObjectType:
        def fields() -> dict[str, GraphQLInputField]:
            names = self._shapes.case_names(oneof)
            return {
                names[case.name]: GraphQLInputField(
                    self._leaf(case) or self.input(message_of(case)),
                    description=self._comments.of(home(case).file, case.full_name),
                    deprecation_reason=_deprecated(case),
                    extensions={SOURCE: Argument((case,))},
                )
                for case in given_cases(self._shapes.union(oneof))
            }

        message = oneof.containing_type
        return GraphQLInputObjectType(
            name,
            fields,
            description=self._comments.of(message.file, oneof.full_name),
            extensions={MADE: Made(message)},
            is_one_of=True,
        )

    def _enum(self, name: str, enum: EnumDescriptor) -> GraphQLEnumType:
        values = {
            value_name: GraphQLEnumValue(
                value.number,
                description=self._comments.of(enum.file, f"{enum.full_name}.{value.name}"),
                deprecation_reason=_deprecated(value),
            )
            for value_name, value in self._shapes.values(enum).items()
        }
        about = self._comments.of(enum.file, enum.full_name)
        return GraphQLEnumType(name, values, description=about)

    # What types have in them.

    def _with_edges(self, name: str, fields: dict[str, GraphQLField]) -> dict[str, GraphQLField]:
        return {**fields, **self._edges.get(name, {})}

    def _fields(self, message: Descriptor) -> dict[str, GraphQLField]:
        fields = {
            name: self._union_field(member)
            if isinstance(member, Union)
            else self._field(member, self.field_output(member))
            for name, member in self._shapes.members(message).items()
        }
        nothing = GraphQLField(GraphQLBoolean, extensions={SOURCE: Nothing()})
        return fields or {NOTHING: nothing}

    def _field(self, field: FieldDescriptor, type_: GraphQLOutputType) -> GraphQLField:
        about = self._comments.of(home(field).file, field.full_name)
        if needs := self.scopes(field):
            told = f"Needs the scopes: {', '.join(sorted(needs))}."
            about = f"{about}\n\n{told}" if about else told
        return GraphQLField(
            type_,
            description=about,
            deprecation_reason=_deprecated(field),
            extensions={SOURCE: ProtoField(field)},
        )

    def _union_field(self, union: Union) -> GraphQLField:
        oneof = union.oneof
        wrapped = frozenset(case.name for case in union.cases if is_wrapped(union, case))
        members = {case.name: self._member(union, case).name for case in union.cases}
        return GraphQLField(
            self._of(Role.UNION, oneof),
            description=self._comments.of(oneof.containing_type.file, oneof.full_name),
            extensions={SOURCE: OneofUnion(oneof, members, wrapped)},
        )

    def _member(self, union: Union, case: FieldDescriptor) -> GraphQLObjectType:
        if is_wrapped(union, case):
            made: GraphQLObjectType = self._of(Role.CASE, Case(union.oneof, case))
        else:
            made = self._of(Role.OBJECT, message_of(case))
        return made

    def _inputs(
        self, message: Descriptor
    ) -> dict[str, tuple[GraphQLInputType, str | None, str | None, dict[str, Any]]]:
        """Returns type, description, deprecation and extensions of each member as an input."""
        found: dict[str, tuple[GraphQLInputType, str | None, str | None, dict[str, Any]]] = {}
        for name, member in self._shapes.members(message).items():
            if isinstance(member, Union):
                if not given_cases(member):
                    continue
                oneof = member.oneof
                about = self._comments.of(oneof.containing_type.file, oneof.full_name)
                source = {SOURCE: OneofInput(oneof)}
                found[name] = (self._of(Role.ONE_OF, oneof), about, None, source)
            elif is_given(member):
                type_ = self.field_input(member)
                about = self._comments.of(home(member).file, member.full_name)
                # What must be given can't be deprecated (GraphQL, 3.13.3).
                reason = None if isinstance(type_, GraphQLNonNull) else _deprecated(member)
                found[name] = (type_, about, reason, {SOURCE: Argument((member,))})
        return found

    def _leaf(self, field: FieldDescriptor) -> GraphQLScalarType | GraphQLEnumType | None:
        if field.enum_type is not None:
            made: GraphQLEnumType = self._of(Role.ENUM, field.enum_type)
            return made
        return FIELD_SCALARS.get(field.type)


def _is_always_there(field: FieldDescriptor) -> bool:
    """Whether a singular field has a value in every message."""
    if is_entry(home(field)):
        return not may_be_null(field)
    return field.is_required or not field.has_presence


def _deprecated(declared: Any) -> str | None:
    """Returns the reason that tools show, None for what is not deprecated."""
    if declared.has_options and declared.GetOptions().deprecated:
        return DEFAULT_DEPRECATION_REASON
    return None
