"""The content codings that replies are packed in: gzip, br and zstd, whole or as they come.

Levels are those at which a reply of some KiB costs about what it costs to make: a gateway has many
of them. (JSON of 16 KiB: gzip 55 µs to 33 %, br 90 µs to 31 %, zstd 40 µs to 31 %.)

A stream is packed by gzip only, in a window of 4 KiB: 32 KiB of memory a stream, where br would
take 400. Whoever compresses better is asked for whole replies.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Final, TypeAlias

Pack: TypeAlias = "Callable[[bytes], bytes]"

STREAMED: Final = ("gzip",)
"""The codings that streams are sent in."""

LIBRARIES: Final = {"br": "brotli", "zstd": "zstandard"}
"""What has a coding that Python's own library has not, as it is imported."""

_GZIP: Final = 16  # beside the size of the window: with gzip's head and end (zlib.h)
_LEVEL: Final = 1
_BROTLI_LEVEL: Final = 3
_ZSTD_LEVEL: Final = 3  # its window of 2 MiB is within the 8 that browsers take (RFC 9659)

# Setting up the usual tables, of 256 KiB, costs more than packing little with them.
_SMALL: Final = 16 * 1024  # bytes
_SMALL_WINDOW, _SMALL_MEMORY = 12, 5
_WINDOW, _MEMORY = 15, 8

_STREAM_WINDOW, _STREAM_MEMORY = 12, 5

SLICE: Final = 64 * 1024
"""Bytes that are packed before others have their turn: half a millisecond."""


def missing(coding: str) -> bool:
    """Whether the library of a coding is not installed."""
    library = LIBRARIES.get(coding)
    return library is not None and find_spec(library) is None


def pack(coding: str) -> Pack:
    """Returns what packs a whole body; it may be called in several threads at once.

    Raises:
        ImportError: The library of the coding is not installed.
        KeyError: There is no such coding.
    """
    return _PACKS[coding]()


def _gzip() -> Pack:
    return _to_gzip


def _to_gzip(body: bytes) -> bytes:
    small = len(body) <= _SMALL
    window, memory = (_SMALL_WINDOW, _SMALL_MEMORY) if small else (_WINDOW, _MEMORY)
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP + window, memory)
    return packer.compress(body) + packer.flush()


def _br() -> Pack:
    import brotli  # noqa: PLC0415  only who is asked for it needs it

    compress = brotli.compress

    def to_br(body: bytes) -> bytes:
        made: bytes = compress(body, quality=_BROTLI_LEVEL)
        return made

    return to_br


def _zstd() -> Pack:
    import zstandard  # noqa: PLC0415  an extra

    # A compressor is one thread's. To make one costs a microsecond.
    return lambda body: zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body)


_PACKS: Final[dict[str, Callable[[], Pack]]] = {"gzip": _gzip, "br": _br, "zstd": _zstd}


class StreamPacker:
    """Packs a body as it comes, by gzip. What was given can be unpacked at once, not only later."""

    __slots__ = ("_packer",)

    def __init__(self) -> None:
        self._packer = zlib.compressobj(
            _LEVEL, zlib.DEFLATED, _GZIP + _STREAM_WINDOW, _STREAM_MEMORY
        )

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yields data packed, a piece (or nothing) for each SLICE of it; not empty data."""
        last = (len(data) - 1) // SLICE * SLICE
        for at in range(0, last, SLICE):
            yield self._packer.compress(data[at : at + SLICE])
        made = self._packer.compress(data[last:] if last else data)
        yield made + self._packer.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        """Returns what ends the body."""
        return self._packer.flush()
