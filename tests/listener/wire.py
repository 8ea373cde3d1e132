"""WebSocket frames as bytes (RFC 6455 section 5.2), as a client writes them and a server answers."""

import struct

TEXT, BINARY, CONT, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


def frame(opcode, data=b"", *, fin=True, rsv=0, mask=b"\x01\x02\x03\x04"):
    head = bytes([fin << 7 | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if len(data) < 126:
        head += bytes([bit | len(data)])
    elif len(data) < 65_536:
        head += bytes([bit | 126]) + struct.pack("!H", len(data))
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", len(data))
    if not mask:
        return head + data
    key = (mask * (len(data) // 4 + 1))[: len(data)]
    masked = int.from_bytes(data) ^ int.from_bytes(key)
    return head + mask + masked.to_bytes(len(data))


def sent(opcode, data=b""):
    """A frame as the server sends it."""
    return frame(opcode, data, mask=b"")


def said(code, reason=b""):
    """What a close frame holds."""
    return struct.pack("!H", code) + reason


async def read_frame(reader):
    """Reads a frame of the server's: its opcode and its data, which is whole."""
    head, length = await reader.readexactly(2)
    assert head & 0x80, "a server's frame is a fragment"
    assert not head & 0x70, "a server's frame has reserved bits"
    if length == 126:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
    elif length == 127:
        (length,) = struct.unpack("!Q", await reader.readexactly(8))
    return head & 0x0F, await reader.readexactly(length)
