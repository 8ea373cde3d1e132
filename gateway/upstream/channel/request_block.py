"""The field block of a call's request, put together from parts that are made once."""

from __future__ import annotations

from typing import Final

from gateway.call import Call, Metadata
from gateway.upstream.channel.request import bad_metadata
from gateway.wire.grpc import metadata_field, request_block, timeout_field
from gateway.wire.hpack import Recent

_METHODS: Final = 4096
_ENTRIES: Final = 1024
_LONGEST: Final = 2048  # bytes of an entry that is kept


class RequestBlocks:
    """Makes the field blocks of one channel's calls.

    Args:
        secure: Whether its connections have TLS.
        authority: Whom its calls are for.
        agent: Who makes them.
    """

    __slots__ = ("_agent", "_authority", "_entries", "_methods", "_secure")

    def __init__(self, *, secure: bool, authority: str, agent: str) -> None:
        self._secure = secure
        self._authority = authority
        self._agent = agent
        self._methods: Recent[str, bytes] = Recent(_METHODS)
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
            block += self._entries.get(entry) or self._entry(entry)
        return block

    def _method(self, name: str) -> bytes:
        block = request_block(
            secure=self._secure, authority=self._authority, path="/" + name, agent=self._agent
        )
        self._methods.put(name, block)
        return block

    def _entry(self, entry: tuple[str, str | bytes]) -> bytes:
        if refused := bad_metadata(Metadata([entry])):
            raise refused
        field = metadata_field(*entry)
        if len(field) <= _LONGEST:
            self._entries.put(entry, field)
        return field
