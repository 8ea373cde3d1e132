"""How the reply message of one rule becomes a body: JSON, of the whole or of one field, or data.

Compiled once a rule. Which form a *stream* of them takes is `forms`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway.fronts.entity_tags import entity_tag
from gateway.fronts.reply_json import ReplyJson, unreadable
from gateway.fronts.rest import httpbody
from gateway.fronts.rest.media import JSON
from gateway.kept import Forms, KeptBody
from gateway.schema.codec import Codec, CodecError
from gateway.schema.method import HttpRule, MethodDescriptor
from gateway.schema.registry import Registry


class JsonReply(NamedTuple):
    """A reply that is written as JSON.

    Attributes:
        render: Writes it; raises RpcError for what is no message.
        form: What names the JSON among the forms of a message that is kept.
        tag_form: What names its entity tag there.
    """

    render: Callable[[bytes], bytes]
    form: object
    tag_form: object

    def body(self, message: bytes) -> tuple[str, bytes]:
        """Returns content type and body of a serialized reply message."""
        return JSON, self.render(message)

    def kept(self, message: bytes, forms: Forms) -> tuple[str, bytes]:
        """Returns them of a message that is kept, and whose JSON is made once."""
        made = forms.get(self.form)
        if made is None:
            made = self.render(message)
            forms.keep(self.form, made)
        return JSON, made

    def keeping(self, forms: Forms) -> KeptBody | None:
        """Returns where a body that `kept` returned is kept."""
        return KeptBody(forms, self.form)

    def tag(self, body: bytes, forms: Forms) -> str:
        """Returns the entity tag of a body that `kept` returned, made once too."""
        made = forms.get(self.tag_form)
        if made is None:
            made = entity_tag(body).encode()
            forms.keep(self.tag_form, made)
        return made.decode()


class RawReply(NamedTuple):
    """A reply that is an HttpBody, or has one: `extract` returns it, serialized."""

    extract: Callable[[bytes], bytes]

    def body(self, message: bytes) -> tuple[str, bytes]:
        """Returns content type and body of a serialized reply message."""
        return httpbody.parse(self.extract(message))

    def kept(self, message: bytes, forms: Forms) -> tuple[str, bytes]:  # noqa: ARG002  as above
        """Returns them of a message that is kept: taking them out costs less than keeping them."""
        return self.body(message)

    def keeping(self, forms: Forms) -> KeptBody | None:  # noqa: ARG002  as above
        """Returns that a body is kept nowhere."""
        return None

    def tag(self, body: bytes, forms: Forms) -> str:  # noqa: ARG002  as above
        """Returns the entity tag of a body that `kept` returned."""
        return entity_tag(body)


def reply_of(
    method: MethodDescriptor, rule: HttpRule, registry: Registry, codec: Codec
) -> JsonReply | RawReply:
    """Compiles how the replies of a method are written under a rule."""
    message = registry.message(method.output)
    if not rule.response_body:
        if message.full_name == httpbody.FULL_NAME:
            return RawReply(bytes)
        return _json(ReplyJson(codec, method.output), codec.mark, method.output)
    field = message.fields_by_name[rule.response_body]
    if httpbody.is_httpbody(field):
        return RawReply(partial(_member, GetMessageClass(message), field.name))
    render = partial(_field_json, codec, method.output, rule.response_body)
    return _json(render, codec.mark, method.output, rule.response_body)


def _json(render: Callable[[bytes], bytes], *made_by: object) -> JsonReply:
    return JsonReply(render, ("json", *made_by), ("etag", *made_by))


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
