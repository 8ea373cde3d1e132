"""Rules of buf.validate (protovalidate), as keywords of JSON Schema, or else as sentences.

They are read from the options of descriptors; the library that checks them need not be there. They
stand in what describes requests: a client that keeps them is right whoever checks, the gateway
(`validate: true`) or the backend. Of replies they promise nothing, for nobody checks those.

A rule that JSON Schema can't say is told in words: CEL, bounds of times, of bytes, of integers that
are strings; also infinity and NaN, which JSON has not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from gateway.fronts.rest.openapi.patterns import as_ecma
from gateway.fronts.rest.openapi.scalars import Schema

_KINDS: Final = {
    "message": "google.protobuf.MessageOptions",
    "field": "google.protobuf.FieldOptions",
    "oneof": "google.protobuf.OneofOptions",
}
_IGNORE_ALWAYS: Final = 3  # buf.validate.Ignore
_FORMATS: Final[Mapping[str, str]] = {
    "email": "email",
    "hostname": "hostname",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "uri": "uri",
    "uri_ref": "uri-reference",
    "uuid": "uuid",
}
_SIZES: Final[Mapping[str, tuple[str, ...]]] = {
    "len": ("minLength", "maxLength"),
    "min_len": ("minLength",),
    "max_len": ("maxLength",),
    "min_items": ("minItems",),
    "max_items": ("maxItems",),
    "min_pairs": ("minProperties",),
    "max_pairs": ("maxProperties",),
}
_BOUNDS: Final[Mapping[str, str]] = {
    "lt": "exclusiveMaximum",
    "lte": "maximum",
    "gt": "exclusiveMinimum",
    "gte": "minimum",
}
_WORDS: Final[Mapping[str, str]] = {
    "lt": "less than",
    "lte": "at most",
    "gt": "greater than",
    "gte": "at least",
    "const": "exactly",
}


class Found(NamedTuple):
    """The rules of a field.

    Attributes:
        keywords: What a schema says of its value.
        words: What it can't say, as sentences.
        required: Whether the field must be given.
    """

    keywords: Schema
    words: tuple[str, ...] = ()
    required: bool = False


NOTHING: Final = Found({})


class Constraints:
    """The rules of a pool's types.

    Args:
        pool: Knows the types. Where it has no buf.validate, nobody can have written a rule.
    """

    def __init__(self, pool: DescriptorPool) -> None:
        self._read: dict[str, Callable[[Any], Any]] = {}
        try:
            for kind, options in _KINDS.items():
                extension = pool.FindExtensionByName(f"buf.validate.{kind}")
                self._read[kind] = _reader(
                    GetMessageClass(pool.FindMessageTypeByName(options)), extension
                )
        except KeyError:
            self._read.clear()

    def of_message(self, message: Descriptor) -> tuple[str, ...]:
        """Returns what must hold of a message as a whole, as sentences."""
        rules = self._rules("message", message)
        return () if rules is None else tuple(_expressions(rules))

    def of_oneof(self, oneof: OneofDescriptor) -> bool:
        """Returns whether one of a oneof's members must be given."""
        rules = self._rules("oneof", oneof)
        return rules is not None and bool(rules.required)

    def of_field(self, field: FieldDescriptor, schema: Mapping[str, object]) -> Found:
        """Returns the rules of a field.

        Args:
            field: The field.
            schema: What is said of its value already.
        """
        rules = self._rules("field", field)
        return NOTHING if rules is None else _found(rules, schema, _enum_of(field), field)

    def _rules(self, kind: str, of: Descriptor | FieldDescriptor | OneofDescriptor) -> Any:
        if kind not in self._read or not of.has_options:
            return None
        return self._read[kind](of.GetOptions())


def _reader(options: Any, extension: FieldDescriptor) -> Callable[[Any], Any]:
    def read(given: Any) -> Any:
        # Options come as the global pool's messages, which may not know the extension.
        said = options.FromString(given.SerializeToString())
        return said.Extensions[extension] if said.HasExtension(extension) else None

    return read


def _enum_of(field: FieldDescriptor) -> EnumDescriptor | None:
    """Returns the enum of a field's values, also of a map's."""
    of = field.message_type
    if of is not None and of.has_options and of.GetOptions().map_entry:
        return of.fields_by_name["value"].enum_type
    return field.enum_type


def _found(
    rules: Any,
    schema: Mapping[str, object],
    enum: EnumDescriptor | None,
    field: FieldDescriptor | None = None,
) -> Found:
    names = {each.name for each, _ in rules.ListFields()}
    if "ignore" in names and rules.ignore == _IGNORE_ALWAYS:
        return NOTHING
    keywords: Schema = {}
    words = list(_expressions(rules))
    required = "required" in names and bool(rules.required)
    if required and field is not None:
        keywords |= _not_default(field, schema)
    kind = rules.WhichOneof("type")
    if kind is not None:
        own = getattr(rules, kind)
        said = {each.name: value for each, value in own.ListFields()}
        if kind == "repeated":
            words += _of_items(keywords, said, schema, enum)
        elif kind == "map":
            words += _of_pairs(keywords, said, schema, enum)
        elif kind == "enum" and enum is not None:
            said |= _by_name(said, enum)
        words += _of_value(keywords, said, schema, kind)
    return Found(keywords, tuple(words), required)


def _not_default(field: FieldDescriptor, schema: Mapping[str, object]) -> Schema:
    """Returns what says that a value without presence is none that counts as absent."""
    if field.is_repeated:
        return {"minProperties" if schema.get("type") == "object" else "minItems": 1}
    if field.has_presence:
        return {}
    match schema.get("type"):
        case "string":
            return {"minLength": 1}
        case "integer" | "number":
            return {"not": {"const": 0}}
        case "boolean":
            return {"const": True}
        case _:
            return {}


def _of_items(
    keywords: Schema,
    said: dict[str, Any],
    schema: Mapping[str, object],
    enum: EnumDescriptor | None,
) -> Iterator[str]:
    """Takes the rules of a list from `said`: as keywords, or yielded as sentences."""
    if said.pop("unique", False):
        keywords["uniqueItems"] = True
    items = schema.get("items")
    inner = said.pop("items", None)
    if inner is not None and isinstance(items, dict):
        found = _found(inner, items, enum)
        if found.keywords:
            keywords["items"] = items | found.keywords
        yield from (f"Each item: {words}" for words in found.words)


def _of_pairs(
    keywords: Schema,
    said: dict[str, Any],
    schema: Mapping[str, object],
    enum: EnumDescriptor | None,
) -> Iterator[str]:
    """Takes the rules of a map from `said`: as keywords, or yielded as sentences."""
    for rule, keyword in (("keys", "propertyNames"), ("values", "additionalProperties")):
        inner = said.pop(rule, None)
        known = schema.get(keyword, {} if rule == "values" else {"type": "string"})
        if inner is not None and isinstance(known, dict):
            found = _found(inner, known, enum)
            if found.keywords:
                keywords[keyword] = known | found.keywords
            yield from (f"Each {rule.removesuffix('s')}: {words}" for words in found.words)


def _by_name(said: Mapping[str, Any], enum: EnumDescriptor) -> dict[str, Any]:
    """Returns the rules about an enum's numbers, which requests give by name."""

    def name_of(number: int) -> object:
        known = enum.values_by_number.get(number)
        return number if known is None else known.name

    found: dict[str, Any] = {
        name: list(map(name_of, said[name])) for name in ("in", "not_in") if name in said
    }
    return found | ({"const": name_of(said["const"])} if "const" in said else {})


def _of_value(
    keywords: Schema, said: Mapping[str, Any], schema: Mapping[str, object], kind: str
) -> Iterator[str]:
    """Puts rules of a value into `keywords`; yields those that are left, as sentences."""
    is_text = kind == "string"
    is_numeric = schema.get("type") in {"integer", "number"} and kind != "enum"
    outside = _is_outside(said)
    for name, value in said.items():
        is_number = is_numeric and _is_finite(value)
        if name in _SIZES and kind != "bytes":
            keywords.update(dict.fromkeys(_SIZES[name], value))
        elif name in _BOUNDS and is_number and not outside:
            keywords[_BOUNDS[name]] = value
        elif name in {"const", "in"} and (is_text or is_number or kind == "bool"):
            keywords["const" if name == "const" else "enum"] = (
                value if name == "const" else list(value)
            )
        elif name == "not_in" and (is_text or is_number):
            keywords["not"] = {"enum": list(value)}
        elif is_text and name == "pattern" and (pattern := as_ecma(value)) is not None:
            keywords["pattern"] = pattern
        elif is_text and name in {"prefix", "suffix", "contains"}:
            yield f"Must {_AFFIXES[name]} `{value}`."
        elif is_text and name in _FORMATS:
            keywords["format"] = _FORMATS[name]
        elif name == "pattern":
            yield f"Must match `{value}`."
        elif name in _WORDS:
            yield f"Must be {_WORDS[name]} {_shown(value)}."
        elif name in {"in", "not_in"}:
            some = ", ".join(_shown(each) for each in value)
            yield f"Must {'not ' if name == 'not_in' else ''}be one of {some}."
        elif name in {"min_len", "max_len", "len"}:
            yield f"Must have {_LENGTHS[name]} {value} bytes."
        elif name not in {"example", "strict", "defined_only", "finite"}:
            yield f"Must keep the rule `{name}`."


_AFFIXES: Final = {"prefix": "begin with", "suffix": "end with", "contains": "contain"}
_LENGTHS: Final = {"min_len": "at least", "max_len": "at most", "len": "exactly"}


def _is_outside(said: Mapping[str, Any]) -> bool:
    """Whether bounds stand the other way round: then a value is outside of them (protovalidate)."""
    low = next((said[name] for name in ("gt", "gte") if name in said), None)
    high = next((said[name] for name in ("lt", "lte") if name in said), None)
    try:
        return low is not None and high is not None and bool(low > high)
    except TypeError:  # times are messages, which have no order
        return False


def _is_finite(value: Any) -> bool:
    """Whether a rule's number, or all of its numbers, can be written in JSON."""
    return all(map(isfinite, [value] if isinstance(value, (int, float)) else value))


def _shown(value: Any) -> str:
    """Returns a value as a person reads it."""
    if hasattr(value, "ToJsonString"):
        return f"`{value.ToJsonString()}`"
    if isinstance(value, bytes):
        return f"`{value.hex()}` (hex)"
    return f"`{' '.join(str(value).split())}`"


def _expressions(rules: Any) -> Iterator[str]:
    """Yields the rules in CEL, by what they say to those who break them."""
    for each, value in rules.ListFields():
        if each.name == "cel":
            for rule in value:
                yield rule.message or f"Must hold: `{rule.expression}`."
        elif each.name == "cel_expression":
            for text in value:
                yield f"Must hold: `{text}`."
