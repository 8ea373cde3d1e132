"""How large operations are when their fragments are written out, without writing them out.

A document of a few lines can stand for 2^100 fields, since fragments spread fragments. Every
definition is measured once, inside out, so the time is linear in the document. A spread that closes
a cycle adds nothing: validation refuses it. Types are not looked at: two fields that would merge
are two here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

_INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Measure:
    """The size of a selection set, its fragments written out.

    Attributes:
        depth: Levels of fields, without those below `__schema` and `__type`.
        introspection_depth: Levels of fields below those.
        fields: Fields.
        aliases: Fields with an alias.
        introspection_fields: Fields below `__schema` and `__type`.
    """

    depth: int = 0
    introspection_depth: int = 0
    fields: int = 0
    aliases: int = 0
    introspection_fields: int = 0


@dataclass(slots=True)
class _Spread:
    """A fragment's place in a definition: the levels of fields that it stands below."""

    name: str
    depth: int
    inside: int | None  # levels below `__schema`; None outside


def measures(
    operations: Iterable[OperationDefinitionNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[Measure]:
    """Yields the measure of each operation, in order.

    Args:
        operations: The operations.
        fragments: The fragments by name; spreads of others count as nothing.
    """
    known: dict[str, Measure] = {}
    for operation in operations:
        own, spreads = _own(operation.selection_set)
        _measure_fragments((spread.name for spread in spreads), fragments, known)
        yield _total(own, spreads, known)


def root_fields(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[FieldNode]:
    """Yields the fields at the root of an operation, each as it is written, once."""
    seen: set[str] = set()
    waiting = [operation.selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name in fragments and name not in seen:
                    seen.add(name)
                    waiting.append(fragments[name].selection_set)


def _measure_fragments(
    names: Iterable[str],
    fragments: Mapping[str, FragmentDefinitionNode],
    known: dict[str, Measure],
) -> None:
    """Adds the measures of fragments, and of all that they spread, to `known`.

    A walk in postorder on a stack of its own: chains of fragments may be longer than Python's.
    """
    open_: dict[str, tuple[Measure, list[_Spread]]] = {}  # those on the way, and so closing a cycle
    stack = [(name, False) for name in names]
    while stack:
        name, is_leaving = stack.pop()
        if is_leaving:
            known[name] = _total(*open_.pop(name), known)
        elif name in fragments and name not in known and name not in open_:
            open_[name] = _own(fragments[name].selection_set)
            stack.append((name, True))
            stack += [(spread.name, False) for spread in open_[name][1]]


def _own(root: SelectionSetNode) -> tuple[Measure, list[_Spread]]:
    """Returns the measure of a definition without its spreads, and those."""
    depth = deepest_inside = fields = aliases = fields_inside = 0
    spreads: list[_Spread] = []
    waiting: list[tuple[SelectionSetNode, int, int | None]] = [(root, 0, None)]
    while waiting:
        selections, level, inside = waiting.pop()
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                fields += 1
                aliases += selection.alias is not None
                if inside is None:
                    depth = max(depth, level + 1)
                    below = 0 if selection.name.value in _INTROSPECTION else None
                else:
                    fields_inside += 1
                    below = inside + 1
                    deepest_inside = max(deepest_inside, below)
                if selection.selection_set:
                    waiting.append((selection.selection_set, level + 1, below))
            elif isinstance(selection, InlineFragmentNode):
                waiting.append((selection.selection_set, level, inside))
            elif isinstance(selection, FragmentSpreadNode):
                spreads.append(_Spread(selection.name.value, level, inside))
    return Measure(depth, deepest_inside, fields, aliases, fields_inside), spreads


def _total(own: Measure, spreads: Iterable[_Spread], known: Mapping[str, Measure]) -> Measure:
    depth, inside = own.depth, own.introspection_depth
    fields, aliases, fields_inside = own.fields, own.aliases, own.introspection_fields
    for spread in spreads:
        if (spread_measure := known.get(spread.name)) is None:
            continue
        fields += spread_measure.fields
        aliases += spread_measure.aliases
        inside = max(inside, spread_measure.introspection_depth)
        if spread.inside is None:
            depth = max(depth, spread.depth + spread_measure.depth)
            fields_inside += spread_measure.introspection_fields
        else:
            fields_inside += spread_measure.fields
            inside = max(inside, spread.inside + spread_measure.depth)
    return Measure(depth, inside, fields, aliases, fields_inside)
