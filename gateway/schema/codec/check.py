"""Checks a JSON value against a message type: every fault with its path. Decides, parses nothing.

It is not on the hot path: it runs where a value is suspicious or protobuf-py refuses it, so it may
be slow, but it is exact. Its rules are the ProtoJSON specification's and, where that leaves a
choice, the strict one: what could be read in two ways is refused.
"""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool

from gateway.errors import Violation
from gateway.schema.codec import scalars, well_known
from gateway.schema.codec.scalars import expected
from gateway.schema.codec.text import Members, Number, Tree, joined
from gateway.schema.codec.traits import TYPE_URL, is_map_entry

# More than a developer reads at once.
_MOST_VIOLATIONS = 20


class Check:
    """One run of the check.

    Args:
        pool: Knows the types that an Any may hold.
        ignore_unknown: Let unknown fields and names of enum values pass.

    Attributes:
        violations: What was found, at most 20.
        replaced: What protobuf-py finds too large for a float, though it rounds to the largest one
            (3.4028235e38, as others write that): the float, by the `id` of the value.
        foreign_any: An Any has a type URL that protobuf-py would replace by one of
            type.googleapis.com.
    """

    def __init__(self, pool: DescriptorPool, *, ignore_unknown: bool) -> None:
        self._pool = pool
        self._ignore_unknown = ignore_unknown
        self.violations: list[Violation] = []
        self.replaced: dict[int, float] = {}
        self.foreign_any = False
        self._by_names: dict[str, dict[str, FieldDescriptor]] = {}

    def message(self, message: Descriptor, value: Tree, path: str = "") -> None:
        """Checks a value of a message type. None is one for a `Value` only."""
        name = message.full_name
        if name in well_known.TEXTS:
            self._text(name, value, path)
        elif name in well_known.WRAPPERS:
            self._add(path, self._scalar(message.fields_by_name["value"], value))
        elif name == well_known.VALUE:
            self._value(value, path)
        elif name == well_known.LIST_VALUE and not isinstance(value, list):
            self._add(path, expected("an array", value))
        elif name == well_known.LIST_VALUE:
            self._value(value, path)
        elif not isinstance(value, Members):
            self._add(path, expected("an object", value))
        elif name == well_known.STRUCT:
            self._value(value, path)
        elif name == well_known.ANY:
            self._any(value, path)
        else:
            self._fields(message, value.pairs, path)

    def field(self, field: FieldDescriptor, value: Tree, path: str = "") -> None:
        """Checks the value of a field: an array where it is repeated, an object for a map."""
        inner = field.message_type
        if field.is_repeated and inner is not None and is_map_entry(inner):
            self._map(inner, value, path)
        elif field.is_repeated and not isinstance(value, list):
            self._add(path, expected("an array", value))
        elif isinstance(value, list) and field.is_repeated:
            for index, element in enumerate(value):
                if inner is not None:
                    self.message(inner, element, f"{path}[{index}]")
                elif fault := self._scalar(field, element):
                    self._add(f"{path}[{index}]", fault)
                if self._full():
                    return
        else:
            self._single(field, value, path)

    def _single(self, field: FieldDescriptor, value: Tree, path: str) -> None:
        if field.message_type is not None:
            self.message(field.message_type, value, path)
        else:
            self._add(path, self._scalar(field, value))

    def _scalar(self, field: FieldDescriptor, value: Tree) -> str | None:
        fault = scalars.scalar(field, value, ignore_unknown=self._ignore_unknown)
        if fault is None and field.type == FieldDescriptor.TYPE_FLOAT:
            number = float(cast("str", value))
            if math.isfinite(number) and abs(number) > scalars.LARGEST_FLOAT:
                self.replaced[id(value)] = math.copysign(scalars.LARGEST_FLOAT, number)
        return fault

    def _add(self, path: str, description: str | None) -> None:
        if description is not None and not self._full():
            self.violations.append(Violation(path, description))

    def _full(self) -> bool:
        return len(self.violations) >= _MOST_VIOLATIONS

    def _fields(self, message: Descriptor, pairs: list[tuple[str, Tree]], path: str) -> None:
        seen: dict[str, str] = {}
        chosen: dict[str, tuple[str, str]] = {}
        fields = self._by_names.get(message.full_name)
        if fields is None:
            fields = self._by_names[message.full_name] = by_names(message)
        count = 0
        for name, value in pairs:
            if self._full():
                return
            here = joined(path, name)
            field = fields.get(name)
            known = field.name if field is not None else name
            if (earlier := seen.setdefault(known, name)) != name:
                self._add(here, f"is given twice, also as {earlier}")
            elif len(seen) == count:
                self._add(here, "is given twice")
            count = len(seen)
            if field is None:
                if not self._ignore_unknown:
                    self._add(here, _unknown(name, [each.json_name for each in message.fields]))
                self._value(value, here)
            elif value is not None or takes_null(field):
                self._chosen(field, name, chosen, here)
                self.field(field, value, here)

    def _chosen(
        self, field: FieldDescriptor, name: str, chosen: dict[str, tuple[str, str]], path: str
    ) -> None:
        """Notes that a field is set, and finds another one of its oneof that is."""
        oneof = field.containing_oneof
        if oneof is None:
            return
        other, as_name = chosen.setdefault(oneof.name, (field.name, name))
        if other != field.name:
            self._add(path, f'can\'t stand beside {as_name}: both are of the oneof "{oneof.name}"')

    def _map(self, entry: Descriptor, value: Tree, path: str) -> None:
        if not isinstance(value, Members):
            self._add(path, expected("an object", value))
            return
        key_field, value_field = entry.fields_by_name["key"], entry.fields_by_name["value"]
        seen = set()
        for name, element in value.pairs:
            if self._full():
                return
            here = joined(path, name)
            key, fault = scalars.map_key(key_field, name)
            self._add(here, "the key is given twice" if key in seen else fault)
            seen.add(key)
            self._single(value_field, element, here)

    def _value(self, value: Tree, path: str) -> None:
        if isinstance(value, Members):
            seen = set()
            for name, element in value.pairs:
                if self._full():
                    return
                here = joined(path, name)
                self._add(here, "is given twice" if name in seen else scalars.string(name))
                seen.add(name)
                self._value(element, here)
        elif isinstance(value, list):
            for index, element in enumerate(value):
                if self._full():
                    return
                self._value(element, f"{path}[{index}]")
        elif isinstance(value, Number):
            self._add(path, scalars.finite(value))
        elif isinstance(value, str):
            self._add(path, scalars.string(value))

    def _text(self, name: str, value: Tree, path: str) -> None:
        is_right, what = well_known.TEXTS[name]
        if type(value) is not str:
            self._add(path, expected(what, value))
        elif fault := scalars.string(value):
            self._add(path, fault)
        elif not is_right(value):
            self._add(path, f"expected {what}, found another string")

    def _any(self, value: Members, path: str) -> None:
        if not value.pairs:
            return
        urls = [member for name, member in value.pairs if name == TYPE_URL]
        here = joined(path, TYPE_URL)
        url = urls[0] if urls else None
        if len(urls) > 1:
            self._add(here, "is given twice")
        elif type(url) is not str or "/" not in url or scalars.string(url):
            self._add(here, "expected the URL of a type, such as type.googleapis.com/shop.v1.Order")
        else:
            try:
                packed = self._pool.FindMessageTypeByName(url.rpartition("/")[2])
            except KeyError:
                self._add(here, "is not a type that this API knows")
                return
            self.foreign_any |= url.rpartition("/")[0] != "type.googleapis.com"
            rest = [member for member in value.pairs if member[0] != TYPE_URL]
            self._packed(packed, rest, path)

    def _packed(self, packed: Descriptor, rest: list[tuple[str, Tree]], path: str) -> None:
        if packed.full_name not in well_known.SPECIAL:
            self._fields(packed, rest, path)
            # Outside of an Any, a path or a query may set them yet.
            given = {name for name, _ in rest}
            for field in packed.fields:
                if field.is_required and given.isdisjoint((field.name, field.json_name)):
                    self._add(joined(path, field.json_name), "is required")
            return
        values = [member for name, member in rest if name == "value"]
        for name, _ in rest:
            if name != "value" and not self._ignore_unknown:
                self._add(joined(path, name), _unknown(name, ["value"]))
        if len(values) == 1:
            self.message(packed, values[0], joined(path, "value"))
        else:
            fault = "is given twice" if values else "expected, as the type has a JSON of its own"
            self._add(joined(path, "value"), fault)


def by_names(message: Descriptor) -> dict[str, FieldDescriptor]:
    """Returns a type's fields by both of their names; where names clash, by the JSON one."""
    by_name = {field.name: field for field in message.fields}
    return by_name | {field.json_name: field for field in message.fields}


def takes_null(field: FieldDescriptor) -> bool:
    """Whether null is a value of a field, not the lack of one."""
    if field.is_repeated:
        return False
    if field.message_type is not None:
        return field.message_type.full_name == well_known.VALUE
    return field.enum_type is not None and field.enum_type.full_name == well_known.NULL_VALUE


def _unknown(name: str, names: list[str]) -> str:
    near = get_close_matches(name[:100], names, n=1, cutoff=0.7)
    return f"there is no such field; did you mean {near[0]}?" if near else "there is no such field"
