"""What a type's JSON can do wrong that protobuf-py does not see. Compiled once a type.

The parser takes the last of two members of a oneof, of a field's two names, of two equal names; it
lets an enum number and a map key out of range pass until the message is serialized, a lone
surrogate too, and an infinite number in a Struct altogether. A full check of each body would cost
as much as the parser, so a type's traits tell which of it can happen at all, and the JSON decoder's
hooks look for that alone. What they find is only a suspicion: `check` judges it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.schema.codec import well_known
from gateway.schema.codec.text import JsonValue

TYPE_URL = "@type"
# Names, a line each. One that is neither a field's nor an integer in its one usual form: two such
# keys of a map may be the same number. One that is too long for some type of numbers, or below 0.
_ODD_NAME = re.compile(r"^(?!(?:0|-?[1-9][0-9]{0,18})$)[^A-Za-z_]", re.MULTILINE)
_WIDE_NAME = re.compile(r"^(?:-|[0-9]{10})", re.MULTILINE)
# An integer of this many digits fits into an int32.
_SHORT = 9


class SuspicionError(ValueError):
    """The value has to be checked before it is believed."""


class WideNumberError(ValueError):
    """There is an integer that might be out of range for an enum or a key of a map."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What can be wrong with a type's JSON, over all message types that it reaches.

    Attributes:
        names: Those of all fields, both spellings.
        rivals: By name of a member, the names that no object may have beside it: other members of
            a oneof, the other spelling of the field. Of each pair, one has the other.
        has_any: It reaches an Any, and so types that are not known beforehand.
        has_enum: It reaches an enum.
        has_value: It reaches a Value, which takes numbers of any size.
        has_number_keys: It reaches a map whose keys are numbers.
    """

    names: frozenset[str]
    rivals: Mapping[str, frozenset[str]]
    has_any: bool
    has_enum: bool
    has_value: bool
    has_number_keys: bool


def traits(root: Descriptor) -> Traits:
    """Compiles the traits of a message type."""
    rivals: dict[str, set[str]] = {}
    types: set[str] = set()
    names: set[str] = set()
    has_enum = has_number_keys = False
    for message in reached(root):
        types.add(message.full_name)
        if message.full_name in well_known.SPECIAL:
            continue
        for oneof in message.oneofs:
            earlier: set[str] = set()
            for field in oneof.fields:
                spellings = {field.name, field.json_name}
                for name in spellings:
                    rivals.setdefault(name, set()).update(earlier)
                earlier |= spellings
        for field in message.fields:
            names |= {field.name, field.json_name}
            if field.name != field.json_name:
                rivals.setdefault(field.name, set()).add(field.json_name)
            has_enum |= field.enum_type is not None
        if is_map_entry(message):
            has_number_keys |= message.fields_by_name["key"].type not in _EXACT_KEYS
    return Traits(
        names=frozenset(filter(str.isidentifier, names)),
        rivals={name: frozenset(others) for name, others in rivals.items() if others},
        has_any=well_known.ANY in types,
        has_enum=has_enum,
        has_value=not types.isdisjoint((well_known.VALUE, well_known.STRUCT)),
        has_number_keys=has_number_keys,
    )


_EXACT_KEYS = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BOOL)


def is_map_entry(message: Descriptor) -> bool:
    """Whether a message type is the entry of a map field."""
    return bool(message.GetOptions().map_entry)


def reached(root: Descriptor) -> Iterator[Descriptor]:
    """Yields a message type and all that its fields reach, map entries too, each once."""
    seen = {root.full_name}
    stack = [root]
    while stack:
        message = stack.pop()
        yield message
        for field in message.fields:
            inner = field.message_type
            if inner is not None and inner.full_name not in seen:
                seen.add(inner.full_name)
                stack.append(inner)


def decoder(
    of: Traits, *, wide_numbers: bool = False
) -> Callable[[str, int], tuple[JsonValue, int]]:
    """Returns a JSON decoder's `raw_decode` with hooks that look for what can be wrong.

    Args:
        of: The traits of the type.
        wide_numbers: Take integers that might be out of range for an enum or a key.

    The hooks raise SuspicionError or, but with `wide_numbers`, WideNumberError.
    """
    return json.JSONDecoder(
        object_pairs_hook=_object_hook(of, wide_numbers=wide_numbers),
        parse_int=None if wide_numbers or not of.has_enum else _short_integer,
        parse_float=_finite if of.has_value else None,
        parse_constant=_no_constant,
    ).raw_decode


def _object_hook(
    of: Traits, *, wide_numbers: bool
) -> Callable[[list[tuple[str, JsonValue]]], dict[str, JsonValue]]:
    rivals = dict(of.rivals)
    if of.has_any:
        rivals[TYPE_URL] = frozenset((TYPE_URL,))  # what is packed must be checked, always
    if not rivals and not of.has_number_keys:
        return _distinct
    apart = frozenset(rivals).isdisjoint
    # Most objects have no other names than these, and one look at them is enough.
    all_harmless = (of.names - rivals.keys()).issuperset

    def judge(members: dict[str, JsonValue]) -> None:
        if not apart(members):
            for name in members:
                others = rivals.get(name)
                if others is not None and not others.isdisjoint(members):
                    raise SuspicionError
        if of.has_number_keys:
            names = "\n".join(members)
            if _ODD_NAME.search(names):
                raise SuspicionError
            if not wide_numbers and _WIDE_NAME.search(names):
                raise WideNumberError

    def hook(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise SuspicionError
        if not all_harmless(members):
            judge(members)
        return members

    return hook


def _distinct(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise SuspicionError
    return members


def _short_integer(digits: str) -> int:
    if len(digits) > _SHORT:
        raise WideNumberError
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise SuspicionError
    return value


def _no_constant(_: str) -> float:
    raise SuspicionError
