"""What a proto says of one RPC, and of the HTTP requests that reach it. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """The four kinds of RPC, by which side streams."""

    UNARY = "unary"
    SERVER_STREAMING = "server streaming"
    CLIENT_STREAMING = "client streaming"
    BIDIRECTIONAL = "bidirectional"

    @property
    def client_streams(self) -> bool:
        """Whether the client sends a stream of messages."""
        return self in (Kind.CLIENT_STREAMING, Kind.BIDIRECTIONAL)

    @property
    def server_streams(self) -> bool:
        """Whether the server sends a stream of messages."""
        return self in (Kind.SERVER_STREAMING, Kind.BIDIRECTIONAL)


class Idempotency(Enum):
    """`google.protobuf.MethodOptions.IdempotencyLevel`."""

    UNKNOWN = 0
    NO_SIDE_EFFECTS = 1
    IDEMPOTENT = 2


@dataclass(frozen=True, slots=True)
class HttpRule:
    """One HTTP binding of an RPC (`google/api/http.proto`); additional bindings are rules too.

    Attributes:
        verb: `GET`, `PUT`, `POST`, `DELETE`, `PATCH`, a custom kind, or `*` for any.
        template: The path template, `/v1/{name=shelves/*}:move`.
        body: Empty (no body), `*`, or the name of a request field.
        response_body: Empty (the whole reply), or the name of a reply field.
        source: Where the rule is written, for errors: `protos/shop/v1/catalog.proto:41`, or the
            config's place.
    """

    verb: str
    template: str
    body: str = ""
    response_body: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class MethodDescriptor:
    """What the proto says of an RPC.

    Attributes:
        name: Full name without a leading slash, `shop.v1.Catalog/GetProduct`.
        input: Full name of the request message.
        output: Full name of the response message.
        rules: Its HTTP bindings in order, config over annotations; empty without any.
        file: The proto file, as imported: `shop/catalog/v1/catalog.proto`.
        line: 1-based line of the RPC in it, 0 where the source is unknown.
        comment: The RPC's leading comment, stripped, or empty.
        deprecation: What the config says of its end, for its clients; empty where it says nothing.
    """

    name: str
    kind: Kind
    input: str
    output: str
    rules: tuple[HttpRule, ...] = ()
    idempotency: Idempotency = Idempotency.UNKNOWN
    deprecated: bool = False
    file: str = ""
    line: int = 0
    comment: str = ""
    deprecation: str = ""

    @property
    def service(self) -> str:
        """The full name of the service, `shop.v1.Catalog`."""
        return self.name.partition("/")[0]

    @property
    def source(self) -> str:
        """Where the RPC is written, `shop/catalog/v1/catalog.proto:41`, for errors."""
        return f"{self.file}:{self.line}" if self.line else self.file
