"""The operation `sessions`: the WebSockets that are open, whose they are, and how they do.

A session's id is what a client comes back with, a secret: what stands here is a number of the
process's own. Tokens and queries are not told.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, Final

from gateway.fronts.roster import Entry
from gateway.fronts.websocket.sessions import Sessions
from gateway.operations import NOT_ASKED_RIGHT, Content, OperationError
from gateway.operations.arguments import AFTER, LIMIT, only, whole

_USUAL: Final = 100  # rows of an answer
_MOST: Final = 1000
_ID: Final = re.compile(r"([0-9]{1,4})\.([0-9]{1,15})")


def listed(sessions: Sessions, arguments: Mapping[str, str], worker: int) -> Content:
    """Does the operation.

    Args:
        sessions: Those of the process.
        arguments: `limit`, and `after`: an id that was told.
        worker: The process's number; 0 for one alone.

    Returns:
        `count`, of all sockets; `waiting`, of sessions whose clients may come back; `limit`; and
        `rows`, by `id`: `form`, `peer`, `host`, `path`, `since`, `age` in seconds, `principal`
        (`provider` and `subject`; None for nobody who is known), and what the form counts:
        `streams` that are open, `credit` that clients gave them, `received` and `sent` bytes of
        messages. Where there are more rows, `after` is what to ask for next.

    Raises:
        OperationError: An argument is none.
    """
    only(arguments, LIMIT, AFTER)
    limit = whole(arguments, LIMIT, _USUAL, _MOST)
    roster = sessions.roster
    entries = roster.after(_start(arguments.get(AFTER), worker), limit + 1)
    now = roster.wall()
    rows = [_row(each, worker, now) for each in entries[:limit]]
    more = {AFTER: rows[-1]["id"]} if rows and len(entries) > limit else {}
    return {
        "count": len(roster),
        "waiting": sessions.waiting,
        "limit": limit,
        "rows": rows,
        **more,
    }


def _start(after: str | None, worker: int) -> int:
    """Returns the number after which this process's rows begin: ids go by worker, then by number.

    Raises:
        OperationError: `after` is no id.
    """
    if after is None:
        return 0
    found = _ID.fullmatch(after)
    if found is None:
        raise OperationError(NOT_ASKED_RIGHT, "after: expected an id such as 1.17.")
    of, serial = int(found[1]), int(found[2])
    if of == worker:
        return serial
    return 0 if of < worker else 10**15


def _row(entry: Entry, worker: int, now: float) -> dict[str, Any]:
    told = entry.tell()
    known = told.principal
    return {
        "id": f"{worker}.{entry.serial}",
        "form": entry.form,
        "peer": entry.peer,
        "host": entry.host,
        "path": entry.path,
        "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(entry.since)),
        "age": round(max(0.0, now - entry.since), 3),
        "principal": None
        if known is None
        else {"provider": known.provider, "subject": known.subject},
        **told.numbers,
    }
