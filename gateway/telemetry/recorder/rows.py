"""A request as one row of a list: what `tap` shows of what is live, and what is kept in short."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from gateway.record import RequestRecord
from gateway.telemetry.codes import name_of
from gateway.telemetry.recorder.account import Account

Row: TypeAlias = "dict[str, Any]"
"""`time` (seconds since 1970, of a live one) or what an account has, `request_id`, `kind`, `front`,
`what` (the RPC, or the path), `methods` (names by which a filter knows it), `status` of HTTP,
`code` of gRPC, `reason`, `seconds`, `peer`, `principal`, `endpoint`, `attempts`."""

_LONGEST: Final = 128
_MOST: Final = 8


def live(record: RequestRecord, now: float) -> Row:
    """Returns the row of a request that is over.

    Args:
        record: What was noted of it.
        now: When it ended, seconds since 1970.
    """
    calls = record.calls
    failed = next((each for each in calls if each.code), None)
    call = failed or (calls[0] if calls else None)
    principal = record.principal
    code = record.code if call is None or not call.began else call.code
    return {
        "time": now,
        "request_id": record.request_id[:_LONGEST],
        "kind": record.kind,
        "front": record.front,
        "what": _what(record.operation, [each.method for each in calls], record.head.path),
        "methods": [each.method.replace("/", ".") for each in calls[:_MOST]],
        "status": record.status,
        "close": record.close,
        "code": None if code is None else name_of(code),
        "reason": (failed.reason if failed is not None else None) or record.reason,
        "seconds": round(record.ended - record.began, 6),
        "peer": record.head.peer,
        "principal": None if principal is None else principal.subject[:_LONGEST],
        "endpoint": "" if call is None else call.where(),
        "attempts": 0 if call is None else call.begun,
    }


def kept(account: Account) -> Row:
    """Returns the row of what is kept of a request."""
    calls = account.get("calls", [])
    failed = next((each for each in calls if "error" in each), None)
    call: Mapping[str, Any] = failed or (calls[0] if calls else {})
    error = (failed or account).get("error") or {}
    went = "OK" if call and not call.get("given_up") else None
    attempts = call.get("attempts", [])
    ended = [each for each in attempts if each["code"] is not None]  # others were given up
    principal = account["principal"]
    return {
        "time": account["time"],
        "request_id": account["request_id"],
        "kind": account["kind"],
        "front": account.get("front", ""),
        "what": _what(
            account.get("operation", ""),
            [each["method"] for each in calls],
            account["http"]["path"],
        ),
        "methods": [each["method"].replace("/", ".") for each in calls],
        "status": account["http"]["status"],
        "close": account.get("close", 0),
        "code": error.get("code", went),
        "reason": error.get("reason"),
        "seconds": account["seconds"],
        "peer": account["peer"],
        "principal": None if principal is None else principal["subject"],
        "endpoint": next((each["endpoint"] for each in reversed(ended or attempts)), ""),
        "attempts": call.get("attempts_made", 0),
        "outcome": account["outcome"],
    }


def _what(operation: str, methods: list[str], path: str) -> str:
    """Returns what was asked, in a word: an RPC, a GraphQL operation, or a path."""
    if len(methods) == 1 and not operation:
        return methods[0]
    return operation[:_LONGEST] or path[:_LONGEST]
