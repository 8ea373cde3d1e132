"""Reads the body of a request whole: a large one only for a caller that is known.

A body is read and made a message before the call's gates are asked, so that a call has its request.
For a small body that costs less than asking twice. What is larger could keep the gateway busy for
whoever sends it: there the method's own gate is asked first who calls, by the head of the request.
The call is authenticated all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.chain import Method, as_error
from gateway.fronts.admission import admit
from gateway.fronts.http_errors import refuse_body
from gateway.fronts.rest.incoming import FRONT, Incoming
from gateway.http import Headers

SMALL: Final = 32 * 1024
"""Bytes of a body that are read for anybody: as many as a head may have by default."""


def collect(incoming: Incoming, method: Method, limit: int, then: Callable[[bytes], None]) -> None:
    """Reads the body of a request; calls `then` with it, or refuses the request.

    Args:
        incoming: The request.
        method: What is to be called with it.
        limit: The most bytes.
        then: Goes on; must not raise.
    """

    def read() -> None:
        incoming.exchange.collect(limit, then, incoming.guarded(refuse_body))

    if method.authenticate is None or not _is_large(incoming.request.headers):
        read()
        return
    admit(
        incoming.exchange,
        method.authenticate,
        lambda _: read(),
        lambda failure: incoming.refuse(as_error(failure)),
        front=FRONT,
        method=method.descriptor.name,
        request_id=incoming.request_id,
    )


def _is_large(headers: Headers) -> bool:
    """Whether a body may be large, by what the head says of it (RFC 9112 section 6.3)."""
    if "transfer-encoding" in headers:
        return True
    length = headers.get("content-length")
    return length is not None and int(length) > SMALL
