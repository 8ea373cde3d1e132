"""What is kept of a request: an account of it, as JSON of a bounded size.

No value of a header or of a query is in it, and no body. What is long is cut. It is text, not
objects: a few hundred bytes instead of as many kilobytes, and nothing for a garbage collector.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_plus

from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2

from gateway.record import AttemptRecord, CallRecord, Detail, Principal, RequestRecord
from gateway.telemetry.codes import name_of
from gateway.telemetry.phases import Phases, phases_of

Account: TypeAlias = "dict[str, Any]"
"""What is known of a request: what JSON can say. Times are seconds."""

Standing: TypeAlias = "Callable[[str], Mapping[str, object] | None]"
"""Returns how the endpoints of an upstream are, by its name; None of one that there is not."""

MOST_CALLS: Final = 16
MOST_ATTEMPTS: Final = 8
MOST_NOTES: Final = 8
MOST_FIELDS: Final = 8
MOST_ENDPOINTS: Final = 8
LONGEST: Final = 256
LARGEST: Final = 16_384
"""Characters of an account at most; nearly all have less than a tenth of it."""

_SHORT: Final = 24
_CUT: Final = "…"
_BAD_REQUEST: Final = "type.googleapis.com/google.rpc.BadRequest"


def account_of(
    record: RequestRecord, outcome: str, now: float, generation: int, standing: Standing
) -> Account:
    """Returns what is kept of a request that is over.

    Args:
        record: What was noted of it.
        outcome: Why it is kept.
        now: When it ended, seconds since 1970.
        generation: Which config served it.
        standing: Tells of endpoints, where none of them was asked.
    """
    began, ended, head = record.began, record.ended, record.head
    at = datetime.fromtimestamp(now - (ended - began), UTC)
    principal = record.principal
    told: Account = {
        "request_id": _cut(record.request_id),
        "kind": record.kind,
        "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "outcome": outcome,
        "generation": generation,
        "seconds": _round(ended - began),
        "phases": _phases(phases_of(record, record.calls)),
        "http": {
            "method": _cut(head.method),
            "path": _cut(head.path),
            "query": _names(head.query),
            "status": record.status,
        },
        "peer": head.peer,
        "principal": None if principal is None else _caller(principal),
    }
    if record.parent is not None:
        told["socket_id"] = _cut(record.parent.request_id)
    for name in ("front", "route", "operation", "operation_type", "document"):
        if value := getattr(record, name):
            told[name] = _cut(value)
    for name in ("cost", "close", "closed_here", "gone", "received", "sent"):
        if value := getattr(record, name):
            told[name] = value
    if record.code is not None:
        told["error"] = _error(record.code, record.reason, record.message, record.details)
    if record.trace is not None:
        told["trace_id"] = record.trace.trace_id
    if record.replied:
        told["replied"] = _round(record.replied - began)
    if record.calls:
        told["made"] = record.made
        told["calls"] = [_call(each, record, standing) for each in _chosen(record.calls)]
    return told


def add_late(account: Account, call: CallRecord, attempt: AttemptRecord) -> None:
    """Adds an attempt that has ended after its call, which was given up, and after the request.

    Args:
        account: What was kept of the request.
        call: The call; it need not be told of.
        attempt: The attempt.
    """
    began = _round(call.began - call.request.began)
    for told in account.get("calls", ()):
        if told["method"] == call.method and told.get("began") == began:
            attempts = told.setdefault("attempts", [])
            if len(attempts) < MOST_ATTEMPTS:
                attempts.append(_attempt(attempt, call))
            told["attempts_made"] = told.get("attempts_made", 0) + 1
            if account["made"] == 1:
                account["phases"] = _phases(phases_of(call.request, [call], _times(attempts, call)))
            return


def _times(attempts: Sequence[Account], call: CallRecord) -> list[tuple[float, float]]:
    """Returns when attempts began and ended."""
    began = [call.began + each["began"] for each in attempts]
    return [(at, at + each["seconds"]) for at, each in zip(began, attempts, strict=True)]


def _phases(phases: Phases) -> list[Account]:
    return [{"phase": name, "seconds": _round(max(0.0, seconds))} for name, seconds in phases]


def packed(account: Account) -> str:
    """Returns an account as it is kept: of one that is too large, without what is least told.

    It is LARGEST characters at most: what is left in the end are some strings, all cut.
    """
    for shortened in _SHORTENED:
        text = _json(account)
        if len(text) <= LARGEST:
            return text
        account = shortened(account)
    return _json(account)


def _without(name: str) -> Callable[[Account], Account]:
    def shortened(account: Account) -> Account:
        calls = [
            {key: value for key, value in call.items() if key != name}
            for call in account.get("calls", ())
        ]
        return {**account, "calls": calls} if calls else account

    return shortened


def _with_one_call(account: Account) -> Account:
    """Leaves the call by which a request is explained."""
    calls = account.get("calls", ())
    failed = [call for call in calls if "error" in call]
    return {**account, "calls": [*failed, *calls][:1]} if calls else account


def _without_fields(account: Account) -> Account:
    """Leaves out what fields an error was about; its message says what is most of it."""
    found = {key: value for key, value in account.items() if key != "fields"}
    if "error" in found:
        found["error"] = _without_fields(found["error"])
    if "calls" in found:
        found["calls"] = [_without_fields(call) for call in found["calls"]]
    return found


def _in_short(value: Any) -> Any:
    """Returns a value with all strings cut; one character is up to twelve of JSON."""
    if isinstance(value, str):
        return value if len(value) <= _SHORT else value[:_SHORT] + _CUT
    if isinstance(value, dict):
        return {key: _in_short(each) for key, each in value.items()}
    return [_in_short(each) for each in value] if isinstance(value, list) else value


_SHORTENED: Final[tuple[Callable[[Account], Account], ...]] = (
    *map(_without, ("notes", "waits", "endpoints", "attempts")),
    _with_one_call,
    _without_fields,
    _in_short,
)
"""What is done to an account that is too large, in turn."""


def _json(account: Account) -> str:
    return json.dumps(account, separators=(",", ":"), default=str)


def _chosen(calls: Sequence[CallRecord]) -> Sequence[CallRecord]:
    """Returns the calls that are told of, in their order: those that failed before others."""
    if len(calls) <= MOST_CALLS:
        return calls
    ranked = sorted(range(len(calls)), key=lambda at: (calls[at].code == 0, at))
    return [calls[at] for at in sorted(ranked[:MOST_CALLS])]


def _call(call: CallRecord, record: RequestRecord, standing: Standing) -> Account:
    ended = call.ended or record.ended
    told: Account = {"method": call.method, "upstream": call.upstream}
    if not call.began:  # it was refused while it was made
        return told
    told |= {"began": _round(call.began - record.began), "seconds": _round(ended - call.began)}
    if call.code is None:
        told["given_up"] = True
    elif call.code:
        told["error"] = _error(call.code, call.reason, call.message, call.details)
    for name in ("path", "cached"):
        if value := getattr(call, name):
            told[name] = _cut(value)
    for name in ("sent", "received", "stalls"):
        if value := getattr(call, name):
            told[name] = value
    if call.until:
        told["deadline"] = {
            "asked": _round(call.asked - call.began) if call.asked else None,
            "allowed": _round(call.until - call.began),
        }
    if call.waits:
        told["waits"] = [
            {"what": what, "began": _round(since - call.began), "seconds": _round(until - since)}
            for what, since, until in call.waits[-MOST_NOTES:]
        ]
    if call.notes:
        told["notes"] = [
            {"what": what, "told": tell(*arguments)}
            for what, tell, *arguments in call.notes[-MOST_NOTES:]
        ]
    if call.attempts:
        told["attempts"] = [_attempt(each, call) for each in call.attempts[:MOST_ATTEMPTS]]
        told["attempts_made"] = len(call.attempts)
    elif call.code and call.upstream:
        told["endpoints"] = standing(call.upstream)
    return told


def _attempt(attempt: AttemptRecord, call: CallRecord) -> Account:
    told: Account = {
        "endpoint": attempt.endpoint,
        "began": _round(attempt.began - call.began),
        "seconds": _round(attempt.ended - attempt.began),
        "code": None if attempt.code is None else name_of(attempt.code),
    }
    for name in ("reason", "message", "cause"):
        if value := getattr(attempt, name):
            told[name] = _cut(value)
    if not attempt.seen:
        told["unseen"] = True
    if attempt.out:
        told["out"] = [{"cause": cause, "why": _cut(why)} for cause, why in attempt.out]
    return told


def _error(code: int, reason: str | None, message: str, details: Sequence[Detail]) -> Account:
    told: Account = {"code": name_of(code), "reason": reason, "message": _cut(message)}
    if fields := _fields(details):
        told["fields"] = fields
    return told


def _fields(details: Sequence[Detail]) -> list[Account]:
    """Returns the fields that are at fault, as the client was told."""
    for detail in details:
        if detail.type_url == _BAD_REQUEST:
            try:
                bad = error_details_pb2.BadRequest.FromString(detail.value)
            except DecodeError:  # a backend's, which is not what it says
                return []
            return [
                {"field": _cut(each.field), "description": _cut(each.description)}
                for each in bad.field_violations[:MOST_FIELDS]
            ]
    return []


def _caller(principal: Principal) -> Account:
    plan = {} if principal.plan is None else {"plan": _cut(principal.plan)}
    return {"provider": principal.provider, "subject": _cut(principal.subject), **plan}


def _names(query: str | None) -> list[str]:
    """Returns the names of a query's parameters: values may be secret, names are not."""
    if not query:
        return []
    parts = query[:LONGEST].split("&")[:MOST_FIELDS]
    return [unquote_plus(part.partition("=")[0]) for part in parts if "=" in part]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + _CUT


def _round(seconds: float) -> float:
    return round(seconds, 6)
