"""Path templates of two surfaces: which paths of one the other still answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from gateway.routing.template import Segment, Template, Wildcard

T = TypeVar("T")


class Covering(Generic[T]):
    """Finds the templates that cover another one, at a cost of its segments and not of them all.

    Args:
        entries: Templates, each with what is to be found by it.
    """

    def __init__(self, entries: Iterable[tuple[Template, T]]) -> None:
        self._root = _Node[T]()
        for number, (template, target) in enumerate(entries):
            node = self._root
            for segment in template.segments:
                if segment is Wildcard.MANY:
                    break
                node = node.below.setdefault(segment, _Node[T]())
            node.ending.append((number, template, target))

    def find(self, narrow: Template) -> list[T]:
        """Returns what covers a template, in the order in which it was given."""
        found, nodes = [], [self._root]
        for segment in narrow.segments:
            found += [each for node in nodes for each in node.ending]
            steps = (segment, Wildcard.ONE) if segment is not Wildcard.ONE else (segment,)
            nodes = [node.below[step] for node in nodes for step in steps if step in node.below]
        found += [each for node in nodes for each in node.ending]
        covering = (each for each in found if covers(each[1], narrow))
        return [target for _, _, target in sorted(covering, key=lambda each: each[0])]


class _Node(Generic[T]):
    """Templates that begin alike.

    Attributes:
        below: Those that go on, by their next segment.
        ending: Those that end here, or go on with `**`: their number, themselves, their target.
    """

    __slots__ = ("below", "ending")

    def __init__(self) -> None:
        self.below: dict[Segment, _Node[T]] = {}
        self.ending: list[tuple[int, Template, T]] = []


def covers(wide: Template, narrow: Template) -> bool:
    """Whether a template matches every path that another one matches.

    Args:
        wide: The one that may match more.
        narrow: The other.
    """
    if wide.verb != narrow.verb:
        return False
    if Wildcard.MANY not in wide.segments:
        return (
            Wildcard.MANY not in narrow.segments
            and len(wide.segments) == len(narrow.segments)
            and _each(wide.segments, narrow.segments)
        )
    start = wide.segments.index(Wildcard.MANY)
    tail = len(wide.segments) - start - 1
    fixed = narrow.segments
    if Wildcard.MANY in fixed:
        # What the narrow one's own wildcard takes, the wide one's must: all else stands around it.
        at = fixed.index(Wildcard.MANY)
        if at < start or len(fixed) - at - 1 < tail:
            return False
    elif len(fixed) < start + tail:
        return False
    end = len(fixed) - tail
    return _each(wide.segments[:start], fixed[:start]) and _each(
        wide.segments[start + 1 :], fixed[end:]
    )


def _each(wide: tuple[Segment, ...], narrow: tuple[Segment, ...]) -> bool:
    return all(
        one == other or (one is Wildcard.ONE and other is not Wildcard.MANY)
        for one, other in zip(wide, narrow, strict=True)
    )
