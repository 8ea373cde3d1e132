"""What is asked of objects: selections, from the types of the graph to plans.

It follows a selection from a type inward. A field that is in the message becomes a piece of the
function that writes the object; one that takes another call becomes an edge. What `@defer` puts off
is decided here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from google.protobuf.descriptor import Descriptor
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)
from graphql.execution.collect_fields import (
    DeferUsage,
    FieldDetailsList,
    FragmentDetails,
    GroupedFieldSet,
    collect_subfields,
)
from graphql.execution.values import VariableValues
from graphql.pyutils.path import Path as AnswerPath

from gateway.chain import Method
from gateway.fronts.graphql.execute.trouble import Place, nodes_of, nullable
from gateway.fronts.graphql.graph.sources import (
    Group,
    Join,
    Made,
    Nothing,
    OneofUnion,
    ParentCall,
    Path,
    ProtoField,
    made_of,
    source_of,
)
from gateway.fronts.graphql.plan.denials import Denials, Sight
from gateway.fronts.graphql.plan.edges import Edge, JoinEdge
from gateway.fronts.graphql.plan.finding import (
    bound_reader,
    by_lookup,
    by_parent,
    key_reader,
    plain_key,
    reader,
)
from gateway.fronts.graphql.plan.generated import Access, Code
from gateway.fronts.graphql.plan.later import Later, putting_off
from gateway.fronts.graphql.plan.leaves import scalar_text
from gateway.fronts.graphql.plan.masks import mask_given
from gateway.fronts.graphql.plan.objects import (
    ObjectPlan,
    Selection,
    add_field,
    message_access,
)
from gateway.fronts.graphql.plan.packed import Packed
from gateway.fronts.graphql.plan.python import PythonEdge
from gateway.fronts.graphql.plan.request import request_of
from gateway.fronts.graphql.plan.resolving import Resolving
from gateway.fronts.graphql.plan.writing import Writers


class Selections:
    """The selections of one operation.

    Args:
        schema: The graph.
        operation: The operation.
        fragments: Of its document, by name.
        variables: Those that directives read.
        methods: What fields call, by full name.
        writers: What puts values into requests.
        defers: Whether `@defer` puts fragments off.
        sight: What the caller may see.
        packed: What of an Any may be shown.

    Attributes:
        edges: The fields that take another call, so far.
        within: The uses of `@defer` in whose fragments the planning is: their fields are not put
            off.
        puts_off: Whether anything is put off.
        denials: Says what the caller may not see.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDetails],
        variables: VariableValues,
        *,
        methods: Mapping[str, Method],
        writers: Writers,
        defers: bool,
        sight: Sight,
        packed: Packed,
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._fragments = fragments
        self._variables = variables
        self._methods = methods
        self._writers = writers
        self._defers = defers
        self._packed = packed
        self.edges: list[Edge] = []
        self.denials = Denials(sight, self.edges)
        self.within: set[int] = set()
        self.puts_off = False
        self._path: AnswerPath | None = None  # of the object that is planned
        self._resolving = Resolving(
            schema,
            operation,
            {name: each.definition for name, each in fragments.items()},
            writers,
            self.object,
        )

    def grouped(self, type_: GraphQLObjectType, details: FieldDetailsList) -> GroupedFieldSet:
        """Returns the fields that are asked of objects of a type, merged."""
        return collect_subfields(
            self._schema, self._fragments, self._variables, self._operation, type_, details
        ).grouped_field_set

    def _shown(self, type_: GraphQLObjectType, details: FieldDetailsList) -> GroupedFieldSet:
        """Returns those of them that the caller may see."""
        return self.denials.shown(type_, self.grouped(type_, details))

    def answer(
        self,
        type_: GraphQLOutputType,
        details: FieldDetailsList,
        message: Descriptor,
        pick: Path,
        place: Place,
    ) -> ObjectPlan:
        """Returns the plan of a field whose value is a message, or a field in it.

        What it writes names the field in the paths of errors.
        """
        if pick:
            return self._picked(type_, details, message, pick, place)
        named = get_named_type(type_)
        if is_leaf_type(named):
            write = scalar_text(message, named, place, self._packed)
            return ObjectPlan(write, fallible=True)
        plan = self.object(named, details)
        if plan.fallible:
            plan.text = nullable(plan.text, place.key)
        return plan

    def _picked(
        self,
        type_: GraphQLOutputType,
        details: FieldDetailsList,
        message: Descriptor,
        pick: Path,
        place: Place,
    ) -> ObjectPlan:
        """Returns the plan of a field of a reply, of which nothing else is asked."""
        *outer, last = pick
        holder = outer[-1].message_type if outer else message
        if holder is None:
            raise TypeError("only messages have fields")
        code = Code()
        selection = Selection("", message_access(holder, code, self._packed), code)
        self._proto(selection, ProtoField(last), type_, details, place)
        plan = selection.value()
        if not outer:
            return plan
        inward = reader(tuple(outer))
        write = plan.text

        def text(reply: Any, run: Any) -> str:
            parent = inward(reply)
            return "null" if parent is None else write(parent, run)

        def children(replies: Sequence[Any]) -> list[Any]:
            return [found for each in replies if (found := inward(each)) is not None]

        below = [(children, plan)] if plan.deep else []
        return ObjectPlan(text, plan.fallible, (), below)

    def object(self, type_: Any, details: FieldDetailsList) -> ObjectPlan:
        """Returns what is asked of objects of a type.

        Of the types of users, whose fields are all Python's, nothing is put off.
        """
        made = made_of(type_)
        if not isinstance(type_, GraphQLObjectType):
            raise TypeError(f"{type_} is no object type")
        grouped = self.grouped(type_, details)
        if made is None:
            self.within.update(id(one.defer_usage) for each in grouped.values() for one in each)
            return self._selected(type_, made, grouped)
        laters = self._put_off(type_, made, grouped)
        plan = self._selected(type_, made, grouped)
        if laters:
            plan.text = putting_off(plan.text, tuple(laters))
            plan.fallible = True
        return plan

    def _selected(
        self, type_: GraphQLObjectType, made: Made | None, grouped: GroupedFieldSet
    ) -> ObjectPlan:
        """Returns the plan of fields of an object."""
        code = Code()
        access = Access("")
        if made is not None:
            access = message_access(made.message, code, self._packed, pair=made.entry)
        selection = Selection(type_.name, access, code)
        for key, each in grouped.items():
            nodes = nodes_of(each)
            name = nodes[0].name.value
            if name == "__typename":
                selection.typename(key)
                continue
            with self.at(key, type_):
                self._field(selection, type_, type_.fields[name], each, Place(key, nodes))
        return selection.object()

    def _put_off(
        self, type_: GraphQLObjectType, made: Made, grouped: GroupedFieldSet
    ) -> list[Later]:
        """Takes out of an object's fields those that are put off, and returns their fragments.

        That a fragment is put off is for the server to decide. Here it is where something in it
        needs another call; a field that is in several fragments is part of the answer itself.
        """
        fragments: dict[int, tuple[DeferUsage, GroupedFieldSet]] = {}
        for key, each in grouped.items():
            uses = {id(details.defer_usage): details.defer_usage for details in each}
            ((number, use),) = list(uses.items()) if len(uses) == 1 else [(0, None)]
            if use is None or number in self.within or not self._defers:
                self.within.update(uses)
            else:
                fragments.setdefault(number, (use, {}))[1][key] = each
        laters = []
        for number, (use, fields) in fragments.items():
            self.within.add(number)
            plan = self._selected(type_, made, fields)
            if plan.deep:
                self.puts_off = True
                laters.append(Later(use.label, plan))
                for key in fields:
                    del grouped[key]
        return laters

    def _field(
        self,
        selection: Selection,
        type_: GraphQLObjectType,
        definition: GraphQLField,
        details: FieldDetailsList,
        place: Place,
    ) -> None:
        source = source_of(definition)
        denied = self.denials.of_field(type_, definition, place)
        if denied is not None:
            selection.called(place.key, denied.text)
            return
        match source:
            case ProtoField():
                self._proto(selection, source, definition.type, details, place)
            case Nothing():
                selection.null(place.key)
            case OneofUnion():
                self._union(selection, source, definition.type, details, place)
            case Group():
                selection.same(place.key, self.object(get_named_type(definition.type), details))
            case Join():
                selection.join(place.key, self._join(source, definition, details, place))
            case ParentCall():
                selection.edge(place.key, self._call(source, definition, details, place))
            case None:
                selection.edge(place.key, self.python(type_, definition, details, place))
            case _:
                raise TypeError(f"{type_.name}.{place.nodes[0].name.value} is for roots only")

    def _proto(
        self,
        selection: Selection,
        source: ProtoField,
        type_: GraphQLOutputType,
        details: FieldDetailsList,
        place: Place,
    ) -> None:
        named = get_named_type(type_)
        child = None if is_leaf_type(named) else self.object(named, details)
        add_field(selection, source.descriptor, type_, place, child)

    def _union(
        self,
        selection: Selection,
        source: OneofUnion,
        type_: GraphQLOutputType,
        details: FieldDetailsList,
        place: Place,
    ) -> None:
        union = get_named_type(type_)
        if not isinstance(union, GraphQLUnionType):
            raise TypeError(f"{union} is no union")
        types = {member.name: member for member in union.types}
        fields = {field.name: field for field in source.descriptor.fields}
        plans = {}
        for case, name in source.members.items():
            denied = self.denials.of_case(name, fields[case], place)
            if denied is not None:
                plans[case] = ObjectPlan(denied.text, fallible=True)
            else:
                plans[case] = self.object(types[name], details)
        selection.union(place.key, source, plans)

    def _join(
        self, source: Join, definition: GraphQLField, details: FieldDetailsList, place: Place
    ) -> JoinEdge:
        selected = self.object(get_named_type(definition.type), details)
        lookup = source.lookup
        listed = bool(source.key[-1].is_repeated)
        shown = get_nullable_type(definition.type)
        item = shown.of_type if is_list_type(shown) else shown
        edge = JoinEdge(
            len(self.edges),
            place,
            by_lookup(lookup),
            self._methods[lookup.method.name],
            request_of(
                lookup.input,
                definition,
                place.nodes[0],
                self._writers,
                (*source.given, *mask_given(self._shown, lookup, definition, details)),
            ),
            key_reader(source.key),
            selected,
            listed=listed,
            many=source.many,
            loose=item is get_nullable_type(item),
            plain=plain_key(source),
        )
        self.edges.append(edge)
        return edge

    def python(
        self,
        type_: GraphQLObjectType,
        definition: GraphQLField,
        details: FieldDetailsList,
        place: Place,
    ) -> PythonEdge:
        """Returns the edge of a field that Python resolves."""
        if self._path is None:
            raise TypeError("a field has a path")
        make = self._resolving.edge(type_, definition, details, place, self._path)
        edge = make(len(self.edges))
        self.edges.append(edge)
        return edge

    @contextmanager
    def at(self, key: str, type_: GraphQLObjectType) -> Iterator[None]:
        """Keeps the path of a field while it is planned."""
        outer = self._path
        self._path = AnswerPath(outer, key, type_.name)
        try:
            yield
        finally:
            self._path = outer

    def _call(
        self, source: ParentCall, definition: GraphQLField, details: FieldDetailsList, place: Place
    ) -> JoinEdge:
        selected = self.answer(definition.type, details, source.output, source.pick, place)
        edge = JoinEdge(
            len(self.edges),
            place,
            by_parent(source),
            self._methods[source.method.name],
            request_of(source.input, definition, place.nodes[0], self._writers, source.given),
            bound_reader(source),
            selected,
            placed=True,
        )
        self.edges.append(edge)
        return edge
