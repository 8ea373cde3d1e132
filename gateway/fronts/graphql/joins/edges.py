"""All edges of a graph: files and lookups in, fields with sources out, or everything wrong at once.

lookups from the configuration ─┐
lookups from options on RPCs ───┴─► declared ─┐
files of SDL ─► sdl ─► directives ─► parents ─┴─► join, call ─► fields
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graphql import GraphQLField

from gateway.fronts.graphql.graph.options import GraphOptions
from gateway.fronts.graphql.graph.types import Types
from gateway.fronts.graphql.joins.call import call_field
from gateway.fronts.graphql.joins.candidates import hint
from gateway.fronts.graphql.joins.context import Context
from gateway.fronts.graphql.joins.declared import declared
from gateway.fronts.graphql.joins.directives import said
from gateway.fronts.graphql.joins.join import join_field
from gateway.fronts.graphql.joins.options import LookupOptions
from gateway.fronts.graphql.joins.parents import parent_of
from gateway.fronts.graphql.joins.places import Findings
from gateway.fronts.graphql.joins.rpcs import Rpcs
from gateway.fronts.graphql.joins.sdl import CALL, Edge, read
from gateway.schema.method import MethodDescriptor
from gateway.schema.problem import Problem, SchemaError
from gateway.schema.registry import Registry


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of a graph.

    Attributes:
        fields: What each type gets, by the type's name and the field's; roots among them.
        warnings: What an operator should know: joins that call once for each parent (N + 1).
        names: What to call each field's edge: where it is written, and which it is.
        left_out: Of a partial graph: what does not fit it, and why.
    """

    fields: Mapping[str, Mapping[str, GraphQLField]]
    warnings: tuple[Problem, ...] = ()
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    left_out: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)

    def in_vain(self, types: Container[str]) -> Iterator[str]:
        """Yields the names of the edges of types that a graph does not have.

        Args:
            types: The names of the types that it has.
        """
        for (parent, _), name in self.names.items():
            if parent not in types:
                yield name


def edges(
    types: Types,
    methods: Iterable[MethodDescriptor],
    registry: Registry,
    *,
    lookups: Sequence[LookupOptions] = (),
    files: Sequence[tuple[str, str]] = (),
    options: GraphOptions | None = None,
) -> Edges:
    """Makes the fields of all edges, checked against the descriptors.

    Args:
        types: The types of the graph that they are for.
        methods: What the gateway can call; hidden methods too.
        registry: Their descriptors.
        lookups: Entries of `graphql.lookups`; those of options on RPCs come by themselves.
        files: What to call each file of joins, and its text.
        options: What the configuration says of the graph.

    Raises:
        SchemaError: With everything that is wrong in all files and lookups.
    """
    findings = Findings()
    options = options or GraphOptions()
    rpcs = Rpcs(methods, registry, options)
    left_out: dict[str, tuple[Problem, ...]] = {}
    here = []
    for lookup in lookups:
        if options.partial and rpcs.find(lookup.method) is None:
            text = f'there is no RPC "{lookup.method}"'
            place = lookup.place
            problem = Problem(place.where, place.line, place.column, text)
            left_out[f"{place}: the lookup by {lookup.method}"] = (problem,)
        else:
            here.append(lookup)
    context = Context(types, rpcs, declared(here, rpcs, findings), findings)
    fields: dict[str, dict[str, GraphQLField]] = {}
    names: dict[tuple[str, str], str] = {}
    for edge in read(files, findings):
        name = f"{edge.place()}: {edge.label}"
        before = len(findings.problems)
        made = _field(edge, context)
        if made is not None:
            fields.setdefault(edge.parent, {})[edge.name] = made
            names[edge.parent, edge.name] = name
        elif options.partial:
            left_out[name] = tuple(findings.problems[before:])
            del findings.problems[before:]
    if findings.problems:
        raise SchemaError(findings.problems)
    return Edges(fields, tuple(findings.warnings), names, left_out)


def _field(edge: Edge, context: Context) -> GraphQLField | None:
    directive = said(edge, context.findings)
    parent = parent_of(edge, context.types, context.findings)
    if directive is None or parent is None:
        return None
    if edge.directive.name.value == CALL:
        return call_field(edge, directive, parent, context)
    if parent.message is None:
        context.findings.wrong(
            edge.place(edge.directive),
            f"{edge.label}: {edge.parent} has no keys to join by",
            hint(line="@call, which takes its request from the field's arguments"),
        )
        return None
    return join_field(edge, directive, parent.message, context)
