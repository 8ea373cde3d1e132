"""One REST request on its way: its id, what its calls carry, and how it is refused."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

from gateway.call import Deadline, Metadata, RpcError
from gateway.fronts.rest.errors import ErrorRenderer
from gateway.fronts.rest.status import http_status
from gateway.http import Exchange, Request
from gateway.routing.metadata import HeaderRules
from gateway.routing.timeout import client_timeout

FRONT = "rest"
REQUEST_ID = "x-request-id"

# A request id is written to headers, metadata and logs: visible ASCII, of a length fit for a line.
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


class CallFields(TypedDict):
    """What every call of a request has in common; keyword arguments of `Call`."""

    metadata: Metadata
    deadline: Deadline | None
    peer: str
    front: str
    request_id: str
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Shared:
    """What all requests of a front share.

    Attributes:
        rules: Which headers pass to backends and back.
        errors: Renders errors.
        clock: The event loop's clock, seconds.
    """

    rules: HeaderRules
    errors: ErrorRenderer
    clock: Callable[[], float]


class Incoming:
    """One request, its id, and its answers."""

    __slots__ = ("exchange", "request", "request_id", "shared")

    def __init__(self, exchange: Exchange, shared: Shared) -> None:
        self.exchange = exchange
        self.shared = shared
        self.request: Request = exchange.request
        given = self.request.headers.get(REQUEST_ID)
        self.request_id = given if given and _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)

    def call_fields(self) -> CallFields:
        """Returns what the request's call carries.

        Raises:
            RpcError: A time-out header or a metadata header is wrong.
        """
        headers = self.request.headers
        timeout = client_timeout(headers)
        rules = self.shared.rules
        metadata = rules.request(headers)
        if REQUEST_ID in rules.request_allow:
            metadata = Metadata((*metadata.without(REQUEST_ID), (REQUEST_ID, self.request_id)))
        return {
            "metadata": metadata,
            "deadline": None if timeout is None else Deadline(self.shared.clock() + timeout),
            "peer": self.request.peer,
            "front": FRONT,
            "request_id": self.request_id,
            "traceparent": headers.get("traceparent"),
        }

    def respond(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """Answers with a whole reply."""
        self.exchange.respond(status, ((REQUEST_ID, self.request_id), *headers), body)

    def refuse(self, failure: RpcError) -> None:
        """Answers with an error."""
        self.respond(
            http_status(failure),
            [*self.shared.rules.response(failure.metadata), *self.shared.errors.headers(failure)],
            self.error_text(failure),
        )

    def error_text(self, failure: RpcError) -> bytes:
        """Returns an error's JSON."""
        return self.shared.errors.body(failure, self.request_id)
