"""Types that conditions are compiled against, in a pool of their own, and calls to ask about."""

from __future__ import annotations

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    duration_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from gateway.call import Call, Metadata, Principal
from gateway.http import Headers, Request
from gateway.http.certificate import Certificate
from gateway.policies.cel import Compiler

ORDER = "shop.Order"
SEALED = "shop.Sealed"


def _field(message, name, number, kind, type_name=None, *, repeated=False):
    field = message.field.add(name=name, number=number, type=kind)
    field.label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
    if type_name:
        field.type_name = type_name
    return field


def _file():
    file = descriptor_pb2.FileDescriptorProto(name="shop.proto", package="shop", syntax="proto3")
    known = (any_pb2, duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)
    file.dependency.extend(module.DESCRIPTOR.name for module in known)
    state = file.enum_type.add(name="State")
    state.value.add(name="STATE_UNSPECIFIED", number=0)
    state.value.add(name="STATE_PAID", number=1)
    item = file.message_type.add(name="Item")
    _field(item, "sku", 1, Field.TYPE_STRING)
    _field(item, "count", 2, Field.TYPE_INT32)
    order = file.message_type.add(name="Order")
    _field(order, "tenant", 1, Field.TYPE_STRING)
    _field(order, "total", 2, Field.TYPE_INT64)
    _field(order, "state", 3, Field.TYPE_ENUM, ".shop.State")
    _field(order, "items", 4, Field.TYPE_MESSAGE, ".shop.Item", repeated=True)
    _field(order, "note", 5, Field.TYPE_MESSAGE, ".google.protobuf.StringValue")
    _field(order, "express", 6, Field.TYPE_MESSAGE, ".google.protobuf.BoolValue")
    _field(order, "due", 7, Field.TYPE_MESSAGE, ".google.protobuf.Timestamp")
    _field(order, "wait", 8, Field.TYPE_MESSAGE, ".google.protobuf.Duration")
    _field(order, "extra", 9, Field.TYPE_MESSAGE, ".google.protobuf.Struct")
    _field(order, "parent", 11, Field.TYPE_MESSAGE, ".shop.Order")
    _field(order, "limit", 12, Field.TYPE_UINT64)
    _field(order, "raw", 13, Field.TYPE_BYTES)
    _field(order, "weights", 14, Field.TYPE_INT32, repeated=True)
    entry = order.nested_type.add(name="LabelsEntry")
    entry.options.map_entry = True
    _field(entry, "key", 1, Field.TYPE_STRING)
    _field(entry, "value", 2, Field.TYPE_STRING)
    _field(order, "labels", 15, Field.TYPE_MESSAGE, ".shop.Order.LabelsEntry", repeated=True)
    optional = _field(order, "coupon", 16, Field.TYPE_STRING)
    optional.proto3_optional, optional.oneof_index = True, 0
    order.oneof_decl.add(name="_coupon")
    sealed = file.message_type.add(name="Sealed")
    _field(sealed, "tenant", 1, Field.TYPE_INT64)
    _field(sealed, "any", 2, Field.TYPE_MESSAGE, ".google.protobuf.Any")
    _field(sealed, "all", 3, Field.TYPE_MESSAGE, ".google.protobuf.Any", repeated=True)
    _field(sealed, "pages", 4, Field.TYPE_MESSAGE, ".shop.Page", repeated=True)
    _field(sealed, "order", 5, Field.TYPE_MESSAGE, ".shop.Order")
    page = file.message_type.add(name="Page")
    _field(page, "of", 1, Field.TYPE_MESSAGE, ".shop.Sealed")
    _field(page, "number", 2, Field.TYPE_INT32)
    return file, known


def _pool():
    file, known = _file()
    pool = DescriptorPool()
    for module in known:
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool


POOL = _pool()
Order = GetMessageClass(POOL.FindMessageTypeByName(ORDER))
Sealed = GetMessageClass(POOL.FindMessageTypeByName(SEALED))

ADA = Principal(
    "ada",
    "customers",
    scopes=frozenset({"orders.read", "orders.write"}),
    roles=frozenset({"clerk"}),
    plan="pro",
    claims={
        "sub": "ada",
        "tenant": "acme",
        "admin": True,
        "level": 7,
        "rate": 1.5,
        "nothing": None,
        "groups": ["a", "b"],
        "org": {"id": "o1", "unit": {"name": "x"}},
        "https://shop.example/tenant": "acme",
    },
)
LAPTOP = Certificate(
    subject="CN=laptop",
    uris=("spiffe://shop/laptop",),
    dns=("laptop.example",),
    emails=(),
    fingerprint="ab" * 32,
    expires=None,
)


def call(principal=ADA, request=b"", metadata=(), certificate=None):
    """A call of Orders/Create."""
    head = Request(
        "POST", "/v1/orders", None, Headers(()), peer="203.0.113.7", certificate=certificate
    )
    return Call(
        "shop.Orders/Create",
        request if isinstance(request, bytes) else request.SerializeToString(),
        Metadata(metadata),
        principal=principal,
        peer="203.0.113.7",
        head=head,
    )


def condition(text, type_=ORDER):
    """A condition, compiled anew."""
    return Compiler(POOL).compile(text, type_)
