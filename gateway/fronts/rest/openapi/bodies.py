"""What requests hold and replies hold, by media type.

Sequences of messages are described as arrays, whatever stands between their items: so do the
OpenAPI registry's "Sequential JSON" and "Server-Sent Events" for the schema of a whole body.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from google.protobuf.descriptor import Descriptor

from gateway.fronts.rest.httpbody import FULL_NAME, is_httpbody
from gateway.fronts.rest.media import JSON, NDJSON, SSE
from gateway.fronts.rest.openapi.messages import Schemas, Use
from gateway.fronts.rest.openapi.scalars import Schema
from gateway.fronts.rest.openapi.shared import REFERENCE
from gateway.routing.fields import Path
from gateway.routing.plan import BodyKind, body_kind
from gateway.schema.method import HttpRule, MethodDescriptor
from gateway.schema.registry import Registry

ANY_TYPE: Final = "*/*"
OCTETS: Final = "application/octet-stream"
"""Named beside ANY_TYPE where requests are any bytes: many generators know no range of types."""

BINARY: Final[Schema] = {"type": "string", "format": "binary"}


def request_body(
    method: MethodDescriptor,
    rule: HttpRule,
    bound: Collection[Path],
    registry: Registry,
    schemas: Schemas,
) -> Schema | None:
    """Returns what the requests of a rule hold; None where they have no body.

    Args:
        method: The RPC.
        rule: Its rule.
        bound: Paths of fields that the path of the request has.
        registry: Knows the types.
        schemas: Makes schemas.
    """
    kind = body_kind(method, rule, registry)
    message = registry.message(method.input)
    streams = method.kind.client_streams
    match kind:
        case BodyKind.NONE:
            return None
        case BodyKind.HTTP_BODY:
            content = {name: {"schema": dict(BINARY)} for name in (OCTETS, ANY_TYPE)}
            return {"content": content, "required": False}
        case BodyKind.MESSAGE:
            schema = schemas.message(message, Use.INPUT, bound)
            required = any(
                schemas.is_required(each) for each in message.fields if (each.name,) not in bound
            )
            description = ""
        case BodyKind.FIELD:
            field = message.fields_by_name[rule.body]
            below = [path[1:] for path in bound if path[0] == rule.body]
            schema = schemas.field(field, Use.INPUT, below)
            required = schemas.is_required(field)
            description = schemas.text(field).description
    body: Schema = {}
    if description:
        body["description"] = description
    if streams:
        items: Schema = {"type": "array", "items": schema}
        body["content"] = {JSON: {"schema": items}, NDJSON: {"schema": dict(items)}}
    else:
        body["content"] = {JSON: {"schema": schema}}
    if required or streams:
        body["required"] = True
    return body


def reply_content(
    method: MethodDescriptor, rule: HttpRule, registry: Registry, schemas: Schemas
) -> Schema:
    """Returns what the replies of a rule hold, by media type."""
    message = registry.message(method.output)
    if _is_raw(message, rule):
        return {ANY_TYPE: {"schema": dict(BINARY)}}
    if rule.response_body:
        schema = schemas.field(message.fields_by_name[rule.response_body], Use.OUTPUT)
    else:
        schema = schemas.message(message, Use.OUTPUT)
    if not method.kind.server_streams:
        return {JSON: {"schema": schema}}
    return {
        NDJSON: {"schema": _lines(schema)},
        SSE: {"schema": _events(schema)},
        JSON: {"schema": {"type": "array", "items": schema}},
    }


def _is_raw(message: Descriptor, rule: HttpRule) -> bool:
    if rule.response_body:
        return is_httpbody(message.fields_by_name[rule.response_body])
    return message.full_name == FULL_NAME


def _lines(schema: Schema) -> Schema:
    return {
        "type": "array",
        "description": "A message a line. An error after the first of them is the last line.",
        "items": {"anyOf": [schema, dict(REFERENCE)]},
    }


def _events(schema: Schema) -> Schema:
    data = {
        "type": "string",
        "contentMediaType": JSON,
        "contentSchema": {"anyOf": [schema, dict(REFERENCE)]},
    }
    event: Schema = {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "event": {"type": "string", "enum": ["error", "end"]},
            "data": data,
        },
    }
    return {
        "type": "array",
        "description": (
            "An event a message. The last one is `end`; an error after the first is an `error`."
        ),
        "items": event,
    }
