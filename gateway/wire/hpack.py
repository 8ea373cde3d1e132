"""Field blocks (RFC 7541), read and written without a dynamic table.

Whoever uses this has told its peer SETTINGS_HEADER_TABLE_SIZE=0, so a field is a function of its
bytes alone. That is what the caches stand on: whole blocks first, then single fields. One Decoder
may serve any number of connections.

Names are decoded at once, values when they are read: most are not. What is written is never
indexed, and never Huffman-coded.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.wire import huffman
from gateway.wire.recent import Recent
from gateway.wire.static_table import STATIC_TABLE

# RFC 9110 section 5.6.2, less capitals (RFC 9113 section 8.2.1); a pseudo-header has a colon first.
_NAME: Final = re.compile(rb":?[!#$%&'*+\-.^_`|~0-9a-z]+")
_BAD_IN_VALUE: Final = re.compile(rb"[\0\r\n]")

# What a field counts for beside its bytes (RFC 9113 section 6.5.2, MAX_HEADER_LIST_SIZE).
_OVERHEAD: Final = 32

# Where hostile numbers end: 28 bits hold every length that fits in a frame.
_MOST_NUMBER: Final = 1 << 28


class CompressionError(Exception):
    """A field block that can't be decoded: the connection ends with COMPRESSION_ERROR."""


class MalformedError(ValueError):
    """A field that HTTP does not allow (RFC 9113 section 8.2.1): the message is malformed."""


class Field:
    """A field line: its name, and its value as it came."""

    __slots__ = ("_huffman", "_raw", "_value", "name")

    def __init__(self, name: str, raw: bytes, *, coded: bool = False) -> None:
        self.name = name
        self._raw = raw
        self._huffman = coded
        self._value: bytes | None = None

    def __repr__(self) -> str:
        return f"Field({self.name})"  # the value may be a secret, and a repr ends in logs

    @property
    def value(self) -> bytes:
        """The value, decoded when it is first read, without white space around it.

        Raises:
            MalformedError: It is no Huffman code, or holds NUL, CR or LF.
        """
        value = self._value
        if value is None:
            value = self._raw
            if self._huffman:
                try:
                    value = huffman.decode(value)
                except ValueError as failure:
                    raise MalformedError(f"the value of {self.name}: {failure}") from failure
            if _BAD_IN_VALUE.search(value):
                raise MalformedError(f"the value of {self.name} holds NUL, CR or LF")
            # The RFC calls white space around it malformed; gRPC allows what strips it.
            value = self._value = value.strip(b" \t")
        return value


class Fields:
    """A field section.

    Attributes:
        lines: Its fields in order.
        size: What it counts for in a limit on field sections, as it came.
        status: A slot for what a connection found it to be (see `http2_client`): the status of a
            head, 0 of trailers, None before anybody looked.
        length: A slot for `content-length`, -1 without one.
        memo: A slot for what a higher layer makes of it. All of this is found out once for each
            different block.
    """

    __slots__ = ("length", "lines", "memo", "size", "status")

    def __init__(self, lines: list[Field], size: int) -> None:
        self.lines = lines
        self.size = size
        self.status: int | None = None
        self.length = -1
        self.memo: object = None

    def __repr__(self) -> str:
        return f"Fields({self.lines})"


_STATIC: Final = (
    Field("", b""),  # counted from 1
    *(Field(name, value.encode()) for name, value in STATIC_TABLE),
)


class Decoder:
    """Decodes field blocks.

    Args:
        blocks: How many whole blocks are kept, at least.
        fields: How many single fields are kept, at least.
        most_fields: The most fields of a block.
    """

    # A block or a field of more bytes is not kept.
    LARGEST_BLOCK: Final = 1024
    LARGEST_FIELD: Final = 256

    __slots__ = ("_blocks", "_fields", "_most_fields", "_names")

    def __init__(self, *, blocks: int = 512, fields: int = 1024, most_fields: int = 256) -> None:
        self._blocks: Recent[bytes, Fields] = Recent(blocks)
        self._fields: Recent[bytes, Field] = Recent(fields)
        self._names: Recent[tuple[bytes, bool], str] = Recent(fields)
        self._most_fields = most_fields

    def decode(self, block: bytes) -> Fields:
        """Returns a block's field section.

        Raises:
            CompressionError: It can't be decoded, or has too many fields.
            MalformedError: A name is not one that HTTP/2 allows.
        """
        found = self._blocks.get(block)
        if found is None:
            try:
                lines, known = self._read(block)
            except IndexError:
                raise CompressionError("the field block ends within a field") from None
            found = Fields(lines, len(block) + _OVERHEAD * len(lines))
            # One that holds something new, such as a request id, is not likely to come again.
            if known and len(block) <= self.LARGEST_BLOCK:
                self._blocks.put(block, found)
        return found

    def _read(self, block: bytes) -> tuple[list[Field], bool]:
        """Reads a block: its fields, and whether each of them had been seen before."""
        lines: list[Field] = []
        kept, known = self._fields, True
        at, end = 0, len(block)
        while at < end:
            first = block[at]
            if first & 0x80:  # section 6.1: indexed
                at += 1
                index = first & 0x7F
                if index == 0x7F:
                    index, at = _number(block, at, index)
                if not 0 < index < len(_STATIC):
                    raise CompressionError("an index is not in the static table")
                lines.append(_STATIC[index])
            elif first & 0xE0 == 0x20:  # section 6.3: table size update
                at += 1
                size = first & 0x1F
                if size == 0x1F:
                    size, at = _number(block, at, size)
                if size or lines:
                    raise CompressionError("the dynamic table has a size, or gets it too late")
            else:  # section 6.2: literal
                mask = 0x3F if first & 0x40 else 0x0F
                index = first & mask
                # Where the value's length stands if no number takes more than a byte behind its
                # prefix: so it is with nearly all fields, and those are looked up by their bytes.
                if not index:
                    start = at + 2 + (block[at + 1] & 0x7F)
                else:
                    start = at + 1 if index != mask else at + 2
                length = block[start] & 0x7F if start < end else 0x7F
                field = kept.get(block[at : start + 1 + length]) if length != 0x7F else None
                if field is not None:
                    at = start + 1 + length
                else:
                    known = False
                    at, field = self._literal(block, at, mask)
                lines.append(field)
            if len(lines) > self._most_fields:
                raise CompressionError("the field block has too many fields")
        return lines, known

    def _literal(self, block: bytes, start: int, mask: int) -> tuple[int, Field]:
        """Reads a literal field (section 6.2): where it ends, and the field."""
        at = start + 1
        index = block[start] & mask
        name_at = name_end = 0
        name_coded = 0
        if index == mask:
            index, at = _number(block, at, index)
        if not index:
            name_coded = block[at] & 0x80
            length = block[at] & 0x7F
            at += 1
            if length == 0x7F:
                length, at = _number(block, at, length)
            name_at = at
            at = name_end = at + length
        coded = block[at] & 0x80
        length = block[at] & 0x7F
        at += 1
        if length == 0x7F:
            length, at = _number(block, at, length)
        end = at + length
        if end > len(block):
            raise CompressionError("the field block ends within a field")
        if index:
            if index >= len(_STATIC):
                raise CompressionError("an index is not in the static table")
            name = _STATIC[index].name
        else:
            name = self._name(block[name_at:name_end], coded=bool(name_coded))
        field = Field(name, block[at:end], coded=bool(coded))
        if end - start <= self.LARGEST_FIELD:
            self._fields.put(block[start:end], field)
        return end, field

    def _name(self, raw: bytes, *, coded: bool) -> str:
        name = self._names.get((raw, coded))
        if name is None:
            try:
                text = huffman.decode(raw) if coded else raw
            except ValueError as failure:
                raise CompressionError(f"a name: {failure}") from failure
            if not _NAME.fullmatch(text):
                raise MalformedError("a field's name is not one of HTTP/2")
            name = text.decode("ascii")
            if len(raw) <= self.LARGEST_FIELD:
                self._names.put((raw, coded), name)
        return name


def _number(block: bytes, at: int, prefix: int) -> tuple[int, int]:
    """Reads what follows a full prefix (section 5.1): the number, and where it ends."""
    number, shift = prefix, 0
    while True:
        byte = block[at]
        at += 1
        number += (byte & 0x7F) << shift
        shift += 7
        if number > _MOST_NUMBER or shift > 35:
            raise CompressionError("a number is too large")
        if byte < 0x80:
            return number, at


# Writing.

# RFC 7541 section 7.1.3: values that nobody on the way may put in a table.
_SENSITIVE: Final = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
_INDEX: Final = {
    name: index for index, (name, _) in reversed(tuple(enumerate(STATIC_TABLE, start=1)))
}
_INDEX_OF_BOTH: Final = {pair: index for index, pair in enumerate(STATIC_TABLE, start=1) if pair[1]}


def field(name: str, value: bytes) -> bytes:
    """Returns a field, never indexed (RFC 7541 sections 6.2.2 and 6.2.3).

    Args:
        name: Lower case, ASCII.
        value: As it is to arrive.
    """
    kind = 0x10 if name in _SENSITIVE else 0x00
    index = _INDEX.get(name)
    if index is not None:
        return _integer(index, 4, kind) + string(value)
    return bytes([kind]) + string(name.encode("ascii")) + string(value)


def fields(pairs: list[tuple[str, str]]) -> bytes:
    """Returns a block of fields, those by index that the static table has whole."""
    block = b""
    for name, value in pairs:
        index = _INDEX_OF_BOTH.get((name, value))
        block += field(name, value.encode("ascii")) if index is None else bytes([0x80 | index])
    return block


_SHORT: Final = tuple(bytes([length]) for length in range(127))


def string(text: bytes) -> bytes:
    """Returns a string literal, plain (RFC 7541 section 5.2)."""
    length = len(text)
    return (_SHORT[length] if length < 127 else _integer(length, 7, 0)) + text


def _integer(number: int, bits: int, first: int) -> bytes:
    """Writes a number behind the bits of a prefix (section 5.1)."""
    full = (1 << bits) - 1
    if number < full:
        return bytes([first | number])
    out = bytearray([first | full])
    number -= full
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
