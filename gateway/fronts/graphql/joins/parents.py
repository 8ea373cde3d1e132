"""The type that an edge extends, and whether it can take the field."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor
from graphql import GraphQLObjectType

from gateway.fronts.graphql.graph.roots import Root
from gateway.fronts.graphql.graph.sources import made_of
from gateway.fronts.graphql.graph.types import Types
from gateway.fronts.graphql.joins.candidates import hint, nearest
from gateway.fronts.graphql.joins.places import Findings
from gateway.fronts.graphql.joins.sdl import Edge

_ROOTS = {root.value: root for root in Root}


@dataclass(frozen=True, slots=True)
class Parent:
    """What an edge extends: a root, or the type of a message. One of the two is None."""

    root: Root | None = None
    message: Descriptor | None = None


def parent_of(edge: Edge, types: Types, findings: Findings) -> Parent | None:
    """Returns what an edge extends; None where it can't, which `findings` gets."""
    root = _ROOTS.get(edge.parent)
    if root is not None:
        return Parent(root=root)
    found = types.named(edge.parent)
    place = edge.place(edge.parent_node)
    if found is None:
        known = [name for name in types.names() if not name.startswith("__")]
        near = nearest(edge.parent, (*known, *_ROOTS))
        line = f"extend type {near[0]} {{ … }}" if near else ""
        findings.wrong(place, f"the graph has no type {edge.parent}", hint(near, line))
        return None
    made = made_of(found)
    if not isinstance(found, GraphQLObjectType) or made is None:
        findings.wrong(place, f"{edge.parent} is no object type: it can't be extended")
        return None
    if made.entry:
        findings.wrong(
            place,
            f"{edge.parent} is the entry of a map: it can't be extended; its value's type can",
        )
        return None
    taken = types.member_names(made.message)
    if edge.name in taken.values():
        source = next(proto for proto, name in taken.items() if name == edge.name)
        findings.wrong(
            edge.place(),
            f"{edge.label}: {made.message.full_name} has the field already, made of {source}",
            "give the join another name",
        )
        return None
    return Parent(message=made.message)
