"""The graph's scalars, enums and input objects as TypeScript has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLType,
)

from gateway.typescript.words import member, optional, quoted, tsdoc

_SCALARS: Final[Mapping[str, str]] = {
    "Boolean": "boolean",
    "Bytes": "string",
    "DateTime": "string",
    "Duration": "string",
    "FieldMask": "string",
    "Float": "number",
    "ID": "string",
    "Int": "number",
    "Int64": "string",
    "String": "string",
    "UInt32": "number",
    "UInt64": "string",
}
"""All others, those of extensions too, are any JSON."""


def scalar(type_: GraphQLScalarType) -> str:
    """Returns the type of a scalar's values."""
    return _SCALARS.get(type_.name, "JsonValue")


def type_of(type_: GraphQLType, name: Callable[[GraphQLNamedType], str]) -> str:
    """Returns the type of an input, or of a leaf; ` | null` at its end where it may be null.

    Args:
        type_: The graph's type.
        name: Says what enums and input objects are called.
    """
    if isinstance(type_, GraphQLNonNull):
        return type_of(type_.of_type, name).removesuffix(" | null")
    if isinstance(type_, GraphQLList):
        return f"{listed(type_of(type_.of_type, name))} | null"
    if isinstance(type_, GraphQLScalarType):
        return f"{scalar(type_)} | null"
    assert isinstance(type_, GraphQLEnumType | GraphQLInputObjectType)  # what is left of inputs
    return f"{name(type_)} | null"


def listed(item: str) -> str:
    """Returns the type of a list of items."""
    return f"({item})[]" if " | " in item or " & " in item else f"{item}[]"


def enum(type_: GraphQLEnumType, name: str) -> str:
    """Returns the declaration of an enum under a name."""
    values = "".join(
        tsdoc(value.description or "", deprecated=bool(value.deprecation_reason), indent="  ")
        + f"  | {quoted(each)}\n"
        for each, value in type_.values.items()
    )
    return f"{tsdoc(type_.description or '')}export type {name} =\n{values.rstrip()};\n"


def input_object(
    type_: GraphQLInputObjectType, name: str, named: Callable[[GraphQLNamedType], str]
) -> str:
    """Returns the declaration of an input object under a name.

    Args:
        type_: The graph's type.
        name: What it is called.
        named: Says what the types of its fields are called.
    """
    start = tsdoc(type_.description or "")
    if type_.is_one_of:
        cases = "\n".join(
            f"  | {{ {member(each)}: {type_of(GraphQLNonNull(field.type), named)} }}"
            for each, field in type_.fields.items()
        )
        return f"{start}export type {name} =\n{cases};\n"
    fields = ""
    for each, field in type_.fields.items():
        kind = type_of(field.type, named)
        may_be_left_out = kind.endswith(" | null") or field.default_value is not None
        said = tsdoc(
            field.description or "", deprecated=bool(field.deprecation_reason), indent="  "
        )
        given = optional(each, kind) if may_be_left_out else f"{member(each)}: {kind};"
        fields += f"{said}  {given}\n"
    return f"{start}export interface {name} {{\n{fields}}}\n"
