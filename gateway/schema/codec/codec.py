"""The codecs of one generation, by message type."""

from __future__ import annotations

from typing import Final, Protocol

from google.protobuf.descriptor_pool import DescriptorPool

from gateway.schema.codec.context import Context
from gateway.schema.codec.message import MessageCodec
from gateway.schema.codec.options import JsonOptions

# Native parsers recurse with the text: 100 levels need 256 KiB of stack at most (measured).
MAX_DEPTH = 100


class HasPool(Protocol):
    """What of a registry the codec needs."""

    @property
    def pool(self) -> DescriptorPool:
        """The descriptors of the generation."""


class Codec:
    """Makes the codecs of message types, each on first use. Not thread-safe.

    Attributes:
        mark: What it makes is its own by this: an object that is nobody else's, for who keeps that
            beyond its life without keeping all of it.

    Args:
        registry: Knows the types.
        json: How JSON is written and read.
        max_depth: The most levels of arrays and objects in a JSON text, 1 to 100.

    Raises:
        ValueError: `max_depth` is out of range.
    """

    def __init__(
        self, registry: HasPool, json: JsonOptions | None = None, max_depth: int = MAX_DEPTH
    ) -> None:
        if not 1 <= max_depth <= MAX_DEPTH:
            raise ValueError(f"max_depth must be from 1 to {MAX_DEPTH}, not {max_depth}")
        self._context = Context(registry.pool, json or JsonOptions(), max_depth)
        self._messages: dict[str, MessageCodec] = {}
        self.mark: Final = object()

    def message(self, type_name: str) -> MessageCodec:
        """Returns the codec of a message type by its full name. KeyError when there is none."""
        codec = self._messages.get(type_name)
        if codec is None:
            descriptor = self._context.pool.FindMessageTypeByName(type_name)
            codec = self._messages[type_name] = MessageCodec(self._context, descriptor)
        return codec
