"""The codec of one message type: JSON to message, message to wire, and back."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor

from gateway.schema.codec.context import Context
from gateway.schema.codec.errors import CodecError
from gateway.schema.codec.field_json import message_reader
from gateway.schema.codec.fields import FieldCodec
from gateway.schema.codec.paths import json_paths
from gateway.schema.codec.text import parse
from gateway.schema.codec.types import Message
from gateway.schema.codec.writer import Writer

_MAX_FIELDS = 1000


class MessageCodec:
    """Reads and writes the messages of one type.

    Attributes:
        descriptor: The type.
    """

    __slots__ = ("_context", "_fields", "_reader", "_type", "_writer", "descriptor")

    def __init__(self, context: Context, descriptor: Descriptor) -> None:
        self.descriptor = descriptor
        self._context = context
        self._type = context.types.type(descriptor.full_name)
        self._fields: dict[tuple[str, ...], FieldCodec] = {}
        self._reader = message_reader(context, descriptor)
        self._writer = Writer(context, descriptor)

    def new(self) -> Message:
        """Returns an empty message."""
        return self._type()

    def from_json(self, body: bytes) -> Message:
        """Returns the message of a ProtoJSON text in UTF-8.

        Stricter than the specification must be: repeated names, two members of a oneof and both
        spellings of a field are refused. null as the whole text is a Value, and nothing else.

        Raises:
            CodecError: It is no JSON, or not of this type; with the paths.
        """
        return self._reader.read(body)

    def to_wire(self, message: Message) -> bytes:
        """Returns a message serialized.

        Raises:
            CodecError: A required field (proto2) is not set, or a field codec was given a value
                that is none of its field.
        """
        try:
            return message.to_binary()
        except Exception:  # noqa: BLE001  # what a serializer says is not for clients
            raise CodecError("The message lacks a required field or has a wrong value.") from None

    def from_wire(self, data: bytes) -> Message:
        """Returns the message of serialized bytes.

        Raises:
            CodecError: They are no such message, or one nested more than 100 levels deep.
        """
        try:
            return self._type.from_binary(data)
        except Exception:  # noqa: BLE001  # what a parser says is not for clients
            raise CodecError("The bytes are not a message of the expected type.") from None

    def to_json(self, message: Message) -> bytes:
        """Returns the ProtoJSON of a message, UTF-8, without white space.

        An Any that can't be rendered, as no proto describes its type, is
        `{"@type": "…", "value": "<base64>"}`.

        Raises:
            CodecError: The message holds a value that has no JSON.
        """
        return self._writer.write(message)

    def transcode(self, wire: bytes) -> bytes:
        """Returns the ProtoJSON of a serialized message, as of `from_wire` and `to_json`."""
        try:
            message = self._type.from_binary(wire)
        except Exception:  # noqa: BLE001  # what a parser says is not for clients
            raise CodecError("The bytes are not a message of the expected type.") from None
        return self._writer.write(message)

    def field(self, path: tuple[str, ...]) -> FieldCodec:
        """Returns the accessor of a field; the first 1,000 of a type are kept.

        Args:
            path: Proto names; all but the last are of singular message fields.

        Raises:
            KeyError: There is no such field.
        """
        field = self._fields.get(path)
        if field is None:
            field = FieldCodec(self._context, self.descriptor, path)
            # The paths in queries are clients' choice, and recursive types have endless ones.
            if len(self._fields) < _MAX_FIELDS:
                self._fields[path] = field
        return field

    def json_paths(self, body: bytes) -> list[str]:
        """Returns the paths of a field mask that names what a JSON body of this type holds.

        Raises:
            CodecError: The body is no JSON.
        """
        return json_paths(self.descriptor, parse(body, self._context.max_depth))
