"""Whether a JSON value is a value of a scalar field, an enum, or a key of a map: what is wrong.

From the ProtoJSON specification, "Representation of each type". Numbers are judged by their digits,
so that nothing is rounded or computed before it is known to be in range.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from gateway.schema.codec import well_known
from gateway.schema.codec.text import Number, Tree, kind

# Returns what is wrong, or None.
Judge = Callable[[Tree], "str | None"]

_INTEGER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)(={0,2})")
_SURROGATE = re.compile("[\ud800-\udfff]")
LARGEST_FLOAT = 3.4028234663852886e38
# Up to half a unit in the last place above the largest one, numbers round to it.
_LARGEST_FLOAT = Decimal(2**128 - 2**103 - 1)
_LARGEST_DOUBLE = Decimal(2**1024 - 2**970 - 1)
# So many digits are in range of any integer type.
_SHORT = 9
# More decimal digits than any number in range has.
_MOST_DIGITS = 400


def expected(what: str, found: Tree) -> str:
    """Returns the description of a value of the wrong kind."""
    return f"expected {what}, found {kind(found)}"


def _decimal(text: str) -> Decimal | None:
    """Returns the exact value, None where its exponent is beyond reason."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if not value or abs(value.adjusted()) < _MOST_DIGITS else None


def _integer(bits: int, *, signed: bool) -> Judge:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def judge(value: Tree) -> str | None:
        if not isinstance(value, str):
            return expected("an integer", value)
        if len(value) <= _SHORT and value.isascii() and value.isdigit():
            return None
        if not _INTEGER.fullmatch(value):
            return "expected an integer, found a string that is none"
        number = _decimal(value)
        if number is not None and number != number.to_integral_value():
            return "expected an integer, found a fraction"
        if number is None or not low <= number <= high:
            return f"must be from {low} to {high}"
        return None

    return judge


def _real(largest: Decimal) -> Judge:
    def judge(value: Tree) -> str | None:
        if not isinstance(value, str):
            return expected("a number", value)
        if value in ("NaN", "Infinity", "-Infinity"):
            return None
        if not _INTEGER.fullmatch(value):
            return "expected a number, found a string that is none"
        number = _decimal(value)
        # An exponent far below zero is a zero.
        if number is None and "-" in value.lower().partition("e")[2]:
            return None
        return None if number is not None and abs(number) <= largest else "is too large"

    return judge


def _boolean(value: Tree) -> str | None:
    return None if isinstance(value, bool) else expected("true or false", value)


def string(value: Tree) -> str | None:
    """Judges a string: any Unicode text, which half a surrogate pair is not."""
    if type(value) is not str:
        return expected("a string", value)
    return "has half of a surrogate pair" if _SURROGATE.search(value) else None


def _bytes(value: Tree) -> str | None:
    if type(value) is not str:
        return expected("a base64 string", value)
    match = _BASE64.fullmatch(value)
    padding = len(match[1]) if match else 0
    if not match or (len(value) % 4 if padding else len(value) % 4 == 1):
        return "expected a base64 string, found another string"
    return None


_T = FieldDescriptor
_INT32, _INT64 = _integer(32, signed=True), _integer(64, signed=True)
_UINT32, _UINT64 = _integer(32, signed=False), _integer(64, signed=False)
_JUDGES: Mapping[int, Judge] = {
    _T.TYPE_DOUBLE: _real(_LARGEST_DOUBLE),
    _T.TYPE_FLOAT: _real(_LARGEST_FLOAT),
    _T.TYPE_BOOL: _boolean,
    _T.TYPE_STRING: string,
    _T.TYPE_BYTES: _bytes,
    **dict.fromkeys((_T.TYPE_INT32, _T.TYPE_SINT32, _T.TYPE_SFIXED32), _INT32),
    **dict.fromkeys((_T.TYPE_INT64, _T.TYPE_SINT64, _T.TYPE_SFIXED64), _INT64),
    **dict.fromkeys((_T.TYPE_UINT32, _T.TYPE_FIXED32), _UINT32),
    **dict.fromkeys((_T.TYPE_UINT64, _T.TYPE_FIXED64), _UINT64),
}


def scalar(field: FieldDescriptor, value: Tree, *, ignore_unknown: bool) -> str | None:
    """Judges one value of a scalar or enum field: an element, where it is repeated."""
    if field.enum_type is not None:
        return _enum(field.enum_type, value, ignore_unknown=ignore_unknown)
    return _JUDGES[field.type](value)


def finite(value: Number) -> str | None:
    """Judges a number in a Value."""
    return _JUDGES[_T.TYPE_DOUBLE](value)


def _enum(enum: EnumDescriptor, value: Tree, *, ignore_unknown: bool) -> str | None:
    if value is None and enum.full_name == well_known.NULL_VALUE:
        return None
    if isinstance(value, Number):
        if fault := _INT32(value):
            return fault
        if "." in value or "e" in value.lower():
            return "expected the name or the number of an enum value"
        if enum.is_closed and int(value) not in enum.values_by_number and not ignore_unknown:
            return "is not the number of a value of this enum"
        return None
    if type(value) is not str:
        return expected("the name of an enum value", value)
    if fault := string(value):
        return fault
    if value in enum.values_by_name or ignore_unknown:
        return None
    return "is not the name of a value of this enum"


def map_key(field: FieldDescriptor, name: str) -> tuple[object, str | None]:
    """Returns a key of a map as the map has it, and what is wrong with it."""
    if field.type == _T.TYPE_STRING:
        return name, string(name)
    if field.type == _T.TYPE_BOOL:
        fault = None if name in ("true", "false") else 'expected the key "true" or "false"'
        return name, fault
    if fault := _JUDGES[field.type](name):
        return name, f"the key is wrong: {fault}"
    return int(Decimal(name)), None
