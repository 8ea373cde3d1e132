"""A call's error as an HTTP reply in the form of AIP-193.

`{"error": {"code": 404, "status": "NOT_FOUND", "message": "…", "details": [{"@type": …}, …]}}`

Errors of the gateway's own carry `google.rpc.RequestInfo`; what a backend sent is passed on as it
is. A detail of a type that no proto describes degrades to its type URL and base64; it never hides
the error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator

from google.protobuf import any_pb2
from google.rpc import error_details_pb2

from gateway.call import Detail, RpcError
from gateway.errors import pack
from gateway.fronts.http_errors import error_headers, http_status

JSON_TYPE = ("content-type", "application/json")


class ErrorRenderer:
    """Renders errors.

    Args:
        any_to_json: Serialized `google.protobuf.Any` to its ProtoJSON, never failing.
    """

    __slots__ = ("_any_to_json",)

    def __init__(self, any_to_json: Callable[[bytes], bytes]) -> None:
        self._any_to_json = any_to_json

    def body(self, failure: RpcError, request_id: str) -> bytes:
        """Returns the JSON of an error, UTF-8, without a line end."""
        details = list(failure.status.details)
        if failure.reason is not None:
            details.append(pack(error_details_pb2.RequestInfo(request_id=request_id)))
        head = json.dumps(
            {
                "code": http_status(failure),
                "status": failure.status.code.name,
                "message": failure.status.message,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        # Lone surrogates can't be in a gRPC status; were one there, it must not hide the error.
        text = head.encode("utf-8", "replace")
        if not details:
            return b'{"error":%b}' % text
        listed = b",".join(self._any_to_json(_any(detail)) for detail in details)
        return b'{"error":%b,"details":[%b]}}' % (text[:-1], listed)

    def headers(self, failure: RpcError, given: Collection[str] = ()) -> Iterator[tuple[str, str]]:
        """Yields the reply headers that an error brings, content type included.

        Args:
            failure: The error.
            given: Lower-case names of headers that the reply has already; none is added again.
        """
        yield JSON_TYPE
        yield from error_headers(failure, given)


def _any(detail: Detail) -> bytes:
    return any_pb2.Any(type_url=detail.type_url, value=detail.value).SerializeToString()
