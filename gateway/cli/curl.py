"""A route and a request message as the `curl` call that sends it. Pure.

The message's fields go where the route's rule puts them (google/api/http.proto): path variables,
then the body, then the query.
"""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

from gateway.cli.known import type_of
from gateway.fronts.rest.compile import Listed
from gateway.routing.table import ANY
from gateway.routing.template import Template, Variable, Wildcard, parse

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104  to be replaced


def command(listed: Listed, message: Message, url: str, pool: DescriptorPool) -> str:
    """Returns the command line that makes a call.

    Args:
        listed: The route to take.
        message: The request, or the one request of a stream. Every path variable's field is set.
        url: Where the gateway listens: `http://127.0.0.1:8080`, `unix:/path`.
        pool: What knows the types of `Any`s in the message.
    """
    template = parse(listed.template)
    left = type(message)()
    left.CopyFrom(message)
    path = _path(template, message)
    for variable in template.variables:
        _parent(left, variable).ClearField(variable.path[-1])
    # What the variables leave of a message that held nothing else is not sent.
    content = _without_empty(json_format.MessageToDict(left, descriptor_pool=pool))
    body: Any = None
    if listed.rule.body == "*":
        body, content = content, {}
    elif listed.rule.body:
        name = type_of(message).fields_by_name[listed.rule.body].json_name
        body = content.pop(name, {})
    query = "&".join(f"{quote(key, safe='.')}={quote(value)}" for key, value in _pairs(content))
    parts = ["curl", *(["-N"] if listed.method.kind.server_streams else [])]
    verb = "POST" if listed.verb == ANY else listed.verb
    if verb != ("GET" if body is None else "POST"):
        parts += ["-X", verb]
    target, options = _target(url)
    parts += [*options, shlex.quote(target + path + (f"?{query}" if query else ""))]
    if body is not None:
        text = shlex.quote(json.dumps(body, ensure_ascii=False))
        parts += ["-H", "'content-type: application/json'", "-d", text]
    return " ".join(parts)


def _target(url: str) -> tuple[str, list[str]]:
    if url.startswith("unix:"):
        return "http://localhost", ["--unix-socket", shlex.quote(url.removeprefix("unix:"))]
    for everywhere, here in _EVERYWHERE.items():
        if urlsplit(url).netloc.startswith(f"{everywhere}:"):
            return url.replace(everywhere, here, 1), []
    return url, []


def _path(template: Template, message: Message) -> str:
    starts = {variable.start: variable for variable in template.variables}
    parts: list[str] = []
    index = 0
    while index < len(template.segments):
        if variable := starts.get(index):
            text = _text_of(message, variable)
            parts.append(quote(text, safe="/" if variable.multiple else ""))
            index = variable.stop
        else:
            segment = template.segments[index]
            parts.append("example" if isinstance(segment, Wildcard) else quote(segment))
            index += 1
    return "/" + "/".join(parts) + (f":{quote(template.verb)}" if template.verb else "")


def _text_of(message: Message, variable: Variable) -> str:
    """Returns what stands for a variable's field in a path, not yet encoded."""
    parent = _parent(message, variable)
    field = type_of(parent).fields_by_name[variable.path[-1]]
    return _text(field, getattr(parent, field.name))


def _text(field: FieldDescriptor, value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case bytes():
            return base64.urlsafe_b64encode(value).decode()
        case int() if field.enum_type is not None:
            known = field.enum_type.values_by_number.get(value)
            return known.name if known else str(value)
        case _:
            return str(value)


def _parent(message: Message, variable: Variable) -> Message:
    for name in variable.path[:-1]:
        message = getattr(message, name)
    return message


def _without_empty(content: Any) -> Any:
    if not isinstance(content, dict):
        return content
    return {key: value for key, each in content.items() if (value := _without_empty(each)) != {}}


def _pairs(content: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yields a message's ProtoJSON as query parameters."""
    for key, value in content.items():
        name = before + key
        match value:
            case dict():
                yield from _pairs(value, f"{name}.")
            case list():
                for item in value:
                    yield name, _scalar(item)
            case _:
                yield name, _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
