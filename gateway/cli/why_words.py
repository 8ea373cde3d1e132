"""The answer to why in words, as lines of a terminal. Pure.

All that came from outside is written without what would move a cursor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from textwrap import wrap
from typing import Any, Final

from gateway.config.problems import printable
from gateway.config.units import say_time

Told = Mapping[str, Any]

_INDENT: Final = 12
_WIDTH: Final = 100
_BAR: Final = 24
_SETTINGS: Final = 40  # lines


def lines_of(row: Told) -> Iterator[str]:
    """Yields what is told of a request.

    Args:
        row: Of the page `/why/{id}` (`gateway.telemetry.recorder.explaining`).
    """
    yield from _titled("Request", _request(row))
    yield from _titled("Why", [row["why"]])
    if row["cause"] != "WENT_WELL":
        yield from _titled("What to do", [row["hint"], row["docs"]])
    yield from _titled("Time", _time(row))
    yield from _titled("Calls", _calls(row))
    calls = row.get("calls", ())
    for name, tell in _OF_CALLS.items():
        yield from _titled(name, (line for call in calls for line in tell(call, row)))
    yield from _titled("Settings", _settings(row))
    if trace := row.get("trace_id"):
        yield from _titled("Trace", [trace])


def reload_lines(told: Told) -> Iterator[str]:
    """Yields what became of the last reload."""
    if told["at"] is None:
        yield "The config was not reloaded since the gateway began."
        return
    at = _at(told["at"])
    if not told["refused"]:
        yield f"The last reload, at {at}, was taken."
        return
    yield from _titled(
        "Why", [f"The reload at {at} was refused, and the config before it is served:"]
    )
    for line in told["problems"]:
        yield " " * _INDENT + printable(line)
    yield from _titled(
        "What to do", ["Mend it; `gateway check` says the same of the file.", "docs/reload.md"]
    )


def nothing_lines(id_: str, kept: Told) -> Iterator[str]:
    """Yields what is said where nothing is known of an id."""
    others = kept["failures"] + kept["others"]
    yield f"Nothing is kept of {printable(id_)}."
    yield (
        f"Of {kept['seen']:,} requests since {_at(kept['since'])} the gateway keeps {others:,} of "
        f"{kept['places']:,} at most: failures, the newest of each kind, and a sample of "
        f"{kept['sample']:.2%} of the rest."
    )
    if kept["left_out"]:
        yield f"{kept['left_out']:,} failures came faster than they could be kept."
    yield "`gateway why --last` lists what there is; docs/why.md tells how to keep more."


def _titled(title: str, lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        # Columns stay as they are: only sentences are long.
        columns = "  " in line.strip() or len(line) <= _WIDTH - _INDENT
        for part in [line] if columns else wrap(line, _WIDTH - _INDENT):
            yield f"{title:{_INDENT}}{printable(part)}".rstrip()
            title = ""


def _request(row: Told) -> Iterator[str]:
    asked = row["http"]
    query = f"?{'&'.join(f'{name}=…' for name in asked['query'])}" if asked["query"] else ""
    worker = f", worker {row['worker']}" if row["worker"] else ""
    yield f"{row['request_id'] or '(without an id)'}, {row['time']}{worker}"
    front = f" ({row['front']})" if row.get("front") else ""
    kind = "" if row["kind"] == "request" else f"{row['kind']}, "
    yield f"{kind}{asked['method']} {asked['path']}{query}{front}"
    if name := row.get("operation_type"):
        cost = f", cost {row['cost']:,}" if row.get("cost") else ""
        yield f"{name} {row.get('operation', '(without a name)')}{cost}"
    who = row["principal"]
    plan = f" ({who['plan']})" if who and "plan" in who else ""
    caller = f"{who['subject']} of {who['provider']}{plan}" if who else "nobody who is known"
    yield f"from {row['peer'] or 'a Unix socket'}, by {caller}"
    yield _end(row)


def _end(row: Told) -> str:
    parts = [str(row["http"]["status"])] if row["kind"] == "request" else []
    failed = next((each for each in row.get("calls", ()) if "error" in each), row)
    if error := failed.get("error"):
        parts += [error["code"], *([error["reason"]] if error["reason"] else [])]
    if close := row.get("close"):
        parts.append(f"closed with {close}")
    if row.get("gone"):
        parts.append("the client had gone")
    return f"ended with {' '.join(parts) or 'OK'} after {say_time(row['seconds'])}"


def _time(row: Told) -> Iterator[str]:
    total = row["seconds"]
    for each in row["phases"]:
        bar = "█" * round(_BAR * each["seconds"] / total) if total else ""
        yield f"{each['phase']:20} {say_time(each['seconds']):>9}  {bar}"


def _calls(row: Told) -> Iterator[str]:
    for number, call in enumerate(row.get("calls", ()), 1):
        how = call["error"]["code"] if "error" in call else "given up" if _is_left(call) else "OK"
        cached = f", cache: {call['cached']}" if call.get("cached") else ""
        at = (
            f", {say_time(call['seconds'])} from +{say_time(call['began'])}" if _begun(call) else ""
        )
        path = f" for {call['path']}" if call.get("path") else ""
        yield f"{number}. {call['method']}{path}: {how if _begun(call) else 'not made'}{at}{cached}"
    more = row.get("made", 0) - len(row.get("calls", ()))
    if more > 0:
        yield f"and {more:,} more"


def _begun(call: Told) -> bool:
    return "began" in call


def _is_left(call: Told) -> bool:
    return bool(call.get("given_up"))


def _attempts(call: Told, row: Told) -> Iterator[str]:
    now = {each["address"]: each for each in (row.get("now") or {}).get("endpoints", ())}
    for number, each in enumerate(call.get("attempts", ()), 1):
        end = each["code"] or "given up"
        words = each.get("cause") or each.get("message") or ""
        said = f": {words}" if words else ""
        unseen = ", which it did not see" if each.get("unseen") else ""
        yield (
            f"{number}. {each['endpoint']}, {say_time(each['seconds'])} from "
            f"+{say_time(each['began'])}, {end}{unseen}{said}"
        )
        for cause in each.get("out", ()):
            yield f"   it was {cause['cause']} then: {cause['why']}"
        if present := now.get(each["endpoint"]):
            yield f"   now: {_state(present)}"
    for each in (call.get("endpoints") or {}).get("endpoints", ()):
        yield f"{each['address']} was not asked: it was {_state(each)}"
        if present := now.get(each["address"]):
            yield f"   now: {_state(present)}"


def _state(endpoint: Told) -> str:
    out = "; ".join(f"{each['cause']}: {each['why']}" for each in endpoint["out"])
    return f"{endpoint['state']}{', ' if out else ''}{out}"


def _limits(call: Told, row: Told) -> Iterator[str]:  # noqa: ARG001  as others
    for note in _notes(call, "limits"):
        for each in note:
            by = ", ".join(each["by"]) or "no key"
            if "remaining" not in each:
                yield f"{each['limit']}: {each['rate']} by {by}: it could not be asked"
                continue
            how = "" if each["allowed"] else ", refused"
            dark = ", counts only" if each.get("dark") else ""
            yield (
                f"{each['limit']}: {each['rate']} by {by}: {each['remaining']} left, all again in "
                f"{say_time(each['resets'])}{how}{dark}"
            )


def _deadline(call: Told, row: Told) -> Iterator[str]:  # noqa: ARG001  as others
    given = call.get("deadline")
    if given is None:
        return
    asked, allowed = given["asked"], given["allowed"]
    whose = "the client's own" if asked is not None and asked <= allowed else "the gateway's"
    text = f"{say_time(max(0.0, allowed))}, {whose}"
    if whose != "the client's own" and asked is not None:
        text += f" (the client asked for {say_time(asked)})"
    if attempts := call.get("attempts"):
        left = allowed - attempts[0]["began"]
        text += f"; {say_time(max(0.0, left))} were left when the backend was asked"
    yield text


def _waits(call: Told, row: Told) -> Iterator[str]:  # noqa: ARG001  as others
    for each in call.get("waits", ()):
        yield f"{say_time(each['seconds'])} from +{say_time(each['began'])} at {each['what']}"


def _notes(call: Told, what: str) -> Sequence[Any]:
    return [each["told"] for each in call.get("notes", ()) if each["what"] == what]


_OF_CALLS: Final = {
    "Attempts": _attempts,
    "Waited": _waits,
    "Limits": _limits,
    "Deadline": _deadline,
}


def _settings(row: Told) -> Iterator[str]:
    # What never came to a backend is not the backend's doing.
    came = any(call.get("upstream") for call in row.get("calls", ()))
    told = [each for each in row["settings"] if came or not each["name"].startswith("upstream")]
    if told and row["reloaded"]:
        yield "The config was reloaded since; these are of the present one."
    names = max((len(each["name"]) for each in told), default=0)
    values = min(40, max((len(each["value"]) for each in told), default=0))
    for each in told[:_SETTINGS]:
        yield f"{each['name']:{names}}  {each['value']:{values}}  {each['set_by']}"
    if len(told) > _SETTINGS:
        yield f"and {len(told) - _SETTINGS} more: gateway explain"


def _at(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
