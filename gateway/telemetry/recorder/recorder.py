"""The flight recorder of a process: keeps accounts of the last requests, bounded.

Half of its places are for failures, all of which are kept until there is no room; the other half is
for a sample of the rest, for what was slow, and for what went well in an odd way: after a retry, or
by a stale reply. What is kept goes on over reloads.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from heapq import nlargest
from random import random as chance
from typing import TYPE_CHECKING, Any, Final

from gateway.record import AttemptRecord, CallRecord, RequestRecord
from gateway.telemetry.recorder.account import Account, Standing, account_of, add_late, packed
from gateway.telemetry.recorder.judging import FAILED, SAMPLED, SLOW, Usual, judged
from gateway.telemetry.recorder.rows import kept as row_of
from gateway.telemetry.recorder.shelf import Shelf
from gateway.telemetry.recorder.wanted import ALL, Traits, Wanted, traits_of

if TYPE_CHECKING:
    from gateway.telemetry.recorder.tap import Tap

MOST_ANSWERS: Final = 16
"""Accounts that are told of one id, which clients choose and may use again."""


@dataclass(slots=True, eq=False)
class Kept:
    """An account on the shelf.

    Attributes:
        serial: Grows from one to the next.
        ids: What it is found by: the request's id, and its socket's.
        failed: Whether it is of a failure.
        traits: What it is listed by.
        text: The account, as JSON.
    """

    serial: int
    ids: tuple[str, ...]
    failed: bool
    traits: Traits
    text: str


class Recorder:
    """Keeps accounts of requests (`gateway.record.Keeper`, `telemetry.records.Latecomer`).

    Args:
        places: How many, of which half are for failures.
        sample: The share of requests that went well that are kept.
        generation: Returns the number of the config that serves.
        standing: Tells of endpoints.
        wall: Seconds since 1970.
        random: Returns a number in [0, 1).

    Attributes:
        tap: Who follows requests as they end; None for nobody.
        since: When it began, in seconds since 1970.
        seen: Requests so far.
    """

    def __init__(
        self,
        places: int,
        sample: float,
        *,
        generation: Callable[[], int],
        standing: Standing,
        wall: Callable[[], float] = time.time,
        random: Callable[[], float] = chance,
    ) -> None:
        self._generation = generation
        self._standing = standing
        self._wall = wall
        self._random = random
        self._usual = Usual()
        self._by_id: dict[str, list[Kept]] = {}
        self._serial = 0
        failures, others = _halves(places)
        self._failures: Shelf[Kept] = Shelf(failures, self._left)
        self._others: Shelf[Kept] = Shelf(others, self._left)
        self._sample = sample
        self._places = places
        self.tap: Tap | None = None
        self.since = wall()
        self.seen = 0

    def configure(self, places: int, sample: float) -> None:
        """Takes over other numbers; what is kept stays, as far as there is room."""
        self._places, self._sample = places, sample
        failures, others = _halves(places)
        self._failures.resize(failures)
        self._others.resize(others)

    def called(self, call: CallRecord) -> None:
        """See Keeper: calls are in the accounts of what made them."""

    def tried(self, call: CallRecord, attempt: AttemptRecord) -> None:
        """See Latecomer: who leaves does not wait for what was under way."""
        found = self._by_id.get(call.request.request_id)
        if found:
            account = json.loads(found[-1].text)
            add_late(account, call, attempt)
            found[-1].text = packed(account)

    def asked(self, request: RequestRecord) -> None:
        """See Keeper."""
        self.seen += 1
        if self.tap is not None:
            self._show(self.tap, request)
        outcome = judged(request)
        if outcome is None:
            if self._usual.is_slow(request):
                outcome = SLOW
            elif self._random() < self._sample:
                outcome = SAMPLED
            else:
                return
        shelf = self._failures if outcome is FAILED else self._others
        key = _key(request, outcome)
        if shelf.wants(key, request.ended):
            self._keep(shelf, key, request, outcome)

    def find(self, id_: str) -> list[Account]:
        """Returns the accounts of an id, of a request's or of its socket's, the newest first."""
        newest = nlargest(MOST_ANSWERS, self._by_id.get(id_, ()), key=_serial)
        return [json.loads(each.text) for each in newest]

    def last(self, *, failed: bool, most: int, wanted: Wanted = ALL) -> list[Account]:
        """Returns the newest accounts, and reads no others.

        Args:
            failed: Whether failures alone are meant.
            most: How many.
            wanted: Says which.
        """
        kept = (*self._failures, *(() if failed else self._others))
        found = (each for each in kept if wanted.wants(each.traits))
        return [json.loads(each.text) for each in nlargest(most, found, key=_serial)]

    def told(self) -> dict[str, Any]:
        """Returns what is kept: how much, since when, and what was not."""
        return {
            "since": self.since,
            "seen": self.seen,
            "places": self._places,
            "failures": len(self._failures),
            "others": len(self._others),
            "left_out": self._failures.crowded,
            "sample": self._sample,
        }

    def _keep(
        self, shelf: Shelf[Kept], key: tuple[object, ...], request: RequestRecord, outcome: str
    ) -> None:
        self._serial += 1
        now = self._wall() - (request.clock() - request.ended)
        account = account_of(request, outcome, now, self._generation(), self._standing)
        ids = tuple({account["request_id"], account.get("socket_id", "")} - {""})
        traits = traits_of(row_of(account))
        kept = Kept(self._serial, ids, outcome is FAILED, traits, packed(account))
        for id_ in ids:
            self._by_id.setdefault(id_, []).append(kept)
        shelf.put(key, kept)

    def _show(self, tap: Tap, request: RequestRecord) -> None:
        tap.see(request)
        if not tap.is_watched:
            self.tap = None

    def _left(self, kept: Kept) -> None:
        for id_ in kept.ids:
            others = self._by_id[id_]
            others.remove(kept)
            if not others:
                del self._by_id[id_]


def _serial(kept: Kept) -> int:
    return kept.serial


def _halves(places: int) -> tuple[int, int]:
    """Returns the places of failures, and of all else."""
    return places - places // 2, max(1, places // 2)


def _key(request: RequestRecord, outcome: str) -> tuple[object, ...]:
    """Returns the kind of a request: nothing that clients can choose at will is in it."""
    calls = request.calls
    if outcome is not FAILED:
        return (outcome, calls[0].method if calls else request.route)
    for call in calls:
        if call.code:
            return (call.reason or call.code, call.method)
    what = request.reason or request.code
    if not what and request.status >= 400:
        what = request.status
    elif not what and request.closed_here:
        what = request.close
    return (what, request.front, request.route, calls[0].method if calls else "")
