"""google.protobuf's own ProtoJSON: what protobuf-py can't do, or departs in from the specification.

Slow, some hundred µs a message, and so only where protobuf-py has failed: a number that it finds
too large by mistake, a type URL that it would rewrite, a reply with an `Any` that it can't render.
The latter degrades to its type URL and base64, at any depth, and never hides the rest.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway.schema.codec import well_known
from gateway.schema.codec.options import JsonOptions
from gateway.schema.codec.text import JsonValue
from gateway.schema.codec.traits import TYPE_URL, is_map_entry, reached

# Anys within Anys beyond this are written as they are: each level copies what it holds.
_DEEPEST_ANY = 20


class Reference:
    """Reads and writes JSON by `google.protobuf.json_format`."""

    def __init__(self, pool: DescriptorPool, options: JsonOptions) -> None:
        self._pool = pool
        self._options = options
        self._reaches_any: dict[str, bool] = {}

    def read(self, message: Descriptor, value: JsonValue) -> bytes:
        """Returns the serialized message of a JSON value that was checked.

        Raises:
            Exception: Whatever json_format raises where it does not agree with the check.
        """
        parsed = json_format.ParseDict(
            value,  # type: ignore[arg-type]  # typed as dict, while it takes any JSON value
            GetMessageClass(message)(),
            ignore_unknown_fields=self._options.ignore_unknown_fields,
            descriptor_pool=self._pool,
        )
        return parsed.SerializePartialToString()

    def write(self, message: Descriptor, wire: bytes) -> bytes:
        """Returns the JSON of a serialized message, UTF-8.

        Raises:
            Exception: Whatever is raised for bytes that are no such message, or values that have
                no JSON; never for an Any.
        """
        value = self._value(GetMessageClass(message).FromString(wire), 0)
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def _value(self, message: Message, depth: int) -> JsonValue:
        descriptor = cast("Descriptor", message.DESCRIPTOR)
        if descriptor.full_name == well_known.ANY:
            return self._any(message, depth)
        if not self._has_any(descriptor):
            return self._rendered(message)
        anys = [
            (field, value)
            for field, value in message.ListFields()
            if field.message_type is not None and self._has_any(field.message_type)
        ]
        others = type(message)()
        others.CopyFrom(message)
        for field, _ in anys:
            others.ClearField(field.name)
        result = self._rendered(others)
        assert isinstance(result, dict)
        for field, value in anys:
            name = field.name if self._options.proto_names else field.json_name
            result[name] = self._field(field, value, depth)
        return result

    def _field(self, field: FieldDescriptor, value: object, depth: int) -> JsonValue:
        assert field.message_type is not None
        if not field.is_repeated:
            assert isinstance(value, Message)
            return self._value(value, depth)
        if is_map_entry(field.message_type):
            entries = dict(value)  # type: ignore[call-overload]  # upb's map of messages
            return {
                str(key).lower() if isinstance(key, bool) else str(key): self._value(each, depth)
                for key, each in entries.items()
            }
        return [self._value(each, depth) for each in value]  # type: ignore[attr-defined]  # as above

    def _any(self, message: Message, depth: int) -> JsonValue:
        url: str = message.type_url  # type: ignore[attr-defined]  # an Any of a private pool
        data: bytes = message.value  # type: ignore[attr-defined]  # as above
        if not url and not data:
            return {}
        as_is: JsonValue = {TYPE_URL: url, "value": b64encode(data).decode()}
        if depth >= _DEEPEST_ANY:
            return as_is
        try:
            packed = self._pool.FindMessageTypeByName(url.rpartition("/")[2])
            value = self._value(GetMessageClass(packed).FromString(data), depth + 1)
        # An unknown type, bytes that are none of it, values without a JSON: all degrade.
        except Exception:  # noqa: BLE001  # whatever is wrong with a detail must not hide the error
            return as_is
        if packed.full_name in well_known.SPECIAL:
            return {TYPE_URL: url, "value": value}
        assert isinstance(value, dict)
        return {TYPE_URL: url, **value}

    def _rendered(self, message: Message) -> JsonValue:
        value: JsonValue = json_format.MessageToDict(
            message,
            preserving_proto_field_name=self._options.proto_names,
            use_integers_for_enums=self._options.enums_as_numbers,
            always_print_fields_with_no_presence=self._options.emit_defaults,
            descriptor_pool=self._pool,
        )
        return value

    def _has_any(self, message: Descriptor) -> bool:
        name = message.full_name
        if name not in self._reaches_any:
            self._reaches_any[name] = any(
                each.full_name == well_known.ANY for each in reached(message)
            )
        return self._reaches_any[name]
