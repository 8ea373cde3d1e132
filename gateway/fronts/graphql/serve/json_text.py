"""Strict, bounded JSON from clients: RFC 8259, with what it leaves open refused.

Beyond being JSON, a text may name no key of an object twice, hold no number that is not finite and
no surrogate that stands alone. It may nest no deeper than MAX_DEPTH, since what reads the value may
recurse, and hold no more than MAX_VALUES, of which each byte can be one that takes fifty in memory.
Its length is bounded before it comes here.
"""

from __future__ import annotations

import json
import math
import re
from typing import Final, NoReturn

MAX_DEPTH: Final = 64
"""Levels of objects and lists in a text."""

MAX_VALUES: Final = 100_000
"""Lists, objects and their entries in a text."""

# Possessive: a long text of escapes leaves no way back to remember.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_NOT_BRACKETS = re.compile(r"[^\[\]{}]+")
_ALIKE = str.maketrans("{}", "[]")


class JsonError(ValueError):
    """A text that is not taken; its message says why, in words fit for clients."""


def loads(data: bytes | str) -> object:
    """Returns the value of a JSON text, as `json.loads` does.

    Args:
        data: The text, UTF-8 where it is bytes.

    Raises:
        JsonError: It is no JSON, or none that is taken.
    """
    text = data if isinstance(data, str) else _decoded(data)
    if _values(text) > MAX_VALUES and _values(_STRING.sub("", text)) > MAX_VALUES:
        raise JsonError(f"it holds more than {MAX_VALUES} values")
    try:
        value = _decoder.decode(text)
    except JsonError:
        raise
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # of JSON, or of an integer of thousands of digits
        raise _no_json() from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _deeper_than(text, MAX_DEPTH):
        raise _too_deep()
    if _SURROGATE.search(text):
        _refuse_lone_surrogates(value)
    return value


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _no_json() from None


def _no_json() -> JsonError:
    return JsonError("it is not JSON in UTF-8")


def _too_deep() -> JsonError:
    return JsonError(f"it nests deeper than {MAX_DEPTH} levels")


def _values(text: str) -> int:
    """Returns how many values begin in a text at most: each follows one of these, but the first."""
    return text.count("[") + text.count("{") + text.count(",")


def _deeper_than(text: str, depth: int) -> bool:
    """Whether a right JSON text nests deeper: each round takes the innermost level away."""
    brackets = _NOT_BRACKETS.sub("", _STRING.sub("", text)).translate(_ALIKE)
    for _ in range(depth):
        if not brackets:
            return False
        brackets = brackets.replace("[]", "")
    return bool(brackets)


def _refuse_lone_surrogates(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise JsonError("a string holds half of a surrogate pair") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise JsonError("an object names a key twice")
    return made


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise JsonError("a number is too large")
    return number


def _no_number(_: str) -> NoReturn:
    raise JsonError("NaN and Infinity are no JSON")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_finite, parse_constant=_no_number
)
