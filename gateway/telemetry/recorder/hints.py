"""What to do about each cause, and the page of the documentation that tells more. Data only.

Causes are reasons of `errors.REASONS`, codes of refusals of GraphQL, and those that are found by
looking closer (`causes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Hint(NamedTuple):
    """What to do about a cause.

    Attributes:
        text: A sentence or two for who is on call.
        page: A page below docs/.
    """

    text: str
    page: str


_CLIENT: Final = "The client has to send something else: the message says what."

HINTS: Final[Mapping[str, Hint]] = {
    # The request.
    "ROUTE_NOT_FOUND": Hint(
        "Nothing is served at this path with this host. `gateway routes` lists what is.",
        "routing.md",
    ),
    "METHOD_NOT_ALLOWED": Hint("The path is known with other verbs: `gateway routes`.", "rest.md"),
    "UNKNOWN_HOST": Hint("Add the name to `hosts`, or have the client ask another.", "routing.md"),
    "UNKNOWN_VERSION": Hint("Ask for a version that there is: `rest.versions`.", "routing.md"),
    "BODY_TOO_LARGE": Hint(
        "Send less, or raise `listener.limits.body_size` after thinking of memory.", "listener.md"
    ),
    "MESSAGE_TOO_LARGE": Hint(
        "Send smaller messages, or raise the limit `message_size`.", "limits.md"
    ),
    "BODY_TIMEOUT": Hint(
        "The client sends too slowly: its network, or `listener.limits.body_timeout`.",
        "listener.md",
    ),
    "VALIDATION_FAILED": Hint(
        "The client has to send other values; the rules are in the protos (protovalidate).",
        "validation.md",
    ),
    "ADDRESS_DENIED": Hint("See `addresses`; behind a proxy, `trusted_proxies`.", "security.md"),
    "CROSS_SITE_REQUEST": Hint("See `listener.cors` and `cookies`.", "security.md"),
    # Who calls.
    "CREDENTIALS_MISSING": Hint(
        "The client has to show a token or a key; or let the method be called without: "
        "`authenticate: none`.",
        "security.md",
    ),
    "INVALID_CREDENTIALS": Hint(
        "Compare what the client shows with the provider: its issuer, its keys, its audience.",
        "security.md",
    ),
    "TOKEN_EXPIRED": Hint(
        "The client has to get a new token. If many are told so, compare clocks.", "security.md"
    ),
    "INSUFFICIENT_SCOPE": Hint(
        "Have the issuer give the scope, or change the policy that asks for it.", "security.md"
    ),
    "ROLE_MISSING": Hint("Give the caller the role, or change the policy.", "security.md"),
    "CONDITION_FAILED": Hint(
        "Read the condition `when` of the policy below against who called, and what.",
        "security.md",
    ),
    "AUTHORIZATION_DENIED": Hint("Ask the authorization service why.", "security.md"),
    "AUTHENTICATION_UNAVAILABLE": Hint(
        "What knows callers can't be reached: see the log `gateway.auth`.", "security.md"
    ),
    "TOO_MANY_UNAUTHENTICATED": Hint(
        "An address asks often and shows nobody: `listener.limits.unauthenticated`.", "limits.md"
    ),
    "LOCKED_OUT": Hint("Too many wrong passwords: wait, or ask who guesses.", "security.md"),
    # How much.
    "RATE_LIMITED": Hint(
        "Wait until the limit is full again, raise its rate, or give the caller another plan.",
        "limits.md",
    ),
    "QUOTA_EXCEEDED": Hint(
        "It begins anew with the period; a larger plan has more. `gateway usage` tells who used "
        "it.",
        "usage.md",
    ),
    "LIMITS_UNAVAILABLE": Hint("The shared state can't be reached: see Redis.", "state.md"),
    "TOO_MANY_CALLS": Hint(
        "The caller has as many calls at a time as it may: `concurrency_per_principal`.",
        "limits.md",
    ),
    "OVERLOADED": Hint(
        "More calls came than are let through at a time: see who sends them, and the backend's "
        "latency; then `concurrency`, `adaptive_concurrency`.",
        "limits.md",
    ),
    # The backend.
    "CLIENT_DEADLINE": Hint(
        "The client gave it too little time: have it wait longer, or see why it took so long.",
        "resilience.md",
    ),
    "GATEWAY_TIMEOUT": Hint(
        "See why the backend takes so long; then the `timeout` below.", "resilience.md"
    ),
    "BACKEND_ERROR": Hint(
        "The backend itself says so: look for the call in its log, by the request id.",
        "errors.md",
    ),
    "RETRIES_EXHAUSTED": Hint(
        "Every attempt failed: see the backend first; `upstreams.*.retries` says how many are "
        "made.",
        "resilience.md",
    ),
    "RETRY_BUDGET_EMPTY": Hint(
        "Too many calls fail at once, so no more are made twice: see the backend. "
        "`retries.budget` says how many may be.",
        "resilience.md",
    ),
    "RETRIES_HELD": Hint(
        "As many retries are under way as `circuit_breaker.retries` allows: see the backend.",
        "resilience.md",
    ),
    "ENDPOINTS_EJECTED": Hint(
        "Outlier detection left endpoints out for their failures: `gateway upstreams` says which "
        "and why.",
        "resilience.md",
    ),
    "ENDPOINTS_UNHEALTHY": Hint(
        "Health checks fail: see the backend; `gateway upstreams` says how.", "resilience.md"
    ),
    "NOT_RESOLVED": Hint(
        "Where the backend is can't be looked up: see DNS, or the file, of `resolver`.",
        "upstreams.md",
    ),
    "UPSTREAM_TLS": Hint(
        "Gateway and backend disagree about TLS: compare `upstreams.*.tls` (ca, server_name, "
        "certificates) with what the backend serves.",
        "upstreams.md",
    ),
    "UPSTREAM_UNAVAILABLE": Hint(
        "No connection can be made: is the backend running, is the address right? "
        "`gateway upstreams` tells how it does.",
        "upstreams.md",
    ),
    "CIRCUIT_OPEN": Hint(
        "As many calls are in flight as `circuit_breaker` allows: the backend is slow, or the "
        "bound is low.",
        "resilience.md",
    ),
    "UPSTREAM_RESET": Hint(
        "The backend broke off: look for a crash, a restart, a proxy on the way.", "upstreams.md"
    ),
    "UPSTREAM_PROTOCOL_ERROR": Hint(
        "What answers there is no gRPC server, or not of HTTP/2: is it the right port?",
        "upstreams.md",
    ),
    "UPSTREAM_HTTP_ERROR": Hint("A proxy on the way answered, not the backend.", "upstreams.md"),
    "UPSTREAM_MESSAGE_TOO_LARGE": Hint(
        "The backend answers more than `message_size` allows: have it answer in pages.",
        "limits.md",
    ),
    "INVALID_UPSTREAM_MESSAGE": Hint(
        "The backend's message is not of the type in the protos: compare their versions.",
        "schema.md",
    ),
    "STREAM_IDLE": Hint(
        "Neither side sent anything: `listener.limits.stream_idle_timeout`.", "limits.md"
    ),
    "FAULT_INJECTED": Hint(
        "The policy's `faults` does it on purpose: take it out to end it.", "routing.md"
    ),
    "DRAINING": Hint("The gateway, or a connection of it, was ending.", "admin.md"),
    "CANCELLED": Hint("Nobody waited for the answer any more.", "errors.md"),
    "CLIENT_GONE": Hint("The client left before the end: see its own time-out.", "errors.md"),
    "INTERNAL": Hint("A bug: the log has it, with a traceback. Please report it.", "errors.md"),
    # GraphQL.
    "GRAPHQL_PARSE_FAILED": Hint("The document is no GraphQL: see the message.", "graphql.md"),
    "GRAPHQL_VALIDATION_FAILED": Hint(
        "The document does not fit the graph: was a field removed or renamed?", "graphql.md"
    ),
    "BAD_USER_INPUT": Hint("The variables do not fit the operation.", "graphql.md"),
    "LIMIT_EXCEEDED": Hint(
        "The operation asks for too much: ask for fewer fields or rows, or see "
        "`graphql.limits`; `gateway explain --document` tells its cost.",
        "graphql.md",
    ),
    "PERSISTED_QUERY_NOT_FOUND": Hint(
        "The client sends the document with the next request: ordinary after a restart.",
        "graphql.md",
    ),
    "UNTRUSTED_DOCUMENT": Hint(
        "Only known documents are taken: add it to `graphql.trusted_documents`.", "graphql.md"
    ),
    # Sockets.
    "CLOSED_4000": Hint("Ordinary: clients connect again, and go on.", "websocket.md"),
    "CLOSED_4001": Hint(
        "The client took nothing for 30 seconds: its network, a page in the background, or code "
        "that does not read.",
        "websocket.md",
    ),
    "CLOSED_4002": Hint("The client, or the network, is gone.", "websocket.md"),
    "CLOSED_4003": Hint("The client has to send `auth` with a new token in time.", "websocket.md"),
    "CLOSED_BY_CLIENT": Hint("What its code means, the client knows.", "websocket.md"),
    "CLOSED": Hint("See the close codes.", "websocket.md"),
    # What went well.
    "STALE_SERVED": Hint(
        "The backend failed or was being asked, so an older reply was given: see `cache`.",
        "caching.md",
    ),
    "RETRIED": Hint("Clients saw nothing of it. See the endpoint that failed.", "resilience.md"),
    "FAULT_DELAY": Hint("The policy's `faults` does it on purpose.", "routing.md"),
    "SLOW_ENDPOINT": Hint(
        "See that backend's log by the request id; `gateway upstreams` compares endpoints.",
        "resilience.md",
    ),
    "SLOW_WAIT": Hint("It waited in the gateway: see what for, below.", "limits.md"),
    "SLOW_CLIENT": Hint(
        "The time went by while the client sent its body, or took the answer.", "performance.md"
    ),
    "WENT_WELL": Hint("Nothing.", "errors.md"),
}

_OTHERS: Final = Hint(_CLIENT, "errors.md")


def hint_of(cause: str) -> Hint:
    """Returns what to do about a cause; of what clients send wrong, that there is a message."""
    found = HINTS.get(cause)
    if found is None and cause.startswith("CLOSED_"):
        found = HINTS["CLOSED"]
    return found or _OTHERS
