"""All files of the output, as texts by their paths."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import resources

from gateway.errors import REASONS
from gateway.schema.comments import Comments
from gateway.typescript.api import Api, Connection
from gateway.typescript.modules import modules
from gateway.typescript.names import FROM_JSON, Names
from gateway.typescript.rest import rest
from gateway.typescript.roles import Roles
from gateway.typescript.sockets import sockets
from gateway.typescript.types import Types, always_written
from gateway.typescript.words import quoted

HEADER = "// Made by `gateway generate typescript`. To change it, make it anew.\n"

PLACES = ("*.ts", "runtime/*.ts", "types/**/*.ts")
"""Where files can be, as globs of paths."""

_DECLARED = re.compile(r"^export (const|class|function) ", re.MULTILINE)


def files(api: Api) -> Mapping[str, str]:
    """Returns the text of each file by its path, `types/shop/catalog/v1.ts`, in order.

    Files of the same API are the same, whatever the order in which it was read.
    """
    message = api.registry.message
    roles = Roles(
        [message(each.input) for each in api.methods],
        [message(each.output) for each in api.methods],
        lambda field: always_written(field, api.json),
    )
    names, comments = Names(roles), Comments(api.registry)
    types = Types(roles, names, api.json, comments)
    made = dict(modules(roles, names, types))
    runtime = {"errors", "json"}
    if api.routes is not None:
        made["rest"] = rest(api.routes, api.registry, names, types, comments)
        runtime |= {"http", "rest"}
    if api.graph is not None and api.graph.documents:
        # graphql-core is imported only where there is a graph.
        from gateway.typescript.documents import documents  # noqa: PLC0415

        made["graphql"] = documents(api.graph)
        runtime |= {"http", "graphql"}
    if api.socket_path is not None and api.connection is not None:
        made["socket"] = sockets(
            api.methods,
            api.socket_path,
            registry=api.registry,
            names=names,
            types=types,
            comments=comments,
        )
        runtime.add("socket")
        made |= _connection(api.connection)
    folder = resources.files("gateway.typescript") / "runtime"
    made |= {f"runtime/{each}": (folder / f"{each}.ts").read_text("utf-8") for each in runtime}
    made["runtime/reasons"] = _reasons([*REASONS, *(api.graph.reasons if api.graph else ())])
    fronts = [each for each in ("rest", "graphql", "socket") if each in made]
    made["index"] = _index(fronts)
    return {f"{path}.ts": HEADER + made[path] for path in sorted(made)}


def _connection(connection: Connection) -> Mapping[str, str]:
    """Returns the WebSocket's client as TypeScript, whose types stand in a module of their own."""
    return {
        "runtime/connection": f"// @ts-nocheck It is JavaScript.\n{connection.script}",
        "runtime/connection-types": _DECLARED.sub(r"export declare \1 ", connection.declarations),
    }


def _reasons(reasons: Sequence[str]) -> str:
    lines = "".join(f"  | {quoted(each)}\n" for each in sorted(set(reasons)))
    start = "/** The reasons of the gateway's own errors. */\nexport type KnownReason =\n"
    return f"{start}{lines.rstrip()};\n"


def _index(fronts: Sequence[str]) -> str:
    names = {
        "rest": ("restClient", "RestClient"),
        "graphql": ("graphqlClient", "GraphqlClient"),
        "socket": ("socketClient", "SocketClient"),
    }
    lines = [
        'export { GatewayError } from "./runtime/errors.js";',
        'export type { Detail, Details, Kind, Reason, Status } from "./runtime/errors.js";',
    ]
    lines.append(f'export type {{ {", ".join(FROM_JSON)} }} from "./runtime/json.js";')
    for front in fronts:
        function, client = names[front]
        lines.append(f'export {{ {function}, type {client} }} from "./{front}.js";')
    if {"rest", "graphql"} & {*fronts}:
        lines.append('export type { CallOptions, ClientOptions, Token } from "./runtime/http.js";')
    if "graphql" in fronts:
        lines.append('export type { DocumentOptions } from "./runtime/graphql.js";')
    if "rest" in fronts:
        lines.append('export type { Upload } from "./runtime/rest.js";')
    if "socket" in fronts:
        more = "Duplex, SocketCallOptions, SocketOptions, SocketStreamOptions"
        lines.append(f'export type {{ {more} }} from "./runtime/socket.js";')
    return "".join(f"{line}\n" for line in lines)
