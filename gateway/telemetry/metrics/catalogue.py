"""All metrics that there are: `docs/metrics.md` has the same table, and a test holds them together.

What OpenTelemetry's semantic conventions have a name for has that name, and their labels (version
1.44.0: HTTP metrics; RPC metrics, gRPC; process metrics; CPython metrics). All else is `gateway.*`,
with labels that are theirs where they have one, or `gateway.*` too. Nothing is labelled with who
calls, nor with anything that a client chooses: methods and routes are those of the config, reasons
those of `errors.REASONS`, names of GraphQL operations those of trusted documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.telemetry.metrics import standing, terms
from gateway.telemetry.metrics.definition import Kind, Metric, Together

_COUNTER, _GAUGE, _HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

# What clients ask.

HTTP_DURATION: Final = Metric(
    "http.server.request.duration",
    _HISTOGRAM,
    "Duration of HTTP requests; of one that became a WebSocket, until it did.",
    (
        terms.VERB,
        terms.SCHEME,
        "http.route",
        "http.response.status_code",
        "network.protocol.version",
        terms.ERROR,
    ),
    "s",
    terms.SECONDS,
    most=2000,
)
HTTP_ACTIVE: Final = Metric(
    "http.server.active_requests",
    _GAUGE,
    "HTTP requests that are being answered.",
    (terms.VERB, terms.SCHEME),
    "{request}",
)
HTTP_BODIES: Final = Metric(
    "gateway.http.body.size",
    _COUNTER,
    "Bytes of bodies of HTTP requests (received) and of their answers (sent), as on the wire.",
    (terms.FRONT, "http.route", terms.DIRECTION),
    "By",
    most=2000,
)
REFUSALS: Final = Metric(
    "gateway.refusals",
    _COUNTER,
    "Requests, and calls, that the gateway itself refused or failed; of the front `listener`, what "
    "was no request yet, and connections.",
    (terms.FRONT, terms.REASON),
    "{refusal}",
)
CONNECTIONS: Final = Metric(
    "gateway.connections", _GAUGE, "Connections of clients that are open.", (), "{connection}"
)
ACCEPTED: Final = Metric(
    "gateway.connections.accepted",
    _COUNTER,
    "Connections of clients that were let in.",
    (),
    "{connection}",
)
# Calls.

CALL_DURATION: Final = Metric(
    "gateway.call.duration",
    _HISTOGRAM,
    "Duration of calls, from a front to all that answers them; of streams until their end.",
    (terms.FRONT, terms.METHOD, terms.STATUS, terms.ERROR),
    "s",
    terms.SECONDS,
    most=5000,
)
ATTEMPT_DURATION: Final = Metric(
    "rpc.client.call.duration",
    _HISTOGRAM,
    "Duration of the attempts that calls made at backends.",
    ("rpc.system.name", terms.METHOD, terms.STATUS, terms.ERROR, terms.UPSTREAM),
    "s",
    terms.SECONDS,
    most=5000,
)
STREAMS: Final = Metric(
    "gateway.streams",
    _GAUGE,
    "Streaming calls under way.",
    (terms.FRONT, terms.METHOD),
    "{stream}",
    most=2000,
)
MESSAGES: Final = Metric(
    "gateway.stream.messages",
    _COUNTER,
    "Messages of streaming calls, from clients (received) and to them (sent).",
    (terms.FRONT, terms.METHOD, terms.DIRECTION),
    "{message}",
    most=4000,
)
MESSAGE_BYTES: Final = Metric(
    "gateway.stream.messages.size",
    _COUNTER,
    "Bytes of those messages, as protobuf.",
    (terms.FRONT, terms.METHOD, terms.DIRECTION),
    "By",
    most=4000,
)
STALLS: Final = Metric(
    "gateway.stream.stalls",
    _COUNTER,
    "Messages of streams on the multiplexed WebSocket that waited for their client's credit.",
    (terms.FRONT, terms.METHOD),
    "{message}",
    most=2000,
)

# WebSockets.

SOCKETS: Final = Metric(
    "gateway.sockets", _GAUGE, "WebSockets that are open.", ("gateway.form",), "{socket}"
)
CLOSES: Final = Metric(
    "gateway.socket.closes",
    _COUNTER,
    "WebSockets that have closed.",
    (terms.FRONT, "gateway.close_code"),
    "{socket}",
)
WAITING_SESSIONS: Final = Metric(
    "gateway.sessions.waiting",
    _GAUGE,
    "Sessions that have lost their WebSocket, and can be resumed.",
    (),
    "{session}",
)

# GraphQL.

OPERATION_DURATION: Final = Metric(
    "gateway.graphql.operation.duration",
    _HISTOGRAM,
    "Duration of GraphQL operations; names are those of trusted documents.",
    ("graphql.operation.type", "graphql.operation.name", terms.ERROR),
    "s",
    terms.SECONDS,
    most=2000,
)
OPERATION_COST: Final = Metric(
    "gateway.graphql.operation.cost",
    _HISTOGRAM,
    "Cost of GraphQL operations, as `graphql.limits.cost` counts it.",
    (),
    "{cost}",
    terms.COSTS,
)
DOCUMENT_LOOKUPS: Final = Metric(
    "gateway.graphql.document.lookups",
    _COUNTER,
    "Documents that were looked up by their text: kept (hit) or not (miss).",
    ("gateway.outcome",),
    "{lookup}",
)
DOCUMENT_EVICTIONS: Final = Metric(
    "gateway.graphql.document.evictions",
    _COUNTER,
    "Documents that made room for others.",
    (),
    "{document}",
)
DOCUMENTS: Final = Metric(
    "gateway.graphql.documents", _GAUGE, "Documents that are kept.", (), "{document}"
)
DOCUMENT_BYTES: Final = Metric(
    "gateway.graphql.documents.size",
    _GAUGE,
    "Memory of the documents and plans that are kept, as estimated.",
    (),
    "By",
)
PLAN_LOOKUPS: Final = Metric(
    "gateway.graphql.plan.lookups",
    _COUNTER,
    "Plans that were looked up for operations: kept (hit) or made (miss).",
    ("gateway.outcome",),
    "{lookup}",
)

# Policies.

LIMIT_DECISIONS: Final = Metric(
    "gateway.limit.decisions",
    _COUNTER,
    "What rate limits and quotas decided: allowed, delayed, refused, or would have refused (dark).",
    ("gateway.limit", "gateway.decision"),
    "{decision}",
)
CONCURRENCY: Final = Metric(
    "gateway.concurrency.running",
    _GAUGE,
    "Calls that run within a bound of `concurrency`, by the method or the upstream it is of.",
    ("gateway.bound", "gateway.name"),
    "{call}",
    most=2000,
)
ADAPTIVE_LIMIT: Final = Metric(
    "gateway.adaptive_concurrency.limit",
    _GAUGE,
    "Calls that adaptive concurrency lets run at a time.",
    (terms.UPSTREAM,),
    "{call}",
)
ADAPTIVE_RUNNING: Final = Metric(
    "gateway.adaptive_concurrency.running",
    _GAUGE,
    "Calls that adaptive concurrency lets run now.",
    (terms.UPSTREAM,),
    "{call}",
)
ADAPTIVE_WAITING: Final = Metric(
    "gateway.adaptive_concurrency.waiting",
    _GAUGE,
    "Calls that wait for adaptive concurrency.",
    (terms.UPSTREAM,),
    "{call}",
)
CACHED: Final = Metric(
    "gateway.cache.requests",
    _COUNTER,
    "Calls that the cache answered (hit, stale), joined to an equal one (coalesced), or let pass "
    "(miss).",
    (terms.METHOD, "gateway.outcome"),
    "{call}",
    most=2000,
)
CACHE_ENTRIES: Final = Metric(
    "gateway.cache.entries",
    _GAUGE,
    "Entries that are kept in memory: replies (cache), or forms of those in Redis (forms).",
    ("gateway.store",),
    "{entry}",
)
CACHE_BYTES: Final = Metric(
    "gateway.cache.size", _GAUGE, "Bytes that they are charged with.", ("gateway.store",), "By"
)
CACHE_EVICTIONS: Final = Metric(
    "gateway.cache.evictions",
    _COUNTER,
    "Entries that made room for others.",
    ("gateway.store",),
    "{entry}",
)
COPIES: Final = Metric(
    "gateway.mirror.copies",
    _COUNTER,
    "Copies of calls that were sent, of these those that failed, and those that were left out.",
    (terms.UPSTREAM, "gateway.outcome"),
    "{copy}",
)

# Upstreams.

UPSTREAM_EVENTS: Final = Metric(
    "gateway.upstream.events",
    _COUNTER,
    "What became of an upstream's calls: calls, attempts, retries, hedges, moved, unsent, refused "
    "(the circuit breaker), exhausted (the retry budget), held (retries at a time).",
    (terms.UPSTREAM, "gateway.event"),
    "{event}",
    most=2000,
)
UPSTREAM_CALLS: Final = Metric(
    "gateway.upstream.calls.active", _GAUGE, "Calls in flight.", (terms.UPSTREAM,), "{call}"
)
UPSTREAM_PENDING: Final = Metric(
    "gateway.upstream.calls.waiting",
    _GAUGE,
    "Calls that wait for a connection.",
    (terms.UPSTREAM,),
    "{call}",
)
BREAKER: Final = Metric(
    "gateway.upstream.breaker.open",
    _GAUGE,
    "Whether the circuit breaker takes no call, in any worker: 1 or 0.",
    (terms.UPSTREAM,),
    together=Together.MAX,
)
ENDPOINTS: Final = Metric(
    "gateway.upstream.endpoints",
    _GAUGE,
    "Endpoints as each worker sees them: available, or why one takes no calls (unhealthy, ejected, "
    "draining, failing).",
    (terms.UPSTREAM, "gateway.state", terms.WORKER),
    "{endpoint}",
    most=2000,
)
ENDPOINT_CONNECTIONS: Final = Metric(
    "gateway.upstream.channels",
    _GAUGE,
    "Channels to endpoints, by the state of their connections.",
    (terms.UPSTREAM, "gateway.state"),
    "{channel}",
    most=2000,
)
EJECTIONS: Final = Metric(
    "gateway.upstream.ejections",
    _COUNTER,
    "Times that an endpoint was left out for its failures.",
    (terms.UPSTREAM,),
    "{ejection}",
)

METRICS: Final[Mapping[str, Metric]] = {
    value.name: value
    for value in (*globals().values(), *vars(standing).values())
    if isinstance(value, Metric)
}
"""By name, in the order in which they are told."""
