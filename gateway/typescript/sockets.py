"""`socket.ts`: a method for each RPC, over the multiplexed WebSocket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateway.schema.comments import Comments
from gateway.schema.method import Kind, MethodDescriptor
from gateway.schema.registry import Registry
from gateway.typescript.modules import json_imports, type_imports, used_imports
from gateway.typescript.names import Names
from gateway.typescript.roles import Role
from gateway.typescript.services import Front, Member, classes, method_names
from gateway.typescript.types import Types
from gateway.typescript.words import quoted

_OPTIONS = ("Duplex", "Requests", "SocketCallOptions", "SocketOptions", "SocketStreamOptions")
_TAKEN = frozenset({
    "AsyncIterable", "Promise", "Socket", "SocketClient", "SocketServices", *_OPTIONS,
})  # fmt: skip
_FRONT = Front("Socket", "SocketServices", _TAKEN, frozenset({"connection"}))


class _Form(NamedTuple):
    """A kind's methods: what they take, what they return, how they call the runtime."""

    takes: str
    returns: str
    call: str


_FORMS: Mapping[Kind, _Form] = {
    Kind.UNARY: _Form(
        "request: {request}{default}, options?: SocketCallOptions",
        "Promise<{reply}>",
        "unary({method}, request, options)",
    ),
    Kind.SERVER_STREAMING: _Form(
        "request: {request}{default}, options?: SocketStreamOptions",
        "AsyncIterable<{reply}>",
        "stream({method}, request, options)",
    ),
    Kind.CLIENT_STREAMING: _Form(
        "requests: Requests<{request}>, options?: SocketCallOptions",
        "Promise<{reply}>",
        "collect({method}, requests, options)",
    ),
    Kind.BIDIRECTIONAL: _Form(
        "options?: SocketStreamOptions",
        "Duplex<{request}, {reply}>",
        "duplex({method}, options)",
    ),
}

_FUNCTION = """
/** Every service, and the connection that their calls share. */
export interface SocketClient extends SocketServices {
  /** Its state and events, `auth` for a new token, `reconnect`; `close` ends all calls. */
  readonly connection: Socket["connection"];
}

/** Connects to a gateway, `https://api.example.com`, at once, and again where the socket breaks. */
export function socketClient(url: string, options?: SocketOptions): SocketClient {
  const socket = new Socket(`${url.replace(/\\/+$/, "")}%PATH%`, options);
  return { ...servicesOf(socket), connection: socket.connection };
}
"""


def sockets(
    methods: Sequence[MethodDescriptor],
    path: str,
    *,
    registry: Registry,
    names: Names,
    types: Types,
    comments: Comments,
) -> str:
    """Returns the text of the module."""
    by_service: dict[str, list[MethodDescriptor]] = {}
    for method in sorted(methods, key=lambda each: (each.file, each.line, each.name)):
        by_service.setdefault(method.service, []).append(method)
    members = {service: _members(each, registry, types) for service, each in by_service.items()}
    text = classes(members, _FRONT, registry, comments) + _FUNCTION.replace("%PATH%", path)
    imports = [
        *json_imports(text, "socket"),
        *used_imports(text, "./runtime/socket.js", types=_OPTIONS, values=["Socket"]),
        *type_imports(text, names.packages, names, "socket"),
    ]
    lines = "".join(f"{line}\n" for line in imports)
    return f"{lines}\n{text}"


def _members(methods: Sequence[MethodDescriptor], registry: Registry, types: Types) -> list[Member]:
    named = method_names(methods)
    return [_member(named[each.name], each, registry, types) for each in methods]


def _member(name: str, method: MethodDescriptor, registry: Registry, types: Types) -> Member:
    message = registry.message(method.input)
    parts = {
        "request": types.message(message, Role.REQUEST),
        "reply": types.message(registry.message(method.output), Role.REPLY),
        "default": " = {}" if types.may_be_left_out(message) else "",
        "method": quoted(method.name),
    }
    takes, returns, call = (text.format_map(parts) for text in _FORMS[method.kind])
    return Member(name, method, "", f"({takes}): {returns}", f"this.#calls.{call}")
