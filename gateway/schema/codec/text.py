"""JSON text to Python values, more strictly than `json` does, and what is wrong where it is not.

Two forms: `loads` for the hot path, which says no more than that something is wrong, and `parse`
for the way after it, which keeps what a dict loses (repeated names, the digits of numbers) and
tells the place of each fault. Both take UTF-8 without a byte order mark, one value, and no nesting
beyond a limit. The limit is checked on the bytes before any parser sees them, as none of them
should recurse as a client likes. It does not know protobuf.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import accumulate
from typing import TypeAlias

from gateway.schema.codec.errors import CodecError

# A value as `json` makes it.
JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
# A value as `parse` makes it.
Tree: TypeAlias = "bool | Number | str | list[Tree] | Members | None"

# `{}` is two bytes and becomes a message of up to 1,600: 4 MiB of them took 2 GB and 20 s.
MOST_OBJECTS = 100_000
# Of what is checked value by value, at 1 to 2 µs each.
MOST_VALUES = 500_000

_OPENING = b"[{"
_STRUCTURAL = b'[]{}"'
_NOT_OPENING = bytes(byte for byte in range(256) if byte not in _OPENING)
_NOT_STRUCTURAL = bytes(byte for byte in range(256) if byte not in _STRUCTURAL)
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_STRING = re.compile(rb'"[^"]*"')
_SPACE = re.compile(r"[ \t\n\r]*")

# Our words for what `json` says; what it says is no part of an error.
_FAULTS = {
    "Expecting value": "expected a value",
    "Expecting ',' delimiter": "expected a comma or a closing bracket",
    "Expecting ':' delimiter": "expected a colon",
    "Expecting property name enclosed in double quotes": "expected a name in double quotes",
    "Illegal trailing comma before end of object": "a comma before the closing bracket",
    "Illegal trailing comma before end of array": "a comma before the closing bracket",
    "Unterminated string starting at": "a string without an end",
    "Invalid control character at": "a control character in a string, which must be escaped",
}
_OTHER_FAULT = "an escape sequence that does not exist"


class Number(str):
    """A number as it is written: its digits are judged before they become an int or a float."""

    __slots__ = ()


class Members:
    """An object with all its members, repeated ones too, in order."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, Tree]]) -> None:
        self.pairs = pairs


def is_beyond(body: bytes, max_depth: int, most_values: int | None) -> bool:
    """Whether a body must not be parsed: it is nested too deeply, or has too much in it.

    Args:
        body: Any bytes.
        max_depth: The most levels of arrays and objects.
        most_values: The most values; None for any number.
    """
    # Counting the openings is much faster than following them, and mostly enough.
    openings = len(body.translate(None, _NOT_OPENING))
    if openings > max_depth and (openings > MOST_OBJECTS or _is_deeper(body, max_depth)):
        return True
    # Most bodies are too short to hold so many, and need no counting.
    return most_values is not None and len(body) > most_values and body.count(b",") > most_values


def _is_deeper(body: bytes, limit: int) -> bool:
    brackets = _brackets(body)
    # Many objects beside each other, as in a list, are soon gone: a round takes two levels at most.
    for removed in range(2, _ROUNDS, 2):
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if len(brackets) + removed <= limit:
            return False
    return depth(body) > limit


_ROUNDS = 16


def depth(body: bytes) -> int:
    """Returns how many arrays and objects are nested in each other at most.

    Of text that is not JSON: before the place where it goes wrong. So a parser that stops there
    never recurses further.
    """
    return max(accumulate(map(_STEP.__getitem__, _brackets(body)), initial=0))


def _brackets(body: bytes) -> bytes:
    """Returns the brackets outside of strings."""
    if b"\\" in body:
        body = _ESCAPE.sub(b"", body)
    brackets = body.translate(None, _NOT_STRUCTURAL).replace(b'""', b"")
    if b'"' in brackets:  # strings with brackets in them: pair the quotes from the start
        brackets = _STRING.sub(b"", body.translate(None, _NOT_STRUCTURAL))
    return brackets.partition(b'"')[0]


def loads(body: bytes, raw_decode: Callable[[str, int], tuple[JsonValue, int]]) -> JsonValue:
    """Returns the value in a body, by a decoder's `raw_decode`.

    Raises:
        ValueError: It is no JSON; or the decoder's hooks raised it.
    """
    text = body.decode()
    start = 0 if text[:1] == "{" else _after_space(text, 0)
    value, end = raw_decode(text, start)
    if end != len(text) and _after_space(text, end) != len(text):
        raise ValueError
    return value


def parse(body: bytes, max_depth: int) -> Tree:
    """Returns the value in a body with nothing lost.

    Raises:
        CodecError: It is no JSON, or is nested too deeply; with the place.
    """
    if is_beyond(body, max_depth, MOST_VALUES):
        raise CodecError(_limit(body, max_depth))
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _malformed(f" at byte {error.start + 1}: not UTF-8") from None
    if text.startswith("\ufeff"):
        raise _malformed(" at line 1, column 1: a byte order mark")
    try:
        value, end = _parse(text, _after_space(text, 0))
    except json.JSONDecodeError as error:
        fault = (
            "the text ends too early"
            if error.pos >= len(text)
            else _FAULTS.get(error.msg, _OTHER_FAULT)
        )
        raise _malformed(f" {_place(text, error.pos)}: {fault}") from None
    if (rest := _after_space(text, end)) != len(text):
        raise _malformed(f" {_place(text, rest)}: more text after the value")
    return value


def _limit(body: bytes, max_depth: int) -> str:
    if len(body.translate(None, _NOT_OPENING)) > MOST_OBJECTS:
        return f"The JSON has more than {MOST_OBJECTS} objects and arrays."
    if depth(body) > max_depth:
        return f"The JSON is nested too deeply: at most {max_depth} levels are taken."
    return f"The JSON has more than {MOST_VALUES} values, too many to be checked."


def _no_constant(constant: str) -> Tree:
    raise _malformed(f": {constant} outside a string")


_parse: Callable[[str, int], tuple[Tree, int]] = json.JSONDecoder(
    object_pairs_hook=Members, parse_int=Number, parse_float=Number, parse_constant=_no_constant
).raw_decode


def plain(tree: Tree, replaced: Mapping[int, float]) -> JsonValue:
    """Returns a tree as `json` would have made it. Numbers must be finite, names not repeated.

    Args:
        tree: The tree.
        replaced: Numbers, also quoted ones, to put in the place of others, by the `id` of those.
    """
    if isinstance(tree, Members):
        return {name: plain(value, replaced) for name, value in tree.pairs}
    if isinstance(tree, list):
        return [plain(value, replaced) for value in tree]
    if replaced and id(tree) in replaced:
        return replaced[id(tree)]
    if isinstance(tree, Number):
        return _number(tree)
    return tree


def _number(digits: Number) -> int | float:
    if not set("eE.").intersection(digits):
        return int(digits)
    value = float(digits)
    # Exact beyond 2**53 where it is an integer, written as 1e18 or 9007199254740993.0.
    return int(Decimal(digits)) if value.is_integer() and abs(value) > _EXACT else value


_EXACT = 2**53


def kind(tree: Tree) -> str:
    """Returns what a value is, in words for an error."""
    match tree:
        case None:
            return "null"
        case bool():
            return "true" if tree else "false"
        case Number():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def joined(path: str, name: str) -> str:
    """Returns the path of an object's member."""
    # Half a surrogate pair can't be told back.
    name = name.encode("utf-8", "replace").decode()
    name = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
    if not name.isidentifier() and name != "@type":
        return f"{path}[{json.dumps(name, ensure_ascii=False)}]"
    return f"{path}.{name}" if path else name


# A client's own names are told back to it, but not by the megabyte.
_LONGEST_NAME = 64


def _after_space(text: str, start: int) -> int:
    space = _SPACE.match(text, start)
    assert space is not None  # it matches nothing too
    return space.end()


def _place(text: str, position: int) -> str:
    line = text.count("\n", 0, position) + 1
    return f"at line {line}, column {position - text.rfind(chr(10), 0, position)}"


def _malformed(fault: str) -> CodecError:
    return CodecError(f"The text is not valid JSON{fault}.", malformed=True)
