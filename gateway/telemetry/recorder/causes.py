"""Why a request ended as it did: its cause, and a sentence that a person on call understands.

Pure functions of an account (`account`). What failed first is asked first; what the gateway says by
a reason of its own is looked at closer where the reason alone does not tell it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from gateway.config.units import say_time
from gateway.telemetry.recorder.account import Account
from gateway.telemetry.recorder.judging import SLOW

CLOSES: Final[Mapping[int, str]] = {
    1002: "The client broke the protocol of WebSocket.",
    1003: "The client sent a kind of data that is not taken.",
    1007: "The client sent what is no UTF-8, or no message of the method.",
    1008: "The client broke a rule of the gateway.",
    1009: "The client sent a message that is too large.",
    1011: "The gateway failed on this socket: a bug.",
    1012: "The gateway was restarted.",
    1013: "The gateway had no room for it.",
    4000: "The gateway sent the client elsewhere: it ends, or the session was idle or too old.",
    4001: "The client took nothing of what it was sent for too long.",
    4002: "The client did not answer a ping.",
    4003: "The client's token expired, and it sent no new one in time.",
    4004: "Who the client is could not be found out at that moment.",
    4400: "The client sent a frame that can't be read.",
    4401: "The client did not show who it is.",
    4403: "The client may not do this.",
    4406: "The client offered subprotocols only that there are not.",
    4408: "The client did not say hello in time.",
    4409: "The client used an id twice.",
    4413: "The client sent a frame that is too large.",
    4429: "The client asked for too much.",
}
"""Why a socket closed, by its code: those of RFC 6455 section 7.4.1, and the gateway's own."""

_DONE: Final = frozenset({0, 1000, 1001, 1005, 1006})
_HALF: Final = 0.5
_QUICK: Final = 0.1
"""Seconds below which nobody asks where the time went."""
_OF_CLIENTS: Final = {"request body": "reading the request", "reply": "giving the answer"}
_TLS: Final = ("certificate", "ssl", "tls", "handshake")


class Found(NamedTuple):
    """Why a request ended as it did.

    Attributes:
        cause: A stable name, of `hints.HINTS`.
        sentence: In words.
    """

    cause: str
    sentence: str


def cause_of(account: Account) -> Found:
    """Returns why a request ended as it did."""
    calls = account.get("calls", [])
    failed = next((each for each in calls if "error" in each), None)
    if failed is not None:
        return _of_call(failed)
    if "error" in account:
        return _of_error(account["error"], calls[0] if calls else {})
    if (found := _closed(account)) is not None:
        return found
    if account.get("gone"):
        return _gone(account)
    status = account["http"]["status"]
    if status >= 400:
        return Found("REFUSED", f"It was answered with {status} before it came to a method.")
    return _of_success(account, calls)


def _closed(account: Account) -> Found | None:
    """Says why a socket closed; None where its client was done, or has gone."""
    close = account.get("close", 0)
    if close in _DONE:
        return None
    if account.get("closed_here"):
        return Found(f"CLOSED_{close}", CLOSES.get(close, f"It closed with {close}."))
    return Found("CLOSED_BY_CLIENT", f"The client closed it, with {close}.")


def failing(account: Account) -> Mapping[str, Any] | None:
    """Returns the call that a request is explained by: what failed first, else its first."""
    calls = account.get("calls", [])
    return next((each for each in calls if "error" in each), calls[0] if calls else None)


def _of_call(call: Mapping[str, Any]) -> Found:
    return _of_error(call["error"], call)


def _of_error(error: Mapping[str, Any], call: Mapping[str, Any]) -> Found:
    reason = error["reason"]
    if reason is None:
        return _answered(error, call)
    return _CLOSER.get(reason, _plain)(error, call)


def _plain(error: Mapping[str, Any], call: Mapping[str, Any]) -> Found:  # noqa: ARG001  as others
    fields = [
        f"{each['field']}: {each['description']}" if each["field"] else each["description"]
        for each in error.get("fields", ())
        if each["description"] not in error["message"] or each["field"] not in error["message"]
    ]
    more = f" ({'; '.join(fields)})" if fields else ""
    return Found(error["reason"], f"{error['message']}{more}")


def _refused(error: Mapping[str, Any], call: Mapping[str, Any]) -> Found:
    """Says beside what the client was told what the provider found."""
    said = [each for each in _notes(call, "refused") if each["reason"] == error["reason"]]
    by, why = (said[-1]["provider"], said[-1]["why"]) if said else ("", "")
    told = f" The provider {by} refused it" if by else " It was refused" if why else ""
    more = f": {why}." if why else "." if by else ""
    return Found(error["reason"], f"{error['message']}{told}{more}")


def _limited(error: Mapping[str, Any], call: Mapping[str, Any]) -> Found:
    asked = [each for told in _notes(call, "limits") for each in told]
    full = [each for each in asked if each.get("allowed") is False and not each.get("dark")]
    if not full:
        return _plain(error, call)
    limit = max(full, key=lambda each: float(each["retry_after"]))
    by = " and ".join(limit["by"]) or "nothing: all callers together"
    return Found(
        error["reason"],
        f'The {limit["kind"]} "{limit["limit"]}" of {limit["rate"]}, counted by {by}, is used up: '
        f"{limit['remaining']} left, enough again in {say_time(limit['retry_after'])}.",
    )


def _late(error: Mapping[str, Any], call: Mapping[str, Any]) -> Found:
    deadline = call.get("deadline")
    if deadline is None:
        return Found("GATEWAY_TIMEOUT", f"{error['message']}{_where(call)}")
    asked, allowed = deadline["asked"], deadline["allowed"]
    if asked is not None and asked <= allowed:
        text = f"The client gave it {_about(max(0.0, asked))}, which passed{_where(call)}"
        return Found("CLIENT_DEADLINE", text)
    return Found("GATEWAY_TIMEOUT", f"The time-out of {_about(allowed)} passed{_where(call)}")


def _where(call: Mapping[str, Any]) -> str:
    """Returns where a call was when its time was over, and how much of that it had been there."""
    attempts = call.get("attempts", [])
    if attempts:
        longest = max(attempts, key=lambda each: float(each["seconds"]))
        number = call["attempts_made"]
        more = f", in {number} attempts" if number > 1 else ""
        return (
            f" while the endpoint {longest['endpoint']} had the call for "
            f"{say_time(longest['seconds'])}{more}."
        )
    waits = call.get("waits", [])
    if waits:
        longest = max(waits, key=lambda each: float(each["seconds"]))
        return f" while it waited for {_words(longest['what'])}."
    if call.get("upstream"):
        return f" before any endpoint of {call['upstream']} had the call."
    return " before the call was made."


def _unreachable(error: Mapping[str, Any], call: Mapping[str, Any]) -> Found:
    attempts = call.get("attempts", [])
    upstream = call.get("upstream", "")
    if attempts:
        last = attempts[-1]
        why = last.get("cause", "") or last.get("message", "")
        tls = any(word in why.lower() for word in _TLS)
        tried = f"{len(attempts)} endpoints were tried, the last " if len(attempts) > 1 else ""
        text = f"The upstream {upstream} can't be reached: {tried}{last['endpoint']}: {why}."
        return _unrepeated(Found("UPSTREAM_TLS" if tls else error["reason"], text), call)
    standing = call.get("endpoints") or {}
    endpoints = standing.get("endpoints", [])
    if standing.get("unresolved") or not endpoints:
        why = standing.get("unresolved") or "it has no endpoint"
        text = f"It is not known where the upstream {upstream} is: {why}."
        return Found("NOT_RESOLVED", text)
    out = [(each["address"], cause) for each in endpoints for cause in each["out"]]
    if out:
        said = "; ".join(f"{address}: {each['cause']}, {each['why']}" for address, each in out)
        ejected = any(each["cause"] == "ejected" for _, each in out)
        cause = "ENDPOINTS_EJECTED" if ejected else "ENDPOINTS_UNHEALTHY"
        return Found(cause, f"No endpoint of {upstream} takes calls: {said}.")
    states = ", ".join(f"{each['address']} is {each['state']}" for each in endpoints)
    return Found(error["reason"], f"{error['message']} Of {upstream}, {states}.")


def _answered(error: Mapping[str, Any], call: Mapping[str, Any]) -> Found:
    """Says that the backend itself failed."""
    attempts = call.get("attempts", [])
    by = f" {attempts[-1]['endpoint']}" if attempts else ""
    said = f": {error['message']}" if error["message"] else ", without a message"
    out = [cause for each in attempts for cause in each.get("out", ())]
    left_out = f" It was {out[-1]['cause']} then: {out[-1]['why']}." if out else ""
    found = Found("BACKEND_ERROR", f"The backend{by} answered {error['code']}{said}.{left_out}")
    return _unrepeated(found, call)


def _broken(error: Mapping[str, Any], call: Mapping[str, Any]) -> Found:
    """Says what a transport met, with its own words."""
    attempts = call.get("attempts", [])
    if not attempts:
        return _plain(error, call)
    last = attempts[-1]
    why = f" ({last['cause']})" if last.get("cause") else ""
    text = f"{error['message']} It was {last['endpoint']}, after {say_time(last['seconds'])}{why}."
    return _unrepeated(Found(error["reason"], text), call)


def _unrepeated(found: Found, call: Mapping[str, Any]) -> Found:
    """Says why a call that failed was not made again, or that it was."""
    held = _notes(call, "not made again")
    seen = [each for each in call.get("attempts", ()) if not each.get("unseen")]
    if held:
        is_budget = held[-1]["bound"] == "budget"
        cause = "RETRY_BUDGET_EMPTY" if is_budget else "RETRIES_HELD"
        why = "the retry budget is used up" if is_budget else "as many retries run as may"
        return Found(cause, f"{found.sentence} It was not made again: {why}.")
    if len(seen) > 1:
        number = call["attempts_made"]
        return Found("RETRIES_EXHAUSTED", f"{found.sentence} All {number} attempts failed.")
    return found


def _gone(account: Account) -> Found:
    at = say_time(account["seconds"])
    call = failing(account)
    where = "" if call is None else _where(call)
    return Found("CLIENT_GONE", f"The client left after {at}{where or '.'}")


def _of_success(account: Account, calls: Sequence[Mapping[str, Any]]) -> Found:
    stale = next((each for each in calls if each.get("cached") == "stale"), None)
    if stale is not None:
        failed = [each for each in stale.get("attempts", ()) if each["code"] not in ("OK", None)]
        why = f", for the backend answered {failed[-1]['code']}" if failed else ""
        return Found("STALE_SERVED", f"It got a stale reply from the cache{why}.")
    retried = next((each for each in calls if each.get("attempts_made", 0) > 1), None)
    if retried is not None:
        bad = next((each for each in retried["attempts"] if each["code"] != "OK"), None)
        if bad is not None and bad["code"] is not None:
            number = retried["attempts_made"]
            text = f"It went well at attempt {number}: {bad['endpoint']} answered {bad['code']}."
            return Found("RETRIED", text)
    return _spent(account, calls)


def _spent(account: Account, calls: Sequence[Mapping[str, Any]]) -> Found:
    """Says where the time of a request went that went well."""
    total = account["seconds"]
    half = total * _HALF
    is_quick = total < _QUICK and account.get("outcome") != SLOW
    for call in calls:
        for wait in call.get("waits", ()):
            if wait["seconds"] > half:
                fault = wait["what"] == "InjectFaults"
                text = f"It took {say_time(total)}: it waited {say_time(wait['seconds'])} for "
                cause = "FAULT_DELAY" if fault else "SLOW_WAIT"
                return Found(cause, f"{text}{_words(wait['what'])}.")
        for attempt in () if is_quick else call.get("attempts", ()):
            if attempt["seconds"] > half:
                text = f"the endpoint {attempt['endpoint']} took {say_time(attempt['seconds'])}"
                return Found(
                    "SLOW_ENDPOINT", f"It went well, in {say_time(total)}: {text} of that."
                )
    for each in () if is_quick else account["phases"]:
        if each["seconds"] > half and each["phase"] in _OF_CLIENTS:
            what = _OF_CLIENTS[each["phase"]]
            text = f"It went well, in {say_time(total)}, of which {what} took most."
            return Found("SLOW_CLIENT", text)
    return Found("WENT_WELL", f"It went well, in {say_time(total)}.")


def _notes(call: Mapping[str, Any], what: str) -> list[Any]:
    return [each["told"] for each in call.get("notes", ()) if each["what"] == what]


_WAITS: Final[Mapping[str, str]] = {
    "InjectFaults": "a delay that a policy makes on purpose",
    "AdaptiveConcurrency": "its turn: the upstream had as many calls as it takes",
    "RateLimits": "its share of a rate limit",
    "Authenticate": "who calls to be known",
}


def _words(gate: str) -> str:
    """Returns what a call waited for, in words."""
    return _WAITS.get(gate, gate)


def _about(seconds: float) -> str:
    """Returns what a deadline was set to: clocks of event loops are a little behind."""
    return say_time(float(f"{seconds:.3g}" if seconds >= 1 else f"{seconds:.2g}"))


_CLOSER: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Found]]] = {
    **dict.fromkeys(("RATE_LIMITED", "QUOTA_EXCEEDED"), _limited),
    **dict.fromkeys(
        ("CREDENTIALS_MISSING", "INVALID_CREDENTIALS", "TOKEN_EXPIRED", "INSUFFICIENT_SCOPE",
         "ROLE_MISSING", "CONDITION_FAILED", "AUTHENTICATION_UNAVAILABLE"),
        _refused,
    ),
    **dict.fromkeys(
        ("UPSTREAM_RESET", "UPSTREAM_PROTOCOL_ERROR", "UPSTREAM_HTTP_ERROR",
         "UPSTREAM_MESSAGE_TOO_LARGE"),
        _broken,
    ),
    "DEADLINE_EXCEEDED": _late,
    "UPSTREAM_UNAVAILABLE": _unreachable,
}  # fmt: skip
"""What looks closer at a reason; the rest say it all themselves."""
