"""One binding of an RPC as an operation.

Operations are called after their RPC, `shop.v1.Catalog.GetProduct`, further bindings with a number
behind it: nothing that is added elsewhere changes a name that clients' code has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.fronts.rest.media import SSE
from gateway.fronts.rest.openapi import shared
from gateway.fronts.rest.openapi.bodies import reply_content, request_body
from gateway.fronts.rest.openapi.messages import Schemas
from gateway.fronts.rest.openapi.parameters import path_parameters, query_parameters
from gateway.fronts.rest.openapi.scalars import Schema
from gateway.fronts.rest.openapi.templates import Hole
from gateway.fronts.rest.openapi.texts import joined, text_of
from gateway.routing.fields import Path
from gateway.routing.table import ANY
from gateway.routing.template import Template
from gateway.schema.method import HttpRule, Kind, MethodDescriptor
from gateway.schema.registry import Registry

_USUAL: Final = (400, 404, 503, 504)
_MADE: Final = frozenset({"post", "put", "patch"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What policies say of a method, as far as its clients are told.

    Attributes:
        security: What callers show, each a way that will do (`Security Requirement Object`); empty
            for nothing.
        guarded: Whether callers may be refused.
        limited: Whether it is under limits that replies tell of.
        tagged: Whether replies have entity tags.
        cached: Whether replies may be kept ones.
        ending: Whether replies tell that it goes away.
    """

    security: Sequence[Mapping[str, Sequence[str]]] = ()
    guarded: bool = False
    limited: bool = False
    tagged: bool = False
    cached: bool = False
    ending: bool = False


NO_FACTS: Final = Facts()


@dataclass(frozen=True, slots=True)
class Binding:
    """One binding of an RPC, of one HTTP method.

    Attributes:
        verb: The HTTP method in lower case.
        method: The RPC.
        rule: The rule.
        template: Its template, under the prefix.
        holes: The template's wildcards.
        facts: What policies say of the RPC.
    """

    verb: str
    method: MethodDescriptor
    rule: HttpRule
    template: Template
    holes: tuple[Hole, ...]
    facts: Facts = field(default=NO_FACTS)

    @property
    def operation_id(self) -> str:
        """What it is called."""
        name = self.method.name.replace("/", ".")
        rules = self.method.rules
        number = rules.index(self.rule) if self.rule in rules else 0
        numbered = f"{name}.{number + 1}" if number else name
        return f"{numbered}.{self.verb}" if self.rule.verb == ANY else numbered


def operation(
    binding: Binding, names: Sequence[str], registry: Registry, schemas: Schemas
) -> Schema:
    """Returns the operation of a binding.

    Args:
        binding: It.
        names: What its path calls its parameters.
        registry: Knows the types.
        schemas: Makes schemas.
    """
    method, rule, template = binding.method, binding.rule, binding.template
    message = registry.message(method.input)
    text = text_of(method.comment)
    paths: list[Path] = [each.path for each in template.variables]
    parameters = path_parameters(template, message, binding.holes, names, schemas)
    if rule.body != "*":
        bound = [*paths, (rule.body,)] if rule.body else paths
        parameters += query_parameters(message, bound, schemas)
    made: Schema = {"operationId": binding.operation_id, "tags": [method.service]}
    if text.summary:
        made["summary"] = text.summary
    description = joined(
        text.further, method.deprecation and f"{method.deprecation}.", _of_streams(method)
    )
    if description:
        made["description"] = description
    if method.deprecated or text.deprecated:
        made["deprecated"] = True
    if parameters:
        made["parameters"] = parameters
    body = request_body(method, rule, paths, registry, schemas)
    if body is not None:
        made["requestBody"] = body
    made["responses"] = responses(
        binding.verb,
        reply_content(method, rule, registry, schemas),
        binding.facts,
        streams=method.kind.server_streams,
    )
    if binding.facts.security:
        made["security"] = [dict(each) for each in binding.facts.security]
    return made


def responses(
    verb: str,
    content: Schema,
    facts: Facts,
    *,
    streams: bool = False,
    further: Sequence[str] = (),
) -> Schema:
    """Returns the replies of an operation.

    Args:
        verb: Its HTTP method in lower case.
        content: What replies hold, by media type.
        facts: What policies say.
        streams: Whether a reply is a stream.
        further: More headers of a reply, by the names of their components.
    """
    tagged = facts.tagged and verb == "get" and not streams
    given = (
        *further,
        *(shared.LIMITS if facts.limited else ()),
        *(shared.ENDING if facts.ending else ()),
    )
    kept = (*given, *(("ETag",) if tagged else ()), *(("Age",) if facts.cached else ()))
    found: Schema = {
        "200": {"description": "OK", "headers": shared.headers(*kept), "content": content}
    }
    if verb in _MADE and not streams:
        found["2XX"] = {
            "description": "Another success that the service tells, such as 201.",
            "headers": shared.headers(*given, "Location"),
            "content": content,
        }
    if SSE in content:
        found["204"] = {
            "description": "The stream that an EventSource comes back for (`Last-Event-ID`) ended.",
            "headers": shared.headers(),
        }
    if tagged:
        found["304"] = {
            "description": "The answer is the one that `If-None-Match` names.",
            "headers": shared.headers(*kept),
        }
    statuses = (
        *_USUAL,
        *((401, 403) if facts.guarded else ()),
        *((429,) if facts.limited else ()),
    )
    return found | shared.error_responses(*statuses)


def _of_streams(method: MethodDescriptor) -> str:
    match method.kind:
        case Kind.UNARY:
            return ""
        case Kind.SERVER_STREAMING:
            return "Answers with a stream, whose form `Accept` chooses."
        case Kind.CLIENT_STREAMING:
            return "Takes a stream of messages."
        case Kind.BIDIRECTIONAL:
            return "Takes a stream of messages, and answers with one, whose form `Accept` chooses."
