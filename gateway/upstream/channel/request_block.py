"""The field block of a call's request, put together from parts that are made once."""

from __future__ import annotations

from typing import Final

from gateway.call import Call, Metadata
from gateway.upstream.channel.request import bad_metadata, printable
from gateway.wire import hpack
from gateway.wire.grpc import metadata_field, request_block, timeout_field
from gateway.wire.recent import Recent

_METHODS: Final = 4096
_ENTRIES: Final = 1024
# Bytes of a value that is kept: a token or a cookie comes again; a short one is made as fast.
_SHORTEST: Final = 64
_LONGEST: Final = 4096
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
        for entry in call.metadata:
            block += self._entry(entry)
        return block

    def _method(self, name: str) -> bytes:
        block = request_block(
            secure=self._secure, authority=self._authority, path="/" + name, agent=self._agent
        )
        self._methods.put(name, block)
        return block

    def _entry(self, entry: tuple[str, str | bytes]) -> bytes:
        key, value = entry
        start = self._names.get(key)
        if start is not None and isinstance(value, str) and len(value) < _SHORTEST:
            if printable(value):
                # What stands before the value's length is known.
                return start + hpack.string(value.encode("ascii"))
        elif kept := self._entries.get(entry):
            return kept
        if refused := bad_metadata(Metadata([entry])):
            raise refused
        field = metadata_field(key, value)
        if len(key) > _LONGEST_NAME:
            return field
        if isinstance(value, str):
            self._names.put(key, hpack.field(key, b"")[:-1])
        if _SHORTEST <= len(value) <= _LONGEST:
            self._entries.put(entry, field)
        return field
