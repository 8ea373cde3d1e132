"""Reads durations (`200ms`) and sizes (`4MiB`) as people write them in flags and metadata."""

import re

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_BYTES = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_QUANTITY = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)([A-Za-z]*)", re.ASCII)


def seconds(text: str) -> float:
    """Reads a duration, such as `200ms`, as seconds.

    Raises:
        ValueError: it is not a number and a unit.
    """
    match = _QUANTITY.fullmatch(text)
    if not match or match[2] not in _SECONDS:
        raise ValueError(f"{text!r} is not a duration such as 200ms, 1.5s or 2m")
    return float(match[1]) * _SECONDS[match[2]]


def size(text: str) -> int:
    """Reads a size, such as `4MiB`, as bytes.

    Raises:
        ValueError: it is not a number and a unit.
    """
    match = _QUANTITY.fullmatch(text)
    if not match or match[2] not in _BYTES:
        raise ValueError(f"{text!r} is not a size such as 65536, 64KiB or 4MiB")
    return int(float(match[1]) * _BYTES[match[2]])
