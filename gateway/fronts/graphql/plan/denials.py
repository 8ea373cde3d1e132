"""The fields of one operation that its caller may not see, as they are met while it is planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from graphql import GraphQLField, GraphQLObjectType
from graphql.execution.collect_fields import GroupedFieldSet

from gateway.call import RpcError
from gateway.fronts.graphql.execute.trouble import Place, Trouble
from gateway.fronts.graphql.graph.sources import source_of
from gateway.fronts.graphql.plan.edges import Edge
from gateway.fronts.graphql.plan.scopes import Lacking, Scopes, needed, needed_to_ask


@dataclass(frozen=True, slots=True, eq=False)
class Denied:
    """A field that its caller may not see: an edge (`edges.Edge`) for which nothing is called.

    It is null wherever it would be. That is told once in an answer, at the first of these places: a
    list of a thousand items has no thousand errors that say the same.

    Attributes:
        index: The edge's number in the plan.
        place: Where the field is.
        path: What of its path it adds itself.
        field: As the graph calls it.
        needs: The scopes that it needs.
        lacking: What the caller lacks.
    """

    index: int
    place: Place
    path: tuple[str, ...]
    field: str
    needs: frozenset[str]
    lacking: Lacking

    def load(self, parents: object, run: object) -> None:
        """Asks for nothing."""

    def text(self, _parent: Any, run: Any) -> str:
        """Returns null; the first time in a run, tells why."""
        if run.sources[self.index] is None:
            run.sources[self.index] = self
            run.errors.append(Trouble(self.failure(), [*self.path], self.place.nodes))
        return "null"

    def failure(self) -> RpcError:
        """Returns what is told of it; a new one each time, as what is raised keeps its frames."""
        return self.lacking.denial(self.field, self.needs)


class Sight(NamedTuple):
    """What a caller may see.

    Attributes:
        scopes: What fields of messages need.
        lacking: What the caller lacks of it.
    """

    scopes: Scopes
    lacking: Lacking


class Denials:
    """Says of each field whether it is denied, and keeps what was needed.

    Args:
        sight: What the caller may see.
        edges: Those of the plan: a field that is denied is one.

    Attributes:
        needs: The scopes that were needed so far, whether the caller has them or not.
    """

    def __init__(self, sight: Sight, edges: list[Edge]) -> None:
        self.needs: set[str] = set()
        self._scopes, self._lacking = sight
        self._edges = edges

    def of_field(
        self, type_: GraphQLObjectType, definition: GraphQLField, place: Place
    ) -> Denied | None:
        """Returns what stands in place of a field; None where the caller may see it."""
        node = place.nodes[0]
        needs = needed(source_of(definition), self._scopes)
        self.needs |= needed_to_ask(definition, node, self._scopes)
        return self._denied(f"{type_.name}.{node.name.value}", needs, place, (place.key,))

    def of_case(self, type_: str, case: FieldDescriptor, place: Place) -> Denied | None:
        """Returns what stands in place of a case of a union; None where the caller may see it.

        Args:
            type_: What it is in the union.
            case: The field that is set then.
            place: The union's, which adds its key to paths itself.
        """
        return self._denied(type_, self._scopes(case), place, ())

    def shown(self, type_: GraphQLObjectType, grouped: GroupedFieldSet) -> GroupedFieldSet:
        """Returns the fields of an object that the caller may see."""
        if not self._lacking.scopes:
            return grouped
        return {
            key: details
            for key, details in grouped.items()
            if (definition := type_.fields.get(details[0].node.name.value)) is None
            or not self._lacks(needed(source_of(definition), self._scopes))
        }

    def _denied(
        self, field: str, needs: frozenset[str], place: Place, path: tuple[str, ...]
    ) -> Denied | None:
        self.needs |= needs
        if not self._lacks(needs):
            return None
        edge = Denied(len(self._edges), place, path, field, needs, self._lacking)
        self._edges.append(edge)
        return edge

    def _lacks(self, needs: frozenset[str]) -> bool:
        return not self._lacking.scopes.isdisjoint(needs)
