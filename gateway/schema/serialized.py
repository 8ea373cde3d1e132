"""Cuts serialized descriptors at the level of the wire format, without parsing what is inside.

Comments and positions (`source_code_info`) are three quarters of a descriptor set and are seldom
read, so they are cut off and kept apart. Protobuf's rule that fields may come in any order makes
the two parts, joined, the whole file again (https://protobuf.dev/programming-guides/encoding).
Nothing here judges whether the content is a valid descriptor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

Buffer: TypeAlias = bytes | memoryview

_SET_FILE = 1  # FileDescriptorSet.file
_FILE_NAME = 1  # FileDescriptorProto.name
_FILE_SOURCE_INFO = 9  # FileDescriptorProto.source_code_info
_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}


def _varint(data: Buffer, at: int) -> tuple[int, int]:
    """Returns the varint at `at` and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("it ends in the middle of a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError(f"a number at byte {at} is longer than 10 bytes")


def _fields(data: Buffer) -> Iterator[tuple[int, int, int, int]]:
    """Yields each top-level field: number, where its tag begins, its value begins, it ends."""
    at = 0
    while at < len(data):
        begin = at
        tag, at = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        value = at
        if wire_type == _DELIMITED:
            length, value = _varint(data, at)
            at = value + length
        elif wire_type == _VARINT:
            _, at = _varint(data, at)
        elif wire_type in _FIXED_SIZES:
            at += _FIXED_SIZES[wire_type]
        else:
            raise ValueError(f"byte {begin} does not begin a field")
        if not number:
            raise ValueError(f"byte {begin} does not begin a field")
        if at > len(data):
            raise ValueError(f"it is cut off: {at - len(data)} bytes or more are missing")
        yield number, begin, value, at


def split_set(data: memoryview) -> list[memoryview]:
    """Returns the files of a serialized FileDescriptorSet, each serialized.

    Raises:
        ValueError: It is not one; the text is the rest of a sentence about it.
    """
    files = []
    for number, begin, value, end in _fields(data):
        if number != _SET_FILE or data[begin] != _SET_FILE << 3 | _DELIMITED:
            raise ValueError(f"byte {begin} does not begin a file")
        files.append(data[value:end])
    return files


def cut_source_info(data: Buffer) -> tuple[bytes, bytes]:
    """Cuts a serialized FileDescriptorProto in two: what types need, and `source_code_info`.

    Both keep their tags: the two joined are the whole file again.

    Raises:
        ValueError: It is not a serialized message.
    """
    types, info = bytearray(), bytearray()
    for number, begin, _, end in _fields(data):
        (info if number == _FILE_SOURCE_INFO else types).extend(data[begin:end])
    return bytes(types), bytes(info)


def file_name(data: Buffer) -> str:
    """Returns the name in a serialized FileDescriptorProto, empty without one.

    Raises:
        ValueError: It is not a serialized message, or the name is not UTF-8.
    """
    for number, _, value, end in _fields(data):
        if number == _FILE_NAME:
            try:
                return bytes(data[value:end]).decode()
            except UnicodeDecodeError as error:
                raise ValueError("it holds a file with a name that is not UTF-8") from error
    return ""
