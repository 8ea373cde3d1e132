"""Which inputs must be given: those that say so, but where nobody could ever give them.

`google.api.field_behavior = REQUIRED` (AIP-203) and proto2's `required` make an input non-null. A
message that must hold itself has no finite value, and GraphQL forbids such types ("Input Objects:
Circular References"); there, the fields of the circle stay nullable.
"""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.fronts.graphql.graph.annotations import behavior
from gateway.fronts.graphql.graph.findings import Findings
from gateway.fronts.graphql.graph.kinds import MESSAGE_SCALARS, home, is_entry, may_be_null
from gateway.fronts.graphql.graph.reach import is_given
from gateway.fronts.graphql.graph.shapes import Shapes

_REQUIRED = 2  # google.api.FieldBehavior


class Required:
    """Decides for each field; warns of circles."""

    def __init__(self, shapes: Shapes, findings: Findings) -> None:
        self._shapes = shapes
        self._findings = findings

    def must_be_given(self, field: FieldDescriptor) -> bool:
        """Whether the input that a field is has a non-null type."""
        if is_entry(home(field)):
            return not may_be_null(field)
        if not _says_so(field):
            return False
        if self._is_circular(field):
            self._findings.warn(
                f"{field.full_name} is required and holds its own message: it may be left out"
            )
            return False
        return True

    def _is_circular(self, field: FieldDescriptor) -> bool:
        """Whether required single messages lead from a field back to the message that it is in."""
        start = home(field).full_name
        pending = list(_inner(field))
        seen: set[str] = set()
        while pending:
            message = pending.pop()
            if message.full_name == start:
                return True
            if message.full_name in seen:
                continue
            seen.add(message.full_name)
            for member in self._shapes.members(message).values():
                if isinstance(member, FieldDescriptor) and is_given(member) and _says_so(member):
                    pending += _inner(member)
        return False


def _says_so(field: FieldDescriptor) -> bool:
    return field.is_required or _REQUIRED in behavior(field)


def _inner(field: FieldDescriptor) -> Iterator[Descriptor]:
    message = field.message_type
    if message is not None and not field.is_repeated and message.full_name not in MESSAGE_SCALARS:
        yield message
