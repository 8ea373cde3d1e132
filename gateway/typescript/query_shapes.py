"""What a client must know of messages to write them as a query.

A value does not tell whether an object is a message (`a.b=1`), a map (`a[b]=1`) or any JSON
(`a={"b":1}`). So messages that hold maps or any JSON, at whatever depth, are listed with the fields
that tell; there are few.
"""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.routing.fields import map_entry
from gateway.typescript.roles import Role, fields_of, inside
from gateway.typescript.types import Types
from gateway.typescript.well_known import ANY_JSON
from gateway.typescript.words import member, quoted


class QueryShapes:
    """Gathers the shapes of the requests that have a query.

    Args:
        types: Knows names of fields.
    """

    def __init__(self, types: Types) -> None:
        self._types = types
        self._listed: dict[str, Descriptor] = {}

    def of(self, message: Descriptor, body: str = "") -> str:
        """Returns the name of a message's shape, which is listed from then on; empty for none.

        Args:
            message: The request.
            body: The field of it that is no part of the query, if one is not.
        """
        telling = _telling(message)
        if not any(
            _kind(field) is not None or (held is not None and held.full_name in telling)
            for field in fields_of(message, Role.REQUEST)
            if field.name != body
            for held in (inside(field),)
        ):
            return ""
        self._listed.update(telling)
        name: str = message.full_name
        return name

    def text(self) -> str:
        """Returns the declaration of all that are listed."""
        if not self._listed:
            return "const SHAPES: Shapes = {};\n"
        entries = "".join(
            f"  {quoted(name)}: {{ {', '.join(self._fields(message))} }},\n"
            for name, message in sorted(self._listed.items())
        )
        return f"const SHAPES: Shapes = {{\n{entries}}};\n"

    def _fields(self, message: Descriptor) -> list[str]:
        found = []
        for field in fields_of(message, Role.REQUEST):
            held = inside(field)
            kind = _kind(field)
            if kind is None and held is not None and held.full_name in self._listed:
                kind = held.full_name
            if kind is not None:
                found.append(f"{member(self._types.name(field))}: {quoted(kind)}")
        return found


def _kind(field: FieldDescriptor) -> str | None:
    if map_entry(field) is not None:
        return "map"
    is_json = field.message_type is not None and field.message_type.full_name in ANY_JSON
    return "json" if is_json else None


def _telling(root: Descriptor) -> dict[str, Descriptor]:
    """Returns the messages at and in a message that hold a map or any JSON, at whatever depth."""
    known: dict[str, Descriptor] = {}
    holders: dict[str, list[str]] = {}
    pending, telling = [root], []
    while pending:
        message = pending.pop()
        if message.full_name in known:
            continue
        known[message.full_name] = message
        for field in fields_of(message, Role.REQUEST):
            if _kind(field) is not None:
                telling.append(message.full_name)
            elif (held := inside(field)) is not None:
                holders.setdefault(held.full_name, []).append(message.full_name)
                pending.append(held)
    found: dict[str, Descriptor] = {}
    while telling:
        if (name := telling.pop()) not in found:
            found[name] = known[name]
            telling += holders.get(name, ())
    return found
