"""Parameters: what the path of a request binds, and what its query may say.

A query names fields by their paths, `price.minUnits`; the entries of a map are `labels[key]`, which
OpenAPI calls a deep object. Messages that hold themselves have endless paths: those through a
message within itself are left out, and told of in the description of the gateway, not of each call.
What is not to be said together (two members of a oneof) OpenAPI has no words for; the gateway does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.fronts.rest.openapi.messages import Schemas, Use
from gateway.fronts.rest.openapi.scalars import Schema
from gateway.fronts.rest.openapi.templates import Hole
from gateway.fronts.rest.openapi.texts import joined
from gateway.fronts.rest.openapi.well_known import AS_JSON_TEXT
from gateway.routing.fields import Path, along, map_entry
from gateway.routing.template import Template
from gateway.routing.values import has_text

_DEEPEST: Final = 6
"""Names that a described parameter has at most; the gateway itself takes more."""


def spelled(template: Template, message: Descriptor, schemas: Schemas) -> list[str]:
    """Returns what the variables of a template are called in JSON."""
    return [
        ".".join(schemas.style.name(each) for each in along(message, variable.path))
        for variable in template.variables
    ]


def path_parameters(
    template: Template,
    message: Descriptor,
    places: Sequence[Hole],
    names: Sequence[str],
    schemas: Schemas,
) -> list[Schema]:
    """Returns the parameters of a path.

    Args:
        template: Its template.
        message: The request's type.
        places: The template's wildcards.
        names: What the path calls each of them.
        schemas: Makes schemas.
    """
    found = []
    for place, name in zip(places, names, strict=True):
        schema: Schema = {"type": "string", "minLength": 1}
        words = ""
        if place.variable is not None:
            field = list(along(message, place.variable.path))[-1]
            if place.variable.multiple:
                captured = template.segments[place.variable.start : place.variable.stop]
                text = "/".join(each if isinstance(each, str) else each.value for each in captured)
                words = f"A part of `{place.variable.name}`, which is `{text}`."
                about = schemas.text(field).description
            else:
                schema |= schemas.field(field, Use.INPUT)
                about = str(schema.pop("description", ""))
            words = joined(about, words)
        if place.many:
            words = joined(words, "One segment or more: their slashes are sent as they are.")
        found.append(_parameter(name, "path", schema, words, required=True))
    return found


def query_parameters(
    message: Descriptor, bound: Collection[Path], schemas: Schemas
) -> list[Schema]:
    """Returns the parameters that a query may have.

    Args:
        message: The request's type.
        bound: Paths of fields that the path or the body has.
        schemas: Makes schemas.
    """
    return list(_Query(bound, schemas).within(message, (), (), (message.full_name,)))


class _Query:
    """Walks through a message for what a query may name."""

    def __init__(self, bound: Collection[Path], schemas: Schemas) -> None:
        self._bound = bound
        self._schemas = schemas

    def within(
        self, message: Descriptor, at: Path, around: Path, types: tuple[str, ...]
    ) -> Iterator[Schema]:
        """Yields the parameters for the fields of a message.

        Args:
            message: Its type.
            at: The path of the field that it is in.
            around: What JSON calls the fields of that path.
            types: The types that it is within, its own among them.
        """
        schemas = self._schemas
        for field in message.fields:
            path, called = (*at, field.name), (*around, schemas.style.name(field))
            name, inner = ".".join(called), field.message_type
            if path in self._bound:
                continue
            if map_entry(field) is not None:
                yield from _map(field, name, schemas)
            elif inner is None or (has_text(inner.full_name) and not field.is_repeated):
                # Of a message that may be left out nothing need be given.
                yield _field(field, name, schemas, required=not at and schemas.is_required(field))
            elif field.is_repeated:
                continue  # no parameter can set a list of messages
            elif inner.full_name not in types and len(called) < _DEEPEST:
                yield from self.within(inner, path, called, (*types, inner.full_name))


def _field(field: FieldDescriptor, name: str, schemas: Schemas, *, required: bool) -> Schema:
    schema = schemas.field(field, Use.INPUT)
    description = str(schema.pop("description", ""))
    if field.message_type is not None and field.message_type.full_name in AS_JSON_TEXT:
        made = _parameter(name, "query", schema, description, required=required)
        made["content"] = {"application/json": {"schema": made.pop("schema")}}
        return made
    return _parameter(name, "query", schema, description, required=required)


def _map(field: FieldDescriptor, name: str, schemas: Schemas) -> Iterator[Schema]:
    entry = map_entry(field)
    assert entry is not None, "it is a map"
    value = entry.fields_by_name["value"].message_type
    if value is not None and (not has_text(value.full_name) or value.full_name in AS_JSON_TEXT):
        return
    schema = schemas.field(field, Use.INPUT)
    made = _parameter(name, "query", schema, str(schema.pop("description", "")), required=False)
    made["style"] = "deepObject"
    made["explode"] = True
    yield made


def _parameter(
    name: str, place: str, schema: Schema, description: str, *, required: bool
) -> Schema:
    made: Schema = {"name": name, "in": place}
    if description:
        made["description"] = description
    if required:
        made["required"] = True
    if schema.pop("deprecated", False):
        made["deprecated"] = True
    for each in ("readOnly", "writeOnly"):
        schema.pop(each, None)
    made["schema"] = schema
    return made
