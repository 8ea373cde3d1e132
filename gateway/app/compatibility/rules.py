"""Every kind of change that is told, in a few words, and why it matters to clients.

Those of a graph's types are graphql-core's (`graphql.field-removed` is its FIELD_REMOVED), and are
told together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.app.findings import About

_GRAPH: Final = About(
    "The graph has changed",
    "A document that names what is gone is refused whole. Keep the field, mark it @deprecated by "
    "`deprecated = true` in the proto, and look at who still asks for it.",
)
_ADDED: Final = "It harms no client. It is told so that a review sees it."
_RENAME: Final = (
    "JSON has names and no numbers, so it is another field there; only grpcws.v1.proto goes by the "
    "number. `json_name` in the proto keeps the old name in JSON."
)
_TYPE: Final = (
    "A client reads and writes JSON of the old type. Add a field, and deprecate this one."
)
_TEXT: Final = (
    "What clients send is understood as before. But 64-bit integers are texts in JSON: who has "
    "types made anew, and gives a number, may not compile."
)


def _of_fields(family: str, noun: str, *, sent: bool) -> dict[str, About]:
    """Returns the rules of fields in JSON, for one place where it stands."""
    removed = (
        "What a client sends in it is refused, or ignored where unknown names are."
        if sent
        else "A client that reads it finds nothing, or a default."
    )
    rules = {
        "field-removed": About(f"A {noun} is gone", removed),
        "field-renamed": About(f"A {noun} has another name", _RENAME),
        "type-changed": About(f"A {noun} has another type", _TYPE),
        "cardinality-changed": About(f"A {noun} is a list or a map, or is none any more", _TYPE),
        "field-added": About(f"A {noun} is new", _ADDED),
        "enum-value-renamed": About(f"A value of a {noun} has another name", _RENAME),
        "enum-value-renumbered": About(
            f"A value of a {noun} has another number",
            "With rest.json.enums_as_numbers, clients send and read the number.",
        ),
    }
    if sent:
        rules |= {
            "field-required": About(
                f"A {noun} is required", "Requests without it, which were right, are refused."
            ),
            "type-widened": About(f"A {noun} is a text where types are generated", _TEXT),
            "oneof-joined": About(
                "Fields are members of one oneof",
                "A request that has two of them, which was right, is refused.",
            ),
            "enum-value-removed": About(
                f"A value of a {noun} is gone", "A request that has it is refused."
            ),
        }
    else:
        rules["enum-value-added"] = About(
            f"A value of a {noun} is new",
            "A client that handles each value it knows may not handle another.",
        )
    return {f"{family}-{name}": about for name, about in rules.items()}


_OWN: Final[Mapping[str, About]] = {
    "rest.off": About("REST is off", "No route answers."),
    "rest.route-removed": About("A route is gone", "Requests get 404, or another route's answer."),
    "rest.route-moved": About(
        "A route is elsewhere",
        "Requests at the old place get 404. `additional_bindings` keeps both.",
    ),
    "rest.route-narrowed": About(
        "A route answers fewer paths", "Requests of the others get 404. Keep the wider pattern."
    ),
    "rest.verb-changed": About("A route has another verb", "Requests of the old verb get 405."),
    "rest.route-retargeted": About(
        "A route calls another RPC", "Whether that does the same, the gateway can't know."
    ),
    "rest.route-shadowed": About(
        "A new route takes another's requests",
        "Literals go before variables: paths that match both are for the new route.",
    ),
    "rest.route-added": About("A route is new", _ADDED),
    "rest.view-changed": About(
        "A REST view has another document", "Its parameters and answers may be others."
    ),
    "rest.stream-changed": About(
        "A stream is a single message, or the other way round",
        "Bodies of streams are NDJSON, events or lists: clients read them otherwise.",
    ),
    "rest.path-type-changed": About(
        "A path variable has another type", "Paths that were right are refused."
    ),
    "rest.path-type-widened": About("A path variable is a text where types are generated", _TEXT),
    "rest.body-changed": About(
        "Another part of a request is its body", "Clients send the message in the old place."
    ),
    "rest.reply-changed": About(
        "Another part of a reply is its body", "Clients look for the message in the old place."
    ),
    "rest.content-type-changed": About(
        "A body is JSON or raw bytes, and was not",
        "google.api.HttpBody has any content type; other messages are JSON.",
    ),
    "rest.query-field-bound": About(
        "A query parameter is bound by the path or the body", "Requests that have it are refused."
    ),
    "rest.query-refused": About(
        "Query parameters that were ignored are refused",
        "Links that carry them get 400. See rest.unknown_query.",
    ),
    "rest.version-changed": About(
        "A version is asked for in another way", "Requests get another version, or none."
    ),
    "graphql.off": About("GraphQL is off", "No document is answered."),
    "graphql.path-moved": About("GraphQL is elsewhere", "Requests at the old path get 404."),
    "graphql.document-removed": About(
        "A trusted document is gone", "Requests that name it are refused."
    ),
    "graphql.document-changed": About(
        "A trusted document has another text",
        "Its hash is another one: clients that send the old hash are refused.",
    ),
    "graphql.trusted-only": About(
        "Only trusted documents are served", "Clients that send texts of their own are refused."
    ),
    "graphql.persisted-off": About(
        "Documents can't be stored by their hash", "Clients must send the text each time."
    ),
    "graphql.introspection-off": About(
        "Introspection is off", "Tools that ask for the graph get an error."
    ),
    "websocket.off": About("WebSocket is off", "No socket is opened."),
    "websocket.path-moved": About("WebSocket is elsewhere", "Sockets at the old path get 404."),
    "websocket.subprotocol-removed": About(
        "A subprotocol is gone", "Clients that speak no other one are refused."
    ),
    "websocket.origin-removed": About(
        "An origin is not allowed any more", "Browsers' pages of it can't open sockets."
    ),
    "websocket.method-removed": About("A method is gone", "Streams that open it are refused."),
    "websocket.method-added": About("A method is new", _ADDED),
    "websocket.kind-changed": About(
        "A method streams otherwise", "Clients send or await another number of messages."
    ),
    "websocket.socket-removed": About("A path answers no WebSocket", "Upgrades get 404."),
    "websocket.socket-retargeted": About(
        "A WebSocket calls another RPC", "Whether that does the same, the gateway can't know."
    ),
    "websocket.start-changed": About(
        "A call on a WebSocket starts otherwise",
        "A client that waits for the first message, or sends one, does so in vain.",
    ),
    "proto.field-removed": About(
        "A number is gone", "Clients of grpcws.v1.proto send and read it in vain."
    ),
    "proto.field-renumbered": About(
        "A field has another number", "Clients of grpcws.v1.proto send and read another field."
    ),
    "proto.enum-value-renumbered": About(
        "A value of an enum has another number",
        "Clients of grpcws.v1.proto send and read another value.",
    ),
    "proto.field-renamed": About(
        "A field has another name", "grpcws.v1.proto has numbers only: it harms nobody there."
    ),
    "proto.field-type-changed": About("A number has another type", _TYPE),
    "proto.field-cardinality-changed": About(
        "A number is a list or a map, or none any more", _TYPE
    ),
    "json.names-changed": About("All names in replies are others", "See rest.json.proto_names."),
    "json.enums-changed": About(
        "All enums in replies are numbers or names", "See rest.json.enums_as_numbers."
    ),
    "json.defaults-left-out": About(
        "Fields with their default value are left out",
        "A client that takes for granted that they are there finds nothing. "
        "See rest.json.emit_defaults.",
    ),
    "json.unknown-refused": About(
        "Unknown fields are refused",
        "Requests that have some get 400. See rest.json.unknown_fields.",
    ),
    "validation.enforced": About(
        "Requests are held against rules",
        "Those that do not keep to them, and passed, are refused.",
    ),
    "validation.rule-tightened": About(
        "A rule refuses more", "Requests that passed are refused with INVALID_ARGUMENT."
    ),
    "validation.rule-changed": About(
        "A rule is another one", "Whether it refuses more can't be told by looking at it."
    ),
    "access.authentication-needed": About(
        "A method needs a caller", "Anonymous calls of it get 401."
    ),
    "access.provider-removed": About(
        "A provider is not asked any more", "Callers that only it knows get 401."
    ),
    "access.scope-added": About("A method needs a scope", "Callers without it get 403."),
    "access.role-needed": About("A method needs a role", "Callers without one get 403."),
    "access.condition-changed": About(
        "A method has another condition", "Callers that do not meet it get 403."
    ),
    "limits.lowered": About("A limit is lower", "Requests above it are refused."),
    "limits.timeout-lowered": About("A call may take less time", "Longer ones get 504."),
    "listener.tls-changed": About("TLS is on or off", "Clients' addresses are another scheme's."),
    "listener.certificate-needed": About(
        "Clients need a certificate", "Connections without one are refused."
    ),
    "hosts.removed": About("A host is gone", "Requests for it get 421."),
    "hosts.limited": About("Only some host names are served", "Requests for others get 421."),
}

RULES: Final[Mapping[str, About]] = {
    **_OWN,
    **_of_fields("rest.query", "query parameter", sent=True),
    **_of_fields("json.request", "field of a request", sent=True),
    **_of_fields("json.reply", "field of a reply", sent=False),
}
"""By the rule's name; but those of a graph's types."""


def rule(name: str) -> About | None:
    """Returns what a change is about; None where the name is of none."""
    return RULES.get(name) or (_GRAPH if name.startswith("graphql.") else None)
