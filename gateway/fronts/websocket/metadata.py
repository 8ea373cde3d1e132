"""What a stream's call carries: the handshake's headers, and what its `open` says beside them."""

from __future__ import annotations

import re
from typing import Final

from gateway.call import Metadata
from gateway.errors import error
from gateway.fronts.websocket.frames import Open
from gateway.fronts.websocket.serving import Serving
from gateway.http import Headers, Request
from gateway.http.request_id import REQUEST_ID
from gateway.routing.metadata import canonical
from gateway.routing.timeout import client_timeout

_TRACEPARENT: Final = "traceparent"

# grpc/grpc, doc/PROTOCOL-HTTP2.md, ASCII-Value.
_TEXT: Final = re.compile(r"[ -~]+", re.ASCII)


def carried(
    request: Request, opened: Open, serving: Serving, *, named: str
) -> tuple[Metadata, float | None, str | None]:
    """Returns metadata, time-out in seconds or None, and trace context of a stream's call.

    Args:
        request: The handshake, with the session's token.
        opened: The client's `open`: its entries stand in place of the handshake's.
        serving: Whose rules say what passes.
        named: The request id of the call.

    Raises:
        RpcError: INVALID_METADATA, HEADERS_TOO_LARGE, INVALID_TIMEOUT.
    """
    rules = serving.rules
    metadata = rules.request(request.headers)
    traceparent = request.headers.get(_TRACEPARENT)
    if opened.metadata:
        given = Headers((key.lower(), value) for key, value in opened.metadata)
        for key, value in given:
            if rules.reserves(key):
                raise error("INVALID_METADATA", f"The metadata may not have {key[:64]!r}.")
            if not key.endswith("-bin") and _TEXT.fullmatch(value) is None and rules.passes(key):
                raise error("INVALID_METADATA", f"The value of {key} must be printable ASCII.")
        own = _unless(rules.request(given), serving.credentials)
        metadata = Metadata((*metadata.without(*own.names()), *own))
        traceparent = given.get(_TRACEPARENT) or traceparent
    if serving.request_id_passes:
        metadata = Metadata((*metadata.without(REQUEST_ID), (REQUEST_ID, named)))
    rules.check_size(metadata)
    return metadata, _shortest(client_timeout(request.headers), opened.timeout), traceparent


def carrier(opened: Open, request: Request) -> Headers:
    """Returns the fields that say what trace a stream belongs to: its own, or the handshake's."""
    if opened.metadata:
        given = Headers((key.lower(), value) for key, value in opened.metadata)
        if _TRACEPARENT in given:
            return given
    return request.headers


def _unless(metadata: Metadata, names: frozenset[str]) -> Metadata:
    """Returns metadata without these names, and what some servers take for them."""
    if not names:
        return metadata
    return Metadata((key, value) for key, value in metadata if canonical(key) not in names)


def _shortest(handshake: float | None, opened: float | None) -> float | None:
    if opened == 0:
        raise error("INVALID_TIMEOUT", "timeout_ms must be a positive number of milliseconds.")
    given = [each for each in (handshake, opened) if each is not None]
    return min(given, default=None)
