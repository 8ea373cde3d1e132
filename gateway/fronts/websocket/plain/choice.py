"""Which method answers an upgrade, where several are bound to one path.

A WebSocket's handshake is a GET whatever the rule's verb is, so the verb can't choose: the
streaming method does, then that of GET. Pure; what a path is, and how it is matched, is the
router's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.routing.table import ANY
from gateway.routing.template import Template, text_of
from gateway.schema.method import HttpRule, Kind, MethodDescriptor
from gateway.schema.problem import Problem

_FIRST = ("GET", ANY)
"""Of several rules of the one method, the first of these; `*` takes what GET does not name."""


class Candidate(NamedTuple):
    """A rule at a path, and whose it is."""

    method: MethodDescriptor
    rule: HttpRule
    template: Template

    def __str__(self) -> str:
        return f'{self.method.name} ("{self.template}", {self.rule.source})'


def answering(candidates: Sequence[Candidate]) -> Candidate | None:
    """Returns who answers an upgrade; None where several could, and nothing says which.

    Args:
        candidates: All of one shape, in order, without `clashes`.
    """
    streaming = [each for each in candidates if each.method.kind is not Kind.UNARY]
    among = streaming or candidates
    for verb in _FIRST:
        for each in among:
            if each.rule.verb == verb:
                return each
    return among[0] if len(_names(among)) == 1 else None


def clashes(candidates: Sequence[Candidate]) -> list[Problem]:
    """Returns a problem for each streaming method of one shape but the first, if none is GET's."""
    streaming = [each for each in candidates if each.method.kind is not Kind.UNARY]
    if any(each.rule.verb in _FIRST for each in streaming):
        return []
    one_of_each = list({each.method.name: each for each in reversed(streaming)}.values())[::-1]
    return [
        Problem(
            other.rule.source,
            message=f"a WebSocket at {shown(other)} could be for either of two streaming methods, "
            f"{one_of_each[0]} and {other}",
            hint="give one of them another path",
        )
        for other in one_of_each[1:]
    ]


def unanswered(candidates: Sequence[Candidate]) -> str:
    """Returns a note on a shape of which `answering` knows none."""
    verbs = " and ".join(dict.fromkeys(each.rule.verb for each in candidates))
    return (
        f"{shown(candidates[0])} answers no WebSocket: {verbs} are of different unary methods, and "
        "none is of GET; each has a path of its own, /package.Service/Method"
    )


def shown(candidate: Candidate) -> str:
    """Returns a path as all its templates have it, without the variables' names."""
    return text_of(*candidate.template.shape)


def _names(candidates: Sequence[Candidate]) -> set[str]:
    return {each.method.name for each in candidates}
