"""How the end of a plain call reads: a last frame, a close code, and a reason beside it.

A reason may have 123 bytes (RFC 6455 section 5.5), and a page may see nothing else, so it is JSON
that is whole whatever of the message has to be left out.
"""

from __future__ import annotations

import json
from typing import Final

from google.rpc import status_pb2

from gateway.call import RpcError, Status
from gateway.fronts.error_details import AnyToJson, any_of, details_json, details_of

FAILED: Final = 4200
"""The close code of a call that failed is this and its gRPC code."""

_REASON_SIZE = 123


def close_code(status: Status) -> int:
    """Returns the close code of a call that failed."""
    return FAILED + status.code


def reason(status: Status) -> str:
    """Returns code, name and message as JSON of at most 123 bytes, the message cut to fit.

    `{"code":5,"status":"NOT_FOUND","message":"…"}`
    """
    left = _REASON_SIZE - len(_head(status, "").encode())
    kept = ""
    for char in _sayable(status.message):
        left -= len(_dumped(char).encode()) - len('""')
        if left < 0:
            break
        kept += char
    return _head(status, kept)


def error_json(failure: RpcError, request_id: str, any_to_json: AnyToJson) -> bytes:
    """Returns the last frame of a call that failed, as text: `{"error": {…}}`."""
    status = failure.status
    head = _head(status, _sayable(status.message)).encode()
    details = details_of(failure, request_id)
    if not details:
        return b'{"error":%b}' % head
    return b'{"error":%b,"details":%b}}' % (head[:-1], details_json(details, any_to_json))


def error_status(failure: RpcError, request_id: str) -> bytes:
    """Returns the last frame of a call that failed, a serialized `google.rpc.Status`."""
    status = failure.status
    made = status_pb2.Status(
        code=status.code,
        message=_sayable(status.message),
        details=[any_of(each) for each in details_of(failure, request_id)],
    )
    serialized: bytes = made.SerializeToString()
    return serialized


def _head(status: Status, message: str) -> str:
    return _dumped({"code": status.code, "status": status.code.name, "message": message})


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _sayable(message: str) -> str:
    """Returns a message without lone surrogates: they must not hide the error."""
    return message.encode("utf-8", "replace").decode()
