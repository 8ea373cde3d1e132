"""Builds the graph: methods and their types become a schema; all that is wrong is told at once.

The roots are Query, Mutation and Subscription, as far as there are methods for them. GraphQL needs
a Query: without queries it has the one field that an empty message has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor
from graphql import (
    DEFAULT_DEPRECATION_REASON,
    GraphQLBoolean,
    GraphQLDeferDirective,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    specified_directives,
    validate_schema,
)

from gateway.fronts.graphql.graph.additions import Additions
from gateway.fronts.graphql.graph.findings import Findings, near
from gateway.fronts.graphql.graph.naming import Role, Unit, group_choices, settle
from gateway.fronts.graphql.graph.options import GraphOptions
from gateway.fronts.graphql.graph.reach import Reach
from gateway.fronts.graphql.graph.required import Required
from gateway.fronts.graphql.graph.roots import (
    Root,
    RootField,
    RootMethod,
    field_names,
    root_methods,
)
from gateway.fronts.graphql.graph.shapes import Shapes
from gateway.fronts.graphql.graph.sources import SOURCE, Group, Nothing, Rpc, made_of, source_of
from gateway.fronts.graphql.graph.type_names import ROOTS, TypeNames
from gateway.fronts.graphql.graph.types import NOTHING, Edges, Types
from gateway.schema.comments import Comments
from gateway.schema.method import MethodDescriptor
from gateway.schema.problem import SchemaError
from gateway.schema.registry import Registry
from gateway.turns import at_once

_JOINS = "graphql.joins"  # where fields are declared that no extension has
_GROUPS = {Root.QUERY: Role.QUERIES, Root.MUTATION: Role.MUTATIONS}


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph that is whole and right.

    Attributes:
        schema: The schema, validated.
        types: Its types by what they are made of.
        warnings: What the operator should know: names that were settled, joins in vain.
        notes: What is so by design, to be told who asks: methods left out and why.
        roots: The root fields, in the order of roots and names.
    """

    schema: GraphQLSchema
    types: Types
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    roots: tuple[RootField, ...]


def _no_edges(_: Types) -> Edges:
    return {}


def _no_additions(_: Types) -> Additions:
    return Additions()


def build_graph(
    methods: Iterable[MethodDescriptor],
    registry: Registry,
    options: GraphOptions | None = None,
    edges: Callable[[Types], Edges] = _no_edges,
    extensions: Callable[[Types], Additions] = _no_additions,
) -> Graph:
    """Builds a graph.

    Args:
        methods: Those that have an upstream, of any kind; the options choose among them.
        registry: Their descriptors.
        options: What the configuration says.
        edges: Makes more fields, by the names of the object types or roots that they belong to.
        extensions: Makes fields that Python resolves, and types of their own.

    Raises:
        SchemaError: With all that is wrong: names that can't be, and fields that `edges` and
            `extensions` made which don't fit. What those raise themselves passes.
    """
    return at_once(building_graph(methods, registry, options, edges, extensions))


def building_graph(
    methods: Iterable[MethodDescriptor],
    registry: Registry,
    options: GraphOptions | None = None,
    edges: Callable[[Types], Edges] = _no_edges,
    extensions: Callable[[Types], Additions] = _no_additions,
) -> Generator[None, None, Graph]:
    """Does what `build_graph` does, and yields where others may have their turn."""
    options = options or GraphOptions()
    findings = Findings(clashes_fail=options.names == "fail")
    found = root_methods(methods, registry, options, findings)
    shapes = Shapes(options, findings)
    reach = Reach(shapes)
    for each in found:
        reach.arguments(each.pool.input_type)
        reach.outputs(each.pool.output_type)
        yield
    shown = [
        each
        for each in found
        if not each.options.hide and (each.root is not Root.SUBSCRIPTION or options.subscriptions)
    ]
    grouped = options.naming == "by_service"
    groups = _groups(shown) if grouped else {}
    names = TypeNames(reach.found, registry, shapes, findings, groups)
    yield
    types = Types(names, shapes, Required(shapes, findings), Comments(registry))
    roots = _Roots(types, names, findings, groups)
    for root in Root:
        yield from roots.add(root, [each for each in shown if each.root is root])
    added = extensions(types)
    yield
    more = _merged(edges(types), added, findings)
    yield
    types.extend({name: fields for name, fields in more.items() if name not in ROOTS})
    for name in ROOTS:
        if name != Root.SUBSCRIPTION.value or options.subscriptions:
            roots.extend(name, more.get(name, {}), added.origins)
    try:
        schema = GraphQLSchema(
            query=roots.type("Query") or _nothing(),
            mutation=roots.type("Mutation"),
            subscription=roots.type("Subscription"),
            types=added.types,
            directives=[*specified_directives, GraphQLDeferDirective],
        )
    except TypeError:  # names that are there twice: of types of protos, that can't be
        _check_types(types, added, findings)
        if findings.problems:
            raise SchemaError(findings.problems) from None
        raise
    yield
    if options.partial:  # edges of types of other graphs are in vain in this one
        more = {name: fields for name, fields in more.items() if name in schema.type_map}
    _check_edges(schema, types, more, findings, added.origins)
    _check_options(registry, options, findings)
    yield
    for error in validate_schema(schema):
        findings.refuse("graphql", error.message)
    if findings.problems:
        raise SchemaError(findings.problems)
    listed = sorted(roots.listed, key=lambda each: (ROOTS.index(each.root), each.name))
    return Graph(schema, types, tuple(findings.warnings), _notes(findings), tuple(listed))


def _merged(edges: Edges, added: Additions, findings: Findings) -> Edges:
    """Returns the fields of edges and those of extensions; no type has one of both."""
    merged = {name: dict(fields) for name, fields in edges.items()}
    for name, fields in added.fields.items():
        known = merged.setdefault(name, {})
        for field in fields.keys() & known.keys():
            _taken(name, field, added.origins, findings)
        known.update(fields)
    return merged


def _taken(name: str, field: str, origins: Mapping[str, str], findings: Findings) -> None:
    where = origins.get(f"{name}.{field}", _JOINS)
    findings.refuse(where, f"{name} has a field {field} already")


def _check_types(types: Types, added: Additions, findings: Findings) -> None:
    for each in added.types:
        if types.is_made(each.name):
            where = added.origins.get(each.name, "graphql.extensions")
            findings.refuse(where, f"the graph has a type {each.name} already")


def _notes(findings: Findings) -> tuple[str, ...]:
    if not findings.streaming:
        return ()
    return (f"not in the graph, as their requests are streams: {', '.join(findings.streaming)}",)


def _groups(methods: Iterable[RootMethod]) -> dict[Unit, list[RootMethod]]:
    groups: dict[Unit, list[RootMethod]] = defaultdict(list)
    for each in methods:
        if role := _GROUPS.get(each.root):
            service = each.pool.containing_service
            groups[Unit(role, service.full_name, service.file.package)].append(each)
    return groups


class _Roots:
    """The fields of the roots while they are gathered."""

    def __init__(
        self,
        types: Types,
        names: TypeNames,
        findings: Findings,
        groups: Mapping[Unit, Sequence[RootMethod]],
    ) -> None:
        self.listed: list[RootField] = []
        self._types = types
        self._names = names
        self._findings = findings
        self._groups = groups
        self._fields: dict[str, dict[str, GraphQLField]] = {name: {} for name in ROOTS}

    def add(self, root: Root, methods: Sequence[RootMethod]) -> Generator[None, None, None]:
        """Adds the methods of a root. A subscription is one stream, so those are never grouped."""
        groups = {u: each for u, each in self._groups.items() if u.role is _GROUPS.get(root)}
        if not groups:
            self._fields[root.value] = yield from self._methods(root, methods, "", flat=True)
            return
        settled = settle({u: group_choices(u.full_name, u.package) for u in groups})
        for clash in settled.clashes:
            self._findings.clash(
                "graphql.naming",
                clash.name,
                [each.full_name for each in clash.keys],
                [settled.names[each] for each in clash.keys],
                taken=False,
            )
        for unit in sorted(groups, key=settled.names.__getitem__):
            name = settled.names[unit]
            fields = yield from self._methods(root, groups[unit], f"{name}.", flat=False)
            made = GraphQLObjectType(self._names.name(unit), fields)
            self._fields[root.value][name] = GraphQLField(
                GraphQLNonNull(made), extensions={SOURCE: Group()}
            )

    def extend(
        self, name: str, fields: Mapping[str, GraphQLField], origins: Mapping[str, str]
    ) -> None:
        """Adds fields of edges and extensions to a root."""
        for field in fields.keys() & self._fields[name].keys():
            _taken(name, field, origins, self._findings)
        self._fields[name].update(fields)
        for field, made in fields.items():
            if isinstance(source := source_of(made), Rpc):
                self.listed.append(RootField(name, field, source.method))

    def type(self, name: str) -> GraphQLObjectType | None:
        """Returns a root type; None where it has no fields."""
        fields = self._fields[name]
        return GraphQLObjectType(name, dict(sorted(fields.items()))) if fields else None

    def _methods(
        self, root: Root, methods: Sequence[RootMethod], prefix: str, *, flat: bool
    ) -> Generator[None, None, dict[str, GraphQLField]]:
        fields = {}
        named = field_names(methods, self._findings, flat=flat)
        for (name, _), each in sorted(named.items(), key=lambda item: item[0]):
            fields[name] = self._field(each)
            self.listed.append(RootField(root.value, prefix + name, each.method))
            yield
        return fields

    def _field(self, each: RootMethod) -> GraphQLField:
        method = each.method
        why = method.deprecation or (DEFAULT_DEPRECATION_REASON if method.deprecated else None)
        return GraphQLField(
            self._types.output(each.pool.output_type),
            args=self._types.arguments(each.pool.input_type),
            description=method.comment or None,
            deprecation_reason=why,
            extensions={SOURCE: Rpc(method, each.pool.input_type, each.pool.output_type)},
        )


def _nothing() -> GraphQLObjectType:
    field = GraphQLField(GraphQLBoolean, extensions={SOURCE: Nothing()})
    return GraphQLObjectType("Query", {NOTHING: field})


def _check_edges(
    schema: GraphQLSchema,
    types: Types,
    edges: Edges,
    findings: Findings,
    origins: Mapping[str, str],
) -> None:
    for name, fields in edges.items():
        if fields and name not in schema.type_map:
            findings.warn(f"the graph never reaches {name}: its joins are in vain")
        made = types.named(name)
        own = made_of(made) if isinstance(made, GraphQLObjectType) else None
        for taken in fields.keys() & (types.member_names(own.message).values() if own else ()):
            _taken(name, taken, origins, findings)


def _check_options(registry: Registry, options: GraphOptions, findings: Findings) -> None:
    """Finds configured fields and oneofs that are none."""
    for name in options.fields:
        message = _parent(registry, name)
        known = [] if message is None else [each.full_name for each in message.fields]
        if name not in known:
            findings.refuse(f"graphql.fields.{name}", "there is no such field", near(name, known))
    for name in options.oneofs:
        message = _parent(registry, name)
        known = [] if message is None else [each.full_name for each in message.oneofs]
        if name not in known:
            findings.refuse(f"graphql.oneofs.{name}", "there is no such oneof", near(name, known))


def _parent(registry: Registry, name: str) -> Descriptor | None:
    try:
        return registry.message(name.rpartition(".")[0])
    except KeyError:
        return None
