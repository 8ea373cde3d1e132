"""Who makes the calls of one request: what all of them carry, read from its head once.

REST makes one call of a request; GraphQL makes many, which share a deadline and metadata. Nothing
here is decided about the caller's rights: the gates of each call do that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.call import Call, Deadline, Metadata, Principal
from gateway.cookies import Cookies
from gateway.head import Head
from gateway.http import Request
from gateway.http.request_id import REQUEST_ID
from gateway.record import RequestRecord
from gateway.routing.metadata import HeaderRules
from gateway.routing.timeout import client_timeout


@dataclass(slots=True)
class Caller:
    """What all calls of one request carry. The attributes are those of `gateway.call.Call`.

    Not to be changed; it is not frozen since that makes it slow.
    """

    metadata: Metadata
    deadline: Deadline | None
    principal: Principal | None
    peer: str
    front: str
    request_id: str
    traceparent: str | None
    head: Head | None = field(default=None, repr=False)
    cookies: Cookies | None = field(default=None, repr=False)
    record: RequestRecord | None = field(default=None, repr=False)

    def call(self, method: str, request: bytes) -> Call:
        """Returns a new call of this caller's.

        Args:
            method: Its full name, `shop.v1.Catalog/GetProduct`.
            request: The serialized request message.
        """
        return Call(
            method,
            request,
            self.metadata,
            self.deadline,
            self.principal,
            self.peer,
            self.front,
            self.request_id,
            self.traceparent,
            self.head,
            cookies=self.cookies,
            record=None if self.record is None else self.record.call(method),
        )


def caller_of(
    request: Request,
    rules: HeaderRules,
    clock: Callable[[], float],
    *,
    front: str,
    request_id: str,
    request_id_passes: bool,
    cookies: Cookies | None = None,
    record: RequestRecord | None = None,
) -> Caller:
    """Returns the caller of a request, not authenticated yet.

    Args:
        request: The request's head, by which the gates of calls know who makes them.
        rules: Which headers pass to backends.
        clock: The event loop's clock, seconds.
        front: The front that makes the calls, `graphql`.
        request_id: What names the request in replies and logs.
        request_id_passes: Whether backends are told it.
        cookies: What the answer gives the client to keep; None where it can give nothing.
        record: What is noted of the request, and of its calls; None for nothing.

    Raises:
        RpcError: INVALID_TIMEOUT, INVALID_METADATA or HEADERS_TOO_LARGE: a header is wrong.
    """
    metadata, deadline = carried(
        request, rules, clock, request_id=request_id, request_id_passes=request_id_passes
    )
    traceparent = request.headers.get("traceparent")
    return Caller(
        metadata,
        deadline,
        None,
        request.peer,
        front,
        request_id,
        traceparent,
        request,
        cookies,
        record,
    )


def carried(
    request: Request,
    rules: HeaderRules,
    clock: Callable[[], float],
    *,
    request_id: str,
    request_id_passes: bool,
) -> tuple[Metadata, Deadline | None]:
    """Returns metadata and deadline of a request's calls; the deadline is None where none is asked.

    Raises:
        RpcError: As of `caller_of`.
    """
    headers = request.headers
    timeout = client_timeout(headers)
    metadata = rules.request(headers)
    if request_id_passes:
        others = metadata.without(REQUEST_ID) if REQUEST_ID in headers else metadata
        metadata = Metadata((*others, (REQUEST_ID, request_id)))
        rules.check_size(metadata)
    return metadata, None if timeout is None else Deadline(clock() + timeout)
