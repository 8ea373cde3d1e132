"""Which calls are equal: their key, a digest of all that a reply may depend on.

That is the method, with what its types and its upstream are (in `base`), another upstream that was
chosen for the call, the request's bytes, all metadata that the backend is sent but what only traces
calls (unless it is long), the client's headers that a policy names, and the caller: its provider,
subject, scopes, roles and plan, and the claims that backends are told. Where callers share entries,
the caller is left out; its metadata never is.

Equal means the same bytes. A request is not decoded: two serialisations of one message (other order
of fields, a default that is written out) are two entries. One front writes the same JSON as the
same bytes; entries of metadata count in the order of their names, values of one name in their own.

Nothing can be kept of a call whose caller has no name, and of one that hands its own credentials on
to a backend while nobody here has judged them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from operator import itemgetter
from struct import pack
from types import MappingProxyType
from typing import Final

from gateway.call import Call, Metadata, Principal

SIZE: Final = 24
"""Bytes of a key. Who finds two calls with one key has gained nothing over other callers, whose
keys are of other callers; with 192 bits nobody does."""

TRACING: Final = frozenset({
    # W3C Trace Context and Baggage
    "traceparent", "tracestate", "baggage",
    # ids of requests, by which no backend answers differently
    "x-request-id", "x-correlation-id", "x-amzn-trace-id", "x-cloud-trace-context",
    # OpenCensus, Jaeger, Datadog, B3 (openzipkin/b3-propagation)
    "grpc-trace-bin", "uber-trace-id",
    "x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-sampling-priority",
    "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
    "x-ot-span-context",
})  # fmt: skip
"""Metadata that says nothing to a backend but which trace a call belongs to."""

_LONG: Final = 1024
"""Bytes of tracing metadata (`Metadata.size`). Of equal calls, backends see what the first brought
along: it must not be so much that they may refuse it, and the others with it."""

CREDENTIALS: Final = frozenset({"authorization", "cookie"})
"""Metadata by which a backend may know callers that nobody here knows."""

_CALL: Final = b"\0"
_KEY: Final = b"\1"

_json: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


class Keys:
    """Makes the keys of a method's calls.

    Args:
        base: What all of them have in common: the method, its types, its upstream.
        vary: Headers of clients, lower case.
        claims: Names of the claims that backends are told.
        shared: Whether all callers share entries.
        others: What each upstream is that may be chosen beside its service's own, by name.
    """

    __slots__ = ("_base", "_claims", "_others", "_shared", "_vary")

    def __init__(
        self,
        base: Sequence[bytes],
        *,
        vary: Sequence[str] = (),
        claims: Sequence[str] = (),
        shared: bool = False,
        others: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        self._vary = tuple(sorted(vary))
        self._claims = tuple(sorted(claims))
        self._shared = shared
        self._others = {
            name: blake2b(other, digest_size=SIZE).digest() for name, other in others.items()
        }
        names = [_text(name) for name in (*self._vary, *self._claims)]
        shape = b"%d %d %d" % (len(self._vary), len(self._claims), shared)
        self._base = blake2b(_joined([*base, shape, *names]), digest_size=SIZE)

    def of(self, call: Call) -> bytes | None:
        """Returns the key of a call; None where nothing may be kept of it."""
        return self._key([_CALL, call.request], call)

    def of_key(self, call: Call, rest: bytes, name: bytes) -> bytes | None:
        """Returns the key of one of the keys that a call asks for (`gateway.kept.Keys`).

        Args:
            call: The call, whose own request does not count.
            rest: What is asked of each key.
            name: The key.
        """
        return self._key([_KEY, rest, name], call)

    def _key(self, parts: list[bytes], call: Call) -> bytes | None:
        principal = call.principal
        if principal is not None and not principal.subject and not self._shared:
            return None
        if call.upstream:  # what begins longer is no other's
            parts[0] += self._others[call.upstream]
        if call.metadata:
            items = [item for item in call.metadata if item[0] not in TRACING]
            if len(items) < len(call.metadata) and _tracing(call.metadata) > _LONG:
                items = [*call.metadata]
            if principal is None and any(item[0] in CREDENTIALS for item in items):
                return None
            if len(items) > 1:
                items.sort(key=itemgetter(0))
            parts.append(b"%d" % len(items))
            for name, value in items:
                parts.append(name.encode())
                parts.append(value if isinstance(value, bytes) else _text(value))
        else:
            parts.append(b"0")
        if self._vary:
            head = call.head
            for name in self._vary:
                values = () if head is None else head.headers.all(name)
                parts.append(b"%d" % len(values))
                parts += map(_text, values)
        if principal is not None and not self._shared:
            told = self._caller(principal)
            if told is None:
                return None
            parts += told
        digest = self._base.copy()
        digest.update(_joined(parts))
        return digest.digest()

    def _caller(self, principal: Principal) -> list[bytes] | None:
        """Returns what tells a caller from others; None where its claims are nested too deep."""
        parts = [
            _text(principal.provider),
            _text(principal.subject),
            b"-" if principal.plan is None else b"+" + _text(principal.plan),
            b"%d %d" % (len(principal.scopes), len(principal.roles)),
            *map(_text, sorted(principal.scopes)),
            *map(_text, sorted(principal.roles)),
        ]
        try:
            for claim in self._claims:
                value = principal.claims.get(claim)
                parts.append(b"" if value is None else _json(value).encode())
        except RecursionError:
            return None
        return parts


def _tracing(metadata: Metadata) -> int:
    return Metadata(metadata.only(TRACING)).size()


def _text(text: str) -> bytes:
    # What clients and issuers send may hold what is no Unicode character: bad, but no bug.
    return text.encode("utf-8", "surrogatepass")


def _joined(parts: Sequence[bytes]) -> bytes:
    """Returns parts as one, so that no other parts make the same: their lengths come first."""
    return pack(f"<{len(parts) + 1}I", len(parts), *map(len, parts)) + b"".join(parts)
