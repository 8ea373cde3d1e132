"""The hash that keys and endpoints are placed by: the same on all machines, in all processes.

BLAKE2b: fast in the standard library, and no client can choose keys that all fall on one endpoint
without trying many.
"""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct
from typing import Final

SPACE: Final = 1 << 64
"""Hashes are below this."""

_EIGHT: Final = Struct(">8Q")


def hashed(key: bytes, purpose: bytes = b"") -> int:
    """Returns the hash of a key.

    Args:
        key: Any bytes.
        purpose: At most 16 bytes; the hashes of two purposes have nothing to do with each other.
    """
    return int.from_bytes(blake2b(key, digest_size=8, person=purpose).digest(), "big")


def sequence(name: str, count: int) -> tuple[int, ...]:
    """Returns the first `count` of the endless series of hashes that a name has."""
    data = name.encode()
    found: list[int] = []
    for turn in range(-(-count // 8)):
        digest = blake2b(data, digest_size=64, salt=turn.to_bytes(4, "big")).digest()
        found.extend(_EIGHT.unpack(digest))
    return tuple(found[:count])
