"""What the path of an upgrade leads to, and the router of all such routes.

A route is added under its rule's own verb, which a client may name, and once more under `UPGRADE`
where it is the one that answers those who name none (`choice`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from gateway.chain import Method
from gateway.fronts.reply_json import ReplyJson
from gateway.fronts.websocket.plain.choice import Candidate
from gateway.routing.binding import Binder
from gateway.routing.rules import implied_rule
from gateway.routing.template import Segment, Template, parse
from gateway.schema.method import MethodDescriptor

UPGRADE: Final = "(upgrade)"
"""Stands in the router for the verb of an upgrade; no request has such a method."""

CHOOSER: Final = "method"
"""The query parameter by which clients of grpc-websocket-proxy name a verb."""


class PlainRoute(NamedTuple):
    """One binding of a method.

    Attributes:
        method: What it calls.
        binder: Makes request messages of frames.
        reply: Writes reply messages as JSON.
        starts: Whether path and query are all of the request, so that no frame is waited for.
        has_chooser: Whether the request has a field `method`, which a query may set.
        template: Its path, for what is noted of requests.
    """

    method: Method
    binder: Binder
    reply: ReplyJson
    starts: bool
    has_chooser: bool
    template: str


def by_shape(
    methods: Sequence[MethodDescriptor], prefix: Template | None, *, unannotated: bool
) -> list[list[Candidate]]:
    """Returns all rules by which methods can be reached, those that match the same paths together.

    `/package.Service/Method` leads to each method, unless a rule says what is at that path.

    Args:
        methods: The methods.
        prefix: What stands before REST's routes; None where REST is off.
        unannotated: Whether methods without a rule have REST's implied one.
    """
    shapes: dict[tuple[tuple[Segment, ...], str | None], list[Candidate]] = {}
    for method in methods if prefix is not None else ():
        assert prefix is not None
        for rule in method.rules or ((implied_rule(method),) if unannotated else ()):
            template = parse(rule.template).under(prefix)
            shapes.setdefault(template.shape, []).append(Candidate(method, rule, template))
    for method in methods:
        rule = implied_rule(method)
        template = parse(rule.template)
        shapes.setdefault(template.shape, [Candidate(method, rule, template)])
    return list(shapes.values())
