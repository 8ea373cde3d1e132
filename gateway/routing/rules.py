"""HTTP rules held against the protos, at start-up.

A rule is right if its HTTP method is one that a request can have, its template parses, its
variables name singular fields of a simple type, and its body and response body name fields of the
request and the reply. All that is wrong is told at once. Which rules clash is the router's finding.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.routing.fields import map_entry
from gateway.routing.table import ANY
from gateway.routing.template import Template, TemplateError, parse
from gateway.schema.method import HttpRule, MethodDescriptor
from gateway.schema.problem import Problem
from gateway.schema.registry import Registry

# What llhttp parses in a request line (llhttp 9, src/llhttp/constants.ts, METHODS_HTTP), without
# PRI, which is HTTP/2's preface, and CONNECT, whose target is no path.
HTTP_METHODS = frozenset({
    "ACL", "BIND", "CHECKOUT", "COPY", "DELETE", "GET", "HEAD", "LINK", "LOCK", "M-SEARCH",
    "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MOVE", "NOTIFY", "OPTIONS", "PATCH", "POST",
    "PROPFIND", "PROPPATCH", "PURGE", "PUT", "QUERY", "REBIND", "REPORT", "SEARCH", "SOURCE",
    "SUBSCRIBE", "TRACE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE",
})  # fmt: skip


def implied_rule(method: MethodDescriptor) -> HttpRule:
    """Returns the rule of a method that has none: `POST /package.Service/Method`, body `*`."""
    return HttpRule("POST", f"/{method.name}", body="*", source=method.source)


def check_rule(method: MethodDescriptor, rule: HttpRule, registry: Registry) -> tuple[Problem, ...]:
    """Returns what is wrong with a rule, nothing if it is right."""
    request = registry.message(method.input)
    problems = list(_method_problems(rule))
    template: Template | None = None
    try:
        template = parse(rule.template)
        problems += map(str, check_variables(template, request))
    except TemplateError as error:
        problems.append(str(error))
    problems += _body_problems(rule, template, request)
    reply = registry.message(method.output)
    if rule.response_body and rule.response_body not in reply.fields_by_name:
        problems.append(
            f'response_body "{rule.response_body}" is not a field of {_described(reply)}'
            + _nearest(rule.response_body, reply)
        )
    return tuple(Problem(rule.source, message=f"{method.name}: {text}") for text in problems)


def check_variables(template: Template, message: Descriptor) -> Iterator[TemplateError]:
    """Yields an error for each variable that names no field it may name."""
    oneofs: dict[tuple[tuple[str, ...], str], str] = {}
    for variable in template.variables:

        def wrong(problem: str, column: int = variable.column) -> TemplateError:
            return TemplateError(template.text, column, problem)

        inside, last = message, len(variable.path) - 1
        for depth, name in enumerate(variable.path):
            field = inside.fields_by_name.get(name)
            if field is None:
                yield wrong(
                    f'"{name}" is not a field of {_described(inside)}{_nearest(name, inside)}'
                )
                break
            if problem := _unfit(field, last=depth == last):
                yield wrong(f'"{name}" is {problem}; a variable names a singular, simple field')
                break
            if (oneof := field.containing_oneof) is not None:
                member = oneofs.setdefault((variable.path[:depth], oneof.name), name)
                if member != name:
                    yield wrong(f'"{name}" and "{member}" are members of one oneof, "{oneof.name}"')
                    break
            if field.message_type is not None:
                inside = field.message_type


def _unfit(field: FieldDescriptor, *, last: bool) -> str | None:
    """Returns why a field can't stand at its place in a variable's path, or None."""
    if field.is_repeated:
        return "a repeated field" if map_entry(field) is None else "a map field"
    if field.message_type is not None:
        return "a message field" if last else None
    return None if last else "not a message field"


def _method_problems(rule: HttpRule) -> Iterator[str]:
    if rule.verb != ANY and rule.verb not in HTTP_METHODS:
        near = difflib.get_close_matches(rule.verb.upper(), HTTP_METHODS, n=1)
        yield (
            f'custom kind "{rule.verb}" is no HTTP method that the server knows, nor "*"'
            + (f" (did you mean {near[0]}?)" if near else "")
        )


def _body_problems(rule: HttpRule, template: Template | None, request: Descriptor) -> Iterator[str]:
    if rule.body in ("", "*"):
        return
    if rule.body not in request.fields_by_name:
        yield (
            f'body "{rule.body}" is neither "*" nor a top-level field of {_described(request)}'
            + _nearest(rule.body, request)
        )
    elif template is not None and any(item.path == (rule.body,) for item in template.variables):
        yield f'body "{rule.body}" is bound by the path of template "{template}" already'


def _described(message: Descriptor) -> str:
    return f"message {message.full_name}"


def _nearest(name: str, message: Descriptor) -> str:
    near = difflib.get_close_matches(name, message.fields_by_name, n=1)
    return f' (did you mean "{near[0]}"?)' if near else ""
