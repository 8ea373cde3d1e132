"""A trusted document that is served as REST, as an operation.

What its variables and its answer look like is said by the front that runs it, as JSON Schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.fronts.rest.openapi.operations import NO_FACTS, Facts, responses
from gateway.fronts.rest.openapi.scalars import Schema
from gateway.fronts.rest.openapi.texts import text_of
from gateway.routing.template import Template

TAG: Final = "views"
"""The tag of all of them: what no service has alone."""


@dataclass(frozen=True, slots=True)
class DescribedView:
    """A view.

    Attributes:
        verb: The HTTP method.
        template: Its path, under the prefix.
        name: The operation's name.
        comment: What stands before it.
        path: The schemas of the path's variables, in order, each with its name.
        query: The schemas of the query's parameters by name.
        required: Names of those that must be given.
        body: What a request holds; None where it has no body.
        body_required: Whether it must hold something.
        answer: What the answer is.
        facts: What policies say of it.
    """

    verb: str
    template: Template
    name: str
    comment: str
    path: tuple[tuple[str, Mapping[str, object]], ...]
    query: Mapping[str, Mapping[str, object]]
    required: frozenset[str]
    body: Mapping[str, object] | None
    body_required: bool
    answer: Mapping[str, object]
    facts: Facts = field(default=NO_FACTS)


def view_operation(view: DescribedView, names: tuple[str, ...]) -> Schema:
    """Returns the operation of a view.

    Args:
        view: It.
        names: What its path calls its parameters.
    """
    text = text_of(view.comment)
    made: Schema = {"operationId": view.name, "tags": [TAG]}
    if text.summary:
        made["summary"] = text.summary
    if text.further:
        made["description"] = text.further
    if text.deprecated:
        made["deprecated"] = True
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": dict(schema)}
        for name, (_, schema) in zip(names, view.path, strict=True)
    ]
    for name, schema in view.query.items():
        parameter: Schema = {"name": name, "in": "query", "schema": dict(schema)}
        if name in view.required:
            parameter["required"] = True
        parameters.append(parameter)
    if parameters:
        made["parameters"] = parameters
    if view.body is not None:
        made["requestBody"] = {
            "content": {"application/json": {"schema": dict(view.body)}},
            "required": view.body_required,
        }
    content: Schema = {"application/json": {"schema": dict(view.answer)}}
    made["responses"] = responses(view.verb.lower(), content, view.facts, further=("Partial",))
    if view.facts.security:
        made["security"] = [dict(each) for each in view.facts.security]
    return made
