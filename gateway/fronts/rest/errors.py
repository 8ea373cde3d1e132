"""A call's error as an HTTP reply in the form of AIP-193.

`{"error": {"code": 404, "status": "NOT_FOUND", "message": "…", "details": [{"@type": …}, …]}}`

Which details there are is `error_details`'s to say.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from gateway.call import RpcError
from gateway.fronts.error_details import AnyToJson, details_json, details_of
from gateway.fronts.http_errors import error_headers, http_status

JSON_TYPE = ("content-type", "application/json")


class ErrorRenderer:
    """Renders errors.

    Args:
        any_to_json: Writes one detail.
    """

    __slots__ = ("_any_to_json",)

    def __init__(self, any_to_json: AnyToJson) -> None:
        self._any_to_json = any_to_json

    def body(self, failure: RpcError, request_id: str) -> bytes:
        """Returns the JSON of an error, UTF-8, without a line end."""
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
        details = details_of(failure, request_id)
        if not details:
            return b'{"error":%b}' % text
        return b'{"error":%b,"details":%b}}' % (text[:-1], details_json(details, self._any_to_json))

    def headers(self, failure: RpcError, given: Collection[str] = ()) -> Iterator[tuple[str, str]]:
        """Yields the reply headers that an error brings, content type included.

        Args:
            failure: The error.
            given: Lower-case names of headers that the reply has already; none is added again.
        """
        yield JSON_TYPE
        yield from error_headers(failure, given)
