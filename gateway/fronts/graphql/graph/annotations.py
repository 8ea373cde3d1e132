"""Options of the graph that protos carry: `gateway.v1.field`, `.method`, `.oneof`.

Descriptors hand out their options as the global pool's messages, and the global pool knows these
extensions (`gateway.v1.options_pb2`). So it does not matter whether a backend's protos hold
`gateway/v1/options.proto`, whole, trimmed or not at all.
"""

from __future__ import annotations

from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor, OneofDescriptor
from google.protobuf.descriptor import MethodDescriptor as PoolMethod

from gateway.fronts.graphql.graph.options import (
    DeclaredLookup,
    FieldOptions,
    MethodOptions,
    OneofOptions,
)
from gateway.v1 import options_pb2

_EXTENSIONS = options_pb2.DESCRIPTOR.extensions_by_name
_FIELD, _METHOD, _ONEOF = (_EXTENSIONS[name] for name in ("field", "method", "oneof"))
_KINDS = {1: "query", 2: "mutation"}  # gateway.v1.Kind
_NO_FIELD, _NO_METHOD, _NO_ONEOF = FieldOptions(), MethodOptions(), OneofOptions()


def field_options(field: FieldDescriptor) -> FieldOptions:
    """Returns what a field's proto says of it."""
    said = _said(field, _FIELD)
    if said is None:
        return _NO_FIELD
    return FieldOptions(_get(said, "name"), _get(said, "hide"), tuple(said.scopes) or None)


def oneof_options(oneof: OneofDescriptor) -> OneofOptions:
    """Returns what a oneof's proto says of it."""
    said = _said(oneof, _ONEOF)
    return _NO_ONEOF if said is None else OneofOptions(_get(said, "union"))


def method_options(method: PoolMethod) -> MethodOptions:
    """Returns what a method's proto says of it."""
    said = _said(method, _METHOD)
    if said is None:
        return _NO_METHOD
    return MethodOptions(
        name=_get(said, "name"),
        aliases=tuple(said.aliases),
        hide=_get(said, "hide"),
        kind=_KINDS.get(said.kind),  # type: ignore[arg-type]  # mypy widens the literals
        lookups=tuple(
            DeclaredLookup(each.type, each.keys, each.items, each.by, each.max_batch, each.mask)
            for each in said.lookups
        ),
    )


def behavior(field: FieldDescriptor) -> frozenset[int]:
    """Returns a field's `google.api.field_behavior` (AIP-203), as `FieldBehavior` numbers."""
    if not field.has_options:
        return frozenset()
    return frozenset(field.GetOptions().Extensions[field_behavior_pb2.field_behavior])


def _said(
    descriptor: FieldDescriptor | OneofDescriptor | PoolMethod, extension: FieldDescriptor
) -> Any:
    """Returns the message that an option is, None without one."""
    if not descriptor.has_options:
        return None
    options: Any = descriptor.GetOptions()
    return options.Extensions[extension] if options.HasExtension(extension) else None


def _get(said: Any, name: str) -> Any:
    return getattr(said, name) if said.HasField(name) else None
