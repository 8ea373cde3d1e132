"""What is packed in a `google.protobuf.Any` is shown without the fields that need scopes.

An Any is a JSON value of the graph: whoever asks for it has all that is in it, so there is no field
at which one could be refused. Fields that need a scope are taken out of it, whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway.fronts.graphql.graph.kinds import is_map
from gateway.fronts.graphql.graph.scalars.untyped import ANY
from gateway.fronts.graphql.plan.scopes import Scopes


class Packed:
    """Takes fields out of what is packed; what is known of a type is found once.

    Args:
        scopes: Which fields need any.
    """

    __slots__ = ("_holds", "_scopes")

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._holds: dict[str, bool] = {}

    def shown(self, packed: Any) -> Any:
        """Returns an Any that may be shown: itself, where nothing is to be taken out.

        What can't be read is left alone: it has no JSON either.
        """
        name = packed.type_url.rpartition("/")[2]
        pool: Any = packed.DESCRIPTOR.file.pool
        try:
            descriptor = pool.FindMessageTypeByName(name)
        except KeyError:
            return packed
        if not self._may_hold(descriptor):
            return packed
        message = GetMessageClass(descriptor)()
        try:
            message.ParseFromString(packed.value)
        except DecodeError:
            return packed
        self._clear(message)
        return type(packed)(type_url=packed.type_url, value=message.SerializePartialToString())

    def _clear(self, message: Message) -> None:
        for field, value in message.ListFields():
            if self._scopes(field):
                if field.is_extension:
                    message.ClearExtension(field)  # type: ignore[arg-type]  # the stubs know theirs only
                else:
                    message.ClearField(field.name)
            elif field.message_type is not None and self._may_hold(field.message_type):
                for each in _messages(field, value):
                    self._clear(each)
        if message.DESCRIPTOR.full_name == ANY:
            message.CopyFrom(self.shown(message))

    def _may_hold(self, descriptor: Descriptor) -> bool:
        """Whether messages of a type may have such a field in them, or an Any."""
        known = self._holds.get(descriptor.full_name)
        if known is None:
            known = self._holds[descriptor.full_name] = self._look(descriptor)
        return known

    def _look(self, descriptor: Descriptor) -> bool:
        pending, seen = [descriptor], {descriptor.full_name}
        while pending:
            each = pending.pop()
            # Extensions are declared anywhere: a type that takes some is looked through.
            if each.full_name == ANY or each.is_extendable or any(map(self._scopes, each.fields)):
                return True
            for field in each.fields:
                inner = field.message_type
                if inner is not None and inner.full_name not in seen:
                    seen.add(inner.full_name)
                    pending.append(inner)
        return False


def _messages(field: FieldDescriptor, value: Any) -> list[Any]:
    if not is_map(field):
        return list(value) if field.is_repeated else [value]
    values: Mapping[Any, Any] = value
    found = list(values.values())
    return found if found and isinstance(found[0], Message) else []
