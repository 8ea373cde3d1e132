"""Metadata as users give it: checked before it is sent, since the gateway would only end the call.

Keys and values are those of gRPC (grpc/grpc, doc/PROTOCOL-HTTP2.md, "Custom-Metadata"). Which names
the gateway lets pass is its configuration's matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from gateway.client.frames import Metadata

Given: TypeAlias = "Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]]"
"""Pairs in order, or a mapping. The values of keys that end with `-bin` are bytes."""

_KEY: Final = re.compile(r"[0-9a-z_.-]+")
_TEXT: Final = re.compile(r"[\x20-\x7e]*")
_MOST: Final = 8 * 1024  # bytes in all: what HTTP/2 servers commonly take


def checked(given: Given) -> Metadata:
    """Returns metadata as it is sent, with keys in lower case.

    Raises:
        ValueError: A key or a value can't be metadata, or it is more than 8 KiB.
        TypeError: A value is of the wrong type for its key.
    """
    pairs = given.items() if isinstance(given, Mapping) else given
    entries = tuple(_entry(key.lower(), value) for key, value in pairs)
    if sum(len(key) + len(value) for key, value in entries) > _MOST:
        raise ValueError(f"metadata of more than {_MOST} bytes")
    return entries


def _entry(key: str, value: str | bytes) -> tuple[str, str | bytes]:
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no key of metadata")
    if key.endswith("-bin"):
        if not isinstance(value, bytes):
            raise TypeError(f"the value of {key} is bytes, since it ends with -bin")
        return key, value
    if not isinstance(value, str):
        raise TypeError(f"the value of {key} is a text; bytes go with keys that end with -bin")
    if not _TEXT.fullmatch(value):
        raise ValueError(f"the value of {key} is not of printable ASCII")
    return key, value
