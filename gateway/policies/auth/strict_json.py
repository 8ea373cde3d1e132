"""JSON that can be read in one way only, out of what somebody else wrote.

Two readers of a token must not see two tokens in it: a member that comes twice, a number that is
none (RFC 8259 sections 4 and 6), text that is no Unicode (RFC 7493 section 2.1) are refused, where
Python's reader picks something. What the document means is not looked at.
"""

from __future__ import annotations

import json
import math
from typing import Final

_DEPTH: Final = 32


class NotStrictError(ValueError):
    """It is no JSON, or can be read in several ways. The text quotes nothing of it."""


def read(data: bytes, *, depth: int = _DEPTH) -> object:
    """Returns the value of a JSON document.

    Args:
        data: UTF-8.
        depth: How deep objects and arrays may be in each other.

    Raises:
        NotStrictError: See above.
    """
    try:
        value: object = _READER.decode(data.decode("utf-8"))
    except NotStrictError:
        raise
    except UnicodeDecodeError:
        raise NotStrictError("not UTF-8") from None
    except RecursionError:
        raise NotStrictError("nested too deep") from None
    except ValueError:
        raise NotStrictError("not JSON") from None
    _check_depth(value, depth)
    if b"\\u" in data:
        _check_text(value)
    return value


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictError("a member comes twice")
    return members


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotStrictError("a number is too large")
    return number


def _no_number(_: str) -> object:
    raise NotStrictError("a number is none")


def _check_depth(value: object, depth: int) -> None:
    level = [value]
    for _ in range(depth + 1):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise NotStrictError("nested too deep")


def _check_text(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise NotStrictError("a text is not Unicode") from None


_READER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_number, parse_constant=_no_number
)
