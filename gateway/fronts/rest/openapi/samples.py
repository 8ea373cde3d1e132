"""An example of each body that requests can hold, which pages that try calls begin with.

It is made of the schema alone: of members that exclude each other it has the first, and it leaves
out what it finds no value for. Rules that stand in words are the reader's to keep.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import Any, Final

from gateway.fronts.rest.openapi.messages import EXCLUSIVE, SCHEMAS
from gateway.fronts.rest.openapi.scalars import Schema

_DEEPEST: Final = 4  # messages within each other
_MOST: Final = 100  # members of an example; of more it has those that are required
_NONE: Final = object()  # no value is found
_FORMATS: Final[Mapping[str, str]] = {
    "byte": "AAAA",
    "date-time": "2026-01-01T00:00:00Z",
    "email": "user@example.com",
    "hostname": "example.com",
    "int64": "1",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uint64": "1",
    "uri": "https://example.com/",
    "uri-reference": "/example",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}
_TEXTS: Final = (
    "text",
    "a",
    "A",
    "1",
    "1s",
    "",
)  # one of them keeps the patterns of well-known types


def add_examples(paths: Mapping[str, Any], schemas: Mapping[str, Schema]) -> None:
    """Gives the JSON bodies of requests an `example`.

    Args:
        paths: The operations by path and method.
        schemas: The components that they refer to.
    """
    for item in paths.values():
        for operation in item.values():
            content = operation.get("requestBody", {}).get("content", {})
            media = content.get("application/json")
            if media is not None:
                example = _Sample(schemas).value(media["schema"], ())
                if example not in (_NONE, {}, [{}]):
                    media["example"] = example


class _Sample:
    """Makes one example."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas
        self._members = 0

    def value(self, schema: Mapping[str, Any], above: tuple[str, ...]) -> object:
        """Returns a value that a schema describes; `_NONE` where none is found.

        Args:
            schema: It.
            above: The components that it is within.
        """
        if (reference := schema.get("$ref")) is not None:
            name = str(reference).removeprefix(SCHEMAS)
            if name in above or len(above) == _DEEPEST:
                return _NONE
            beside = {key: each for key, each in schema.items() if key != "$ref"}
            return self.value({**self._schemas[name], **beside}, (*above, name))
        return next((each for each in self._values(schema, above) if _fits(each, schema)), _NONE)

    def _values(self, schema: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[object]:
        """Yields what may be a value, the best first."""
        yield from schema.get("examples", ())
        if "const" in schema:
            yield schema["const"]
        elif "enum" in schema:
            yield from (*schema["enum"][1:], schema["enum"][0])  # the first is unspecified
        elif schema.get("type") == "object":
            yield self._object(schema, above)
        elif schema.get("type") == "array":
            item = self.value(schema.get("items", {}), above)
            yield [item] * max(1, schema.get("minItems", 1)) if item is not _NONE else _NONE
        else:
            yield from _scalars(schema)

    def _object(self, schema: Mapping[str, Any], above: tuple[str, ...]) -> object:
        if "properties" not in schema:
            return self._map(schema, above)
        required = schema.get("required", ())
        groups = list(_exclusive(schema))
        made: dict[str, object] = {}
        for name, each in schema["properties"].items():
            needed = name in required
            if any(name in group and group & made.keys() for group in groups):
                continue
            if each.get("readOnly") or not (needed or self._may_have(each)):
                continue
            self._members += 1
            value = self.value(each, above)
            if value is not _NONE:
                made[name] = value
            elif needed:
                return _NONE
        return made

    def _may_have(self, schema: Mapping[str, Any]) -> bool:
        return self._members < _MOST and not schema.get("deprecated")

    def _map(self, schema: Mapping[str, Any], above: tuple[str, ...]) -> object:
        values = schema.get("additionalProperties")
        if not isinstance(values, dict):
            return {}
        name = self.value({"type": "string", **schema.get("propertyNames", {})}, above)
        value = self.value(values, above)
        return _NONE if _NONE in (name, value) else {str(name): value}


def _exclusive(schema: Mapping[str, Any]) -> Iterator[set[str]]:
    """Yields sets of members of which one at most is given."""
    for each in schema.get("not", {}).get("anyOf", ()):
        yield {*each["required"]}
    for each in schema.get("allOf", ()):
        yield {name for one in each["oneOf"] for name in one["required"]}
    for names in schema.get(EXCLUSIVE, ()):
        yield {*names}


def _scalars(schema: Mapping[str, Any]) -> Iterable[object]:
    match schema.get("type"):
        case "string" if (text := _FORMATS.get(schema.get("format", ""))) is not None:
            return (text,)
        case "string":
            return [each.ljust(schema.get("minLength", 0), "a") for each in _TEXTS]
        case "boolean":
            return (True, False)
        case "null":
            return (None,)
        case "integer" | "number" as kind:
            near = (1, *(schema[name] + by for name, by in _BOUNDS if name in schema), 0)
            return near if kind == "number" else [each for each in near if each == int(each)]
        case _:
            return ("text",)  # any JSON


_BOUNDS: Final = (
    ("minimum", 0),
    ("exclusiveMinimum", 1),
    ("maximum", 0),
    ("exclusiveMaximum", -1),
)


def _fits(value: object, schema: Mapping[str, Any]) -> bool:
    """Whether a value keeps the rules of its schema that are said of single values."""
    if value is _NONE:
        return False
    unlike = schema.get("not", {})
    if ("const" in unlike and value == unlike["const"]) or value in unlike.get("enum", ()):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    match value:
        case bool() | None:
            return True
        case int() | float():
            return bool(
                schema.get("minimum", value) <= value <= schema.get("maximum", value)
                and schema.get("exclusiveMinimum", -inf)
                < value
                < schema.get("exclusiveMaximum", inf)
            )
        case str():
            length = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
            return length and _matches(value, schema.get("pattern"))
        case list():
            unique = not schema.get("uniqueItems") or len(value) == 1
            return unique and len(value) <= schema.get("maxItems", len(value))
        case dict():
            least, most = schema.get("minProperties", 0), schema.get("maxProperties", len(value))
            return least <= len(value) <= most and all(
                any(name in value for one in each["oneOf"] for name in one["required"])
                for each in schema.get("allOf", ())
            )
        case _:
            return False


def _matches(text: str, pattern: str | None) -> bool:
    try:
        return pattern is None or re.search(pattern, text) is not None
    except re.error:  # one of ECMAScript's that Python has not
        return False
