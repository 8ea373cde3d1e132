"""The field block of a call's request, put together from parts that are made once."""

from __future__ import annotations

from typing import Final

from gateway.call import Call, Metadata
from gateway.upstream.channel.request import bad_metadata, printable
from gateway.wire import hpack
from gateway.wire.grpc import metadata_field, request_block, timeout_field
from gateway.wire.recent import Recent

# What is kept at least, and twice as much at most: with the sizes below, 5 MiB in the worst case.
_METHODS: Final = 4096
_ENTRIES: Final = 512
# Bytes of a value that is kept.
_LONGEST: Final = 2048
# The beginnings of fields whose values never come again, by their names.
_ONCE: Final = {name: hpack.field(name, b"")[:-1] for name in ("traceparent", "x-request-id")}
# Bytes of a name of which anything is kept; a client may make names up, one longer than the other.
_LONGEST_NAME: Final = 128


class RequestBlocks:
    """Makes the field blocks of one channel's calls.

    Args:
        secure: Whether its connections have TLS.
        authority: Whom its calls are for.
        agent: Who makes them.
    """

    __slots__ = ("_agent", "_authority", "_entries", "_methods", "_names", "_secure")

    def __init__(self, *, secure: bool, authority: str, agent: str) -> None:
        self._secure = secure
        self._authority = authority
        self._agent = agent
        self._methods: Recent[str, bytes] = Recent(_METHODS)
        self._names: Recent[str, bytes] = Recent(_ENTRIES)
        self._entries: Recent[tuple[str, str | bytes], bytes] = Recent(_ENTRIES)

    def block(self, call: Call, remaining: float | None) -> bytes:
        """Returns the block of a call.

        Args:
            call: The call.
            remaining: Seconds until its deadline, more than 0; None without one.

        Raises:
            RpcError: Its metadata can't be sent.
        """
        block = self._methods.get(call.method) or self._method(call.method)
        if remaining is not None:
            block += timeout_field(remaining)
        known = self._entries.young
        for entry in call.metadata:
            key, value = entry
            start = _ONCE.get(key)
            if (
                start is not None
                and isinstance(value, str)
                and value.isascii()
                and value.isprintable()
            ):
                block += start + hpack.string(value.encode("ascii"))
            else:
                field = known.get(entry)
                block += self._entry(entry) if field is None else field
        return block

    def _method(self, name: str) -> bytes:
        block = request_block(
            secure=self._secure, authority=self._authority, path="/" + name, agent=self._agent
        )
        self._methods.put(name, block)
        return block

    def _entry(self, entry: tuple[str, str | bytes]) -> bytes:
        """Returns an entry's field, one that was not used lately."""
        key, value = entry
        if (kept := self._entries.get(entry)) is not None:
            return kept
        start = self._names.get(key)
        if start is not None and isinstance(value, str) and printable(value):
            # What stands before the value's length is known.
            field = start + hpack.string(value.encode("ascii"))
        else:
            if refused := bad_metadata(Metadata([entry])):
                raise refused
            field = metadata_field(key, value)
            if isinstance(value, str) and len(key) <= _LONGEST_NAME:
                self._names.put(key, hpack.field(key, b"")[:-1])
        if len(key) <= _LONGEST_NAME and len(value) <= _LONGEST:
            self._entries.put(entry, field)
        return field
