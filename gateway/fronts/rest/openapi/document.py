"""The whole document: paths with their operations, tags, components.

OpenAPI 3.1 has a place for eight HTTP methods, and none for a path beside another that differs in
how much its variable takes. What does not fit stands below `x-additional-operations` of its path,
by method and template, so that nothing that is served goes unsaid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from gateway.fronts.rest.compile import Listed
from gateway.fronts.rest.openapi import shared
from gateway.fronts.rest.openapi.messages import Schemas, Style
from gateway.fronts.rest.openapi.operations import NO_FACTS, Binding, Facts, operation
from gateway.fronts.rest.openapi.parameters import spelled
from gateway.fronts.rest.openapi.samples import add_examples
from gateway.fronts.rest.openapi.scalars import Schema
from gateway.fronts.rest.openapi.templates import Hole, Shape, holes, names, path, shape
from gateway.fronts.rest.openapi.texts import text_of
from gateway.fronts.rest.openapi.views import TAG, DescribedView, view_operation
from gateway.routing.table import ANY
from gateway.routing.template import Wildcard, parse
from gateway.schema.codec import JsonOptions
from gateway.schema.comments import Comments
from gateway.schema.registry import Registry

VERSION: Final = "3.1.1"
FURTHER: Final = "x-additional-operations"
_VERBS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_ANY: Final = ("get", "put", "post", "delete", "patch")
"""What a rule for any method is described for."""


@dataclass(frozen=True, slots=True)
class Info:
    """What the API is called.

    Attributes:
        title: Its name.
        version: Its version.
        description: What it is, in Markdown; empty for nothing.
    """

    title: str = "API"
    version: str = "1.0.0"
    description: str = ""


@dataclass(frozen=True, slots=True)
class Api:
    """What is described.

    Attributes:
        info: What it is called.
        registry: Knows the types.
        routes: Its bindings.
        json: How messages look as JSON.
        server: Where paths begin, relative to the document: `.`.
        views: Its trusted documents.
        facts: What policies say of each method, by full name.
        schemes: The ways to show who calls, by name (`Security Scheme Object`).
    """

    info: Info
    registry: Registry
    routes: Sequence[Listed]
    json: JsonOptions = field(default_factory=JsonOptions)
    server: str = "."
    views: Sequence[DescribedView] = ()
    facts: Mapping[str, Facts] = field(default_factory=dict)
    schemes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(slots=True)
class _Path:
    """What is at one path."""

    bindings: list[Binding] = field(default_factory=list)
    views: list[tuple[DescribedView, tuple[Hole, ...]]] = field(default_factory=list)


def document(api: Api) -> Schema:
    """Returns the document, as JSON."""
    comments = Comments(api.registry)
    schemas = Schemas(api.registry, comments, Style(api.json))
    found: dict[Shape, _Path] = {}
    for listed in api.routes:
        template = parse(listed.template)
        message = api.registry.message(listed.method.input)
        places = holes(template, spelled(template, message, schemas))
        facts = api.facts.get(listed.method.name, NO_FACTS)
        at = found.setdefault(shape(template), _Path())
        at.bindings.append(
            Binding(listed.verb.lower(), listed.method, listed.rule, template, places, facts)
        )
    for view in api.views:
        places = holes(view.template, [name for name, _ in view.path])
        found.setdefault(shape(view.template), _Path()).views.append((view, places))
    paths: dict[str, Schema] = {}
    for of, at in found.items():
        called = names(chain((each.holes for each in at.bindings), (each for _, each in at.views)))
        paths[path(of, called)] = _item(at, called, api.registry, schemas)
    made = schemas.components()
    add_examples(paths, made)
    components: Schema = {
        "schemas": {shared.ERROR: shared.error_schema(), **made},
        **shared.components(),
    }
    if api.schemes:
        components["securitySchemes"] = {name: dict(each) for name, each in api.schemes.items()}
    return {
        "openapi": VERSION,
        "info": _info(api.info),
        "servers": [{"url": api.server, "description": "The gateway that serves this document."}],
        "tags": list(_tags(api, comments)),
        "paths": dict(sorted(paths.items())),
        "components": components,
    }


def _info(info: Info) -> Schema:
    made: Schema = {"title": info.title, "version": info.version}
    if info.description:
        made["description"] = info.description
    return made


def _item(at: _Path, called: tuple[str, ...], registry: Registry, schemas: Schemas) -> Schema:
    item: Schema = {}
    further: Schema = {}
    # One segment beats many, and what is said beats `*`: what comes first is what answers.
    for binding in sorted(at.bindings, key=_precedence):
        made = operation(binding, called, registry, schemas)
        if binding.verb in _VERBS and binding.verb not in item:
            item[binding.verb] = made
        elif binding.verb != ANY:
            further[f"{binding.verb.upper()} {binding.template}"] = made
        else:
            for verb in _of_any(binding):
                if verb not in item:
                    one = Binding(
                        verb,
                        binding.method,
                        binding.rule,
                        binding.template,
                        binding.holes,
                        binding.facts,
                    )
                    item[verb] = operation(one, called, registry, schemas)
    for view, _ in at.views:
        item[view.verb.lower()] = view_operation(view, called)
    ordered: Schema = {verb: item[verb] for verb in _VERBS if verb in item}
    if further:
        ordered[FURTHER] = dict(sorted(further.items()))
    return ordered


def _of_any(binding: Binding) -> Iterable[str]:
    """Returns what a rule for any method is described for: GET has no body in most clients."""
    return _ANY if not binding.rule.body else [each for each in _ANY if each != "get"]


def _precedence(binding: Binding) -> tuple[bool, bool]:
    return binding.verb == ANY, Wildcard.MANY in binding.template.segments


def _tags(api: Api, comments: Comments) -> Iterable[Schema]:
    for service in sorted({each.method.service for each in api.routes}):
        tag: Schema = {"name": service}
        file = api.registry.pool.FindServiceByName(service).file
        text = text_of(comments.of(file, service))
        if text.description:
            tag["description"] = text.description
        yield tag
    if api.views:
        yield {"name": TAG, "description": "Answers of several services at once."}
