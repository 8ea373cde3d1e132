"""The JSON Schema of the config file, which editors complete from and check against.

Only what the loader takes is in it.
"""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import SchemaSerializer, core_schema

from gateway.config.markers import ONE_OF, REFUSED
from gateway.config.models import Config

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = re.compile(r"#/\$defs/(\w+)")
_SUBSTITUTION = {
    "title": "From the environment",
    "description": "${NAME} or ${NAME:-default}",
    "type": "string",
    "pattern": r"\$\{",
}


class _Generator(GenerateJsonSchema):
    """Writes defaults as the file would have them: 5s, not 5.0."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        result = super().default_schema(schema)
        default = schema.get("default")
        if default is None:
            result.pop("default", None)
        elif "default" in result:
            result["default"] = SchemaSerializer(schema["schema"]).to_python(default, mode="json")
        return result


def json_schema() -> dict[str, Any]:
    """The schema, in draft 2020-12."""
    schema = TypeAdapter(Config).json_schema(schema_generator=_Generator)
    definitions = schema.pop("$defs")
    body = _accepted(schema)
    reached: dict[str, Any] = {"Substitution": _SUBSTITUTION}
    waiting = [body]
    while waiting:
        for name in _REFERENCE.findall(str(waiting.pop())):
            if name not in reached:
                reached[name] = _accepted(definitions[name])
                waiting.append(reached[name])
    return {"$schema": DIALECT, **body, "title": "gateway.yaml", "$defs": reached}


def _accepted(schema: Any) -> Any:
    """`schema` without what is refused, without null, and with `${NAME}` for scalars."""
    if isinstance(schema, list):
        return [_accepted(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: _accepted(value) for name, value in schema.items() if name not in _OF_VALUES}
    if "properties" in schema:
        taken = {k: v for k, v in schema["properties"].items() if REFUSED not in v}
        kept["properties"] = {name: _value(value) for name, value in taken.items()}
        for keys in schema.get(ONE_OF, ()):
            kept |= _exactly_one([key for key in keys if key in taken], kept.get("required", []))
    if "items" in schema:
        kept["items"] = _value(schema["items"])
    if "patternProperties" in schema:
        kept["additionalProperties"] = False
    return kept


def _exactly_one(keys: list[str], required: list[str]) -> dict[str, Any]:
    """What says that exactly one of these keys is set; a single one is simply required."""
    if len(keys) == 1:
        return {"required": [*required, *keys]}
    return {"oneOf": [{"required": [key]} for key in keys]}


_OF_VALUES = ("properties", "items", ONE_OF)
_ABOUT = ("title", "description", "default")


def _value(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a key's value or a list's item; a scalar may come from the environment."""
    schema = _accepted(schema)
    about = {name: schema.pop(name) for name in _ABOUT if name in schema}
    choices = list(_choices(schema))
    needs_some = any(choice.get("minItems") for choice in choices)
    if schema == {"const": False} or (needs_some and not about.get("default")):
        about.pop("default", None)  # what absence means cannot be written
    if any("$ref" not in c and c.get("type") not in ("array", "object") for c in choices):
        choices.append({"$ref": "#/$defs/Substitution"})
    return {**about, **(choices[0] if len(choices) == 1 else {"anyOf": choices})}


def _choices(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for choice in schema.get("anyOf", [schema]):
        if "anyOf" in choice:
            yield from _choices(choice)
        elif choice != {"type": "null"}:
            yield choice
