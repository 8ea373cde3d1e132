"""The surface of a gateway: all that a client can rely on, and nothing of how it is made.

Where backends are, how calls are balanced, cached and counted is not part of it. Everything is
plain data with an order that does not depend on a run, so that a file of it differs only where the
surface does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Rules: TypeAlias = "Mapping[str, bool | int | float | str | tuple[str, ...]]"
"""Rules of `buf.validate` by their paths: `{"string.min_len": 3, "required": True}`."""

Cardinality: TypeAlias = Literal["one", "many", "map"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message.

    Attributes:
        number: In the wire format.
        name: In the proto.
        json_name: In JSON.
        type: As a proto writes it: `int32`, `string`; `message`, `enum`. Of a map, its values'.
        of: The full name of its message or enum type; else empty.
        cardinality: How many values it has.
        key: The type of a map's keys; else empty.
        oneof: Its oneof, empty without one; that of `optional` is none.
        required: Whether requests must have it, by `google.api.field_behavior` or proto2's
            `required`.
        rules: What requests must keep to where they are validated.
    """

    number: int
    name: str
    json_name: str
    type: str
    of: str = ""
    cardinality: Cardinality = "one"
    key: str = ""
    oneof: str = ""
    required: bool = False
    rules: Rules = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A message type.

    Attributes:
        fields: In the order of their numbers.
        rules: Those of the message itself and of its oneofs (`oneof.NAME.required`).
    """

    fields: tuple[Field, ...]
    rules: Rules = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a method.

    Attributes:
        providers: Any of these knows callers; None where nobody is asked who they are.
        anonymous: Whether who shows nobody may call.
        scopes: All of these are needed.
        roles: Any of these is needed; empty for none.
        when: A condition; empty for none.
    """

    providers: tuple[str, ...] | None = None
    anonymous: bool = True
    scopes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    when: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """An RPC.

    Attributes:
        client_streams: Whether the client sends a stream.
        server_streams: Whether the server does.
        input: The full name of the request type.
        output: Likewise of the reply type.
        access: Who may call it.
        validated: Whether requests are held against the rules of their type.
        timeout: Seconds that a call may take; 0 for any time.
    """

    client_streams: bool
    server_streams: bool
    input: str
    output: str
    access: Access = field(default_factory=Access)
    validated: bool = False
    timeout: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """A route of REST.

    Attributes:
        verb: The HTTP method, `*` for any.
        template: The path, prefix included.
        method: The RPC; empty for a view of a trusted document.
        body: As in `google.api.HttpRule`.
        response_body: Likewise.
        document: Of a view, the SHA-256 of its document's text; else empty.
    """

    verb: str
    template: str
    method: str = ""
    body: str = ""
    response_body: str = ""
    document: str = ""


@dataclass(frozen=True, slots=True)
class RestSurface:
    """The REST front.

    Attributes:
        routes: In the order of their paths.
        ignored_query: Globs of query parameters that may be there though they name no field.
        versions: How a version may be asked for: `default`, `accept`, `header`, `query`.
    """

    routes: tuple[Route, ...]
    ignored_query: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GraphqlSurface:
    """The GraphQL front.

    Attributes:
        path: Where it is.
        sdl: The graph in GraphQL's schema language.
        documents: The SHA-256 of trusted documents' texts, by the names of their operations.
        trusted_only: Whether all other documents are refused.
        persisted: Whether clients may store documents by their hash.
        introspection: Whether it is answered.
    """

    path: str
    sdl: str
    documents: Mapping[str, str] = field(default_factory=dict)
    trusted_only: bool = False
    persisted: bool = False
    introspection: bool = True


@dataclass(frozen=True, slots=True)
class Socket:
    """A path at which a WebSocket is one call.

    Attributes:
        template: The path.
        method: The RPC.
        starts: Whether the call starts without a frame.
    """

    template: str
    method: str
    starts: bool


@dataclass(frozen=True, slots=True)
class WebsocketSurface:
    """The WebSocket front.

    Attributes:
        path: Where the multiplexed form is.
        subprotocols: Those that it speaks.
        origins: Pages of other origins that may open a socket.
        sockets: The paths of the plain form, in their order.
    """

    path: str
    subprotocols: tuple[str, ...]
    origins: tuple[str, ...] = ()
    sockets: tuple[Socket, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """What clients of one host name meet.

    Attributes:
        methods: Full names of those that can be called.
        rest: None where it is off.
        graphql: Likewise.
        websocket: Likewise.
    """

    methods: tuple[str, ...]
    rest: RestSurface | None = None
    graphql: GraphqlSurface | None = None
    websocket: WebsocketSurface | None = None


@dataclass(frozen=True, slots=True)
class Json:
    """How messages are written and read as JSON (`rest.json`)."""

    emit_defaults: bool = False
    enums_as_numbers: bool = False
    proto_names: bool = False
    ignores_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Surface:
    """All of it.

    Attributes:
        sites: By host name of the config, in its order; by the empty name where it has none.
        methods: By full name.
        messages: By full name; all that methods reach.
        enums: Numbers by name, as they are declared, by the enum's full name.
        json: How messages look as JSON.
        tls: Whether the listener serves HTTPS.
        client_certificate: Whether a client must show one.
        limits: What one client may ask, by the config's key; None is no limit. Those of a front
            that is off are not there.
        format: The version of this form.
    """

    sites: Mapping[str, Site]
    methods: Mapping[str, Method]
    messages: Mapping[str, Message]
    enums: Mapping[str, Mapping[str, int]]
    json: Json = field(default_factory=Json)
    tls: bool = False
    client_certificate: bool = False
    limits: Mapping[str, int | None] = field(default_factory=dict)
    format: Literal[1] = 1
