"""The arguments of an edge: which request field each sets, and whether it can.

An argument sets the request field of its own name, as the graph or the proto calls it, if `with`
does not say another. Its type is that of the request field in the graph, or one whose values all
fit into it. Defaults hold as in GraphQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from google.protobuf.descriptor import FieldDescriptor
from graphql import (
    GraphQLArgument,
    GraphQLDefaultInput,
    GraphQLError,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    InputValueDefinitionNode,
    NullValueNode,
    get_named_type,
    is_input_type,
    print_ast,
)
from graphql.utilities import validate_input_literal

from gateway.fronts.graphql.graph.sources import SOURCE, Argument, OneofInput, Path
from gateway.fronts.graphql.graph.types import Types
from gateway.fronts.graphql.joins.bindings import Bindings
from gateway.fronts.graphql.joins.candidates import hint, listed, nearest
from gateway.fronts.graphql.joins.kinds import takes_scalar
from gateway.fronts.graphql.joins.paths import dotted
from gateway.fronts.graphql.joins.places import Findings
from gateway.fronts.graphql.joins.sdl import Edge
from gateway.fronts.graphql.joins.written_types import type_of


class _ArgumentError(ValueError):
    """An argument that can't be; the text is a whole sentence."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def arguments(
    edge: Edge, bindings: Bindings, types: Types, findings: Findings
) -> dict[str, GraphQLArgument]:
    """Returns the arguments of an edge with their sources; wrong ones are left out.

    That all required fields of the request are set, by arguments or otherwise, is checked too.

    Args:
        edge: The edge.
        bindings: What else sets the request; gets what arguments set.
        types: The graph's types.
        findings: Gets what is wrong.
    """
    found: dict[str, GraphQLArgument] = {}
    for node in edge.arguments:
        name = node.name.value
        if name in found:
            findings.wrong(edge.place(node.name), f"{edge.label}: argument {name} is there twice")
            continue
        try:
            found[name] = _argument(node, edge, bindings, types)
        except _ArgumentError as wrong:
            message = f"{edge.label}: argument {name}: {wrong}"
            findings.wrong(edge.place(node.name), message, wrong.hint)
    for message, line in _lacking(edge, bindings, found, types):
        findings.wrong(edge.place(), f"{edge.label}: {message}", hint(line=line))
    return found


def _lacking(
    edge: Edge, bindings: Bindings, found: Mapping[str, GraphQLArgument], types: Types
) -> Iterator[tuple[str, str]]:
    """Yields what is wrong about required request fields, and the right line."""
    request = bindings.request
    tried = {each.name.value for each in edge.arguments} - found.keys()
    set_by = {path[0].name for path in bindings.taken}
    by_field = {
        source.path[-1].name: name
        for name, argument in found.items()
        if isinstance(source := argument.extensions[SOURCE], Argument) and len(source.path) == 1
    }
    for field in request.fields:
        expected = types.field_input(field)
        if not isinstance(expected, GraphQLNonNull):
            continue
        name = by_field.get(field.name)
        if name is not None:
            argument = found[name]
            if not isinstance(argument.type, GraphQLNonNull) and not _has_default(argument):
                line = edge.line(arguments={name: f"{name}: {argument.type}!"})
                yield (
                    (
                        f"argument {name} sets {field.name}, which {request.full_name} requires; "
                        "it needs a ! or a default"
                    ),
                    line,
                )
        elif field.name not in set_by:
            graph_name = types.member_names(request).get(field.name, field.name)
            if not tried & {graph_name, field.name}:  # else that argument's own mistake is told
                line = edge.line(arguments={graph_name: f"{graph_name}: {expected}"})
                yield f"{request.full_name} requires {field.name}, and nothing sets it", line


def _argument(
    node: InputValueDefinitionNode,
    edge: Edge,
    bindings: Bindings,
    types: Types,
) -> GraphQLArgument:
    name = node.name.value
    if node.directives:
        raise _ArgumentError(f"it can't have @{node.directives[0].name.value}")
    source, expected, field = _target(name, edge, bindings, types)
    type_ = type_of(node.type, types)
    if type_ is None or not is_input_type(type_):
        named = print_ast(node.type).strip("[]!")
        why = "is no type of inputs" if type_ is not None else "is no type of the graph"
        near = nearest(named, types.names()) if type_ is None else ()
        fix = edge.line(arguments={name: _defined(node, str(expected))})
        raise _ArgumentError(f"{named} {why}", hint(near, fix))
    if not _accepts(expected, type_, field):
        fix = edge.line(arguments={name: _defined(node, str(expected))})
        what = f"{bindings.request.full_name}.{_described(source)}"
        raise _ArgumentError(f"it is {type_}, and {what} takes {expected}", hint(line=fix))
    default = None
    if node.default_value is not None:
        default = GraphQLDefaultInput(literal=node.default_value)
        errors: list[str] = []

        def note(error: GraphQLError, _path: object) -> None:
            errors.append(error.message)

        validate_input_literal(node.default_value, type_, note)
        if errors:
            raise _ArgumentError(f"its default does not fit: {errors[0]}")
    return GraphQLArgument(
        type_,
        default=default,
        description=node.description.value if node.description else None,
        extensions={SOURCE: source},
    )


def _target(
    name: str, edge: Edge, bindings: Bindings, types: Types
) -> tuple[Argument | OneofInput, GraphQLInputType, FieldDescriptor | None]:
    """Returns where an argument goes, the type of it in the graph, and the field if it is one."""
    if (path := bindings.arguments.get(name)) is not None:
        return Argument(path), types.field_input(path[-1]), path[-1]
    request = bindings.request
    generated = types.arguments(request)
    known = generated.get(name) or generated.get(types.member_names(request).get(name, ""))
    if known is None:
        near = nearest(name, generated)
        can = f"; it has {listed(list(generated))}" if generated else ""
        right = str(generated[near[0]].type) if near else ""
        line = edge.line(arguments={name: f"{near[0]}: {right}"}) if near else ""
        raise _ArgumentError(f"{request.full_name} has no such field{can}", hint(near, line))
    source: Argument | OneofInput = known.extensions[SOURCE]
    if isinstance(source, OneofInput):
        return source, known.type, None
    if before := bindings.take(source.path, f"argument {name}"):
        raise _ArgumentError(
            f"{dotted(source.path)} is set by {before} already",
            hint(line=edge.line(arguments={name: ""})),
        )
    return source, known.type, source.path[-1]


def _accepts(
    expected: GraphQLInputType, given: GraphQLInputType, field: FieldDescriptor | None
) -> bool:
    """Whether every value of a type can be set where another is expected; null is nothing set."""
    if isinstance(expected, GraphQLNonNull):
        expected = expected.of_type
    if isinstance(given, GraphQLNonNull):
        given = given.of_type
    if isinstance(expected, GraphQLList) and isinstance(given, GraphQLList):
        one, other = expected.of_type, given.of_type
        never_null = isinstance(other, GraphQLNonNull) or not isinstance(one, GraphQLNonNull)
        return never_null and _accepts(one, other, field)
    if isinstance(expected, GraphQLList) or isinstance(given, GraphQLList):
        return False
    name = get_named_type(given).name
    if name == get_named_type(expected).name:
        return True
    return field is not None and takes_scalar(name, field)


def _has_default(argument: GraphQLArgument) -> bool:
    default = argument.default
    return default is not None and not isinstance(default.literal, NullValueNode)


def _defined(node: InputValueDefinitionNode, type_: str) -> str:
    default = f" = {print_ast(node.default_value)}" if node.default_value is not None else ""
    return f"{node.name.value}: {type_}{default}"


def _described(source: Argument | OneofInput) -> str:
    if isinstance(source, OneofInput):
        return str(source.descriptor.name)
    path: Path = source.path
    return dotted(path)
