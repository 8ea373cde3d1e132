"""What is found of types and of all that they hold, each looked at once, whatever holds them.

Types may hold each other: those that do are one knot, as whoever reaches one of them reaches all
(the strongly connected components of R. Tarjan, "Depth-first search and linear graph algorithms",
1972). Below a knot only those are kept in mind of which, or below which, something is found.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

_Node = TypeVar("_Node", bound=Hashable)
_Found = TypeVar("_Found")

Look: TypeAlias = "Callable[[_Node], tuple[Iterable[_Found], Iterable[_Node]]]"
"""Returns what is found of a node itself, and the nodes that it leads to."""


@dataclass(frozen=True, slots=True, eq=False)
class _Knot(Generic[_Found]):
    """Nodes that all lead to each other; mostly one.

    Attributes:
        found: What is found of them.
        below: Where they lead to, as far as something is found there.
    """

    found: tuple[_Found, ...]
    below: tuple[_Knot[_Found], ...]


class Reaching(Generic[_Node, _Found]):
    """Finds what nodes lead to.

    Args:
        look: Looks at a node; asked once of each.
    """

    def __init__(self, look: Look[_Node, _Found]) -> None:
        self._look = look
        self._knots: dict[_Node, _Knot[_Found]] = {}

    def of(self, nodes: Iterable[_Node]) -> Iterator[_Found]:
        """Yields what is found of nodes and of all that they lead to."""
        seen: dict[_Knot[_Found], None] = {}
        for node in nodes:
            if node not in self._knots:
                self._tie(node)
            seen[self._knots[node]] = None
        waiting = [*seen]
        while waiting:
            knot = waiting.pop()
            yield from knot.found
            for each in knot.below:
                if each not in seen:
                    seen[each] = None
                    waiting.append(each)

    def _tie(self, root: _Node) -> None:
        """Ties the knots of all that a node leads to and that are in none."""
        looks: dict[_Node, tuple[Iterable[_Found], tuple[_Node, ...]]] = {}
        numbers: dict[_Node, int] = {}
        least: dict[_Node, int] = {}  # of those that it leads back to
        untied: list[_Node] = []
        path: list[tuple[_Node, Iterator[_Node]]] = []

        def enter(node: _Node) -> None:
            found, below = self._look(node)
            looks[node] = found, tuple(below)
            least[node] = numbers[node] = len(numbers)
            untied.append(node)
            path.append((node, iter(looks[node][1])))

        enter(root)
        while path:
            node, rest = path[-1]
            for each in rest:
                if each in self._knots:
                    continue
                if each not in numbers:
                    enter(each)
                    break
                least[node] = min(least[node], numbers[each])
            else:
                path.pop()
                if path:
                    above = path[-1][0]
                    least[above] = min(least[above], least[node])
                if least[node] == numbers[node]:
                    members: list[_Node] = []
                    while not members or members[-1] != node:
                        members.append(untied.pop())
                    self._add([looks.pop(each) for each in members], members)

    def _add(
        self,
        looks: Iterable[tuple[Iterable[_Found], Iterable[_Node]]],
        members: Iterable[_Node],
    ) -> None:
        """Adds a knot; all that its members lead to is tied, but themselves."""
        found: list[_Found] = []
        below: dict[_Knot[_Found], None] = {}
        for own, nodes in looks:
            found += own
            for each in nodes:
                knot = self._knots.get(each)
                if knot is not None and (knot.found or knot.below):
                    below[knot] = None
        self._knots |= dict.fromkeys(members, _Knot(tuple(found), tuple(below)))
