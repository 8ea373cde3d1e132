"""How a message becomes JSON: by protobuf-py, and by the reference where it gives up.

It gives up at an `Any` of unknown type, which may be in any reply, and at an unset `Value`.
"""

from __future__ import annotations

from typing import TypedDict

from google.protobuf.descriptor import Descriptor
from protobuf import Registry

from gateway.schema.codec.context import Context
from gateway.schema.codec.errors import CodecError
from gateway.schema.codec.floats import rounding
from gateway.schema.codec.types import Message


class _Arguments(TypedDict, total=False):
    """How protobuf-py is to write."""

    registry: Registry
    always_emit_implicit: bool
    print_enums_as_ints: bool
    use_proto_field_name: bool


class Writer:
    """Writes the messages of one type."""

    __slots__ = (
        "_arguments",
        "_descriptor",
        "_reference",
        "_round",
    )

    def __init__(self, context: Context, descriptor: Descriptor) -> None:
        self._descriptor = descriptor
        self._reference = context.reference
        options = context.options
        # Those that are not the library's own: each costs a little at every message.
        self._arguments: _Arguments = {"registry": context.types.as_registry}
        if options.emit_defaults:
            self._arguments["always_emit_implicit"] = True
        if options.enums_as_numbers:
            self._arguments["print_enums_as_ints"] = True
        if options.proto_names:
            self._arguments["use_proto_field_name"] = True
        made = context.types.message(descriptor.full_name)
        assert made is not None  # it is in the pool
        self._round = rounding(made)

    def write(self, message: Message) -> bytes:
        """Returns the JSON of a message, UTF-8. Its floats get other digits, not other values.

        Raises:
            CodecError: It holds a value that has no JSON, such as a timestamp in the year 10000.
        """
        try:
            if self._round is not None:
                self._round(message)
            return message.to_json(**self._arguments).encode()
        except Exception:  # noqa: BLE001  # whatever it stumbles over, the reference may know
            return self._by_reference(message)

    def _by_reference(self, message: Message) -> bytes:
        try:
            return self._reference.write(self._descriptor, message.to_binary())
        except Exception:  # noqa: BLE001  # its words are of parsers and Python types
            raise CodecError("The message holds a value that has no JSON.") from None
