"""`rest.ts`: a method for each REST route of an RPC.

An RPC's first route has its name. A further one is told apart by the fields in its path,
`getProductByName`, or by its verb, `batchGetProductsPost`. Calls whose requests are a stream of
JSON have none: `fetch` can't send while it receives, and `socket.ts` can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.routing.fields import along, single_message
from gateway.routing.plan import HTTP_BODY, BodyKind, body_kind
from gateway.routing.table import ANY
from gateway.routing.template import Template, Variable, Wildcard, parse
from gateway.schema.comments import Comments
from gateway.schema.registry import Registry
from gateway.typescript.api import Route
from gateway.typescript.modules import json_imports, type_imports, used_imports
from gateway.typescript.names import Names
from gateway.typescript.query_shapes import QueryShapes
from gateway.typescript.roles import Role, has
from gateway.typescript.services import Front, Member, classes, method_names
from gateway.typescript.types import Types
from gateway.typescript.words import free, member, pascal, quoted

_TAKEN = frozenset({
    "AsyncGenerator", "CallOptions", "ClientOptions", "Omit", "Promise", "Response", "Rest",
    "RestClient", "SHAPES", "Shapes", "Upload",
})  # fmt: skip
_FRONT = Front("Rest", "RestClient", _TAKEN)
_FUNCTION = """
/** Makes a client of all services at a URL, `https://api.example.com`; "" is the page's own. */
export function restClient(url: string, options?: ClientOptions): RestClient {
  return servicesOf(new Rest(url, options, SHAPES));
}
"""


def rest(
    routes: Sequence[Route], registry: Registry, names: Names, types: Types, comments: Comments
) -> str:
    """Returns the text of the module."""
    shapes = QueryShapes(types)
    writer = _Writer(registry, types, shapes)
    members: dict[str, list[Member]] = {}
    for service, each in _by_service(routes).items():
        if found := list(writer.members(each)):
            members[service] = found
    text = classes(members, _FRONT, registry, comments) + _FUNCTION
    text = f"{shapes.text()}\n{text}"
    imports = [
        *used_imports(text, "./runtime/http.js", types=["CallOptions", "ClientOptions"]),
        *json_imports(text, "rest"),
        *used_imports(text, "./runtime/rest.js", types=["Shapes", "Upload"], values=["Rest"]),
        *type_imports(text, names.packages, names, "rest"),
    ]
    lines = "".join(f"{line}\n" for line in imports)
    return f"{lines}\n{text}"


def _by_service(routes: Sequence[Route]) -> Mapping[str, list[Route]]:
    """Returns the routes that have a method, by service; of each RPC in the order of its rules."""
    found: dict[str, list[Route]] = {}
    for route in sorted(routes, key=lambda each: (each.method.file, each.method.line)):
        found.setdefault(route.method.service, []).append(route)
    for each in found.values():
        each.sort(key=lambda route: (route.method.line, route.method.name, _place(route)))
    return found


def _place(route: Route) -> int:
    rules = route.method.rules
    return rules.index(route.rule) if route.rule in rules else 0


class _Writer:
    def __init__(self, registry: Registry, types: Types, shapes: QueryShapes) -> None:
        self._registry = registry
        self._types = types
        self._shapes = shapes

    def members(self, routes: Sequence[Route]) -> Iterator[Member]:
        """Yields the methods of one service."""
        served = [each for each in routes if self._is_sayable(each)]
        by_method: dict[str, list[Route]] = {}
        for route in served:
            by_method.setdefault(route.method.name, []).append(route)
        first = method_names(each[0].method for each in by_method.values())
        taken = {*first.values()}
        for method, each in by_method.items():
            for index, route in enumerate(each):
                name = first[method]
                if index:
                    name = free(name + _told_apart(route, each), taken)
                    taken.add(name)
                yield self._member(name, route)

    def _kind(self, route: Route) -> BodyKind:
        return body_kind(route.method, route.rule, self._registry)

    def _is_sayable(self, route: Route) -> bool:
        streams = route.method.kind.client_streams
        return not streams or self._kind(route) is BodyKind.HTTP_BODY

    def _member(self, name: str, route: Route) -> Member:
        method, rule = route.method, route.rule
        message = self._registry.message(method.input)
        template = parse(route.template)
        kind = self._kind(route)
        request, may_be_left_out = self._request(message, template, rule.body, kind)
        default = " = {}" if may_be_left_out else ""
        reply, call = self._reply(route)
        stream = "AsyncGenerator" if call == "stream" else "Promise"
        result = f"{stream}<{reply}{', void, undefined' if call == 'stream' else ''}>"
        verb = route.verb if route.verb != ANY else ("POST" if rule.body else "GET")
        data = {"verb": quoted(verb), "path": quoted(self._path(template, message))}
        if rule.body:
            data["body"] = quoted("*" if rule.body == "*" else self._json_name(message, rule.body))
        if kind is BodyKind.HTTP_BODY:
            data["raw"] = "true"
        if rule.body != "*" and (shape := self._shapes.of(message, rule.body)):
            data["shape"] = quoted(shape)
        written = ", ".join(f"{key}: {value}" for key, value in data.items())
        return Member(
            name,
            method,
            f"`{route.verb} {route.template}`",
            f"(request: {request}{default}, options?: CallOptions): {result}",
            f"this.#calls.{call}({{ {written} }}, request, options)",
        )

    def _json_name(self, message: Descriptor, field: str) -> str:
        return self._types.name(message.fields_by_name[field])

    def _path(self, template: Template, message: Descriptor) -> str:
        """Returns a template with the names of its variables as they are in JSON."""
        text = template.text
        for variable in reversed(template.variables):
            names = ".".join(map(self._types.name, along(message, variable.path)))
            at = variable.column - 1
            text = text[:at] + names + text[at + len(variable.name) :]
        return text

    def _request(
        self, message: Descriptor, template: Template, body: str, kind: BodyKind
    ) -> tuple[str, bool]:
        """Returns the type of what is given, and whether it may be nothing."""
        if message.full_name == HTTP_BODY and body == "*":
            return "Upload", False
        type_ = self._types.message(message, Role.REQUEST)
        if kind is BodyKind.HTTP_BODY:
            name = self._types.name(message.fields_by_name[body])
            type_ = f"Omit<{type_}, {quoted(name)}> & {{ {member(name)}: Upload }}"
        needed = [
            self._needed([*along(message, each.path)])
            for each in template.variables
            if _is_needed(each, template)
        ]
        needed = [each for each in needed if each]
        is_open = (
            not needed and kind is not BodyKind.HTTP_BODY and self._types.may_be_left_out(message)
        )
        return " & ".join([type_, *needed]), is_open

    def _needed(self, fields: Sequence[FieldDescriptor]) -> str:
        """Returns the type of a message that has a field; empty where all have."""
        if all(
            self._types.is_there(field, Role.REQUEST) and has(field, Role.REQUEST)
            for field in fields
        ):
            return ""
        text = self._types.field(fields[-1], Role.REQUEST)
        for field in reversed(fields):
            text = f"{{ {member(self._types.name(field))}: {text} }}"
        return text

    def _reply(self, route: Route) -> tuple[str, str]:
        """Returns the type of the reply, or of each, and how the runtime is called."""
        message = self._registry.message(route.method.output)
        type_, held = self._types.message(message, Role.REPLY), message.full_name
        if name := route.rule.response_body:
            field = message.fields_by_name[name]
            type_ = self._types.field(field, Role.REPLY)
            single = single_message(field)
            held = "" if single is None else single.full_name
            if held and held != "google.protobuf.Value":
                type_ = f"{type_} | null"
        if held == HTTP_BODY:
            return "Response", "raw"
        return type_, "stream" if route.method.kind.server_streams else "unary"


def _is_needed(variable: Variable, template: Template) -> bool:
    """Whether a variable can't be empty: all but `**` alone."""
    return template.segments[variable.start : variable.stop] != (Wildcard.MANY,)


def _told_apart(route: Route, routes: Sequence[Route]) -> str:
    """Returns what is added to the name of a route that is not its RPC's first."""
    own = _variables(route)
    others = [_variables(each) for each in routes if each is not route]
    if own and own not in others:
        return "By" + "And".join(pascal(each.replace(".", "_")) for each in own)
    return pascal(route.verb.lower().replace("-", "_")) if route.verb != ANY else "Any"


def _variables(route: Route) -> tuple[str, ...]:
    return tuple(each.name for each in parse(route.template).variables)
