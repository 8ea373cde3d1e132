"""The little of HTTP/2 that the benchmark's backend needs: frames, canned replies, paths.

Apart from the gateway's own HTTP/2 on purpose: a fault in one must not hide in the other. Whole
frames and header blocks in, bytes out; no sockets. Requests' blocks are read by `hpack` until the
client has acknowledged that there is no dynamic table (SETTINGS_HEADER_TABLE_SIZE 0, RFC 7541,
4.2); from then on a block's bytes alone say what it means, and each is read once.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct
from typing import ClassVar

from hpack import Decoder
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import decode_huffman

DATA, HEADERS, RST_STREAM, SETTINGS = 0, 1, 3, 4
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 0x20

HEADER_TABLE_SIZE, CONCURRENT_STREAMS, INITIAL_WINDOW, MAX_FRAME = 1, 3, 4, 5

FRAME_HEADER = Struct(">HBBBL")
FRAME = 16_384  # bytes, the largest frame that every peer takes
SETTING = Struct(">HL")
NUMBER = Struct(">L")
STATIC = {(":status", "200"): 8, ("content-type", ""): 31, ("date", ""): 33, ("server", ""): 54}
_HUFFMAN = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
_PATH_CODED = _HUFFMAN.encode(b":path")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Makes a frame (RFC 9113, 4.1)."""
    size = len(payload)
    return FRAME_HEADER.pack(size >> 8, size & 255, kind, flags, stream) + payload


def settings(values: Iterable[tuple[int, int]]) -> bytes:
    """Makes a SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(SETTING.pack(*each) for each in values))


def block(*fields: tuple[str, str]) -> bytes:
    """Makes a header block: literals without indexing (RFC 7541, 6.2.2), Huffman-coded."""
    made = b""
    for name, value in fields:
        index, exact = STATIC.get((name, value)), STATIC.get((name, ""))
        if index is not None and value:
            made += bytes((0x80 | index,))
        elif exact is None:
            made += b"\0" + string(name) + string(value)
        else:
            made += (bytes((exact,)) if exact < 15 else bytes((15, exact - 15))) + string(value)
    return made


def string(text: str) -> bytes:
    """Returns a string of HPACK of less than 127 bytes, Huffman-coded where that is shorter."""
    coded = _HUFFMAN.encode(text.encode())
    if len(coded) < len(text):
        return bytes((0x80 | len(coded),)) + coded
    return bytes((len(text),)) + text.encode()


class Paths:
    """Finds the path of requests of one connection.

    Blocks and the paths in them are remembered for all connections, as many as `_KEPT`.
    """

    __slots__ = ("_decoder", "_pure")
    _KEPT = 4096
    _blocks: ClassVar[dict[bytes, str]] = {}
    _values: ClassVar[dict[bytes, str]] = {}

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._pure = False

    def acknowledged(self) -> None:
        """Takes note that the client has no dynamic table any more."""
        self._pure = True

    def find(self, block: bytes) -> str:
        """Returns the path of a request."""
        if not self._pure:
            return next(value for name, value in self._decoder.decode(block) if name == ":path")
        path = self._blocks.get(block)
        if path is None:
            coded = path_field(block)
            path = self._values.get(coded)
            if path is None:
                path = (decode_huffman(coded[1:]) if coded[0] else coded[1:]).decode()
                if len(self._values) < self._KEPT:
                    self._values[coded] = path
            if len(self._blocks) < self._KEPT:
                self._blocks[block] = path
        return path


def path_field(block: bytes) -> bytes:
    """Returns the value of :path: a byte that is 1 if it is Huffman-coded, then the bytes.

    Of a block that refers to no dynamic table.
    """
    at, wanted = 0, False
    while at < len(block):
        first = block[at]
        if first & 0x80:
            index, at = _integer(block, at, 7)
            if index in (4, 5):
                return b"\0/" if index == 4 else b"\0/index.html"
            continue
        if first & 0xE0 == 0x20:
            _, at = _integer(block, at, 5)
            continue
        index, at = _integer(block, at, 6 if first & 0x40 else 4)
        wanted = index in (4, 5)
        for place in ("name", "value") if index == 0 else ("value",):
            coded = block[at] >> 7
            size, at = _integer(block, at, 7)
            value, at = block[at : at + size], at + size
            if place == "name":
                wanted = value == (_PATH_CODED if coded else b":path")
            elif wanted:
                return bytes((coded,)) + value
    raise ValueError("a request without a path")


def _integer(block: bytes, at: int, prefix: int) -> tuple[int, int]:
    """Reads an integer (RFC 7541, 5.1); returns it and where it ends."""
    mask = (1 << prefix) - 1
    number, at = block[at] & mask, at + 1
    if number == mask:
        shift, more = 0, 0x80
        while more & 0x80:
            more = block[at]
            number, shift, at = number + ((more & 0x7F) << shift), shift + 7, at + 1
    return number, at


@dataclass(frozen=True, slots=True)
class Canned:
    """A reply that is ready to be sent.

    Attributes:
        messages: All its messages, with their gRPC prefixes (5 bytes each).
        unit: How much of it goes into one DATA frame at most: a message, or a full frame.
        size: The length of `messages`.
        parts: The whole reply, but for its stream's number between each two parts; None where it
            does not fit into one DATA frame.
    """

    messages: bytes
    unit: int
    size: int
    parts: tuple[bytes, ...] | None


HEAD = block((":status", "200"), ("content-type", "application/grpc"))
TRAILERS = block(("grpc-status", "0"))
UNKNOWN = block((":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "12"))


def prefixed(message: bytes) -> bytes:
    """Returns a gRPC message as it is sent (grpc/grpc, doc/PROTOCOL-HTTP2.md)."""
    return b"\0" + NUMBER.pack(len(message)) + message


def unary(message: bytes) -> Canned:
    """Makes the reply of one message."""
    whole = prefixed(message)
    if len(whole) > FRAME:
        return Canned(whole, FRAME, len(whole), None)
    head = frame(HEADERS, END_HEADERS, 0, HEAD)
    data = frame(DATA, 0, 0, whole)
    end = frame(HEADERS, END_HEADERS | END_STREAM, 0, TRAILERS)
    parts = (head[:5], head[9:] + data[:5], data[9:] + end[:5], end[9:])
    return Canned(whole, FRAME, len(whole), parts)


def stream(messages: list[bytes]) -> Canned:
    """Makes the reply of many messages of one size, each in a frame of its own."""
    whole = b"".join(map(prefixed, messages))
    return Canned(whole, len(whole) // len(messages), len(whole), None)


class Sidecar:
    """Header blocks as a server behind an Istio sidecar sends them: no two are equal.

    `server`, `date` (another each second), `x-envoy-upstream-service-time` (0 to 9 ms) and
    `x-request-id` (unique), each Huffman-coded, as Envoy does it.
    """

    def __init__(self) -> None:
        self._second = 0
        self._front = b""
        times = [block(("x-envoy-upstream-service-time", str(each))) for each in range(10)]
        self._times = itertools.cycle(times)
        self._random = random.Random(1)
        # Four hex digits of an id at a time: their code and how many bits it has.
        self._hex = [_bits(b"%04x" % number) for number in range(65_536)]
        self._dash = _bits(b"-")
        self._name = b"\0" + string("x-request-id")

    def head(self) -> bytes:
        """Returns the block of one more reply."""
        now = int(time.time())
        if now != self._second:
            self._second = now
            date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now))
            self._front = HEAD + block(("server", "istio-envoy"), ("date", date))
        return self._front + next(self._times) + self._name + self._request_id()

    def _request_id(self) -> bytes:
        """Returns a random UUID as a string of HPACK (RFC 7541, 5.2)."""
        number, code, bits = self._random.getrandbits(128), 0, 0
        for place in range(8):
            if place in (2, 3, 4, 5):
                code, bits = code << self._dash[1] | self._dash[0], bits + self._dash[1]
            more, width = self._hex[number >> 16 * place & 65_535]
            code, bits = code << width | more, bits + width
        padding = -bits % 8
        size = (bits + padding) // 8
        code = code << padding | (1 << padding) - 1
        return bytes((0x80 | size,)) + code.to_bytes(size, "big")


def _bits(text: bytes) -> tuple[int, int]:
    code = bits = 0
    for each in text:
        code = code << REQUEST_CODES_LENGTH[each] | REQUEST_CODES[each]
        bits += REQUEST_CODES_LENGTH[each]
    return code, bits
