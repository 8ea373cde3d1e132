"""How the reply message of one rule becomes a body: JSON, of the whole or of one field, or data.

Compiled once a rule. Which form a *stream* of them takes is `forms`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway.fronts.reply_json import ReplyJson, unreadable
from gateway.fronts.rest import httpbody
from gateway.fronts.rest.media import JSON
from gateway.schema.codec import Codec, CodecError
from gateway.schema.method import HttpRule, MethodDescriptor
from gateway.schema.registry import Registry


class JsonReply(NamedTuple):
    """A reply that is written as JSON. `render` raises RpcError for what is no message."""

    render: Callable[[bytes], bytes]

    def body(self, message: bytes) -> tuple[str, bytes]:
        """Returns content type and body of a serialized reply message."""
        return JSON, self.render(message)


class RawReply(NamedTuple):
    """A reply that is an HttpBody, or has one: `extract` returns it, serialized."""

    extract: Callable[[bytes], bytes]

    def body(self, message: bytes) -> tuple[str, bytes]:
        """Returns content type and body of a serialized reply message."""
        return httpbody.parse(self.extract(message))


def reply_of(
    method: MethodDescriptor, rule: HttpRule, registry: Registry, codec: Codec
) -> JsonReply | RawReply:
    """Compiles how the replies of a method are written under a rule."""
    message = registry.message(method.output)
    if not rule.response_body:
        if message.full_name == httpbody.FULL_NAME:
            return RawReply(bytes)
        return JsonReply(ReplyJson(codec, method.output))
    field = message.fields_by_name[rule.response_body]
    if httpbody.is_httpbody(field):
        return RawReply(partial(_member, GetMessageClass(message), field.name))
    return JsonReply(partial(_field_json, codec, method.output, rule.response_body))


def _field_json(codec: Codec, type_name: str, field: str, wire: bytes) -> bytes:
    try:
        types = codec.message(type_name)
        return types.field((field,)).to_json(types.from_wire(wire))
    except CodecError:
        raise unreadable() from None


def _member(type_: type[Message], field: str, wire: bytes) -> bytes:
    """Returns the serialized message in a field of a serialized message."""
    try:
        inner: Message = getattr(type_.FromString(wire), field)
    except DecodeError:
        raise unreadable() from None
    return inner.SerializeToString()
