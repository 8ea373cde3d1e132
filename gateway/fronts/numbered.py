"""Errors of one message of a request stream: they say which."""

from __future__ import annotations

from dataclasses import replace

from gateway.call import RpcError


def of_message(number: int, failure: RpcError) -> RpcError:
    """Returns the error of a message with the message's number, from 1, before its text."""
    status = replace(failure.status, message=f"Message {number}: {failure.status.message}")
    return RpcError(
        status, headers=failure.headers, http_status=failure.http_status, reason=failure.reason
    )
