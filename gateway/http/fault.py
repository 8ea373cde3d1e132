"""An HTTP error's body in the one form that all of the gateway's HTTP replies use (AIP-193).

For errors of HTTP itself, where there is no call and so no `RpcError` to render. It writes the
body only: the reply's head belongs to whoever sends it.
"""

from __future__ import annotations

import json


def json_error(
    status: int, rpc_status: str, reason: str, message: str, request_id: str = ""
) -> bytes:
    """Returns the JSON body of an error reply (AIP-193, "HTTP/1.1+JSON representation").

    Args:
        status: The HTTP status: 400.
        rpc_status: The name of its gRPC code: `INVALID_ARGUMENT`.
        reason: A stable reason, for `google.rpc.ErrorInfo`: `BAD_REQUEST`.
        message: A sentence for the developer of the client.
        request_id: For `google.rpc.RequestInfo`, which there is none of without it.
    """
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "gateway",
    }
    details = [info]
    if request_id:
        kind = "type.googleapis.com/google.rpc.RequestInfo"
        details.append({"@type": kind, "requestId": request_id})
    error = {"code": status, "status": rpc_status, "message": message, "details": details}
    return json.dumps({"error": error}, ensure_ascii=False).encode()
