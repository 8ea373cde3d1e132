"""What a backend's fields mean to a call: its metadata, and the error of a status.

Keys of metadata are known, values are read when somebody asks for one.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from gateway.call import NO_METADATA, Metadata, RpcError
from gateway.upstream.channel import AnsweredError
from gateway.upstream.status import code_of, sent_status
from gateway.wire.grpc import Ending, Head, items_of
from gateway.wire.hpack import Field


class WireMetadata(Metadata):
    """Metadata that is decoded when it is first iterated over. Never empty."""

    __slots__ = ("_fields",)

    def __init__(self, fields: tuple[Field, ...]) -> None:
        # Not the constructor of Metadata: `_items` stays unset until it is asked for.
        self._fields = fields

    def __getattr__(self, name: str) -> tuple[tuple[str, str | bytes], ...]:
        if name != "_items":
            raise AttributeError(name)
        self._items = tuple(items_of(self._fields))
        return self._items

    def __bool__(self) -> bool:
        return True  # and its length, which would read every value, is not asked for

    def __contains__(self, key: object) -> bool:
        return any(field.name == key for field in self._fields)

    def names(self) -> list[str]:
        """See Metadata; reads no value."""
        return [field.name for field in self._fields]

    def only(self, keys: Container[str]) -> Iterable[tuple[str, str | bytes]]:
        """See Metadata; reads no other value."""
        return items_of(field for field in self._fields if field.name in keys)

    def get(self, key: str) -> str | bytes | None:
        """See Metadata; reads no other value."""
        for _, value in items_of(field for field in self._fields if field.name == key):
            return value
        return None

    def without(self, *keys: str) -> Metadata:
        """See Metadata; reads no value."""
        return metadata(tuple(field for field in self._fields if field.name not in keys))


def metadata(fields: tuple[Field, ...]) -> Metadata:
    """Returns fields as metadata."""
    return WireMetadata(fields) if fields else NO_METADATA


def refusal_of(head: Head | None, ending: Ending) -> RpcError:
    """Returns the error of a call that a backend ended with another status than OK."""
    trailers = metadata(ending.metadata)
    status, rest = sent_status(code_of(ending.status), ending.message, trailers)
    if head is None:
        return RpcError(status, metadata=rest)
    if head.metadata:
        rest = metadata(head.metadata) + rest
    return AnsweredError(status, metadata=rest)
