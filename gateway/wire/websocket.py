"""What a client's frames make up: messages joined, unpacked and checked (RFC 6455 5, RFC 7692).

Sans-IO: bytes in, one event at a time out, so whoever has had enough stops between two. What is
done with a ping or a close is not its business, and it keeps no bytes but those of a message that
has begun: what is not a whole frame yet stays with the caller.
"""

from __future__ import annotations

import codecs
from typing import Final, TypeAlias

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.extensions import Extension
from websockets.frames import Frame, Opcode

from gateway.wire.websocket_frames import (
    BINARY,
    CLOSE,
    CONT,
    FIN,
    INVALID_DATA,
    PACKED,
    PING,
    PONG,
    PROTOCOL_ERROR,
    TEXT,
    TOO_LARGE,
    Broken,
    Received,
    payload,
    span,
)

Event: TypeAlias = "tuple[int, str | bytes, int]"
"""An opcode, what it brings (text for TEXT), and where the next frame begins. CONT is a fragment
that ends no message."""

_CONTROL: Final = frozenset((FIN | CLOSE, FIN | PING, FIN | PONG))
_DATA: Final = frozenset((FIN | TEXT, FIN | BINARY, FIN | CONT, TEXT, BINARY, CONT))
_ALLOWED: Final = _CONTROL | _DATA
_ALLOWED_PACKED: Final = _ALLOWED | {head | PACKED for head in _DATA if head & 0x0F != CONT}

_decoder: Final = codecs.getincrementaldecoder("utf-8")


class Incoming:
    """The receiving side of one WebSocket.

    Args:
        message_size: Bytes that a message may have, unpacked.
        packing: What unpacks, where permessage-deflate was agreed on.
    """

    __slots__ = ("_allowed", "_joined", "_message_size", "_opcode", "_packing", "_text")

    def __init__(self, message_size: int, packing: Extension | None) -> None:
        self._message_size = message_size
        self._packing = packing
        self._allowed = _ALLOWED if packing is None else _ALLOWED_PACKED
        self._joined: bytearray | None = None  # of a message that has begun
        self._opcode = TEXT
        self._text: codecs.IncrementalDecoder | None = None

    def next(self, data: Received, at: int) -> Event | None:
        """Returns what the frame at a place brings; None while it is not whole.

        Raises:
            Broken: It breaks the protocol, or is larger than is allowed, which is known from its
                head already. There is nothing to read any more then.
        """
        found = span(data, at)
        if found is None:
            return None
        begin, end = found
        head = data[at]
        if head not in self._allowed:
            raise Broken(PROTOCOL_ERROR)
        opcode = head & 0x0F
        joined = self._joined
        if opcode >= CLOSE:
            if end - begin > 125:
                raise Broken(PROTOCOL_ERROR)
        else:
            if (opcode == CONT) is (joined is None):
                raise Broken(PROTOCOL_ERROR)
            if end - begin > self._message_size - (len(joined) if joined else 0):
                raise Broken(TOO_LARGE)
        if end > len(data):
            return None
        brought = payload(data, begin, end)
        if opcode >= CLOSE:
            return opcode, brought, end
        if self._packing is not None:
            brought = self._unpack(self._packing, head, brought)
        if not head & FIN or joined is not None:
            return self._join(head, brought, end)
        if opcode == BINARY:
            return BINARY, brought, end
        return TEXT, _text(brought), end

    def _join(self, head: int, part: bytes, end: int) -> Event:
        """Takes a fragment in. Text is checked as it comes, so nobody waits for what is none."""
        if self._joined is None:
            self._joined = bytearray()
            self._opcode = head & 0x0F
            if self._opcode == TEXT:
                self._text = _decoder()
        joined = self._joined
        joined += part
        if not head & FIN:
            if self._text is not None:
                try:
                    self._text.decode(part)
                except UnicodeDecodeError:
                    raise Broken(INVALID_DATA) from None
            return CONT, part, end
        self._joined = self._text = None
        if self._opcode == TEXT:
            return TEXT, _text(joined), end
        return BINARY, bytes(joined), end

    def _unpack(self, packing: Extension, head: int, data: bytes) -> bytes:
        """Unpacks a data frame, if its message is compressed, as far as there is room for it."""
        room = self._message_size - len(self._joined or b"")
        packed = Frame(Opcode(head & 0x0F), data, fin=bool(head & FIN), rsv1=bool(head & PACKED))
        try:
            # Its limit of 0 is none: a byte too much is refused below.
            unpacked = bytes(packing.decode(packed, max_size=room or 1).data)
        except PayloadTooBig:
            raise Broken(TOO_LARGE) from None
        except ProtocolError:
            raise Broken(PROTOCOL_ERROR) from None
        if len(unpacked) > room:
            raise Broken(TOO_LARGE)
        return unpacked


def _text(data: Received) -> str:
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError:
        raise Broken(INVALID_DATA) from None
